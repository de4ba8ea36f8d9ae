//! The view in a terminal: what happened scrolls by above, how it stands is drawn anew below.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use msk_mapping::LogLine;
use msk_mapping::driver::{Notice, Status};
use tokio::time::Instant;

use super::lines::{self, Lines};
use crate::style::{BOLD, DIM};

/// So many mappings have a table; the others are summed up in their line.
const TABLES_MAX: usize = 3;
/// The rate is that of about so long.
const RATE_OVER: Duration = Duration::from_secs(2);

/// What is on the screen.
#[derive(Debug, Default)]
pub(crate) struct Live {
    lines: Lines,
    statuses: BTreeMap<String, Status>,
    /// How many lines of the last drawing are to be taken away.
    drawn: usize,
    /// Committed records and when, to tell the rate.
    mark: Option<(Instant, u64)>,
    rate: f64,
}

impl Live {
    /// The text that brings the screen up to date.
    pub(crate) fn notice(&mut self, topic: &str, notice: &Notice) -> Option<String> {
        if let Notice::Status(status) = notice {
            self.statuses.insert(status.topic.clone(), status.clone());
            self.count(Instant::now());
            return Some(self.draw(""));
        }
        let done = matches!(notice, Notice::Committed { .. })
            || matches!(notice, Notice::Answered { verdict, .. } if *verdict == msk_mapping::response::Verdict::AllDone);
        let line = self.lines.notice(topic, notice)?;
        // What goes well is seen in the numbers.
        (!done).then(|| self.draw(&line))
    }

    /// A line that the function wrote.
    pub(crate) fn log(&mut self, line: &LogLine) -> String {
        let text = format!("{DIM}{}{DIM:#}\n", line.text);
        self.draw(&text)
    }

    /// Something about the command itself.
    pub(crate) fn remark(&mut self, word: &str, text: &str) -> String {
        self.draw(&lines::remark(word, text))
    }

    /// Takes the drawing away for what comes after it.
    pub(crate) fn clear(&mut self) -> String {
        let text = erase(self.drawn);
        self.drawn = 0;
        text
    }

    fn count(&mut self, now: Instant) {
        let committed = self
            .statuses
            .values()
            .map(|status| status.metrics.committed)
            .sum();
        let (since, before) = *self.mark.get_or_insert((now, committed));
        let over = now - since;
        if over >= RATE_OVER {
            let more = u32::try_from(committed - before).unwrap_or(u32::MAX);
            self.rate = f64::from(more) / over.as_secs_f64();
            self.mark = Some((now, committed));
        }
    }

    /// Takes the last drawing away, writes what scrolls, and draws anew.
    fn draw(&mut self, scrolls: &str) -> String {
        let mut below = String::from("\n");
        for (number, status) in self.statuses.values().enumerate() {
            let environments = lines::count(status.environments, "environment");
            below += &format!(
                "{BOLD}{}{BOLD:#} {DIM}· {} in flight · {environments} · {:.0} records/s{DIM:#}\n",
                status.topic, status.in_flight, self.rate
            );
            if number < TABLES_MAX {
                below += &lines::lanes(status);
            }
            below += &lines::summary(status);
        }
        // A line that is too long is cut and not wrapped: else there would be more to take away than was counted.
        let text = format!("{}{scrolls}\x1b[?7l{below}\x1b[?7h", erase(self.drawn));
        self.drawn = below.lines().count();
        text
    }
}

/// Up so many lines, and everything from there on away.
fn erase(lines: usize) -> String {
    match lines {
        0 => String::new(),
        lines => format!("\x1b[{lines}A\x1b[0J"),
    }
}

/// Writes to the terminal, colours and all: it has been seen to be one.
pub(crate) fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    // A terminal that has gone ends nothing: the records still are to be done.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::{Live, erase};

    #[test]
    fn a_drawing_takes_the_one_before_away() {
        let mut live = Live::default();

        let first = live.draw("one\n");
        let second = live.draw("two\n");

        assert_eq!(first, "one\n\x1b[?7l\n\x1b[?7h");
        assert_eq!(second, format!("{}two\n\x1b[?7l\n\x1b[?7h", erase(1)));
        assert_eq!(live.clear(), erase(1));
        assert_eq!(live.clear(), "");
    }
}

//! The view in a terminal: what happened scrolls by above, how it stands is drawn anew below.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use msk_mapping::driver::{Notice, Status};
use tokio::time::Instant;

use super::fates::Fates;
use super::layout::{self, Block};
use super::lines::{self, Lines};
use super::summary;
use crate::function::measured::{Measured, Topic};
use crate::text::cut;
use crate::text::style::{BOLD, DIM};

/// The rate is that of about so long.
const RATE_OVER: Duration = Duration::from_secs(2);

/// What is on the screen.
#[derive(Debug, Default)]
pub(crate) struct Live {
    lines: Lines,
    statuses: BTreeMap<String, Status>,
    /// How the mappings stood last, as text.
    blocks: Vec<Block>,
    /// How many lines of the last drawing are to be taken away.
    drawn: usize,
    /// Committed records and when, to tell the rate.
    mark: Option<(Instant, u64)>,
    rate: f64,
}

impl Live {
    /// The text that brings the screen up to date.
    pub(crate) fn notice(
        &mut self,
        topic: &str,
        notice: &Notice,
        fates: &Fates,
        measured: &Measured,
    ) -> Option<String> {
        if let Notice::Status(status) = notice {
            self.statuses.insert(status.topic.clone(), status.clone());
            self.count(Instant::now());
            let rate = self.rate;
            let statuses = self.statuses.values();
            let block = |status| block(status, rate, fates, measured);
            self.blocks = statuses.map(block).collect();
            return Some(self.draw(""));
        }
        let done = matches!(notice, Notice::Committed { .. })
            || matches!(notice, Notice::Answered { verdict, .. } if *verdict == msk_mapping::response::Verdict::AllDone);
        let line = self.lines.notice(topic, notice, fates)?;
        // What goes well is seen in the numbers.
        (!done).then(|| self.draw(&line))
    }

    /// A line about a record, above the drawing.
    pub(crate) fn scroll(&mut self, line: &str) -> String {
        self.draw(line)
    }

    /// A line that the function wrote.
    pub(crate) fn log(&mut self, line: &str) -> String {
        let text = format!("{DIM}{line}{DIM:#}\n");
        self.draw(&text)
    }

    /// A row, cut to the terminal.
    pub(crate) fn row(&mut self, row: &str) -> String {
        let (columns, _) = size();
        let text = cut::cut_with_a_mark(row, columns) + "\n";
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
        self.draw_in(scrolls, size())
    }

    /// The last row is the cursor's: what is higher than the screen could not be taken away again.
    fn draw_in(&mut self, scrolls: &str, (columns, rows): (usize, usize)) -> String {
        // A blank line, the drawing, and the cursor's own.
        let lines = layout::fit(&self.blocks, (columns, rows.saturating_sub(2)));
        // A line that is too long all the same is cut and not wrapped.
        let mut text = format!("{}{scrolls}\x1b[?7l\n", erase(self.drawn));
        for line in &lines {
            text += line;
            text.push('\n');
        }
        self.drawn = lines.len() + 1;
        text + "\x1b[?7h"
    }
}

fn block(status: &Status, rate: f64, fates: &Fates, measured: &Measured) -> Block {
    let environments = lines::count(status.environments, "environment");
    let table = summary::partitions(status);
    Block {
        head: format!(
            "{BOLD}{}{BOLD:#} {DIM}· {} in flight · {environments} · {rate:.0} records/s{DIM:#}",
            status.topic, status.in_flight
        ),
        table: table.lines().map(str::to_owned).collect(),
        gauges: measured
            .of(&status.topic)
            .map_or_else(Vec::new, Topic::bars),
        sum: summary::summary(status, fates).trim_end().to_owned(),
    }
}

/// The terminal's columns and rows.
fn size() -> (usize, usize) {
    match terminal_size::terminal_size() {
        Some((columns, rows)) => (columns.0.into(), rows.0.into()),
        None => layout::SIZE,
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
    use super::{Block, Live, erase};

    const SIZE: (usize, usize) = (80, 24);

    #[test]
    fn a_drawing_takes_the_one_before_away() {
        let mut live = Live::default();

        let first = live.draw_in("one\n", SIZE);
        let second = live.draw_in("two\n", SIZE);

        assert_eq!(first, "one\n\x1b[?7l\n\x1b[?7h");
        assert_eq!(second, format!("{}two\n\x1b[?7l\n\x1b[?7h", erase(1)));
        assert_eq!(live.clear(), erase(1));
        assert_eq!(live.clear(), "");
    }

    #[test]
    fn a_drawing_is_no_larger_than_the_screen() {
        let block = |name: &str| Block {
            head: format!("{name} · 1 in flight · 1 environment · 12 records/s"),
            table: vec![format!("  {name}-0  12  0  0  0  0"); 8],
            gauges: Vec::new(),
            sum: "  12 records polled, 1 invocation, 12 committed; lag 0".to_owned(),
        };
        let mut live = Live {
            blocks: vec![block("small"), block("other")],
            ..Live::default()
        };

        let drawn = live.draw_in("", (20, 10));

        let lines: Vec<&str> = drawn.lines().collect();
        assert!(lines.len() <= 10, "{lines:?}");
        let whole = |line: &&str| line.replace("\x1b[?7l", "").replace("\x1b[?7h", "");
        assert!(
            lines.iter().all(|line| whole(line).chars().count() <= 20),
            "{lines:?}"
        );
        assert!(drawn.contains("\nsmall · 1 in flight \n"), "{drawn:?}");
    }
}

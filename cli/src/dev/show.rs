//! The display of a run: a view in a terminal, lines for people, or JSON for scripts. Made and fed by `dev`.

// What a function answered.
mod answer;
// What became of each record.
mod fates;
// Why nothing was read.
pub(super) mod nothing;
// How it ended.
mod end;
// Lines for people.
pub(super) mod lines;
// The sum of it.
mod summary;
// What fits on a screen.
mod layout;
// The view in a terminal.
mod live;
// Lines for scripts.
mod json;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use msk_mapping::driver::{Notice, Status};
use msk_mapping::{LogLine, Logs};
use tokio::time::Instant;

pub(crate) use self::end::End;
use self::fates::{Fates, News, Topic};
use super::args::Args;
use crate::fault::{Fault, print};
use crate::flags::output;
use crate::function::emf;
use crate::function::log_line::{self, Shown};
use crate::function::measured::Measured;
use crate::function::payloads::Payloads;
use crate::function::said::{self, Said};
use crate::text::cut;

/// What is shown of a run, and what is remembered of it.
pub(crate) struct Show {
    form: Form,
    /// What is shown of the function's own lines.
    logs: output::Logs,
    seen: Mutex<Seen>,
}

enum Form {
    Json,
    Lines(Mutex<lines::Lines>),
    Live(Mutex<live::Live>),
}

/// What the notices and the function's log have told.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) fates: Fates,
    measured: Measured,
    /// How each mapping stood last.
    statuses: BTreeMap<String, Status>,
}

impl Seen {
    fn notice(&mut self, topic: &str, notice: &Notice) {
        self.fates.notice(topic, notice);
        if let Notice::Invoking(_) = notice {
            self.measured.begins(topic, Instant::now());
        }
        if let Notice::Status(status) = notice {
            self.stands(topic, status);
            self.statuses.insert(topic.to_owned(), status.clone());
        }
    }
}

impl Seen {
    /// What the function has measured last of a partition is no lag any more once nothing of it waits: its records may have been given up since.
    fn stands(&mut self, topic: &str, status: &Status) {
        let mut partitions = BTreeMap::new();
        for of in &status.partitions {
            let is_settled = of.lag == Some(0);
            *partitions
                .entry(of.partition.partition().to_string())
                .or_insert(true) &= is_settled;
        }
        self.measured.stands(topic, &partitions, Instant::now());
    }
}

impl Show {
    pub(crate) fn new(args: &Args) -> Self {
        let form = if args.json {
            Form::Json
        } else if shows_a_view() && !args.lines {
            Form::Live(Mutex::default())
        } else {
            Form::Lines(Mutex::default())
        };
        Self {
            form,
            logs: args.output.logs,
            seen: Mutex::default(),
        }
    }

    pub(crate) fn begun(&self, bootstrap: &str, produced: usize) -> Result<(), Fault> {
        match &self.form {
            Form::Json => print(&json::line(&json::begun(bootstrap, produced))),
            _ => print(&lines::begun(bootstrap, produced)),
        }
    }

    /// What has been seen up to now.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        held(&self.seen)
    }

    /// Where the function's own lines go. What it says there of its records is told in the form of the run too.
    pub(crate) fn logs(self: &Arc<Self>) -> Logs {
        let show = Arc::clone(self);
        Logs::lines(move |line| {
            if let Some(metrics) = emf::of(&line) {
                show.seen().measured.add(&metrics, Instant::now());
            }
            let said = said::read(&line.text);
            show.log(&line, said.as_ref());
            if let Some(news) = said.and_then(|said| show.seen().fates.said(said)) {
                show.news(&news);
            }
        })
    }

    /// A line that the function wrote, as much of it as is to be shown.
    fn log(&self, line: &LogLine, said: Option<&Said>) {
        let Form::Live(live) = &self.form else {
            log_line::write(line, self.logs);
            return;
        };
        let in_other_words = matches!(said, Some(Said::Record { .. } | Said::Unhandled { .. }));
        match log_line::of(line, self.logs) {
            Shown::Hidden => {}
            // The view tells what became of records in words of its own.
            Shown::Short(_) if in_other_words => {}
            // Past the view, or it would tear.
            Shown::Short(row) => {
                let mut live = held(live);
                let text = live.row(&row);
                live::write(&text);
            }
            Shown::AsItIs => {
                let mut live = held(live);
                let text = live.log(&cut::tamed(&line.text));
                live::write(&text);
            }
        }
    }

    /// The keys and values of an event's records, for those who ask to see them.
    pub(crate) fn payloads(&self, topic: &str, payloads: &Payloads) {
        match &self.form {
            Form::Json => {
                let _ = print(&json::line(&json::payloads(topic, payloads)));
            }
            Form::Lines(_) => {
                let columns = cut::columns_of_stdout();
                for line in payloads.lines() {
                    let line = lines::remark("payload", &line);
                    let _ = print(&match columns {
                        Some(columns) => cut::cut_with_a_mark(line.trim_end(), columns) + "\n",
                        None => line,
                    });
                }
            }
            Form::Live(live) => {
                for line in payloads.lines() {
                    let line = lines::remark("payload", &line);
                    let mut live = held(live);
                    let text = live.row(line.trim_end());
                    live::write(&text);
                }
            }
        }
    }

    fn news(&self, news: &News) {
        match &self.form {
            Form::Json => {
                let _ = print(&json::line(&json::news(news)));
            }
            Form::Lines(_) => {
                let _ = print(&lines::news(news));
            }
            Form::Live(live) => {
                let mut live = held(live);
                let text = live.scroll(&lines::news(news));
                live::write(&text);
            }
        }
    }

    /// What happened to the mapping of a topic. Whether to go on with it is of no use.
    pub(crate) fn notice(&self, topic: &str, notice: &Notice) -> bool {
        let mut seen = self.seen();
        seen.notice(topic, notice);
        let (fates, measured) = (&seen.fates, &seen.measured);
        let text = match &self.form {
            Form::Json => {
                json::notice(topic, notice, fates, measured).map(|value| json::line(&value))
            }
            Form::Lines(lines) => held(lines).notice(topic, notice, fates),
            Form::Live(live) => {
                let mut live = held(live);
                if let Some(text) = live.notice(topic, notice, fates, measured) {
                    // Under the lock: two drawings at once would tear.
                    live::write(&text);
                }
                None
            }
        };
        if let Some(text) = text {
            // A reader that has gone ends nothing: the records still are to be done.
            let _ = print(&text);
        }
        fates.of(topic).is_some_and(Topic::is_hopeless)
    }

    /// Something about the command itself, which is none of the mapping's doing, behind a word for what it is about.
    pub(crate) fn remark(&self, word: &str, text: &str) {
        match &self.form {
            Form::Json => {
                let _ = print(&json::line(&json::remark(text)));
            }
            Form::Lines(_) => {
                let _ = print(&lines::remark(word, text));
            }
            Form::Live(live) => {
                let mut live = held(live);
                let text = live.remark(word, text);
                live::write(&text);
            }
        }
    }

    /// How it stood at the end, and what it came to.
    pub(crate) fn ended(&self, end: &End<'_>) -> Result<(), Fault> {
        let seen = self.seen();
        let ends: Vec<Status> = seen.statuses.values().cloned().collect();
        if let Form::Live(live) = &self.form {
            live::write(&held(live).clear());
        }
        match &self.form {
            Form::Json => print(&json::line(&json::ended(
                &ends,
                &seen.fates,
                &seen.measured,
                end,
            ))),
            _ => {
                let mut text = summary::ended(&ends, &seen.fates, &seen.measured, end.verdict);
                let unhandled = seen.fates.unhandled();
                text.extend(unhandled.map(|topic| summary::problem(&lines::no_handler(topic), "name the topic in the function (`.topic(…)` or `.fallback(…)`), or another --topic")));
                let nothing = end.nothing.iter();
                text.extend(nothing.map(|why| summary::problem(&why.what, &why.help)));
                print(&text)
            }
        }
    }

    /// The end of a run that could not go on: for scripts the last line, for people the fault that is reported next.
    pub(crate) fn broken(&self, fault: &Fault) {
        let seen = self.seen();
        let ends: Vec<Status> = seen.statuses.values().cloned().collect();
        // A reader that has gone is told nothing.
        let _ = match &self.form {
            Form::Json => print(&json::line(&json::broken(
                &ends,
                &seen.fates,
                &seen.measured,
                fault,
            ))),
            Form::Live(live) => {
                live::write(&held(live).clear());
                Ok(())
            }
            Form::Lines(_) => Ok(()),
        };
        if !matches!(self.form, Form::Json) && !ends.is_empty() {
            let _ = print(&summary::so_far(&ends, &seen.fates, &seen.measured));
        }
    }
}

/// Whether standard output is a terminal that takes colours, and so the cursor's moves too.
fn shows_a_view() -> bool {
    let out = std::io::stdout();
    let choice = anstream::AutoStream::choice(&out);
    out.is_terminal() && choice != anstream::ColorChoice::Never
}

/// A panic elsewhere leaves what is shown as it was.
fn held<T>(shown: &Mutex<T>) -> MutexGuard<'_, T> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

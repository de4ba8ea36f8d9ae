//! What is shown of a run: a view in a terminal, lines for people, or JSON for scripts. Made and told by `dev`.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use msk_mapping::Logs;
use msk_mapping::driver::{Notice, Status};

use super::{Args, json, lines, live};
use crate::fault::{Fault, print};

/// What is shown of a run: a view in a terminal, lines for people, or for scripts.
pub(crate) enum Show {
    Json,
    Lines(Mutex<lines::Lines>),
    Live(Mutex<live::Live>),
}

impl Show {
    pub(crate) fn new(args: &Args) -> Self {
        if args.json {
            Self::Json
        } else if shows_a_view() && !args.lines {
            Self::Live(Mutex::default())
        } else {
            Self::Lines(Mutex::default())
        }
    }

    pub(crate) fn begun(&self, bootstrap: &str, produced: usize) -> Result<(), Fault> {
        match self {
            Self::Json => print(&json::line(&json::begun(bootstrap, produced))),
            _ => print(&lines::begun(bootstrap, produced)),
        }
    }

    /// Where the function's own lines go: past the view, or they would tear it.
    pub(crate) fn logs(self: &Arc<Self>) -> Logs {
        match &**self {
            Self::Live(_) => {
                let show = Arc::clone(self);
                Logs::lines(move |line| {
                    if let Self::Live(live) = &*show {
                        live::write(&held(live).log(&line));
                    }
                })
            }
            _ => Logs::Inherit,
        }
    }

    /// What happened to the mapping of a topic.
    pub(crate) fn notice(&self, topic: &str, notice: &Notice) {
        let text = match self {
            Self::Json => json::notice(topic, notice).map(|value| json::line(&value)),
            Self::Lines(lines) => held(lines).notice(topic, notice),
            Self::Live(live) => {
                let mut live = held(live);
                if let Some(text) = live.notice(topic, notice) {
                    // Under the lock: two drawings at once would tear.
                    live::write(&text);
                }
                return;
            }
        };
        if let Some(text) = text {
            // A reader that has gone ends nothing: the records still are to be done.
            let _ = print(&text);
        }
    }

    /// Something about the command itself, which is none of the mapping's doing, behind a word for what it is about.
    pub(crate) fn remark(&self, word: &str, text: &str) {
        match self {
            Self::Json => {
                let _ = print(&json::line(&json::remark(text)));
            }
            Self::Lines(_) => {
                let _ = print(&lines::remark(word, text));
            }
            Self::Live(live) => {
                let mut live = held(live);
                let text = live.remark(word, text);
                live::write(&text);
            }
        }
    }

    pub(crate) fn ended(&self, ends: &[Status], code: u8) -> Result<(), Fault> {
        match self {
            Self::Json => print(&json::line(&json::ended(ends, code))),
            Self::Lines(_) => print(&lines::ended(ends)),
            Self::Live(live) => {
                live::write(&held(live).clear());
                print(&lines::ended(ends))
            }
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

//! What the function said of its records while an event was delivered, and what lies in its file of dead letters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use msk_mapping::LogLine;
use tokio::time::Instant;

use crate::function::dead_letters::Letter;
use crate::function::emf;
use crate::function::measured::Measured;
use crate::function::said::{self, End, Place, Reason, Rejected, Said};
use crate::verdict::Verdict;

#[derive(Debug, Default)]
pub(crate) struct Heard {
    rejected: Rejected,
    failed: BTreeMap<Place, Reason>,
    lost: BTreeMap<Place, Reason>,
    pub(crate) unhandled: BTreeSet<String>,
    measured: Measured,
}

impl Heard {
    /// A line that the function wrote.
    pub(super) fn line(&mut self, line: &LogLine) {
        if let Some(metrics) = emf::of(line) {
            self.measured.add(&metrics, Instant::now());
            return;
        }
        match said::read(&line.text) {
            None => {}
            Some(Said::Unhandled { topic }) => {
                self.unhandled.insert(topic);
            }
            Some(Said::Batch { request, rejected }) => {
                self.rejected.ended(&request, rejected);
            }
            Some(Said::Record {
                request,
                place,
                end,
                reason,
                ..
            }) => {
                if reason.is_unhandled() {
                    self.unhandled.insert(place.topic.clone());
                }
                match end {
                    End::Rejected => {
                        self.rejected.line(&request);
                        self.rejected.add(place, reason);
                    }
                    End::Failed => {
                        self.failed.insert(place, reason);
                    }
                    End::Lost => {
                        self.lost.insert(place, reason);
                    }
                }
            }
        }
    }

    /// The letters that came to the file meanwhile: they are there also where the log does not say so.
    pub(super) fn letters(&mut self, letters: impl Iterator<Item = Letter>) {
        for letter in letters {
            let unhandled = letter.reason.is_unhandled();
            if unhandled {
                self.unhandled.insert(letter.place.topic.clone());
            }
            self.rejected.add_letter(letter.place, letter.reason);
        }
    }

    /// What another delivery has added. What failed there counts as it ended last.
    pub(super) fn add(&mut self, other: &Self) {
        self.rejected.merge(&other.rejected);
        self.failed.clone_from(&other.failed);
        let lost = other.lost.iter();
        self.lost
            .extend(lost.map(|(place, reason)| (place.clone(), reason.clone())));
        self.unhandled.extend(other.unhandled.iter().cloned());
    }

    pub(super) fn verdict(&self) -> Verdict {
        if !self.lost.is_empty() {
            Verdict::SomeLost
        } else if !self.unhandled.is_empty() {
            Verdict::NotDone
        } else if self.rejected.count() > 0 {
            Verdict::SomeRejected
        } else {
            Verdict::AllDone
        }
    }

    /// What the function measured.
    pub(super) fn measured(&self) -> &Measured {
        &self.measured
    }

    pub(super) fn rejected(&self) -> u64 {
        self.rejected.count()
    }

    /// How many of the records under this key of the event's map were rejected.
    pub(super) fn rejected_of(&self, key: &str) -> usize {
        let of_key = |(place, _): &(&Place, &Reason)| {
            key.strip_prefix(&*place.topic)
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|partition| partition == place.partition.to_string())
        };
        self.rejected.iter().filter(of_key).count()
    }

    /// Each record that was not done: what became of it, and why.
    pub(super) fn rows(&self) -> Vec<(&Place, &'static str, &Reason)> {
        let rejected = self.rejected.iter();
        let rejected = rejected.map(|(place, reason)| (place, "rejected", reason));
        let failed = self.failed.iter();
        let failed = failed.map(|(place, reason)| (place, "failed", reason));
        let lost = self.lost.iter();
        let lost = lost.map(|(place, reason)| (place, "lost", reason));
        let mut rows: Vec<_> = rejected.chain(failed).chain(lost).collect();
        rows.sort_by_key(|(place, ..)| *place);
        rows
    }
}

/// A panic elsewhere leaves what was heard as it is.
pub(super) fn held(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A function's response, read as Lambda's mapping reads it: which offsets it commits, which records it redelivers. Without I/O.
//!
//! One thing is not documented: whether Lambda redelivers only the listed records, or all of their partition from the
//! lowest listed one on. [`Again`] is that switch, and a correct function is correct under both.
//!
//! # Example
//!
//! ```
//! use msk_mapping::response::{Again, Event, FailureReporting, Read};
//!
//! let event = br#"{"eventSource":"aws:kafka","records":{"orders-0":[{"offset":7},{"offset":8},{"offset":9}]}}"#;
//! let answer = br#"{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-0","offset":8}}]}"#;
//! let event = Event::parse(event)?;
//! let read = Read::response(&event, answer, FailureReporting::Partial);
//! let orders = &read.partitions()[0];
//! assert_eq!(orders.commit(), Some(8)); // the group continues at 8
//! assert_eq!(orders.sent_again(Again::OnlyListed), [8]);
//! assert_eq!(orders.sent_again(Again::FromLowest), [8, 9]);
//! # Ok::<(), msk_mapping::response::NotAnEvent>(())
//! ```

mod event;
mod fault;
mod identifiers;
mod nearly;

use std::collections::BTreeSet;

pub use self::event::{Event, NotAnEvent};
pub use self::fault::ResponseFault;
use self::nearly::Nearly;

/// The mapping's `FunctionResponseTypes`. Neither the event nor the response tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReporting {
    /// `[ReportBatchItemFailures]`: the body says which records failed.
    Partial,
    /// None: the body is ignored, and any response commits everything.
    WholeBatch,
}

/// The two readings of which records Lambda redelivers: its documentation says both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Again {
    /// Only the listed records.
    OnlyListed,
    /// Every record of the partition from the lowest listed one on, as for Kinesis.
    FromLowest,
}

/// The verdict on a response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The whole batch is committed, and the function said so, or was not asked.
    AllDone,
    /// Some records are redelivered.
    SomeAgain,
    /// The whole batch is redelivered.
    WholeBatchAgain(ResponseFault),
    /// The function listed failures, but the mapping is not set to read them: the whole batch is committed, and these
    /// records are lost without a trace.
    FailuresIgnored {
        /// The number of entries of the list.
        listed: usize,
    },
    /// The function listed failures where Lambda does not read them, or under another name: the whole batch is committed, and
    /// these records are lost without a trace.
    FailuresMisplaced {
        /// The place of the list: `BatchItemFailures`, `body.batchItemFailures`.
        field: String,
        /// The number of entries of the list.
        listed: usize,
    },
}

/// The reading of an event with its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    verdict: Verdict,
    partitions: Vec<Partition>,
}

impl Read {
    /// The reading of a response.
    pub fn response(event: &Event, body: &[u8], reporting: FailureReporting) -> Self {
        let listed = identifiers::listed(body).and_then(|listed| identifiers::known(event, listed));
        match (reporting, listed) {
            (FailureReporting::WholeBatch, _) => {
                let nearly = || nearly::find(body).map_or(0, |nearly| nearly.listed);
                let listed = match identifiers::count(body) {
                    0 => nearly(),
                    entries => entries,
                };
                let verdict = match listed {
                    0 => Verdict::AllDone,
                    listed => Verdict::FailuresIgnored { listed },
                };
                Self::new(event, verdict, |_, _| false)
            }
            (FailureReporting::Partial, Ok(listed)) if listed.is_empty() => {
                let verdict = match nearly::find(body) {
                    None => Verdict::AllDone,
                    Some(Nearly { field, listed }) => Verdict::FailuresMisplaced { field, listed },
                };
                Self::new(event, verdict, |_, _| false)
            }
            (FailureReporting::Partial, Ok(listed)) => {
                Self::new(event, Verdict::SomeAgain, |key, offset| {
                    listed.contains(&(key.to_owned(), offset))
                })
            }
            (FailureReporting::Partial, Err(fault)) => Self::whole_batch(event, fault),
        }
    }

    /// The reading of everything that is not a response: an error, a crash, a time-out. The whole batch is redelivered,
    /// whatever the mapping's settings are.
    pub fn error(event: &Event) -> Self {
        Self::whole_batch(event, ResponseFault::FunctionError)
    }

    fn whole_batch(event: &Event, fault: ResponseFault) -> Self {
        Self::new(event, Verdict::WholeBatchAgain(fault), |_, _| true)
    }

    fn new(event: &Event, verdict: Verdict, again: impl Fn(&str, i64) -> bool) -> Self {
        let partition = |(key, offsets): &(String, Vec<i64>)| Partition {
            key: key.clone(),
            again: offsets.iter().map(|&offset| again(key, offset)).collect(),
            offsets: offsets.clone(),
        };
        Self {
            verdict,
            partitions: event.partitions().iter().map(partition).collect(),
        }
    }

    /// The verdict on the response.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Each partition of the event, in its order.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// Whether every record was done: none is redelivered, and none was lost.
    pub fn all_done(&self) -> bool {
        self.verdict == Verdict::AllDone
    }
}

/// The reading of one partition's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    key: String,
    offsets: Vec<i64>,
    /// For each offset whether the answer lists it.
    again: Vec<bool>,
}

impl Partition {
    /// The key of the event's `records` map, verbatim.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The offsets of the event, in its order. They have gaps.
    pub fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    /// The number of records that Lambda counts as done.
    pub fn done(&self) -> usize {
        self.again.iter().filter(|again| !**again).count()
    }

    /// The number of records that are not done.
    pub fn again(&self) -> usize {
        self.offsets.len() - self.done()
    }

    /// The lowest offset that is redelivered. None: all are done.
    pub fn from(&self) -> Option<i64> {
        self.sent_again(Again::OnlyListed).first().copied()
    }

    /// The position that the consumer group commits for now: one past the last record before the lowest redelivered one.
    /// None: the first record is redelivered, so nothing is committed. A group has one position a partition, so this is
    /// the same under both readings.
    pub fn commit(&self) -> Option<i64> {
        let from = self.from();
        let before = |offset: &&i64| from.is_none_or(|from| **offset < from);
        self.offsets
            .iter()
            .filter(before)
            .max()
            .map(|last| last.saturating_add(1))
    }

    /// The offsets that are redelivered under a reading, ascending.
    pub fn sent_again(&self, again: Again) -> Vec<i64> {
        let listed = self
            .offsets
            .iter()
            .zip(&self.again)
            .filter(|(_, again)| **again)
            .map(|(offset, _)| *offset);
        let listed: BTreeSet<i64> = listed.collect();
        match (again, listed.first()) {
            (Again::FromLowest, Some(&lowest)) => {
                let from: BTreeSet<i64> = self
                    .offsets
                    .iter()
                    .copied()
                    .filter(|offset| *offset >= lowest)
                    .collect();
                from.into_iter().collect()
            }
            _ => listed.into_iter().collect(),
        }
    }
}

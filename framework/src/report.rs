//! How each record of an invocation ended. Made by `process`, read by `response`, the log and tests.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::outcome::Outcome;
use crate::partition::TopicPartition;
use crate::record::Record;

/// How one invocation ended, record by record.
#[derive(Debug)]
pub(crate) struct Report {
    /// In the event's order.
    pub(crate) records: Vec<RecordReport>,
    pub(crate) lanes: usize,
    /// Whether time ran out before all records were started.
    pub(crate) out_of_time: bool,
    /// Topics without a handler, each with the number of its records.
    pub(crate) unhandled: BTreeMap<String, usize>,
    /// Records that were reported to Lambda as not done, never came again, and never will: the mapping does not read the function's answers.
    pub(crate) overlooked: Vec<(TopicPartition, i64)>,
    /// What was settled in these partitions may not be recorded, so that it runs again should it come again.
    pub(crate) unrecorded: Vec<(TopicPartition, Problem)>,
    /// Partitions that ran without the idempotency store.
    pub(crate) without_store: Vec<(TopicPartition, String)>,
    pub(crate) elapsed: Duration,
}

/// How one record ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordReport {
    /// The record.
    pub record: Record,
    /// How it ended.
    pub outcome: Outcome,
    /// How often it was tried in this invocation. 0: it was rejected before its handler, skipped, or not reached.
    pub attempts: u32,
    /// What went wrong. *None: nothing did.*
    pub problem: Option<Problem>,
}

/// What went wrong with a record: what the log and the dead letter say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// As a code: `reject.json`, `handler.panicked`, `destination.unconfirmed`, or the handler's own.
    pub code: String,
    /// In words. Never bytes of the payload; the text of a handler's own error is the handler's, cut.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

impl Report {
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        let ended_so = |report: &&RecordReport| report.outcome == outcome;
        self.records.iter().filter(ended_so).count()
    }
}

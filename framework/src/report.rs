//! How each record of an invocation ended. Made by `process`, read by `response`, the log and tests.

use std::fmt;
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
    /// Records that were reported to Lambda as not done, never came again, and never will: the mapping does not read the function's answers.
    pub(crate) overlooked: Vec<(TopicPartition, i64)>,
    /// What was settled in these partitions may not be recorded, so that it runs again should it come again.
    pub(crate) unrecorded: Vec<(TopicPartition, Problem)>,
    /// Partitions that ran without the idempotency store.
    pub(crate) without_store: Vec<(TopicPartition, String)>,
    /// *Some: a handler has held the thread for longer than it should.*
    pub(crate) longest_poll: Option<LongPoll>,
    pub(crate) elapsed: Duration,
}

/// What has held the thread for longer than it should.
#[derive(Clone, Debug)]
pub(crate) struct LongPoll {
    /// `the handler`, `an extractor`.
    pub(crate) by: &'static str,
    /// For this record.
    pub(crate) record: Record,
    pub(crate) took: Duration,
}

impl LongPoll {
    /// What is to be done about it.
    pub(crate) const CURE: &str =
        "move work that blocks, or computes for long, into tokio::task::spawn_blocking";

    pub(crate) fn ms(&self) -> u64 {
        u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn warn(&self, request_id: &str) {
        let record = &self.record;
        tracing::warn!(
            request_id,
            topic = record.topic(),
            partition = record.partition(),
            offset = record.offset().0,
            by = self.by,
            ms = self.ms(),
            cure = Self::CURE,
            "a record's code held the thread: meanwhile no other record ran, no lease was renewed, and no deadline was kept"
        );
    }
}

impl fmt::Display for LongPoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, record, .. } = self;
        write!(f, "{by} of {record} held the thread for {} ms", self.ms())
    }
}

/// How one record ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordReport {
    /// The record.
    pub record: Record,
    /// How it ended.
    pub outcome: Outcome,
    /// How often its handler was started in this invocation. 0: it was rejected before its handler, skipped, or not reached, or its extractors panicked.
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

impl RecordReport {
    /// Whether the record is lost: under [`Guarantee::AtMostOnce`](crate::Guarantee::AtMostOnce), its handler may have been started in an earlier delivery, it was
    /// not done, and there is no destination for it. Such a record is Skipped, so that Lambda commits it; its problem says how it was left.
    pub fn is_lost(&self) -> bool {
        self.outcome == Outcome::Skipped && self.problem.is_some()
    }
}

impl Report {
    pub(crate) fn lost(&self) -> usize {
        let lost = |report: &&RecordReport| report.is_lost();
        self.records.iter().filter(lost).count()
    }

    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        let ended_so = |report: &&RecordReport| report.outcome == outcome;
        self.records.iter().filter(ended_so).count()
    }
}

//! How each record of an invocation ended. Made by `process`, read by `response`, the log and tests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::partition::TopicPartition;
use crate::record::Record;
use crate::schemas::SchemaId;

pub use crate::outcome::Outcome;

/// The choice of records that have a log line of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogRecords {
    /// Those that failed, were rejected, or are lost.
    #[default]
    Failed,
    /// All: the others have their line at level `debug`.
    All,
    /// Those that are lost. The line `batch ended` counts all.
    None,
}

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
    /// Records that were reported to Lambda as not done, were never redelivered, and never will be: the mapping does not read the function's responses.
    pub(crate) overlooked: Vec<Overlooked>,
    /// What was settled in these partitions may not be recorded, so that it runs again if it is redelivered.
    pub(crate) unrecorded: Vec<(TopicPartition, Problem)>,
    /// Schemas that could not be fetched, each with the reason: the records that need them are Failed.
    pub(crate) unavailable_schemas: Vec<(SchemaId, Arc<str>)>,
    /// Partitions that ran without the idempotency store.
    pub(crate) without_store: Vec<(TopicPartition, String)>,
    /// Of each kind of line that was logged while the batch ran, how many partitions had none.
    pub(crate) lines_left_out: [(&'static str, usize); 2],
    /// *Some: a handler has held the thread for longer than it should.*
    pub(crate) longest_poll: Option<LongPoll>,
    pub(crate) elapsed: Duration,
}

/// Records of a partition that were reported to Lambda as not done, and are lost: in order, the mapping passes by all that was not done.
#[derive(Clone, Debug)]
pub(crate) struct Overlooked {
    pub(crate) at: TopicPartition,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) records: u64,
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
        "move work that blocks or computes for long into tokio::task::spawn_blocking";

    pub(crate) fn ms(&self) -> u64 {
        u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn warn(&self, request_id: &str) {
        let record = &self.record;
        tracing::warn!(
            request_id,
            topic = record.topic(),
            partition = record.partition(),
            offset = record.offset(),
            by = self.by,
            ms = self.ms(),
            cure = Self::CURE,
            "a record's code blocked the thread: meanwhile no other record ran, no lease was renewed, and no deadline was enforced"
        );
    }
}

impl fmt::Display for LongPoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, record, .. } = self;
        write!(
            f,
            "{by} of {record} blocked the thread for {} ms",
            self.ms()
        )
    }
}

/// The end of one record: its outcome, its attempts, and its problem if there was one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordReport {
    /// The record.
    pub record: Record,
    /// How it ended.
    pub outcome: Outcome,
    /// Number of times that its handler was started in this invocation. 0: the record was rejected before its handler, skipped, or not reached, or its extractors panicked.
    pub attempts: u32,
    /// The problem. *None: nothing went wrong.*
    pub problem: Option<Box<Problem>>,
}

/// A problem with a record, as the log and the dead letter state it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The code: `reject.json`, `handler.panicked`, or the handler's own. Always the first cause: for a record that was to be rejected, the reason for the rejection.
    pub code: String,
    /// The problem in words. Never bytes of the payload; the text of a handler's own error is used as it is, but cut.
    pub message: String,
    /// The code that tells why a record that was to be rejected is Failed: `destination.missing`, `destination.unconfirmed`, `destination.timed_out`, or
    /// `destination.panicked`.
    ///
    /// *None: the record was not to be rejected, or the destination has confirmed it.*
    pub destination: Option<&'static str>,
}

impl Problem {
    pub(crate) const NO_DESTINATION: &str = "destination.missing";
    pub(crate) const UNCONFIRMED: &str = "destination.unconfirmed";
    pub(crate) const SEND_TIMED_OUT: &str = "destination.timed_out";
    pub(crate) const SEND_PANICKED: &str = "destination.panicked";

    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            destination: None,
        }
    }

    /// The problem of a record that was to be rejected, and that the destination does not have.
    pub(crate) fn undelivered(mut self, destination: &'static str, why: &str) -> Self {
        self.message = format!("{}; {why}", self.message);
        self.destination = Some(destination);
        self
    }

    /// All causes in few words, the first one first: `reject.json`, or `reject.json, and no destination is set`.
    pub(crate) fn in_short(&self) -> String {
        let then = match self.destination {
            None => return self.code.clone(),
            Some(Self::NO_DESTINATION) => "no destination is set",
            Some(Self::SEND_TIMED_OUT) => "the destination did not confirm it in time",
            Some(Self::SEND_PANICKED) => "the destination panicked",
            Some(_) => "the destination did not confirm it",
        };
        format!("{}, and {then}", self.code)
    }
}

impl RecordReport {
    /// Whether the record was failed, rejected or lost: worth a log line, and a span.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed | Outcome::Rejected) || self.is_lost()
    }

    /// Whether the record is lost: under [`Guarantee::AtMostOnce`](crate::idempotency::Guarantee::AtMostOnce), its handler may have been started in an earlier delivery, it was
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

//! How a record of an event ended. Decided by `process`, read by `response`, the log and tests.

use std::fmt;

/// The outcome of one record in one invocation. Each record has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Its handler returned Ok.
    Done,
    /// The record was settled in an earlier delivery, so its handler did not run. Or, under [`Guarantee::AtMostOnce`](crate::idempotency::Guarantee::AtMostOnce) without a destination,
    /// it is [lost](crate::report::RecordReport::is_lost).
    Skipped,
    /// The destination has confirmed the record.
    Rejected,
    /// The record is not done: Lambda redelivers it.
    Failed,
    /// The record was not started (its lane had stopped, or time was up): Lambda redelivers it.
    Unreached,
}

impl Outcome {
    /// Whether Lambda may commit the record: Done, Skipped or Rejected.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Done | Self::Skipped | Self::Rejected => true,
            Self::Failed | Self::Unreached => false,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Unreached => "unreached",
        })
    }
}

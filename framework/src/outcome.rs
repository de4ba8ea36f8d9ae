//! How a record of an event ended. Decided by `process`, read by `response`, the log and tests.

use std::fmt;

/// How one record of one invocation ended. Each ends with exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Its handler returned Ok.
    Done,
    /// It was settled in an earlier delivery of the same record: nothing ran. Or, under [`Guarantee::AtMostOnce`](crate::idempotency::Guarantee::AtMostOnce) without a destination,
    /// it is [lost](crate::report::RecordReport::is_lost).
    Skipped,
    /// It is at the destination, which has confirmed it.
    Rejected,
    /// It is not done: Lambda sends it again.
    Failed,
    /// It was not started (its lane had stopped, or time was up): Lambda sends it again.
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

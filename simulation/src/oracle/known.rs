//! What the oracle knows of one settled record, and what becomes of that when several write it.

use std::collections::BTreeMap;

use crate::fact::RecordId;

/// How a record was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Done,
    Rejected,
}

/// What was settled in an invocation, how and when last.
pub(super) type Settled = BTreeMap<RecordId, (Kind, u64)>;

/// What a settled offset may stand for: one record, or one of several where the log was made anew.
pub(super) type Stands = BTreeMap<RecordId, Known>;

/// What is known of a settled record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// It may stand as done. Of both at least one.
    done: bool,
    /// It may stand as rejected.
    rejected: bool,
    /// When whoever recorded it had settled it, at the earliest.
    pub(super) settled_ms: u64,
}

impl Known {
    pub(super) fn of((kind, settled_ms): &(Kind, u64)) -> Self {
        Self {
            done: *kind == Kind::Done,
            rejected: *kind == Kind::Rejected,
            settled_ms: *settled_ms,
        }
    }

    /// Whether who knows it may skip the record. A dead letter that is fed back is skipped only if it was done.
    pub(super) fn may_be_skipped(&self, redrive: bool) -> bool {
        self.done || !redrive
    }

    /// Whether who knows it has to skip the record.
    pub(super) fn is_skipped(&self, redrive: bool) -> bool {
        !self.rejected || !redrive
    }

    fn is_done(&self) -> bool {
        self.is_skipped(true)
    }

    /// Either of two.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            done: self.done || other.done,
            rejected: self.rejected || other.rejected,
            settled_ms: self.settled_ms.min(other.settled_ms),
        }
    }

    /// What one that may have seen this makes of it with what it has settled itself: done outweighs rejected.
    pub(super) fn with(self, own: Self) -> Self {
        Self {
            done: own.done || self.done,
            ..own
        }
    }

    /// What one that may write this leaves of what it has certainly replaced: what was done once stays done.
    pub(super) fn over(self, replaced: Self, is_own: bool) -> Self {
        let settled_ms = match (is_own, replaced.is_done()) {
            (true, true) => self.settled_ms.max(replaced.settled_ms),
            (true, false) => self.settled_ms,
            (false, _) => replaced.settled_ms,
        };
        let kinds = if replaced.is_done() { replaced } else { self };
        Self {
            settled_ms,
            ..kinds
        }
    }
}

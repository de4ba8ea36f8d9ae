//! How many lines the partitions of an invocation have logged about the store, of each kind. Counted by `ledger`, read by `process`.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::limits::PARTITION_LOG_LINES_MAX;

/// Lines of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(super) unreadable: Kind,
    pub(super) store_failed: Kind,
}

/// Lines of one kind.
#[derive(Debug, Default)]
pub(super) struct Kind(AtomicUsize);

impl Kind {
    /// Whether one more may be logged.
    pub(super) fn one_more(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) < PARTITION_LOG_LINES_MAX
    }

    fn left_out(&self) -> usize {
        let wanted = self.0.load(Ordering::Relaxed);
        wanted.saturating_sub(PARTITION_LOG_LINES_MAX)
    }
}

impl Lines {
    /// Of each kind, how many partitions had no line of their own.
    pub(crate) fn left_out(&self) -> [(&'static str, usize); 2] {
        [
            ("ledger_unreadable", self.unreadable.left_out()),
            ("store_failed", self.store_failed.left_out()),
        ]
    }
}

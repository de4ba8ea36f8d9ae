//! A partition's log with gaps, and the consumer group's position in it. Kept by `kafka`, locked record by record by `share`.

use crate::fact::{LogId, RecordId};

/// One partition's log, and the group in it.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) id: LogId,
    pub(crate) generation: u32,
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Offset, record, and when it was appended.
    pub(crate) entries: Vec<(i64, RecordId, u64)>,
    pub(crate) committed: Option<i64>,
    /// *None: it is being rebalanced.*
    pub(crate) owner: Option<u32>,
    /// Raised by each change of the owner: an older commit is fenced.
    pub(crate) epoch: u64,
    /// Until when its owner's commits are on their way: they do not overtake each other.
    pub(crate) commits_until_ms: u64,
    /// Where the owner polls next.
    pub(crate) position: i64,
    pub(crate) resumed: bool,
    pub(crate) fetching: bool,
}

impl Log {
    /// Records that are not committed.
    pub(crate) fn lag(&self) -> usize {
        let committed = self.committed.unwrap_or(0);
        self.entries
            .iter()
            .filter(|(offset, ..)| *offset >= committed)
            .count()
    }

    pub(crate) fn has_more(&self) -> bool {
        self.position < self.end
    }
}

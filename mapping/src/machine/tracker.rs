//! Which offsets of a partition are settled, and up to where the group may commit. Used by `Partition`.

use std::collections::VecDeque;

/// The offsets that were polled and are not committed yet.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    /// Ascending.
    offsets: VecDeque<Tracked>,
    /// The offset that is polled next. None: not known yet.
    next: Option<i64>,
    /// The position that was committed last. None: none ever was.
    committed: Option<i64>,
    /// Whether something was settled since.
    settled: bool,
}

#[derive(Debug)]
struct Tracked {
    offset: i64,
    settled: bool,
}

/// A position to commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) position: i64,
    /// The records that it settles for good, without those that were counted before.
    pub(super) records: usize,
}

impl Tracker {
    /// A partition at the group's committed offset.
    pub(super) fn at(committed: Option<i64>) -> Self {
        Self {
            next: committed,
            committed,
            ..Self::default()
        }
    }

    pub(super) fn next(&self) -> Option<i64> {
        self.next
    }

    pub(super) fn committed(&self) -> Option<i64> {
        self.committed
    }

    /// The records that are not committed yet.
    pub(super) fn uncommitted(&self) -> usize {
        self.offsets.len()
    }

    /// Takes in a polled offset, which is not below `next`.
    pub(super) fn polled(&mut self, offset: i64, settled: bool) {
        self.offsets.push_back(Tracked { offset, settled });
        self.next = Some(offset.saturating_add(1));
        self.settled |= settled;
    }

    /// Everything below this position was polled, or is no record.
    pub(super) fn advanced(&mut self, position: i64) {
        if self.next.is_none_or(|next| next < position) {
            self.next = Some(position);
            self.settled = true;
        }
    }

    pub(super) fn settle(&mut self, offset: i64) {
        if let Ok(index) = self
            .offsets
            .binary_search_by_key(&offset, |tracked| tracked.offset)
        {
            self.offsets[index].settled = true;
            self.settled = true;
        }
    }

    /// The position that everything below is settled of, if it is higher than the one that was committed last. What lies
    /// below `counted` was counted before.
    pub(super) fn commit(&mut self, counted: i64) -> Option<Commit> {
        if !std::mem::take(&mut self.settled) {
            return None;
        }
        let mut records = 0;
        while let Some(first) = self.offsets.pop_front_if(|first| first.settled) {
            records += usize::from(first.offset >= counted);
        }
        let position = self
            .offsets
            .front()
            .map_or(self.next, |first| Some(first.offset))?;
        if self.committed.is_some_and(|last| position <= last) {
            return None;
        }
        self.committed = Some(position);
        Some(Commit { position, records })
    }
}

#[cfg(test)]
mod tests {
    use super::{Commit, Tracker};

    #[test]
    fn nothing_is_committed_past_the_lowest_unsettled_offset() {
        let mut tracker = Tracker::at(Some(5));
        for offset in [5, 8, 9] {
            tracker.polled(offset, false);
        }

        tracker.settle(9);
        tracker.settle(5);

        assert_eq!(
            tracker.commit(0),
            Some(Commit {
                position: 8,
                records: 1
            })
        );
        assert_eq!(tracker.commit(0), None);
        tracker.settle(8);
        assert_eq!(
            tracker.commit(0),
            Some(Commit {
                position: 10,
                records: 2
            })
        );
    }

    #[test]
    fn a_gap_at_the_end_is_committed() {
        let mut tracker = Tracker::at(None);
        assert_eq!(tracker.commit(0), None);

        tracker.advanced(3);

        assert_eq!(
            tracker.commit(0),
            Some(Commit {
                position: 3,
                records: 0
            })
        );
    }
}

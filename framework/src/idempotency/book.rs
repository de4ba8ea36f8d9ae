//! What is known of a partition: which offsets were settled lately. Pure; `format` writes it, `ledger` keeps it.

use crate::idempotency::Settled;
use crate::limits::LEDGER_OFFSETS_KEPT;

/// A partition's settled offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    /// Offsets ascend.
    pub(crate) entries: Vec<Entry>,
    /// The highest offset that a batch held. *None: nothing was recorded yet.*
    pub(crate) highest: Option<i64>,
    /// A record that Lambda was told of and has not sent again. *None: all is well.*
    pub(crate) reported: Option<Reported>,
}

/// One settled offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) offset: i64,
    pub(crate) fingerprint: u32,
    pub(crate) settled: Settled,
    /// When it was settled or skipped last, minutes since 1970: forgetting needs no finer time.
    pub(crate) minute: u32,
}

/// A record that was reported to Lambda in its first delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) offset: i64,
    pub(crate) fingerprint: u32,
    /// When, minutes since 1970. Zero: a version wrote it that did not note it.
    pub(crate) minute: u32,
}

impl Entry {
    /// Which of two entries of one offset stands. Done outweighs Rejected of the same record: a late rejection must not make a dead letter run that is done.
    fn or(self, newer: Self) -> Self {
        let same = self.fingerprint == newer.fingerprint;
        if same && self.settled == Settled::Done {
            return Self {
                minute: newer.minute.max(self.minute),
                ..self
            };
        }
        newer
    }
}

impl Book {
    pub(crate) fn find(&self, offset: i64) -> Option<&Entry> {
        let at = self.position(offset)?;
        Some(&self.entries[at])
    }

    /// The entry was met again: its age begins anew, since what comes again may come once more.
    pub(crate) fn touch(&mut self, offset: i64, minute: u32) {
        if let Some(at) = self.position(offset) {
            let entry = &mut self.entries[at];
            entry.minute = entry.minute.max(minute);
        }
    }

    fn position(&self, offset: i64) -> Option<usize> {
        let entries = &self.entries;
        entries
            .binary_search_by_key(&offset, |entry| entry.offset)
            .ok()
    }

    /// Adds entries, in any order.
    pub(crate) fn add(&mut self, mut newer: Vec<Entry>) {
        newer.sort_by_key(|entry| entry.offset);
        let last = self.entries.last().map(|entry| entry.offset);
        if last.is_none_or(|last| newer.first().is_some_and(|first| last < first.offset)) {
            self.entries.append(&mut newer);
            return;
        }
        let older = std::mem::take(&mut self.entries);
        self.entries.reserve(older.len() + newer.len());
        let mut older = older.into_iter().peekable();
        for entry in newer {
            while let Some(before) = older.next_if(|older| older.offset < entry.offset) {
                self.entries.push(before);
            }
            let same = older.next_if(|older| older.offset == entry.offset);
            self.entries
                .push(same.map_or(entry, |older| older.or(entry)));
        }
        self.entries.extend(older);
    }

    /// Takes in what another one has written of the same partition.
    pub(crate) fn merge(&mut self, other: Self) {
        let ours = std::mem::replace(&mut self.entries, other.entries);
        self.add(ours);
        self.highest = self.highest.max(other.highest);
    }

    /// Forgets what is older than `minutes`, and, of what stands below the batch at hand, all but the highest: what stands in it or above may yet come
    /// again with the next one.
    pub(crate) fn forget(&mut self, now: u32, minutes: u32, batch_start: i64) {
        self.entries
            .retain(|entry| now.saturating_sub(entry.minute) < minutes);
        let below = self
            .entries
            .partition_point(|entry| entry.offset < batch_start);
        self.forget_lowest(below.saturating_sub(LEDGER_OFFSETS_KEPT));
    }

    pub(crate) fn forget_lowest(&mut self, count: usize) {
        self.entries.drain(..count);
    }
}

#[cfg(test)]
mod tests {
    use super::{Book, Entry};
    use crate::idempotency::Settled;
    use crate::limits::LEDGER_OFFSETS_KEPT;

    fn entry(offset: i64) -> Entry {
        Entry {
            offset,
            fingerprint: 7,
            settled: Settled::Done,
            minute: 100,
        }
    }

    fn book(offsets: impl IntoIterator<Item = i64>) -> Book {
        Book {
            entries: offsets.into_iter().map(entry).collect(),
            ..Book::default()
        }
    }

    fn offsets(book: &Book) -> Vec<i64> {
        book.entries.iter().map(|entry| entry.offset).collect()
    }

    #[test]
    fn what_is_added_in_any_order_stands_in_the_order_of_offsets() {
        for start in [vec![], vec![1, 5, 9], vec![0, 2], vec![20]] {
            let mut added = book(start.clone());

            added.add([7, 3, 11, 4].map(entry).to_vec());

            let mut all = start;
            all.extend([3, 4, 7, 11]);
            all.sort_unstable();
            assert_eq!(offsets(&added), all);
        }
    }

    #[test]
    fn a_late_rejection_does_not_undo_done_and_done_undoes_a_rejection() {
        let rejected = Entry {
            settled: Settled::Rejected,
            ..entry(5)
        };
        let settled = |first: Entry, second: Entry| {
            let mut book = Book::default();
            book.add(vec![first]);
            book.add(vec![second]);
            book.find(5).unwrap().settled
        };

        assert_eq!(settled(entry(5), rejected), Settled::Done);
        assert_eq!(settled(rejected, entry(5)), Settled::Done);
    }

    #[test]
    fn of_two_records_at_one_offset_the_later_one_stands() {
        let other = Entry {
            fingerprint: 8,
            settled: Settled::Rejected,
            ..entry(5)
        };
        let mut book = book([4, 5, 6]);

        book.add(vec![other]);

        assert_eq!(book.find(5), Some(&other));
        assert_eq!(offsets(&book), [4, 5, 6]);
    }

    #[test]
    fn what_is_old_is_forgotten_and_what_was_met_again_is_not_old() {
        let mut book = book([1, 2]);
        book.touch(2, 105);
        book.touch(3, 105);

        book.forget(109, 10, 0);
        assert_eq!(offsets(&book), [1, 2]);
        book.forget(110, 10, 0);

        assert_eq!(offsets(&book), [2]);
    }

    #[test]
    fn below_the_batch_the_lowest_are_forgotten_first() {
        let kept = i64::try_from(LEDGER_OFFSETS_KEPT).unwrap();
        let mut book = book(0..kept + 100);

        book.forget(100, 10, kept + 50);

        assert_eq!(offsets(&book), (50..kept + 100).collect::<Vec<_>>());
    }

    #[test]
    fn a_merge_holds_what_both_hold() {
        let mut ours = book([1, 3]);
        ours.highest = Some(9);
        let mut theirs = book([2, 3]);
        theirs.highest = Some(3);

        ours.merge(theirs);

        assert_eq!(offsets(&ours), [1, 2, 3]);
        assert_eq!(ours.highest, Some(9));
    }
}

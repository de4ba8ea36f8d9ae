//! What is known of a partition: which offsets were settled lately. Pure; `format` writes it, `ledger` keeps it.

use crate::idempotency::words::Settled;
use crate::limits::{
    LEDGER_BYTES_MAX, LEDGER_BYTES_USUAL, LEDGER_OFFSETS_KEPT, LEDGER_UNITS_PER_S_MAX,
};

/// A partition's settled offsets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    /// Offsets ascend.
    pub(crate) entries: Vec<Entry>,
    /// The highest offset that a batch held. *None: nothing was recorded yet.*
    pub(crate) highest: Option<i64>,
    /// A record that Lambda was told of and has not sent again. *None: all is well.*
    pub(crate) reported: Option<Reported>,
    /// How often it is written. *None: nobody counts; there is one writer.*
    pub(crate) writes: Option<Writes>,
}

/// How often a ledger is written, by all who write it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Writes {
    /// Minutes since 1970.
    pub(crate) minute: u32,
    /// In that minute, until now.
    pub(crate) count: u32,
    /// In the minute before.
    pub(crate) before: u32,
}

impl Writes {
    /// One more.
    fn and_one(self, minute: u32) -> Self {
        let (count, before) = match minute.checked_sub(self.minute) {
            Some(0) => (self.count, self.before),
            Some(1) => (0, self.count),
            _ => (0, 0),
        };
        Self {
            minute,
            count: count.saturating_add(1),
            before,
        }
    }
}

/// What a book keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keeps {
    /// Minutes since 1970.
    pub(crate) now: u32,
    /// What is as old is forgotten, minutes.
    pub(crate) age: u32,
    /// The batch at hand.
    pub(crate) batch_start: i64,
    /// What is younger is kept below the batch too, minutes. Zero: there the highest alone are kept.
    pub(crate) lock: u32,
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
    /// How many were reported with it, itself included: a mapping that overlooks it overlooks them all.
    pub(crate) records: u32,
    /// The highest offset of these.
    pub(crate) last: i64,
}

impl Reported {
    /// The one that has waited longer is the one to be missed first, and what was reported since is missed with it.
    pub(crate) fn and(self, later: Self) -> Self {
        Self {
            records: self.records.saturating_add(later.records),
            last: self.last.max(later.last),
            ..self
        }
    }
}

impl Entry {
    /// It was met again: its age begins anew, since what comes again may come once more.
    pub(crate) fn touch(&mut self, minute: u32) {
        self.minute = self.minute.max(minute);
    }

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

    pub(crate) fn find_mut(&mut self, offset: i64) -> Option<&mut Entry> {
        let at = self.position(offset)?;
        Some(&mut self.entries[at])
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
        // Theirs stands, and counts all writes until it.
        self.writes = other.writes;
    }

    /// Forgets what is old, and, of what stands below the batch at hand, all but the highest: what stands in it or above may yet come again with the next one.
    /// Without order what stands below may come again too, for as long as locks last.
    pub(crate) fn forget(&mut self, keeps: Keeps) {
        let age = |entry: &Entry| keeps.now.saturating_sub(entry.minute);
        self.entries.retain(|entry| age(entry) < keeps.age);
        let below = |entry: &Entry| entry.offset < keeps.batch_start;
        let mut spare = self.entries.partition_point(below);
        spare = spare.saturating_sub(LEDGER_OFFSETS_KEPT);
        self.entries.retain(|entry| {
            let forgettable = spare > 0;
            spare = spare.saturating_sub(1);
            !forgettable || age(entry) < keeps.lock
        });
    }

    pub(crate) fn forget_lowest(&mut self, count: usize) {
        self.entries.drain(..count);
    }

    /// Forgets what was settled or met longest ago; of one minute the lowest offsets.
    pub(crate) fn forget_oldest(&mut self, count: usize) {
        let age = |entry: &Entry| (entry.minute, entry.offset);
        let mut ages: Vec<_> = self.entries.iter().map(age).collect();
        if count >= ages.len() {
            self.entries.clear();
            return;
        }
        let (_, &mut oldest_kept, _) = ages.select_nth_unstable(count);
        self.entries.retain(|entry| age(entry) >= oldest_kept);
    }

    /// Counts a write among those of all who write it.
    pub(crate) fn count_write(&mut self, minute: u32) {
        self.writes = Some(self.writes.unwrap_or_default().and_one(minute));
    }

    /// Most bytes that it may take: the more often it is written, the fewer.
    pub(crate) fn bytes_max(&self) -> usize {
        let Some(writes) = self.writes else {
            return LEDGER_BYTES_MAX;
        };
        let units_a_minute = LEDGER_UNITS_PER_S_MAX * 60;
        let units = units_a_minute / writes.count.max(writes.before).max(1);
        (units as usize * 1024).clamp(LEDGER_BYTES_USUAL, LEDGER_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{Book, Entry, Keeps, Writes};
    use crate::idempotency::words::Settled;
    use crate::limits::{LEDGER_BYTES_MAX, LEDGER_BYTES_USUAL, LEDGER_OFFSETS_KEPT};

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

    fn keeps(now: u32, batch_start: i64, lock: u32) -> Keeps {
        Keeps {
            now,
            age: 10,
            batch_start,
            lock,
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
        book.find_mut(2).unwrap().touch(105);

        book.forget(keeps(109, 0, 0));
        assert_eq!(offsets(&book), [1, 2]);
        book.forget(keeps(110, 0, 0));

        assert_eq!(offsets(&book), [2]);
    }

    #[test]
    fn below_the_batch_the_lowest_are_forgotten_first() {
        let kept = i64::try_from(LEDGER_OFFSETS_KEPT).unwrap();
        let mut book = book(0..kept + 100);

        book.forget(keeps(100, kept + 50, 0));

        assert_eq!(offsets(&book), (50..kept + 100).collect::<Vec<_>>());
    }

    #[test]
    fn below_the_batch_what_locks_outlast_is_kept_however_many_they_are() {
        let count = 3 * i64::try_from(LEDGER_OFFSETS_KEPT).unwrap();
        let mut book = book(0..count);
        book.find_mut(7).unwrap().touch(101);

        book.forget(keeps(104, count, 5));
        assert_eq!(book.entries.len(), 3 * LEDGER_OFFSETS_KEPT);
        book.forget(keeps(105, count, 5));

        // The lowest that was met again, and the highest.
        assert_eq!(book.entries.len(), 1 + LEDGER_OFFSETS_KEPT);
        assert_eq!(book.entries[0].offset, 7);
    }

    #[test]
    fn the_oldest_are_forgotten_first_wherever_they_stand() {
        let mut book = book([1, 2, 3, 4, 5]);
        book.find_mut(1).unwrap().touch(102);
        book.find_mut(2).unwrap().touch(101);

        book.forget_oldest(2);
        assert_eq!(offsets(&book), [1, 2, 5]);
        book.forget_oldest(2);
        assert_eq!(offsets(&book), [1]);
        book.forget_oldest(7);
        assert_eq!(offsets(&book), [0; 0]);
    }

    #[test]
    fn writes_are_counted_by_the_minute() {
        let mut book = book([]);
        let mut counts = Vec::new();

        for minute in [7, 7, 7, 8, 8, 10, 9] {
            book.count_write(minute);
            let Writes { count, before, .. } = book.writes.unwrap();
            counts.push((count, before));
        }

        let expected = [(1, 0), (2, 0), (3, 0), (1, 3), (2, 3), (1, 0), (1, 0)];
        assert_eq!(counts, expected);
    }

    #[test]
    fn the_more_often_it_is_written_the_less_it_may_take() {
        let written = |count, before| {
            let mut book = book([]);
            let minute = 7;
            book.writes = Some(Writes {
                minute,
                count,
                before,
            });
            book.bytes_max()
        };

        assert_eq!(book([]).bytes_max(), LEDGER_BYTES_MAX);
        assert_eq!(written(1, 0), LEDGER_BYTES_MAX);
        // Four a second with 125 units each, ten with 50.
        assert_eq!(written(0, 240), 125 * 1024);
        assert_eq!(written(600, 240), 50 * 1024);
        assert_eq!(written(u32::MAX, 0), LEDGER_BYTES_USUAL);
        // What the documentation says: records a second, in a batch, that a lock of 30 s is outlasted with. An offset takes four bytes.
        for (a_second, batch) in [(600, 100), (1_000, 1_000)] {
            let room = written(0, a_second * 60 / batch);
            assert!(room >= a_second as usize * 30 * 4, "{a_second}");
        }
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

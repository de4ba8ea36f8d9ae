//! Which notes are deleted, and below which offset nothing is known from then on. Called by `once`, and by users of other clients.

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::once::ranges::NoteRow;

/// The oldest notes of some partitions, on their way out.
///
/// Give it the rows of [`OLDEST`](crate::postgres::statements::OLDEST), ask [`READ`](crate::postgres::statements::READ) with its [`ids`](Self::ids), [`firsts`](Self::firsts) and [`lasts`](Self::lasts), give it those
/// rows too, and run [`FORGET`](crate::postgres::statements::FORGET) with what [`forgotten`](Self::forgotten) returns.
#[derive(Debug, Default)]
pub struct Forgetting {
    partitions: BTreeMap<String, Leaving>,
}

#[derive(Debug, Default)]
struct Leaving {
    old: Vec<NoteRow>,
    newer: Vec<NoteRow>,
}

/// What is deleted: one element of each field a partition. The fields are the parameters of [`FORGET`](crate::postgres::statements::FORGET), in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forgotten {
    /// The partitions' ids, sorted.
    pub id: Vec<String>,
    /// The newest note that is deleted; older ones go with it.
    pub note: Vec<i64>,
    /// The number of records in these.
    pub records: Vec<i64>,
    /// Of an offset below it, in no note, nobody knows whether it was noted.
    pub below: Vec<i64>,
}

impl Forgetting {
    /// Takes a row of [`OLDEST`](crate::postgres::statements::OLDEST).
    ///
    /// # Errors
    ///
    /// The row's columns do not fit each other.
    pub fn old(
        &mut self,
        id: &str,
        note: i64,
        range_first: &[i64],
        range_last: &[i64],
        fingerprints: &[u8],
    ) -> Result<(), Failure> {
        let row = NoteRow::read(id, note, range_first, range_last, fingerprints)?;
        let leaving = self.partitions.entry(id.to_owned()).or_default();
        leaving.old.push(row);
        Ok(())
    }

    /// Takes a row of [`READ`](crate::postgres::statements::READ). The notes that leave are among them.
    ///
    /// # Errors
    ///
    /// The row's columns do not fit each other.
    pub fn noted(
        &mut self,
        id: &str,
        note: i64,
        range_first: &[i64],
        range_last: &[i64],
        fingerprints: &[u8],
    ) -> Result<(), Failure> {
        let row = NoteRow::read(id, note, range_first, range_last, fingerprints)?;
        if let Some(leaving) = self.partitions.get_mut(id) {
            leaving.newer.push(row);
        }
        Ok(())
    }

    /// Whether nothing leaves.
    pub fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// The ids of the partitions, sorted.
    pub fn ids(&self) -> Vec<String> {
        self.partitions.keys().cloned().collect()
    }

    /// The lowest offset that leaves of each partition.
    pub fn firsts(&self) -> Vec<i64> {
        let first = |leaving: &Leaving| leaving.offsets().min().unwrap_or(0);
        self.partitions.values().map(first).collect()
    }

    /// The highest offset that leaves of each partition.
    pub fn lasts(&self) -> Vec<i64> {
        let last = |leaving: &Leaving| leaving.offsets().max().unwrap_or(0);
        self.partitions.values().map(last).collect()
    }

    /// What is deleted.
    pub fn forgotten(&self) -> Forgotten {
        let mut forgotten = Forgotten::default();
        for (id, leaving) in &self.partitions {
            let Some(note) = leaving.old.iter().map(|row| row.note).max() else {
                continue;
            };
            forgotten.id.push(id.clone());
            forgotten.note.push(note);
            forgotten.records.push(leaving.offsets().count() as i64);
            forgotten.below.push(leaving.below());
        }
        forgotten
    }
}

impl Leaving {
    fn offsets(&self) -> impl Iterator<Item = i64> + '_ {
        let rows = self.old.iter().flat_map(|row| &row.records);
        rows.map(|(offset, _)| *offset)
    }

    /// Of what leaves, only offsets that still mean the same record count: from the first offset at which a newer note has another record, the partition was written anew.
    fn below(&self) -> i64 {
        let still_stands = self.old.iter().filter_map(|old| {
            let is_replaced = |(offset, fingerprint): &&(i64, u32)| {
                let newer = self.newer.iter().filter(|newer| newer.note > old.note);
                let mut held = newer.filter_map(|newer| newer.fingerprint(*offset));
                held.any(|held| held != *fingerprint)
            };
            let replaced = old.records.iter().find(is_replaced);
            let border = replaced.map_or(i64::MAX, |(offset, _)| *offset);
            let offsets = old.records.iter().map(|(offset, _)| *offset);
            offsets.filter(|offset| *offset < border).max()
        });
        still_stands.max().map_or(0, |last| last.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::Forgetting;
    use crate::once::ranges::NoteRow;

    /// Records from one offset to another, each with that fingerprint.
    fn note(note: i64, first: i64, last: i64, fingerprint: u32) -> NoteRow {
        let records = (first..=last).map(|offset| (offset, fingerprint));
        NoteRow {
            note,
            records: records.collect(),
        }
    }

    fn below(old: Vec<NoteRow>, newer: Vec<NoteRow>) -> i64 {
        let mut forgetting = Forgetting::default();
        let leaving = forgetting.partitions.entry("a".to_owned()).or_default();
        leaving.newer = old.iter().cloned().chain(newer).collect();
        leaving.old = old;
        forgetting.forgotten().below[0]
    }

    #[test]
    fn nothing_is_known_below_the_last_offset_that_left() {
        assert_eq!(
            below(vec![note(1, 0, 9, 7), note(2, 20, 29, 7)], vec![]),
            30
        );
        assert_eq!(
            below(
                vec![note(1, 20, 29, 7), note(2, 0, 9, 7)],
                vec![note(3, 30, 39, 7)]
            ),
            30
        );
    }

    #[test]
    fn what_a_newer_note_has_replaced_raises_nothing() {
        assert_eq!(below(vec![note(1, 0, 9, 7)], vec![note(5, 0, 4, 8)]), 0);
        // A log that was cut at 5 and refilled: what stood before is what it was.
        assert_eq!(below(vec![note(1, 0, 9, 7)], vec![note(5, 5, 12, 8)]), 5);
    }

    #[test]
    fn an_older_note_of_another_record_replaces_nothing() {
        assert_eq!(below(vec![note(1, 0, 9, 7), note(2, 0, 9, 8)], vec![]), 10);
    }
}

//! Offsets as ranges, each with its fingerprint: what one row of the notes holds. Called by `notes` and `forgetting`.

use crate::failure::Failure;
use crate::outcomes::OUTCOMES_CODE;

/// One row of `lambda_msk_once_notes` as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoteRow {
    pub(super) note: i64,
    /// Ascending.
    pub(super) records: Vec<(i64, u32)>,
}

impl NoteRow {
    /// From the row's columns.
    ///
    /// # Errors
    ///
    /// They do not fit each other: nothing may be read out of them on a guess.
    pub(super) fn read(
        id: &str,
        note: i64,
        firsts: &[i64],
        lasts: &[i64],
        fingerprints: &[u8],
    ) -> Result<Self, Failure> {
        let records = records(firsts, lasts, fingerprints).ok_or_else(|| {
            let why = format!(
                "the note {note} of {id} in lambda_msk_once_notes cannot be read: its ranges and fingerprints do not fit; another program has written it"
            );
            Failure::retry(why).code("once.unreadable").whole()
        })?;
        Ok(Self { note, records })
    }

    /// The fingerprint that it holds of that offset. *None: the offset is not in it.*
    pub(super) fn fingerprint(&self, offset: i64) -> Option<u32> {
        let at = self
            .records
            .binary_search_by_key(&offset, |(offset, _)| *offset);
        at.ok().map(|at| self.records[at].1)
    }
}

fn records(firsts: &[i64], lasts: &[i64], fingerprints: &[u8]) -> Option<Vec<(i64, u32)>> {
    if firsts.len() != lasts.len() {
        return None;
    }
    let (prints, rest) = fingerprints.as_chunks::<4>();
    let mut prints = prints.iter().copied().map(u32::from_be_bytes);
    let mut records = Vec::with_capacity(prints.len());
    let mut above = i64::MIN;
    for (&first, &last) in firsts.iter().zip(lasts) {
        if first < above || last < first {
            return None;
        }
        // No longer than the fingerprints: a range of any length ends with them.
        for offset in first..=last {
            records.push((offset, prints.next()?));
        }
        above = last.checked_add(1)?;
    }
    (rest.is_empty() && prints.next().is_none()).then_some(records)
}

/// The columns of a row for these records, ascending: firsts and lasts of the ranges as Postgres writes arrays, and the fingerprints.
pub(super) fn columns(records: &[(i64, u32)]) -> (String, String, Vec<u8>) {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    let mut fingerprints = Vec::with_capacity(records.len() * 4);
    for (offset, fingerprint) in records {
        fingerprints.extend(fingerprint.to_be_bytes());
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*offset) => *last = *offset,
            _ => ranges.push((*offset, *offset)),
        }
    }
    let array = |of: fn(&(i64, i64)) -> i64| {
        let numbers: Vec<String> = ranges.iter().map(|range| of(range).to_string()).collect();
        format!("{{{}}}", numbers.join(","))
    };
    (array(|range| range.0), array(|range| range.1), fingerprints)
}

/// Something was said of a record that was not to be written.
pub(super) fn not_fresh(index: usize) -> Failure {
    let why = format!(
        "expected outcomes of fresh records, found one of index {index}, which an earlier transaction has settled, or which is not to be written now"
    );
    Failure::retry(why).code(OUTCOMES_CODE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{NoteRow, columns};

    fn numbers(array: &str) -> Vec<i64> {
        let inner = array.trim_matches(['{', '}']);
        let numbers = inner.split(',').filter(|text| !text.is_empty());
        numbers.map(|text| text.parse().unwrap()).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(records in proptest::collection::btree_map(0..200_i64, any::<u32>(), 0..100)) {
            let records: Vec<(i64, u32)> = records.into_iter().collect();
            let (firsts, lasts, prints) = columns(&records);
            let read = NoteRow::read("a", 1, &numbers(&firsts), &numbers(&lasts), &prints).unwrap();

            assert_eq!(read.records, records);
            for offset in 0..200 {
                let held = records.iter().find(|(held, _)| *held == offset);
                assert_eq!(read.fingerprint(offset), held.map(|(_, print)| *print));
            }
        }
    }

    #[test]
    fn neighbours_are_one_range() {
        let (firsts, lasts, prints) = columns(&[(5, 1), (6, 2), (8, 3)]);

        assert_eq!((&*firsts, &*lasts), ("{5,8}", "{6,8}"));
        assert_eq!(prints, [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]);
    }

    #[test]
    fn columns_that_do_not_fit_are_refused_and_cost_no_memory() {
        let print = [0_u8; 4];
        for (firsts, lasts, prints) in [
            (&[1][..], &[][..], &print[..]),
            (&[1], &[1], &[]),
            (&[1], &[1], &[0; 8]),
            (&[1], &[1], &[0; 5]),
            (&[2], &[1], &print),
            (&[2, 1], &[2, 1], &[0; 8]),
            (&[1, 1], &[1, 1], &[0; 8]),
            (&[0], &[i64::MAX], &print),
            (&[i64::MIN], &[i64::MAX], &print),
        ] {
            let error = NoteRow::read("a/b", 7, firsts, lasts, prints).unwrap_err();
            assert_eq!(error.given_code(), Some("once.unreadable"));
            assert!(error.is_whole());
        }
    }
}

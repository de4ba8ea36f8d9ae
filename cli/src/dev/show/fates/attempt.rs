//! An invocation that has not done all: which records are open, by its answer or its error. Kept by `fates`.

use std::collections::BTreeSet;
use std::sync::Arc;

use msk_mapping::FunctionError;
use msk_mapping::driver::Flight;
use msk_mapping::machine::Offsets;

use crate::function::said::{Place, Reason};

/// An invocation that has ended without all of its records done.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) flight: Arc<Flight>,
    pub(super) how: How,
}

#[derive(Debug)]
pub(super) enum How {
    /// The answer lists these.
    Listed(BTreeSet<Place>),
    /// So many of them are not done.
    Open(u64),
    /// None is done, as far as one can tell.
    All(Reason),
}

pub(super) fn reason(error: &FunctionError) -> Reason {
    Reason {
        code: error.error_type.clone(),
        why: error.message.clone(),
    }
}

pub(super) fn count(records: &[Offsets]) -> u64 {
    records.iter().map(|part| part.offsets.len() as u64).sum()
}

pub(super) fn places(records: &[Offsets]) -> impl Iterator<Item = Place> {
    records.iter().flat_map(|part| {
        part.offsets.iter().map(|offset| Place {
            topic: part.partition.topic().to_owned(),
            partition: part.partition.partition(),
            offset: *offset,
        })
    })
}

/// How many records are not done, as `batch.incomplete` says it: `5 failed and 1 unreached of 30 records; …`.
pub(super) fn open(message: &str) -> Option<u64> {
    let (failed, rest) = message.split_once(" failed and ")?;
    let (unreached, _) = rest.split_once(" unreached of ")?;
    failed
        .parse::<u64>()
        .ok()?
        .checked_add(unreached.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::open;

    #[test]
    fn the_number_of_open_records_is_read_as_the_framework_writes_it() {
        let message = "5 failed and 2 unreached of 30 records; the first is orders-0@3 (handler.failed): Lambda redelivers the whole batch";

        assert_eq!(open(message), Some(7));
        assert_eq!(open("5 failed"), None);
        assert_eq!(open("some failed and 2 unreached of 30"), None);
    }
}

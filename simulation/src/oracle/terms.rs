//! What was promised in a run, as the oracle is told. Made by `plan`, or by hand in tests.

use super::model::Record;
use crate::fact::RecordId;

/// What was promised in this run: what the function and the mapping were set to.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The function's order.
    pub order: Order,
    /// How it answers.
    pub reporting: Reporting,
    /// What it keeps.
    pub ledger: Ledger,
    /// How often the mapping may send a record again. *None: for ever.*
    pub retries: Option<u64>,
    /// Whether a throttled invocation counts as an attempt.
    pub throttles_count: bool,
    /// Whether a record that was tried often enough takes those behind it in its partition with it.
    pub tail_goes_too: bool,
    /// How old a record may become. *None: as old as it likes.*
    pub age_ms: Option<u64>,
    /// Whether one old record takes its batch with it.
    pub age_of_batch: bool,
    /// How often the broker of a share group delivers a record before it gives it up. *None: the mapping is not in Queue mode.*
    pub deliveries_max: Option<u64>,
    /// Whether the mapping itself sends no record of a partition before those below it are settled. False: order is asked within a batch only.
    pub mapping_keeps_order: bool,
    /// Whether no two clocks are further apart than leases allow for. False: only *nothing lost* is asked.
    pub clocks_within_limit: bool,
    /// How long after it was settled a record may be forgotten.
    pub forgets_after_ms: u64,
    /// Whether a handler starts at most once a record.
    pub at_most_once: bool,
    /// Whether records run without the store where that has failed: then neither *once* nor *one owner* is asked of that invocation.
    pub without_store: bool,
    /// How fast the function is to be.
    pub pace: Pace,
}

/// How fast a function is to be: its settings, as far as rules of time follow from them. By default none is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// How much time it is given.
    pub timeout_ms: u64,
    /// How often it writes its progress.
    pub progress_ms: u64,
    /// How many lanes run side by side.
    pub concurrency: usize,
    /// How long a handler holds the processor at the most. Zero: handlers only wait.
    pub holds_ms: u64,
}

/// Which records of a partition wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All.
    Partition,
    /// Those of one key; those without one as well.
    Key,
    /// Those of one key; one without a key waits for none.
    KeyIfAny,
    /// None.
    Unordered,
}

/// How a function answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporting {
    /// An error, if anything is not done.
    WholeBatch,
    /// A list of what is not done.
    Partial,
}

/// Where it is kept what was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ledger {
    /// In a store of all processes.
    Durable,
    /// In a store of all processes, by each record's key.
    PerRecord,
    /// In each process's memory.
    Memory,
    /// Nowhere.
    None,
}

impl Order {
    /// Tells the lanes of a partition apart: the records of one wait for each other.
    pub(super) fn lane(self, id: RecordId, record: &Record) -> (u32, Option<u8>, Option<RecordId>) {
        let key = match self {
            Self::Partition | Self::Unordered => None,
            Self::Key | Self::KeyIfAny => record.key,
        };
        let alone = match self {
            Self::Unordered => true,
            Self::KeyIfAny => record.key.is_none(),
            Self::Partition | Self::Key => false,
        };
        (record.partition, key, alone.then_some(id))
    }
}

//! What was promised in a run, as the oracle is told. Made by `plan`, or by hand in tests.

use super::model::Record;
use crate::fact::RecordId;

/// The promises of a run: the settings of the function and the mapping.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The function's order.
    pub order: Order,
    /// The function's failure reporting.
    pub reporting: Reporting,
    /// The function's store of settled records.
    pub ledger: Ledger,
    /// The most retries of a record by the mapping. *None: no limit.*
    pub retries: Option<u64>,
    /// Whether a throttled invocation counts as an attempt.
    pub throttles_count: bool,
    /// Whether the records behind an exhausted record in its partition are given up with it.
    pub tail_goes_too: bool,
    /// The maximum age of a record. *None: no limit.*
    pub age_ms: Option<u64>,
    /// Whether the batch of an old record is given up with it.
    pub age_of_batch: bool,
    /// The most deliveries of a record by a share group's broker. *None: the mapping is not in Queue mode.*
    pub deliveries_max: Option<u64>,
    /// Whether the mapping itself sends no record of a partition before those below it are settled. False: order is asked within a batch only.
    pub mapping_keeps_order: bool,
    /// Whether the clocks stay within the maximum clock skew. False: only *nothing lost* is asked.
    pub clocks_within_limit: bool,
    /// The time after which a settled record may be forgotten.
    pub forgets_after_ms: u64,
    /// Whether a handler starts at most once a record.
    pub at_most_once: bool,
    /// Whether records run without the store if it has failed: then neither *once* nor *one owner* is asked of that invocation.
    pub without_store: bool,
    /// The time limits of the function.
    pub pace: Pace,
}

/// The settings of a function from which time limits follow. By default there are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// The time of an invocation.
    pub timeout_ms: u64,
    /// The time between two writes of progress.
    pub progress_ms: u64,
    /// The number of lanes that run concurrently.
    pub concurrency: usize,
    /// The tries of a chunk as a whole, and of a record, in one invocation. Zero: what they cost is not asked.
    pub attempts: u32,
    /// The longest time for which a handler holds the processor. Zero: handlers only wait.
    pub holds_ms: u64,
}

/// Which records of a partition wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All records.
    Partition,
    /// Records of one key; records without a key too.
    Key,
    /// Records of one key; a record without a key waits for no other.
    KeyIfAny,
    /// No records.
    Unordered,
}

/// The failure reporting of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporting {
    /// An error if any record is not done.
    WholeBatch,
    /// A list of the records that are not done.
    Partial,
}

/// The store of settled records.
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

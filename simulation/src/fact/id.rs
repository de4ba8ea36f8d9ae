//! The names of what facts are about: numbers. Used by `fact`.

use std::fmt;

/// A record that was appended to a log. Another one at the same offset is another record.
pub type RecordId = u32;

/// A log: a partition between two times at which it was recreated.
pub type LogId = u32;

/// One delivery of a batch to a function.
pub type InvocationId = u32;

/// A process that a function runs in.
pub type EnvironmentId = u32;

/// An item of a store: a partition's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemId {
    /// The process in whose memory it is. *None: all processes share it.*
    pub environment: Option<EnvironmentId>,
    /// The partition of the ledger.
    pub partition: u32,
}

/// The identifier of a store's item: a record's item, or a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredId(pub u64);

/// The identifier of an item's version: its owner and sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionId(pub u64);

impl fmt::Display for StoredId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(self.0, f)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        short(self.0, f)
    }
}

/// The end of a long number: enough to tell those of one run apart by eye.
fn short(number: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:04x}", number & 0xFFFF)
}

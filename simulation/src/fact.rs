//! What was seen of a run, as plain data: all that the oracle is given. Written by the simulated world, read by `oracle` and `trace`.

use std::fmt;

/// A record that was ever appended to a log. Another one at the same offset is another record.
pub type RecordId = u32;

/// A log: a partition between two times at which it was made anew.
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
    /// Whose ledger it is.
    pub partition: u32,
}

/// Any item of any store: tells a record's item, or a ledger, from every other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredId(pub u64);

/// A version of an item: tells its owner and seq from all others.
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

/// One thing that was seen, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Milliseconds since the run began, by the one true clock.
    pub at_ms: u64,
    /// The fact itself.
    pub what: What,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A record stands in its log.
    Appended {
        /// The record.
        record: RecordId,
        /// The log.
        log: LogId,
        /// The partition that the log is of.
        partition: u32,
        /// Its place.
        offset: i64,
        /// Its lane, under key order. *None: it has no key.*
        key: Option<u8>,
        /// Its own time, on the run's clock.
        timestamp_ms: i64,
    },
    /// A record stands in its log no more: compacted, or the log was cut. Nobody has to do it any more.
    Erased {
        /// The record.
        record: RecordId,
    },
    /// A function was given a batch.
    Delivered {
        /// The invocation.
        invocation: InvocationId,
        /// The process.
        environment: EnvironmentId,
        /// In the event's order.
        records: Vec<RecordId>,
        /// Whether it was a dead letter that was fed back, past the mapping.
        redrive: bool,
    },
    /// A process runs what it was given at least once, in a run that promises "at most once" of others: it is of a deployment before that was asked for.
    AtLeastOnce {
        /// The process.
        environment: EnvironmentId,
    },
    /// The function was asked for a handler's arguments: the record's turn has come.
    Looked {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
        /// Whether that panics.
        panics: bool,
    },
    /// A handler was started.
    Started {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
    },
    /// A handler has ended.
    Ended {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
        /// The end of the run.
        how: How,
    },
    /// A letter of the function's, on its way to the destination, says that the record's handler was started.
    SaidStarted {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
    },
    /// A letter of the function's stands at the destination.
    Landed {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
    },
    /// The destination's word that a letter is there has reached the function.
    Confirmed {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
    },
    /// A function's answer has left its process.
    Answered {
        /// The invocation.
        invocation: InvocationId,
        /// The response.
        answer: Answer,
    },
    /// A process's own clock has passed the deadline, and no answer had left.
    Overdue {
        /// The invocation.
        invocation: InvocationId,
    },
    /// A process is no more.
    Killed {
        /// The process.
        environment: EnvironmentId,
    },
    /// An invocation has taken an item, and is to know what stood in it.
    Taken {
        /// The item.
        item: ItemId,
        /// The invocation.
        invocation: InvocationId,
    },
    /// An item was read for an invocation, without taking it. The answer may never reach the invocation.
    Read {
        /// The item.
        item: ItemId,
        /// The invocation.
        invocation: InvocationId,
        /// The number of the call, in the invocation's process.
        call: u64,
    },
    /// The answer of a [`Read`](Self::Read) has reached its invocation, which knows from now on what stood in the item then.
    Told {
        /// The invocation.
        invocation: InvocationId,
        /// The number of the call.
        call: u64,
    },
    /// An applied write has left an item of a store in a new state.
    Stands {
        /// The item.
        stored: StoredId,
        /// The version that the item bears.
        version: VersionId,
        /// All that the item holds beside its version, as one number.
        content: u64,
    },
    /// An invocation was shown what stands in an item, as a write of its own was refused.
    Shown {
        /// The item.
        item: ItemId,
        /// The invocation.
        invocation: InvocationId,
    },
    /// An invocation asks for an item to be written. The write may land later, or never, and holds no more than what is settled now.
    Writes {
        /// The invocation.
        invocation: InvocationId,
        /// The version that the item is to bear.
        version: VersionId,
    },
    /// An item was written.
    Written {
        /// The item.
        item: ItemId,
        /// The invocation.
        invocation: InvocationId,
        /// The version that the item bears. *None: another program wrote it.*
        version: Option<VersionId>,
        /// The offsets that stand in it as settled, ascending.
        settled: Vec<i64>,
        /// Whether it is free from now on.
        given_back: bool,
    },
    /// An item was deleted: it had expired, or somebody wanted it forgotten.
    Deleted {
        /// The item.
        item: ItemId,
    },
    /// An invocation has claimed a record by its key, or renewed that.
    Claimed {
        /// The partition.
        partition: u32,
        /// The offset.
        offset: i64,
        /// The invocation.
        invocation: InvocationId,
        /// The record's item.
        stored: StoredId,
    },
    /// A record stands in the store as settled, by its key.
    Noted {
        /// The partition.
        partition: u32,
        /// The offset.
        offset: i64,
        /// The invocation.
        invocation: InvocationId,
        /// The record's item.
        stored: StoredId,
    },
    /// An invocation has deleted what the store knew of a record by its key: it has not done it, and whoever likes may.
    Released {
        /// The partition.
        partition: u32,
        /// The offset.
        offset: i64,
        /// The invocation.
        invocation: InvocationId,
        /// The record's item.
        stored: StoredId,
    },
    /// What the store knew of a record by its key is deleted.
    Unmarked {
        /// The partition.
        partition: u32,
        /// The offset.
        offset: i64,
        /// The record's item. A log that was made anew may have had another record at the same place, with an item of its own.
        stored: StoredId,
    },
    /// A call of a store or destination has met a fault: what was promised for working ones cannot be asked.
    Faulted {
        /// The invocation.
        invocation: InvocationId,
    },
    /// The destination works, and takes so long for a call that the invocation's time may be over with it: what was to follow is cut off.
    HeldUp {
        /// The invocation.
        invocation: InvocationId,
    },
    /// The consumer group's position in a log is that one.
    Committed {
        /// The log.
        log: LogId,
        /// The offset that would be read next.
        position: i64,
    },
    /// Queue mode: the share group's broker has delivered a record to a poller, and counts that.
    Acquired {
        /// The record.
        record: RecordId,
    },
    /// Queue mode: the group has a record as done.
    Accepted {
        /// The record.
        record: RecordId,
    },
    /// Queue mode: the group delivers a record no more, though it is not done: it was given up, or delivered as often as is allowed.
    Archived {
        /// The record.
        record: RecordId,
    },
    /// Queue mode: the group begins a log anew, as if nothing of it had ever been delivered.
    SetBack {
        /// The log.
        log: LogId,
    },
    /// The mapping has given up a record.
    GivenUp {
        /// The record.
        record: RecordId,
        /// The reason.
        why: GivenUp,
    },
    /// The mapping asked for an invocation and the function service had none: throttled.
    Throttled {
        /// The records.
        records: Vec<RecordId>,
    },
    /// From now on nothing fails.
    Quiet,
    /// The run is over.
    Over {
        /// Records that stand in logs behind the group's position, uncommitted.
        lag: usize,
    },
    /// For readers of the trace.
    Note(String),
}

/// How a handler's run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// It returned Ok.
    Ok,
    /// It returned a failure that is tried again.
    Failed,
    /// It returned a rejection.
    Rejected,
    /// It panicked.
    Panicked,
    /// It was dropped before it ended.
    Dropped,
}

/// What a function has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A function error.
    Error,
    /// A list of what is not done: identifier and offset as they stood in it.
    Listed(Vec<(String, i64)>),
}

/// Why the mapping has given up a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GivenUp {
    /// It was tried as often as was allowed.
    Attempts,
    /// It is older than was allowed.
    Age,
}

//! The facts of a run, as plain data: all that the oracle gets. Written by the simulated world, read by `oracle` and `trace`.

mod id;

pub use self::id::{EnvironmentId, InvocationId, ItemId, LogId, RecordId, StoredId, VersionId};

/// One fact, and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Milliseconds since the run began, by the one true clock.
    pub at_ms: u64,
    /// The fact itself.
    pub what: What,
}

/// The kinds of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A record was appended to its log.
    Appended {
        /// The record.
        record: RecordId,
        /// The log.
        log: LogId,
        /// The partition that the log is of.
        partition: u32,
        /// Its offset.
        offset: i64,
        /// Its lane, under key order. *None: it has no key.*
        key: Option<u8>,
        /// Its own time, on the run's clock.
        timestamp_ms: i64,
    },
    /// A record was removed from its log: compacted, or the log was truncated. It need not be done any more.
    Erased {
        /// The record.
        record: RecordId,
    },
    /// A function got a batch.
    Delivered {
        /// The invocation.
        invocation: InvocationId,
        /// The process.
        environment: EnvironmentId,
        /// The records, in the order of the event.
        records: Vec<RecordId>,
        /// Whether it was a dead letter that was fed back, past the mapping.
        redrive: bool,
    },
    /// A process runs its records at least once, in a run that promises "at most once" of others: it is of an earlier deployment.
    AtLeastOnce {
        /// The process.
        environment: EnvironmentId,
    },
    /// The arguments of a handler are extracted: the record's turn has come.
    Looked {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
        /// Whether the extraction panics.
        panics: bool,
    },
    /// A handler is called with several records: each of them starts with it.
    Called {
        /// The invocation.
        invocation: InvocationId,
        /// The number of the call, in the invocation's process.
        call: u64,
        /// The records, in the handler's order.
        records: Vec<RecordId>,
    },
    /// A call is about to fail as a whole, or to hang, because of one of its records.
    Spoiled {
        /// The invocation.
        invocation: InvocationId,
        /// The number of the call, in the invocation's process.
        call: u64,
        /// The record.
        record: RecordId,
        /// Whether the failure says that no record is at fault: then nothing is halved.
        nobodys_fault: bool,
    },
    /// A call with several records is over, however it ended.
    CallOver {
        /// The invocation.
        invocation: InvocationId,
        /// The number of the call, in the invocation's process.
        call: u64,
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
    /// A letter on its way to the destination says that the record's handler was started.
    SaidStarted {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
    },
    /// A letter is at the destination.
    Landed {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
    },
    /// The destination's confirmation of a letter has reached the function.
    Confirmed {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
    },
    /// A function's response has left its process.
    Answered {
        /// The invocation.
        invocation: InvocationId,
        /// The response.
        answer: Answer,
    },
    /// A process's own clock has passed the deadline, and no response had left.
    Overdue {
        /// The invocation.
        invocation: InvocationId,
    },
    /// A process was killed.
    Killed {
        /// The process.
        environment: EnvironmentId,
    },
    /// An invocation has taken an item, and learns its content.
    Taken {
        /// The item.
        item: ItemId,
        /// The invocation.
        invocation: InvocationId,
    },
    /// An item was read for an invocation, without taking it. The result may never reach the invocation.
    Read {
        /// The item.
        item: ItemId,
        /// The invocation.
        invocation: InvocationId,
        /// The number of the call, in the invocation's process.
        call: u64,
    },
    /// The result of a [`Read`](Self::Read) has reached its invocation, which now knows the content that the item had.
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
        /// The item's version.
        version: VersionId,
        /// The item's content without its version, as one number.
        content: u64,
    },
    /// An invocation was shown an item's content, because its write was refused.
    Shown {
        /// The item.
        item: ItemId,
        /// The invocation.
        invocation: InvocationId,
    },
    /// An invocation sends a write of an item. The write may be applied later, or never, and contains only records settled by now.
    Writes {
        /// The invocation.
        invocation: InvocationId,
        /// The new version.
        version: VersionId,
    },
    /// An item was written.
    Written {
        /// The item.
        item: ItemId,
        /// The invocation.
        invocation: InvocationId,
        /// The item's version. *None: another program wrote it.*
        version: Option<VersionId>,
        /// The offsets recorded as settled, ascending.
        settled: Vec<i64>,
        /// Whether the item is released.
        given_back: bool,
    },
    /// An item was deleted: it had expired, or it was forgotten by hand.
    Deleted {
        /// The item.
        item: ItemId,
    },
    /// An invocation has claimed a record by its key, or renewed the claim.
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
    /// A record is in the store as settled, by its key.
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
    /// An invocation has deleted the store's item of a record: it has not done the record, and any other may.
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
    /// The store's item of a record is deleted.
    Unmarked {
        /// The partition.
        partition: u32,
        /// The offset.
        offset: i64,
        /// The record's item. A recreated log may have had another record at the same offset, with an item of its own.
        stored: StoredId,
    },
    /// A call of a store or destination has met a fault: promises that need working ones are not asked.
    Faulted {
        /// The invocation.
        invocation: InvocationId,
    },
    /// The destination works, but its call may take all of the invocation's remaining time: later steps are cut off.
    HeldUp {
        /// The invocation.
        invocation: InvocationId,
    },
    /// The consumer group committed a position of a log.
    Committed {
        /// The log.
        log: LogId,
        /// The next offset to read.
        position: i64,
    },
    /// Queue mode: the share group's broker has delivered a record to a poller, and counts the delivery.
    Acquired {
        /// The record.
        record: RecordId,
    },
    /// Queue mode: the group has accepted a record as done.
    Accepted {
        /// The record.
        record: RecordId,
    },
    /// Queue mode: the group has archived a record that is not done: it was given up, or its deliveries are used up.
    Archived {
        /// The record.
        record: RecordId,
    },
    /// Queue mode: the group starts a log again, as if no record of it had been delivered.
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
    /// The function service throttled an invocation of the mapping.
    Throttled {
        /// The records.
        records: Vec<RecordId>,
    },
    /// A record's value is behind a frame that names its schema.
    Framed {
        /// The record.
        record: RecordId,
        /// The schema's id.
        schema: u32,
        /// Whether the registry has the schema.
        exists: bool,
    },
    /// A process asks the registry for a schema.
    SchemaAsked {
        /// The invocation.
        invocation: InvocationId,
        /// The schema's id.
        schema: u32,
    },
    /// A process's request for a schema has ended.
    SchemaAnswered {
        /// The invocation that asked. Others of its process may have waited for the same answer.
        invocation: InvocationId,
        /// The schema's id.
        schema: u32,
        /// The end of the request.
        answer: SchemaAnswer,
    },
    /// A record's turn has come, and its value could not be read by a schema.
    Unread {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
        /// The reason.
        why: Unread,
    },
    /// A letter on its way to the destination says that the record was given up because of its schema.
    SaidUnread {
        /// The invocation.
        invocation: InvocationId,
        /// The record.
        record: RecordId,
    },
    /// An invocation wrote its metrics.
    Measured {
        /// The invocation.
        invocation: InvocationId,
        /// The sum of the five outcomes.
        counted: u64,
        /// The tries beyond the first ones.
        retried: u64,
    },
    /// No faults happen from now on.
    Quiet,
    /// The run is over.
    Over {
        /// The number of uncommitted records after the group's positions.
        lag: usize,
    },
    /// A note for readers of the trace.
    Note(String),
}

/// The end of a handler's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// It returned Ok.
    Ok,
    /// It returned a failure that is retried.
    Failed,
    /// It returned a rejection.
    Rejected,
    /// It panicked.
    Panicked,
    /// It was dropped before it ended.
    Dropped,
}

/// The end of a request for a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaAnswer {
    /// The schema.
    Found,
    /// The registry does not have it.
    NotFound,
    /// The registry is down, or refuses.
    Unavailable,
    /// Nobody waited any longer.
    Abandoned,
}

/// The reason why a value was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unread {
    /// Its schema was not to be had.
    NoSchema,
    /// There is no such schema.
    NotFound,
    /// Any other.
    Misread,
}

/// A function's response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A function error.
    Error,
    /// A list of the records that are not done: identifiers and offsets as in the response.
    Listed(Vec<(String, i64)>),
}

/// The reason why the mapping gave up a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GivenUp {
    /// Its attempts are used up.
    Attempts,
    /// It is older than the maximum age.
    Age,
}

//! What AWS leaves open, one switch a question. The simulator turns them all; a right function is right under each.

pub use crate::event::Nulls;
pub use crate::response::Again;

/// How the open questions are read. The default of each is what AWS's documentation says for Kafka; where it says
/// nothing, what it says for Kinesis, whose words the settings share; where that is silent too, what is safest to
/// develop against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Readings {
    /// What a partial answer brings back.
    pub again: Again,
    /// Whether a throttled invocation counts as an attempt.
    pub throttles: Throttles,
    /// What has the count of attempts.
    pub attempts: Attempts,
    /// Whether an answer that settles some records starts the count anew for the others.
    pub progress: Progress,
    /// Whether a rebalance starts the count anew.
    pub rebalance: Rebalance,
    /// What a bisection does to the count.
    pub bisecting: Bisecting,
    /// What a partial answer does under `BisectBatchOnFunctionError`.
    pub partial_answer: PartialAnswer,
    /// When the second half of a bisected batch goes.
    pub halves: Halves,
    /// What is given up when the attempts behind a partial answer are used up.
    pub exhausted: Exhausted,
    /// Whose age is judged.
    pub age: Age,
    /// What a partition does while listed records wait for their next attempt.
    pub next_batch: NextBatch,
    /// When the window of a partition's next batch begins.
    pub window: Window,
    /// How a key or value that is not there stands in the event.
    pub nulls: Nulls,
}

impl Default for Readings {
    fn default() -> Self {
        Self {
            again: Again::OnlyListed,
            throttles: Throttles::Free,
            attempts: Attempts::PerBatch,
            progress: Progress::Keeps,
            rebalance: Rebalance::StartsAnew,
            bisecting: Bisecting::Free,
            partial_answer: PartialAnswer::SplitsAtReturned,
            halves: Halves::InSequence,
            exhausted: Exhausted::Listed,
            age: Age::PerRecord,
            next_batch: NextBatch::Waits,
            window: Window::FromArrival,
            nulls: Nulls::Absent,
        }
    }
}

/// Does a throttled invocation count as an attempt? Open for Kafka. For Kinesis Lambda "retries until the records
/// expire or exceed the maximum age" when it cannot invoke the function, and names the retry quota for errors of the
/// function only: so the default is [`Free`](Self::Free).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Throttles {
    /// It is tried again with back-off, and costs nothing. Only a record's age ends it.
    Free,
    /// It counts as any failed attempt.
    Count,
}

/// Whose attempts are counted? Open. `MaximumRetryAttempts` is "the number of times Lambda retries when your function
/// returns an error", and the document for destinations has one `approximateInvokeCount` a batch: so the default is
/// [`PerBatch`](Self::PerBatch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempts {
    /// The batch has one count for all its records.
    PerBatch,
    /// Each record has its own. In one batch some may be used up while others go on.
    PerRecord,
}

/// Does an answer that settles some records start the count anew for those that are left? Open. The default is
/// [`Keeps`](Self::Keeps): it gives records up sooner, so a function that is right under it is right under the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// The count goes on.
    Keeps,
    /// The count starts at nothing.
    StartsAnew,
}

/// Does a rebalance start the count anew for records that come again with the next owner? Open. A poller that takes
/// over a partition knows its committed offset and no more: so the default is [`StartsAnew`](Self::StartsAnew).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rebalance {
    /// The count starts at nothing.
    StartsAnew,
    /// The count goes on with the next owner. Records of different counts are not batched together, if a batch has one.
    Keeps,
}

/// What does splitting a batch cost? Open for Kafka. For Kinesis "splitting batches doesn't consume the retry quota":
/// so the default is [`Free`](Self::Free).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bisecting {
    /// The failure that splits a batch is not counted. Both halves go on with the count so far.
    Free,
    /// It is counted, and both halves go on with that count.
    Counts,
    /// Both halves start at nothing.
    StartsAnew,
}

/// What does a partial answer do under `BisectBatchOnFunctionError`? Open for Kafka. For Kinesis "the batch is bisected
/// at the returned sequence number and Lambda retries only the remaining records": so the default is
/// [`SplitsAtReturned`](Self::SplitsAtReturned).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartialAnswer {
    /// It is a bisection, at the lowest record that is listed, and costs what a bisection costs. An answer that settles
    /// no record splits nothing, and counts as an attempt.
    SplitsAtReturned,
    /// What comes again is halved, as after an error.
    Halves,
    /// It is no error: what comes again stays together, and counts as an attempt.
    Unsplit,
}

/// When does the second half of a bisected batch go? Open. A partition's records are sent in order, and both halves may
/// have records of one partition: so the default is [`InSequence`](Self::InSequence).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Halves {
    /// Once the first is settled.
    InSequence,
    /// At the same time, also if both have records of one partition.
    SideBySide,
}

/// What is given up when the attempts behind a partial answer are used up? Open. For Kafka Lambda retries "just those
/// specific items": so the default is [`Listed`](Self::Listed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exhausted {
    /// The records that were listed. What else came again under [`Again::FromLowest`] goes on, with a count of its own.
    Listed,
    /// Every record of the partition from the lowest listed one on, also those that the answer did not list.
    FromLowest,
}

/// Whose age does `MaximumRecordAgeInSeconds` judge? It is "the maximum age of a record that Lambda sends to your
/// function": so the default is [`PerRecord`](Self::PerRecord). Whether the batch of an old record goes with it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Age {
    /// Each record's own. The others of its batch go on.
    PerRecord,
    /// The oldest record's. The whole batch is given up with it.
    PerBatch,
}

/// Does a partition's next batch wait while listed records are tried again? Open. Committed is one offset a partition,
/// and order within a partition is promised: so the default is [`Waits`](Self::Waits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextBatch {
    /// It waits until each record of the batch before is settled.
    Waits,
    /// It goes on, and the listed records are tried again beside it. At most
    /// [`RETRIED_ASIDE_MAX`](crate::limits::RETRIED_ASIDE_MAX) such groups a partition; then it waits.
    GoesOn,
}

/// When does the batching window of records begin that arrived while their partition was busy? Open. "A batching window
/// begins as soon as the first record arrives": so the default is [`FromArrival`](Self::FromArrival).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// When the record arrived: what has waited long enough is sent at once.
    FromArrival,
    /// When the partition was free for it, if that was later.
    FromFree,
}

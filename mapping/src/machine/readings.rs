//! Behaviour that AWS does not document: one switch for each question. The simulation varies all of them; a correct function is correct under each.

pub use crate::event::Nulls;
pub use crate::response::Again;

/// How to emulate behaviour that AWS does not document. The default of each is what AWS's documentation says for Kafka; where it says
/// nothing, what it says for Kinesis, which has the same settings; where that is silent too, what is safest to
/// develop against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Readings {
    /// Which records are redelivered after a partial response.
    pub again: Again,
    /// Whether a throttled invocation counts as an attempt.
    pub throttles: Throttles,
    /// Whether attempts are counted for a batch or a record.
    pub attempts: Attempts,
    /// Whether a response that settles some records resets the count of the others.
    pub progress: Progress,
    /// Whether a rebalance resets the count.
    pub rebalance: Rebalance,
    /// What a bisection does to the count.
    pub bisecting: Bisecting,
    /// What a partial response does under `BisectBatchOnFunctionError`.
    pub partial_answer: PartialAnswer,
    /// When the second half of a bisected batch is sent.
    pub halves: Halves,
    /// Which records are given up when the attempts after a partial response are used up.
    pub exhausted: Exhausted,
    /// Whether the age of a record or of its batch counts.
    pub age: Age,
    /// Whether a partition's next batch waits for the retries of listed records.
    pub next_batch: NextBatch,
    /// When the batching window of a partition's next batch begins.
    pub window: Window,
    /// How the event shows a missing key or value.
    pub nulls: Nulls,
    /// Whether `EventRecordFormat` SOURCE leaves Protobuf's message indexes in place.
    pub protobuf_indexes: ProtobufIndexes,
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
            protobuf_indexes: ProtobufIndexes::Kept,
        }
    }
}

/// Does a throttled invocation count as an attempt? Not documented for Kafka. For Kinesis Lambda "retries until the records
/// expire or exceed the maximum age" when it cannot invoke the function, and names the retry quota for errors of the
/// function only: so the default is [`Free`](Self::Free).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Throttles {
    /// It is retried with back-off, and costs no attempt. Only a record's age ends it.
    Free,
    /// It counts as any failed attempt.
    Count,
}

/// Are attempts counted for a batch or a record? Not documented. `MaximumRetryAttempts` is "the number of times Lambda retries when your function
/// returns an error", and the document for destinations has one `approximateInvokeCount` a batch: so the default is
/// [`PerBatch`](Self::PerBatch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempts {
    /// The batch has one count for all its records.
    PerBatch,
    /// Each record has its own. Some records of a batch may use up their attempts before others.
    PerRecord,
}

/// Does a response that settles some records reset the count of the others? Not documented. The default is
/// [`Keeps`](Self::Keeps): it gives records up sooner, so a function that is correct under it is correct under the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Progress {
    /// The count continues.
    Keeps,
    /// The count starts at nothing.
    StartsAnew,
}

/// Does a rebalance reset the count of records that are redelivered to the next owner? Not documented. A poller that takes
/// over a partition knows its committed offset and no more: so the default is [`StartsAnew`](Self::StartsAnew).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rebalance {
    /// The count starts at nothing.
    StartsAnew,
    /// The count continues with the next owner. If a batch has one count, records of different counts are not batched together.
    Keeps,
}

/// What does splitting a batch cost? Not documented for Kafka. For Kinesis "splitting batches doesn't consume the retry quota":
/// so the default is [`Free`](Self::Free).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bisecting {
    /// The failure that splits a batch is not counted. Both halves continue with the count so far.
    Free,
    /// The failure is counted, and both halves continue with that count.
    Counts,
    /// Both halves start at nothing.
    StartsAnew,
}

/// What does a partial response do under `BisectBatchOnFunctionError`? Not documented for Kafka. For Kinesis "the batch is bisected
/// at the returned sequence number and Lambda retries only the remaining records": so the default is
/// [`SplitsAtReturned`](Self::SplitsAtReturned).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartialAnswer {
    /// It is a bisection, at the lowest listed record, and costs what a bisection costs. A response that settles
    /// no record splits nothing, and counts as an attempt.
    SplitsAtReturned,
    /// The redelivered records are halved, as after an error.
    Halves,
    /// It is not an error: the redelivered records stay together, and it counts as an attempt.
    Unsplit,
}

/// When is the second half of a bisected batch sent? Not documented. A partition's records are sent in order, and both halves may
/// have records of one partition: so the default is [`InSequence`](Self::InSequence).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Halves {
    /// Once the first half is settled.
    InSequence,
    /// At the same time, even if both have records of one partition.
    SideBySide,
}

/// Which records are given up when the attempts after a partial response are used up? Not documented. For Kafka Lambda retries "just those
/// specific items": so the default is [`Listed`](Self::Listed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exhausted {
    /// The listed records. The others that were redelivered under [`Again::FromLowest`] continue, with a count of their own.
    Listed,
    /// Every record of the partition from the lowest listed one on, even if the response did not list it.
    FromLowest,
}

/// Whose age does `MaximumRecordAgeInSeconds` judge? It is "the maximum age of a record that Lambda sends to your
/// function": so the default is [`PerRecord`](Self::PerRecord). Whether an old record's batch is given up with it is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Age {
    /// Each record's own age. The others of its batch continue.
    PerRecord,
    /// The oldest record's age. The whole batch is given up with it.
    PerBatch,
}

/// Does a partition's next batch wait while listed records are retried? Not documented. A group commits one offset a partition,
/// and order within a partition is promised: so the default is [`Waits`](Self::Waits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextBatch {
    /// It waits until each record of the previous batch is settled.
    Waits,
    /// It is sent, and the listed records are retried beside it. At most
    /// [`RETRIED_ASIDE_MAX`](crate::limits::RETRIED_ASIDE_MAX) such groups a partition; then it waits.
    GoesOn,
}

/// When does the batching window begin for records that arrived while their partition was busy? Not documented. "A batching window
/// begins as soon as the first record arrives": so the default is [`FromArrival`](Self::FromArrival).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// When the record arrived: records that have waited long enough are sent at once.
    FromArrival,
    /// When the partition was free for it, if that was later.
    FromFree,
}

/// Does `EventRecordFormat` SOURCE leave what names a Protobuf message behind the schema's id: Confluent's message indexes, Glue's place of the message? AWS
/// does not say; Powertools for AWS Lambda looks for them in such values and skips them. So the default is [`Kept`](Self::Kept).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProtobufIndexes {
    /// They stand before the message.
    Kept,
    /// The value is the message.
    Removed,
}

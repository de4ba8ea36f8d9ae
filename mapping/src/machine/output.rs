//! The outputs of the machine: requests and news. Carried out by its driver, in order.

use std::fmt;

use bytes::Bytes;

use super::ids::{DeliveryId, InvocationId, PollerId};
use super::input::SchemaFault;
use crate::record::{Record, TopicPartition};
use crate::response::Verdict;
use crate::time::Time;

/// A request, or a piece of news.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Poll a partition from here on. Not in Queue mode.
    Seek {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
        /// From where.
        to: Position,
    },
    /// Poll a partition. Each is paused when it is assigned.
    Resume {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
    },
    /// Pause the polling of a partition: enough of its records wait.
    Pause {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
    },
    /// Invoke the function, and tell with [`Input::Ended`](super::Input::Ended) how it ended.
    Invoke(Batch),
    /// Commit a position: one past the last settled offset. Each is higher than the one before, as long as a poller has the
    /// partition and its log continues; a refused one is requested again. Not in Queue mode.
    Commit {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
        /// The offset at which the group continues.
        position: i64,
    },
    /// Queue mode: acknowledge records to the broker.
    Acknowledge {
        /// The poller.
        poller: PollerId,
        /// The offsets, in the order of the partition.
        records: Offsets,
        /// The acknowledgement.
        with: Acknowledgement,
    },
    /// Send these to the destination, and tell with [`Input::Delivered`](super::Input::Delivered) or
    /// [`Input::DeliveryFailed`](super::Input::DeliveryFailed) whether it accepted them. Until then they are not settled.
    Deliver(Discarded),
    /// News: these records are lost.
    Dropped(Dropped),
    /// News: a response was read.
    Answered {
        /// The invocation.
        id: InvocationId,
        /// The verdict on it.
        verdict: Verdict,
    },
    /// Give [`Input::Woken`](super::Input::Woken) at this time. It holds until another time replaces it; waking too early,
    /// or for nothing, does no harm.
    WakeAt(Time),
}

/// The position at which a consumer starts to poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// At this offset.
    Offset(i64),
    /// At the oldest record.
    Beginning,
    /// After the last record. Report the offset with [`Input::Advanced`](super::Input::Advanced): it is committed, so that a
    /// rebalance before the first record loses nothing.
    End,
    /// At the first record of this time or later, in milliseconds since 1970.
    Timestamp(i64),
}

/// Offsets of one partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offsets {
    /// The partition.
    pub partition: TopicPartition,
    /// The offsets, in the order of the event. They have gaps.
    pub offsets: Vec<i64>,
}

/// A batch on its way to the function.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batch {
    /// The invocation's identifier.
    pub id: InvocationId,
    /// The poller of the batch.
    pub poller: PollerId,
    /// The number of the attempt of these records, from 1: the highest, if they differ.
    pub attempt: u32,
    /// Its records, partition by partition, in the order of the event.
    pub partitions: Vec<Offsets>,
    /// The event: exactly these bytes.
    pub body: Bytes,
}

impl Batch {
    /// The number of records.
    pub fn records(&self) -> usize {
        self.partitions.iter().map(|part| part.offsets.len()).sum()
    }
}

/// Shows no bytes of the event.
impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("id", &self.id)
            .field("poller", &self.poller)
            .field("attempt", &self.attempt)
            .field("partitions", &self.partitions)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The reason why records were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// `MaximumRetryAttempts` is used up. In Queue mode also the broker's own limit of deliveries.
    RetryAttemptsExhausted,
    /// Older than `MaximumRecordAgeInSeconds`.
    RecordAgeExceeded,
    /// The record alone makes an event of more than 6 MB.
    MaximumPayloadSizeExceeded,
    /// The schema registry has no schema of the id that the record names.
    SchemaNotFound,
    /// The record's key or value does not fit its schema, or names none.
    DeserializationError,
}

impl From<SchemaFault> for Condition {
    fn from(fault: SchemaFault) -> Self {
        match fault {
            SchemaFault::NotFound => Self::SchemaNotFound,
            SchemaFault::Deserialization => Self::DeserializationError,
        }
    }
}

impl Condition {
    /// Whether the record failed the check by its schemas, and no batch ever had it.
    pub const fn is_of_schema(self) -> bool {
        matches!(self, Self::SchemaNotFound | Self::DeserializationError)
    }

    /// Lambda's word for it, in documents for SQS, SNS and S3.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
            Self::MaximumPayloadSizeExceeded => "MaximumPayloadSizeExceeded",
            Self::SchemaNotFound => "SCHEMA_NOT_FOUND",
            Self::DeserializationError => "DESERIALIZATION_ERROR",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The end of the last invocation of discarded records, as their document shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LastResponse {
    /// There was none: too large, too old before the first attempt, or throttled.
    None,
    /// A response that listed them, or that could not be read.
    Answered,
    /// An error, a crash, a time-out.
    FunctionError,
}

/// Records that were given up, for the destination. [`Documents`](crate::document::Documents) has Lambda's words for them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discarded {
    /// The delivery's identifier.
    pub id: DeliveryId,
    /// Whose batch it was.
    pub poller: PollerId,
    /// The reason.
    pub condition: Condition,
    /// The time.
    pub at: Time,
    /// The number of invocations with them: the highest, if they differ. In Queue mode an earlier delivery counts as one
    /// invocation, though it may have been none or, with retries, several: the broker does not tell.
    pub invoke_count: u32,
    /// The request id of their last invocation. None: there was none, or the driver did not know it.
    pub request_id: Option<String>,
    /// The end of that invocation.
    pub response: LastResponse,
    /// The records, partition by partition, in the order of the event.
    pub records: Vec<Record>,
}

/// Records that are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Whose batch it was.
    pub poller: PollerId,
    /// Why they were given up.
    pub condition: Condition,
    /// The reason why no destination has them.
    pub because: Because,
    /// The records.
    pub records: Vec<Offsets>,
}

/// The reason why discarded records are at no destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Because {
    /// The mapping has none.
    NoDestination,
    /// The destination has not accepted them.
    DeliveryFailed,
}

/// The acknowledgement of an acquired record of a share group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acknowledgement {
    /// Done: not redelivered.
    Accept,
    /// Not done: redelivered, up to the broker's limit.
    Release,
    /// Given up: not redelivered.
    Reject,
}

//! What the machine asks for, and what it has to say. Carried out by whoever drives it, in order.

use std::fmt;

use bytes::Bytes;

use super::ids::{DeliveryId, InvocationId, PollerId};
use crate::record::{Record, TopicPartition};
use crate::response::Verdict;
use crate::time::Time;

/// Something to do, or to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Poll a partition from here on. Not in Queue mode.
    Seek {
        /// Who.
        poller: PollerId,
        /// What.
        partition: TopicPartition,
        /// From where.
        to: Position,
    },
    /// Poll a partition. Each is paused when it is assigned.
    Resume {
        /// Who.
        poller: PollerId,
        /// What.
        partition: TopicPartition,
    },
    /// Poll a partition no more for now: enough of it waits.
    Pause {
        /// Who.
        poller: PollerId,
        /// What.
        partition: TopicPartition,
    },
    /// Invoke the function, and tell with [`Input::Ended`](super::Input::Ended) how it ended.
    Invoke(Batch),
    /// Commit a position: one past the last settled offset. Each is higher than the one before, as long as a poller has the
    /// partition and its log goes on; one that was refused comes again. Not in Queue mode.
    Commit {
        /// Who.
        poller: PollerId,
        /// Where.
        partition: TopicPartition,
        /// The offset that the group goes on at.
        position: i64,
    },
    /// Queue mode: tell the broker what became of records.
    Acknowledge {
        /// Who.
        poller: PollerId,
        /// Which, in the order of the partition.
        records: Offsets,
        /// What.
        with: Acknowledgement,
    },
    /// Send these to the destination, and tell with [`Input::Delivered`](super::Input::Delivered) or
    /// [`Input::DeliveryFailed`](super::Input::DeliveryFailed) whether it took them. Until then they are not settled.
    Deliver(Discarded),
    /// These are lost. To know, not to do.
    Dropped(Dropped),
    /// An answer was read. To know, not to do.
    Answered {
        /// Which invocation.
        id: InvocationId,
        /// What it came to.
        verdict: Verdict,
    },
    /// Give [`Input::Woken`](super::Input::Woken) at this time. It stands until another time replaces it; waking too early,
    /// or for nothing, does no harm.
    WakeAt(Time),
}

/// Where a consumer starts to poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// At this offset.
    Offset(i64),
    /// At the first record there is.
    Beginning,
    /// Behind the last one. Tell the offset with [`Input::Advanced`](super::Input::Advanced): it is committed, so that a
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
    /// The invocation's name.
    pub id: InvocationId,
    /// Whose batch it is.
    pub poller: PollerId,
    /// Which attempt of these records it is, from 1: the highest, if they differ.
    pub attempt: u32,
    /// What is in it, partition by partition, in the order of the event.
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

/// Without the event's bytes.
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

/// Why records were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// `MaximumRetryAttempts` is used up. In Queue mode also the broker's own limit of deliveries.
    RetryAttemptsExhausted,
    /// Older than `MaximumRecordAgeInSeconds`.
    RecordAgeExceeded,
    /// The record alone makes an event of more than 6 MB.
    MaximumPayloadSizeExceeded,
}

impl Condition {
    /// Lambda's word for it, to SQS, SNS and S3.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
            Self::MaximumPayloadSizeExceeded => "MaximumPayloadSizeExceeded",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the last invocation of discarded records ended, as their document tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LastResponse {
    /// There was none: too large, too old before the first attempt, or throttled.
    None,
    /// An answer that listed them, or that could not be read.
    Answered,
    /// An error, a crash, a time-out.
    FunctionError,
}

/// Records that were given up, for the destination. [`Documents`](crate::document::Documents) has Lambda's words for them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Discarded {
    /// The delivery's name.
    pub id: DeliveryId,
    /// Whose batch it was.
    pub poller: PollerId,
    /// Why.
    pub condition: Condition,
    /// When.
    pub at: Time,
    /// How often the function was invoked with them: the most, if they differ. In Queue mode an earlier delivery counts as one
    /// invocation, though it may have been none or, with retries, several: who had it does not tell.
    pub invoke_count: u32,
    /// The request id of their last invocation. None: there was none, or the driver did not know it.
    pub request_id: Option<String>,
    /// How that ended.
    pub response: LastResponse,
    /// The records, partition by partition, in the order of the event.
    pub records: Vec<Record>,
}

/// Records that nobody will see again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Whose batch it was.
    pub poller: PollerId,
    /// Why they were given up.
    pub condition: Condition,
    /// Why no destination has them.
    pub because: Because,
    /// Which.
    pub records: Vec<Offsets>,
}

/// Why discarded records are at no destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Because {
    /// The mapping has none.
    NoDestination,
    /// It has not taken them.
    DeliveryFailed,
}

/// What the broker does with an acquired record of a share group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acknowledgement {
    /// Done: never delivered again.
    Accept,
    /// Not done: delivered again, up to the broker's limit.
    Release,
    /// Given up: never delivered again.
    Reject,
}

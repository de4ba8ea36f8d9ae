//! The inputs of the machine. Made by its driver.

use std::fmt;

use bytes::Bytes;

use super::ids::{DeliveryId, InvocationId, PollerId};
use crate::invocation::Ending;
use crate::record::{Record, TopicPartition};

/// Something that happened outside.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Input {
    /// A poller was assigned a partition. It is paused until [`Output::Resume`](super::Output::Resume). If the poller has it
    /// already, the partition is revoked first.
    Assigned {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
        /// The group's committed offset. None: it has none, so the configured starting position counts. Queue mode: None,
        /// the broker keeps the position.
        committed: Option<i64>,
    },
    /// A partition is about to be revoked from a poller. Nothing more of it is sent or polled. Its invocations and
    /// deliveries in flight may finish, and are committed. When none is left, or the group has waited long enough,
    /// [`Revoked`](Self::Revoked) follows. Queue mode: no effect, the broker hands records over by their locks.
    Revoking {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
    },
    /// A partition was revoked from a poller. Nothing of it is committed any more, and what was in flight is forgotten: it
    /// is redelivered to the next owner.
    Revoked {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
    },
    /// Records were polled: in offset order within a partition (Queue mode: in any). Those of partitions that the poller
    /// does not have, and those below its position, are ignored. Records that were fetched before a
    /// [`Seek`](super::Output::Seek) or a revocation must not be handed in after it.
    Polled {
        /// The poller.
        poller: PollerId,
        /// The records.
        records: Vec<Record>,
    },
    /// The same as [`Polled`](Self::Polled) for a mapping with `SchemaRegistryConfig`, which has checked the records. Those that are invalid are given
    /// up, each by itself, beside the batches of their partition.
    Validated {
        /// The poller.
        poller: PollerId,
        /// The records, in the same order.
        records: Vec<Validated>,
    },
    /// A partition's position moved on without a record: transaction markers, compaction, or the offset that
    /// [`Position::End`](super::Position::End) turned out to be. So such gaps are committed too.
    Advanced {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
        /// The offset that is polled next.
        position: i64,
    },
    /// An invocation ended. A second end of it is ignored: a late response, after a time-out for example,
    /// commits nothing.
    Ended {
        /// The invocation.
        id: InvocationId,
        /// The id under which the function saw it. None: it did not start.
        request_id: Option<String>,
        /// The end of the invocation.
        how: End,
    },
    /// The destination has confirmed discarded records.
    Delivered {
        /// The delivery.
        id: DeliveryId,
    },
    /// The destination has not accepted discarded records, and will not: they are dropped.
    DeliveryFailed {
        /// The delivery.
        id: DeliveryId,
    },
    /// The broker no longer has the offset to poll: the partition continues at the starting position.
    OutOfRange {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
    },
    /// The broker has refused a commit. It is retried later, unless a higher one was accepted or the partition is gone.
    CommitRefused {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
        /// The position that was refused.
        position: i64,
    },
    /// Only time has passed: [`Output::WakeAt`](super::Output::WakeAt) asks for this.
    Woken,
    /// The mapping is being disabled: nothing is invoked or polled any more. Invocations in flight may finish and are committed.
    Drain,
}

/// A record that was checked by the schemas of a registry.
#[derive(Debug, Clone)]
pub struct Validated {
    /// The record: as it is delivered if it is valid, as it was polled if it is not.
    pub record: Record,
    /// The outcome.
    pub validity: Validity,
}

/// The outcome of the check of a record.
#[derive(Clone)]
pub enum Validity {
    /// It goes on.
    Valid {
        /// The value as JSON, for the filters. None: they look at the value as it is delivered.
        filtered: Option<Bytes>,
    },
    /// It is given up.
    Invalid(SchemaFault),
}

/// Shows no byte of the value.
impl fmt::Debug for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid { filtered } => f
                .debug_struct("Valid")
                .field("filtered_bytes", &filtered.as_ref().map(Bytes::len))
                .finish(),
            Self::Invalid(fault) => f.debug_tuple("Invalid").field(fault).finish(),
        }
    }
}

/// Why a record is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaFault {
    /// The registry has no schema of that id.
    NotFound,
    /// The key or the value does not fit its schema, or names none.
    Deserialization,
}

impl Validated {
    /// A record of a mapping that validates none.
    pub(super) fn unchecked(record: Record) -> Self {
        Self {
            record,
            validity: Validity::Valid { filtered: None },
        }
    }
}

/// The end of an invocation, as far as the mapping needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The function returned a response. The bytes need not be JSON.
    Response(Bytes),
    /// The function reported an error.
    FunctionError,
    /// It did not answer in time.
    TimedOut,
    /// Its process ended.
    Crashed,
    /// It was not started: throttled, or out of reach. The function saw no record.
    Throttled,
}

impl From<&Ending> for End {
    fn from(ending: &Ending) -> Self {
        match ending {
            Ending::Response(body) => Self::Response(body.clone()),
            Ending::FunctionError(_) | Ending::InitError(_) => Self::FunctionError,
            Ending::Crashed(_) => Self::Crashed,
            Ending::TimedOut { .. } => Self::TimedOut,
        }
    }
}

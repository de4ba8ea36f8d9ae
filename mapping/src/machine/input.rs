//! What the machine is told. Made by whoever drives it.

use bytes::Bytes;

use super::ids::{DeliveryId, InvocationId, PollerId};
use crate::invocation::Ending;
use crate::record::{Record, TopicPartition};

/// Something that happened outside.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Input {
    /// A poller was given a partition. It is paused, until [`Output::Resume`](super::Output::Resume). If the poller has it
    /// already, that is a revocation first.
    Assigned {
        /// Who.
        poller: PollerId,
        /// What.
        partition: TopicPartition,
        /// The group's committed offset. None: it has none, so the configured starting position counts. Queue mode: None,
        /// the broker keeps the position.
        committed: Option<i64>,
    },
    /// A partition is about to be taken from a poller. Nothing more of it is sent and polled. Its invocations and deliveries
    /// that are under way may end, and are committed: once there is none, or whoever waits for the partition has waited long
    /// enough, [`Revoked`](Self::Revoked) follows. Queue mode: of no effect, the broker hands records over by their locks.
    Revoking {
        /// From whom.
        poller: PollerId,
        /// What.
        partition: TopicPartition,
    },
    /// A partition was taken from a poller. Nothing of it is committed any more, and what was under way is forgotten: the
    /// next owner gets it again.
    Revoked {
        /// From whom.
        poller: PollerId,
        /// What.
        partition: TopicPartition,
    },
    /// Records were polled: in offset order within a partition (Queue mode: in any). Those of partitions that the poller
    /// does not have, and those below its position, are ignored. Records that were fetched before a
    /// [`Seek`](super::Output::Seek) or a revocation must not be handed in after it.
    Polled {
        /// Who.
        poller: PollerId,
        /// What.
        records: Vec<Record>,
    },
    /// A partition's position moved on without a record: transaction markers, compaction, or the offset that
    /// [`Position::End`](super::Position::End) turned out to be. So such gaps are committed too.
    Advanced {
        /// Who.
        poller: PollerId,
        /// Where.
        partition: TopicPartition,
        /// The offset that is polled next.
        position: i64,
    },
    /// An invocation ended. What ended already, by a time-out for example, is not heard a second time: a late answer
    /// commits nothing.
    Ended {
        /// Which.
        id: InvocationId,
        /// The id under which the function saw it. None: it did not start.
        request_id: Option<String>,
        /// How.
        how: End,
    },
    /// The destination has confirmed discarded records.
    Delivered {
        /// Which.
        id: DeliveryId,
    },
    /// The destination has not taken discarded records, and will not: they are dropped.
    DeliveryFailed {
        /// Which.
        id: DeliveryId,
    },
    /// The broker no longer has the offset that was to be polled: the partition goes on at the starting position.
    OutOfRange {
        /// Who.
        poller: PollerId,
        /// Where.
        partition: TopicPartition,
    },
    /// The broker has refused a commit. It is sent again later, unless a higher one went through or the partition is gone.
    CommitRefused {
        /// Who.
        poller: PollerId,
        /// Where.
        partition: TopicPartition,
        /// The position that was refused.
        position: i64,
    },
    /// Nothing but time has passed: what [`Output::WakeAt`](super::Output::WakeAt) asks for.
    Woken,
    /// The mapping is being disabled: nothing is invoked and polled any more. What is under way may end and is committed.
    Drain,
}

/// How an invocation ended, as far as the mapping cares.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// The function answered. The bytes need not be JSON.
    Response(Bytes),
    /// The function reported an error.
    FunctionError,
    /// It did not answer in time.
    TimedOut,
    /// Its process ended.
    Crashed,
    /// It was not started: throttled, or out of reach. None of the records was seen.
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

//! The notices of a running driver: for views, logs and tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::invocation::Report;
use crate::machine::{Condition, Dropped, InvocationId, Metrics, Offsets, PollerId};
use crate::record::TopicPartition;
use crate::response::Verdict;

/// Something that happened. The listener should return soon: the mapping waits for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// The group assigned a partition to a poller.
    Assigned {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
        /// The group's committed offset. None: it has none, as a share group never has.
        committed: Option<i64>,
    },
    /// The group revoked a partition from a poller.
    Revoked {
        /// The poller.
        poller: PollerId,
        /// The partition.
        partition: TopicPartition,
    },
    /// A batch is on its way to the function.
    Invoking(Arc<Flight>),
    /// An invocation ended.
    Ended {
        /// The invocation.
        flight: Arc<Flight>,
        /// Its end and its durations.
        report: Report,
    },
    /// The system refused to start the function. The batch is redelivered.
    NotStarted {
        /// The invocation.
        flight: Arc<Flight>,
        /// The reason, with its cause.
        reason: String,
    },
    /// A function's response was read. This notice comes after [`Ended`](Self::Ended).
    Answered {
        /// The invocation.
        flight: Arc<Flight>,
        /// The verdict on the response.
        verdict: Verdict,
    },
    /// The broker confirmed a commit.
    Committed {
        /// The partition.
        partition: TopicPartition,
        /// The offset at which the group continues.
        position: i64,
    },
    /// A record does not fit its schema. It is given up: its [`Delivered`](Self::Delivered), or its [`Dropped`](Self::Dropped), follows.
    Invalid {
        /// The partition.
        partition: TopicPartition,
        /// The offset.
        offset: i64,
        /// The condition under which it is given up.
        condition: Condition,
        /// The reason, without a byte of the record.
        reason: String,
    },
    /// The destination confirmed records that were given up.
    Delivered {
        /// Why they were given up.
        condition: Condition,
        /// How often the function was invoked with them.
        invoke_count: u32,
        /// The records.
        records: Vec<Offsets>,
    },
    /// The destination did not accept records that were given up, and is not asked again: their [`Dropped`](Self::Dropped)
    /// follows.
    Undelivered {
        /// Why they were given up.
        condition: Condition,
        /// How often the function was invoked with them.
        invoke_count: u32,
        /// The records.
        records: Vec<Offsets>,
        /// The destination, and its reason in its own words.
        reason: String,
    },
    /// Records are lost.
    Dropped(Dropped),
    /// A fault outside the function, which is retried: a broker that is away, a destination that refuses.
    Trouble {
        /// The fault, in the words of the component that found it.
        reason: String,
    },
    /// The status of the mapping: a few times a second, and at the end.
    Status(Status),
}

/// Who is told of each event, with its payloads.
pub(super) type Events = Arc<dyn Fn(&Bytes) + Send + Sync>;

/// An invocation under way, without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flight {
    /// Its name.
    pub id: InvocationId,
    /// The poller of its batch.
    pub poller: PollerId,
    /// The number of the attempt of these records, from 1.
    pub attempt: u32,
    /// Its records, in the order of the event.
    pub partitions: Vec<Offsets>,
    /// The event's length.
    pub bytes: usize,
}

impl Flight {
    /// The number of records.
    pub fn records(&self) -> usize {
        self.partitions.iter().map(|part| part.offsets.len()).sum()
    }
}

/// The status of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The topic that it reads.
    pub topic: String,
    /// Each partition that its pollers have, ascending.
    pub partitions: Vec<PartitionReport>,
    /// Invocations under way.
    pub in_flight: usize,
    /// Execution environments that are there.
    pub environments: usize,
    /// Counts since the start.
    pub metrics: Metrics,
    /// The number of records that functions listed as failed to a mapping that does not read the list.
    pub overlooked: u64,
    /// How many partitions the topic has.
    pub topic_partitions: usize,
    /// Partitions of the topic that this run does not have, each with the number of offsets that the group has not
    /// committed: other members have them, or nobody yet. Empty unless a run
    /// [until it is caught up](super::Driver::until_caught_up) has nothing left to do and has asked the cluster.
    pub elsewhere: BTreeMap<TopicPartition, i64>,
    /// Whether all records of the topic have been read and settled, by any member of the group.
    pub caught_up: bool,
    /// Why a run that is caught up has read nothing of a topic that has records. None: it has read some, the topic has none,
    /// or the run is not caught up.
    pub unread: Option<Unread>,
}

/// Why nothing was read of a topic that has records: there are none after the run's starting point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unread {
    /// The group had committed everything before this run, or other members did during it.
    Committed,
    /// The group was new, and started after the last record (`LATEST`).
    Latest,
    /// The group was new, and no record is of the starting time or later (`AT_TIMESTAMP`).
    AfterTheLast {
        /// The starting time, in milliseconds since 1970.
        millis: i64,
    },
}

impl Status {
    /// The number of offsets not committed yet, over all partitions of this run; in Queue mode, of records that the group has not settled. None: the end of some partition is not known yet, or the run has no partition.
    pub fn lag(&self) -> Option<i64> {
        if self.partitions.is_empty() {
            return None;
        }
        // Several pollers may have a partition of a share group.
        let partitions = self
            .partitions
            .chunk_by(|one, next| one.partition == next.partition);
        partitions.map(|lanes| lanes[0].lag).sum()
    }
}

/// The status of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionReport {
    /// The poller that has it.
    pub poller: PollerId,
    /// The partition.
    pub partition: TopicPartition,
    /// Records that wait for their first batch.
    pub waiting: usize,
    /// Records in an invocation that is under way.
    pub in_flight: usize,
    /// Records that wait for their next attempt.
    pub retrying: usize,
    /// Records on their way to the destination.
    pub delivering: usize,
    /// The committed offset. None: nothing is committed.
    pub committed: Option<i64>,
    /// The number of offsets not committed yet. None: the end is not known yet.
    pub lag: Option<i64>,
}

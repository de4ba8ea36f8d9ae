//! What a driver has to say while it runs: for views, logs and tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::invocation::Report;
use crate::machine::{Condition, Dropped, InvocationId, Metrics, Offsets, PollerId};
use crate::record::TopicPartition;
use crate::response::Verdict;

/// Something that happened. Whoever listens should return soon: the mapping waits for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// The group gave a partition to a poller.
    Assigned {
        /// To whom.
        poller: PollerId,
        /// What.
        partition: TopicPartition,
        /// The group's committed offset. None: it has none, as a share group never has.
        committed: Option<i64>,
    },
    /// The group took a partition from a poller.
    Revoked {
        /// From whom.
        poller: PollerId,
        /// What.
        partition: TopicPartition,
    },
    /// A batch is on its way to the function.
    Invoking(Arc<Flight>),
    /// An invocation ended.
    Ended {
        /// Which.
        flight: Arc<Flight>,
        /// How, and how long it took.
        report: Report,
    },
    /// The function was not started: the system refused it. The batch goes again.
    NotStarted {
        /// Which invocation.
        flight: Arc<Flight>,
        /// The reason, with its cause.
        reason: String,
    },
    /// A function's answer was read. It comes after its [`Ended`](Self::Ended).
    Answered {
        /// Which invocation.
        flight: Arc<Flight>,
        /// What the answer came to.
        verdict: Verdict,
    },
    /// The broker confirmed a commit.
    Committed {
        /// Where.
        partition: TopicPartition,
        /// The offset that the group goes on at.
        position: i64,
    },
    /// The destination has records that were given up.
    Delivered {
        /// Why they were given up.
        condition: Condition,
        /// How often the function was invoked with them.
        invoke_count: u32,
        /// Which.
        records: Vec<Offsets>,
    },
    /// The destination did not take records that were given up, and is not asked again: their [`Dropped`](Self::Dropped)
    /// follows.
    Undelivered {
        /// Why they were given up.
        condition: Condition,
        /// How often the function was invoked with them.
        invoke_count: u32,
        /// Which.
        records: Vec<Offsets>,
        /// Which destination, and why it did not take them, in its words.
        reason: String,
    },
    /// Records are lost.
    Dropped(Dropped),
    /// Something is wrong outside the function, and is tried again: a broker that is away, a destination that refuses.
    Trouble {
        /// What, in the words of who noticed.
        reason: String,
    },
    /// How all stands: a few times a second, and at the end.
    Status(Status),
}

/// An invocation, as far as others need to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flight {
    /// Its name.
    pub id: InvocationId,
    /// Whose batch it carries.
    pub poller: PollerId,
    /// Which attempt of these records it is, from 1.
    pub attempt: u32,
    /// What is in it, in the order of the event.
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

/// How a mapping stands.
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
    /// What was counted since the start.
    pub metrics: Metrics,
    /// How many records functions listed as failed that the mapping, as it is set, did not hear of.
    pub overlooked: u64,
    /// How many partitions the topic has.
    pub topic_partitions: usize,
    /// Partitions of the topic that are not here, each with how many offsets the group has not committed: other members have
    /// them, or nobody yet. Empty unless a run [until it is caught up](super::Driver::until_caught_up) has nothing left to do
    /// here and has asked.
    pub elsewhere: BTreeMap<TopicPartition, i64>,
    /// Whether everything that there is has been read and settled, by whichever member of the group.
    pub caught_up: bool,
    /// Why a run that is caught up has read nothing of a topic that holds records. None: it has read some, there are none, or
    /// it is not at its end.
    pub unread: Option<Unread>,
}

/// Why nothing was read of a topic that holds records: where the run began, nothing came any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unread {
    /// The group had committed everything before this run, or other members did during it.
    Committed,
    /// The group was new, and began behind the last record (`LATEST`).
    Latest,
    /// The group was new, and no record is of the starting time or later (`AT_TIMESTAMP`).
    AfterTheLast {
        /// The starting time, in milliseconds since 1970.
        millis: i64,
    },
}

impl Status {
    /// How many offsets are not committed yet, over all partitions that are here; in Queue mode, how many records the group has not settled. None: of some partition the end is not known yet, or none is here.
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

/// How a partition stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionReport {
    /// Who has it.
    pub poller: PollerId,
    /// Which.
    pub partition: TopicPartition,
    /// Records that wait for their first batch.
    pub waiting: usize,
    /// Records in an invocation that is under way.
    pub in_flight: usize,
    /// Records that wait for their next attempt.
    pub retrying: usize,
    /// Records on their way to the destination.
    pub delivering: usize,
    /// The offset up to which all is committed. None: nothing is.
    pub committed: Option<i64>,
    /// How many offsets are not committed yet. None: the end is not known yet.
    pub lag: Option<i64>,
}

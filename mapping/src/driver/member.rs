//! A member of the consumer group: one of the mapping's pollers. Polls when it is told to, and says what it got.
//!
//! The group's hand-over goes through the mapping: a partition that is given is fetched once the mapping has said from
//! where, and one that is taken is let go once the mapping has forgotten it.

// What it is made of: its client, which leaves the group, and its commits.
mod joined;

mod commits;

// What it does beside: last commits, questions, what it polls.
mod commit_last;
mod lookup;
mod polled;

// Its like in Queue mode.
#[cfg(feature = "share")]
pub(super) mod share;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use msk_kafka::{Cluster, Error, Refusal};
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{Consumer, RebalanceProtocol};
use rdkafka::error::KafkaResult;
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use self::commits::Commits;
use self::joined::{Client, Joined};
use super::client::config;
use super::context::{Context, Signal, assign, unassign};
use crate::limits::{CLOSE_MS, LEAVE_MS};
#[cfg(feature = "share")]
use crate::machine::{Acknowledgement, Offsets};
use crate::machine::{PollerId, Position};
use crate::record::{Record, TopicPartition};

/// How a member comes by its partitions.
#[derive(Debug, Clone)]
pub(super) enum Joining {
    /// By the group.
    Group,
    /// It has all of them, since nobody else can be there: a broker of our own, whose groups take seconds to settle.
    Alone(Vec<TopicPartition>),
}

/// What a member is told. In order.
#[derive(Debug)]
pub(super) enum Command {
    /// Poll a partition from here on. Its records carry this epoch from now on.
    Seek(TopicPartition, Position, u64),
    Pause(TopicPartition),
    Resume(TopicPartition),
    Commit(TopicPartition, i64),
    /// Tell a share group what became of records.
    #[cfg(feature = "share")]
    Acknowledge(Offsets, Acknowledgement),
    /// Commit what is not confirmed yet of partitions that were taken, and let go of them.
    Release(Vec<TopicPartition>),
    /// Confirm what is committed until then at the latest, and leave the group.
    Leave(Instant),
}

impl Command {
    /// To poll a partition, or to pause it.
    pub(super) fn paced(partition: TopicPartition, polls: bool) -> Self {
        match polls {
            true => Self::Resume(partition),
            false => Self::Pause(partition),
        }
    }
}

/// What a member has to say.
#[derive(Debug)]
pub(super) enum Happening {
    /// Partitions with their committed offset. Each waits for a [`Command::Seek`]. There may be none for this member.
    Assigned(Vec<(TopicPartition, Option<i64>)>),
    /// Waits for a [`Command::Release`]. Lost: the group has put the member out, and others may have them by now.
    Revoked {
        partitions: Vec<TopicPartition>,
        lost: bool,
    },
    /// Records, with the epoch of their partition's last seek.
    Polled(Vec<(Record, u64)>),
    /// Records of a share group. Of its partitions none is sought.
    #[cfg(feature = "share")]
    Acquired(Vec<Record>),
    /// How many records of each partition a share group has not settled.
    #[cfg(feature = "share")]
    Lags(BTreeMap<TopicPartition, i64>),
    /// Everything of a partition has been polled since that seek, for now, and what is polled next. None: nothing was read
    /// since, not even a marker.
    AtEnd(TopicPartition, u64, Option<i64>),
    /// What a position behind the last record turned out to be.
    Sought(TopicPartition, i64),
    OutOfRange(TopicPartition),
    Committed(TopicPartition, i64),
    /// Sent again as long as the member has the partition.
    CommitRefused(TopicPartition, i64, String),
    /// The same, for good: the partition is gone, and what lies below the position comes again.
    Uncommitted(TopicPartition, i64, String),
    Ends(Vec<(TopicPartition, i64)>),
    Trouble(String),
    /// Trouble of the kind that does not pass by itself.
    Refused(Refusal, String),
    /// The last word.
    Left,
}

/// The mapping's end of a member.
#[derive(Debug)]
pub(super) struct Handle {
    commands: UnboundedSender<Command>,
    leaving: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Handle {
    pub(super) fn tell(&self, command: Command) {
        if matches!(command, Command::Leave(_)) {
            self.leaving.send_replace(true);
        }
        // Gone: it has said its last word.
        let _ = self.commands.send(command);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Member {
    id: PollerId,
    topic: Arc<str>,
    client: Joined,
    partitions: BTreeMap<i32, Partition>,
    commits: Commits,
    happenings: Sender<(PollerId, Happening)>,
    /// By a broker of our own, which finds no time among its records.
    alone: Option<Cluster>,
    leaving: watch::Receiver<bool>,
}

/// A partition of this member's.
#[derive(Default)]
struct Partition {
    epoch: u64,
    /// None: it waits for the mapping to say from where.
    from: Option<Offset>,
    resumed: bool,
    /// Part of what librdkafka fetches.
    assigned: bool,
}

/// Starts a member.
pub(super) fn start(
    id: PollerId,
    cluster: &Cluster,
    topic: &str,
    group: &str,
    joining: Joining,
    happenings: Sender<(PollerId, Happening)>,
) -> Result<Handle, Error> {
    let (signals, signalled) = unbounded_channel();
    // What to do at an offset that is gone is the mapping's to say.
    let client: Client = config(cluster.member(group, "error"))
        .create_with_context(Context::new(cluster, signals))
        .map_err(Error::client)?;
    if let Joining::Group = joining {
        client.subscribe(&[topic]).map_err(Error::client)?;
    }
    let (commands, commanded) = unbounded_channel();
    let (leaving, told_to_leave) = watch::channel(false);
    let member = Member {
        id,
        topic: topic.into(),
        client: Joined::new(client),
        partitions: BTreeMap::new(),
        commits: Commits::default(),
        happenings,
        alone: matches!(joining, Joining::Alone(_)).then(|| cluster.clone()),
        leaving: told_to_leave,
    };
    let task = tokio::spawn(member.run(joining, commanded, signalled));
    Ok(Handle {
        commands,
        leaving,
        task,
    })
}

impl Member {
    async fn run(
        mut self,
        joining: Joining,
        mut commands: UnboundedReceiver<Command>,
        mut signals: UnboundedReceiver<Signal>,
    ) {
        if let Joining::Alone(partitions) = joining {
            self.assigned(partitions).await;
        }
        let client = self.client.shared();
        let until = loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None => break Instant::now(),
                    Some(Command::Leave(until)) => break until,
                    Some(command) => self.obey(command).await,
                },
                Some(signal) = signals.recv() => self.heed(signal).await,
                Some(answered) = self.commits.answered(&client) => self.committed(answered).await,
                polled = client.recv() => self.take(&client, polled).await,
            }
        };
        let all: Vec<i32> = self.partitions.keys().copied().collect();
        let all: Vec<_> = all
            .into_iter()
            .map(|number| self.partition(number))
            .collect();
        self.commit_last(&all, until).await;
        drop(client);
        self.leave().await;
    }

    async fn say(&self, happening: Happening) {
        // Nobody listens any more: the driver is gone, and we are about to be.
        let _ = self.happenings.send((self.id, happening)).await;
    }

    async fn trouble(&self, error: &(dyn StdError + Send + Sync + 'static)) {
        let reason = error.to_string();
        self.say(match Refusal::of(error) {
            Some(refusal) => Happening::Refused(refusal, reason),
            None => Happening::Trouble(reason),
        })
        .await;
    }

    async fn heed(&mut self, signal: Signal) {
        match signal {
            Signal::Assign(list) => {
                let partitions = self.named(&list);
                if partitions.is_empty() {
                    // Nothing to wait for, but librdkafka waits for an answer.
                    if let Err(error) = assign(&**self.client, &list) {
                        self.trouble(&error).await;
                    }
                    self.say(Happening::Assigned(Vec::new())).await;
                }
                self.assigned(partitions).await;
            }
            Signal::Revoke(list) => {
                let partitions = self.named(&list);
                let lost = self.client.assignment_lost();
                self.say(Happening::Revoked { partitions, lost }).await;
            }
            Signal::Ends(ends) => self.say(Happening::Ends(ends)).await,
            Signal::Trouble(reason) => self.say(Happening::Trouble(reason)).await,
            Signal::Refused(refusal, reason) => self.say(Happening::Refused(refusal, reason)).await,
        }
    }

    fn partition(&self, number: i32) -> TopicPartition {
        TopicPartition::new(Arc::clone(&self.topic), number)
    }

    fn named(&self, list: &TopicPartitionList) -> Vec<TopicPartition> {
        list.elements()
            .iter()
            .map(|element| self.partition(element.partition()))
            .collect()
    }

    /// Tells the mapping of partitions, with the group's offsets.
    async fn assigned(&mut self, partitions: Vec<TopicPartition>) {
        if partitions.is_empty() {
            return;
        }
        let Some(committed) = self.committed_offsets(&partitions).await else {
            return;
        };
        for partition in &partitions {
            let fresh = Partition::default();
            self.partitions.insert(partition.partition(), fresh);
        }
        self.say(Happening::Assigned(committed)).await;
    }

    async fn obey(&mut self, command: Command) {
        let done = match command {
            Command::Seek(partition, to, epoch) => self.seek(&partition, to, epoch).await,
            Command::Resume(partition) => self.set_resumed(&partition, true),
            Command::Pause(partition) => self.set_resumed(&partition, false),
            Command::Commit(partition, position) => {
                self.commits.add(&self.client, partition, position);
                Ok(())
            }
            Command::Release(partitions) => {
                let until = Instant::now() + Duration::from_millis(LEAVE_MS);
                self.commit_last(&partitions, until).await;
                self.release(&partitions)
            }
            // For a member of a share group.
            #[cfg(feature = "share")]
            Command::Acknowledge(..) => Ok(()),
            Command::Leave(_) => Ok(()),
        };
        if let Err(error) = done {
            self.trouble(&error).await;
        }
    }

    async fn seek(
        &mut self,
        partition: &TopicPartition,
        to: Position,
        epoch: u64,
    ) -> KafkaResult<()> {
        let Some(offset) = self.offset(partition, to).await else {
            return Ok(());
        };
        let Some(known) = self.partitions.get_mut(&partition.partition()) else {
            return Ok(());
        };
        known.epoch = epoch;
        known.from = Some(offset);
        if known.assigned {
            self.assign_anew(partition).await
        } else {
            self.assign_if_all_are_known()
        }
    }

    /// A position that the broker does not have ends librdkafka's fetching of that partition for good: it cannot be sought
    /// any more, only assigned again.
    async fn assign_anew(&mut self, partition: &TopicPartition) -> KafkaResult<()> {
        let Some(positions) = self.positions().await else {
            return Ok(());
        };
        let anew = partition.partition();
        if let RebalanceProtocol::Cooperative = self.client.rebalance_protocol() {
            let mut list = TopicPartitionList::new();
            list.add_partition(&self.topic, anew);
            self.client.incremental_unassign(&list)?;
            if let Some(known) = self.partitions.get_mut(&anew) {
                known.assigned = false;
            }
        } else {
            // All are assigned anew, the others where they are.
            for (number, known) in &mut self.partitions {
                known.assigned = false;
                if let Some(position) = positions.get(number).filter(|_| *number != anew) {
                    known.from = Some(Offset::Offset(*position));
                }
            }
        }
        self.assign_if_all_are_known()
    }

    /// The group waits for one answer for all that it gave.
    fn assign_if_all_are_known(&mut self) -> KafkaResult<()> {
        let given = || self.partitions.iter().filter(|(_, known)| !known.assigned);
        let mut list = TopicPartitionList::new();
        let mut resumed = TopicPartitionList::new();
        let mut waiting = TopicPartitionList::new();
        for (number, known) in given() {
            let Some(offset) = known.from else {
                return Ok(());
            };
            list.add_partition_offset(&self.topic, *number, offset)?;
            let polled = if known.resumed {
                &mut resumed
            } else {
                &mut waiting
            };
            polled.add_partition(&self.topic, *number);
        }
        assign(&**self.client, &list)?;
        // Before the next poll, so nothing of them comes. One that we had before and paused is still paused.
        self.client.pause(&waiting)?;
        self.client.resume(&resumed)?;
        for known in self.partitions.values_mut() {
            known.assigned = true;
        }
        Ok(())
    }

    fn set_resumed(&mut self, partition: &TopicPartition, resumed: bool) -> KafkaResult<()> {
        let Some(known) = self.partitions.get_mut(&partition.partition()) else {
            return Ok(());
        };
        let changes = known.resumed != resumed && known.assigned;
        known.resumed = resumed;
        let mut list = TopicPartitionList::new();
        list.add_partition(partition.topic(), partition.partition());
        match (changes, resumed) {
            (false, _) => Ok(()),
            (true, true) => self.client.resume(&list),
            (true, false) => self.client.pause(&list),
        }
    }

    fn release(&mut self, partitions: &[TopicPartition]) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            self.partitions.remove(&partition.partition());
            list.add_partition(partition.topic(), partition.partition());
        }
        unassign(&**self.client, &list)
    }

    /// Closing waits for the group's coordinator, and not for ever.
    async fn leave(self) {
        let Self {
            id,
            happenings,
            client,
            ..
        } = self;
        if let Some(closed) = client.close() {
            let _ = timeout(Duration::from_millis(CLOSE_MS), closed).await;
        }
        let _ = happenings.send((id, Happening::Left)).await;
    }
}

//! How a group stands with a topic, asked from outside it: what is committed, by whomever, and what is left. A run that ends
//! by itself asks it of the partitions that it does not have.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};
use tokio::time::Instant;

use super::apart::apart;
use super::connect::{self, Heard};
use super::{Cluster, Error, error};
use crate::limits::CONNECT_MS;
use crate::record::TopicPartition;

const LIMIT: Duration = Duration::from_millis(CONNECT_MS);

/// How the group stands with a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) partition: TopicPartition,
    /// None: the group has no offset of it.
    pub(super) committed: Option<i64>,
    /// The first offset that there is.
    pub(super) first: i64,
    /// Behind the last record that can be read.
    pub(super) end: i64,
    /// Whether no record is left to the group: markers of transactions may be, which not everybody commits.
    pub(super) done: bool,
}

impl Stand {
    /// How many offsets are left.
    pub(super) fn left(&self) -> i64 {
        if self.done {
            return 0;
        }
        (self.end - self.from()).max(0)
    }

    fn from(&self) -> i64 {
        self.committed.unwrap_or(self.first)
    }
}

/// A client that asks, and is no member of the group.
pub(super) struct Look {
    cluster: Cluster,
    topic: String,
    /// None: it is being closed, which may take until a broker answers.
    client: Option<BaseConsumer<Heard>>,
    /// One question at a time: some assign partitions to the client.
    asked: Mutex<()>,
}

impl Look {
    pub(super) fn new(cluster: &Cluster, group: &str, topic: &str) -> Result<Self, Error> {
        Ok(Self {
            cluster: cluster.clone(),
            topic: topic.to_owned(),
            client: Some(reader(cluster, group)?),
            asked: Mutex::default(),
        })
    }

    /// The partitions that the topic has now. Blocks for at most six seconds.
    pub(super) fn partitions(&self) -> Result<Vec<TopicPartition>, Error> {
        let Some(client) = &self.client else {
            return Ok(Vec::new());
        };
        connect::ask(&self.cluster, client, &self.topic)
    }

    /// Each partition of the topic, ascending. Blocks.
    pub(super) fn stands(&self) -> Result<Vec<Stand>, Error> {
        self.asked(stands)
    }

    /// The same without the group, as one that has no offsets: all of them done. Blocks.
    pub(super) fn bounds(&self) -> Result<Vec<Stand>, Error> {
        self.asked(bounds)
    }

    fn asked(
        &self,
        ask: impl FnOnce(&BaseConsumer<Heard>, &[TopicPartition]) -> KafkaResult<Vec<Stand>>,
    ) -> Result<Vec<Stand>, Error> {
        let _one = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let partitions = self.partitions()?;
        let Some(client) = &self.client else {
            return Ok(Vec::new());
        };
        let asked = ask(client, &partitions);
        asked.map_err(|source| connect::why(&self.cluster, client, source))
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let client = self.client.take();
        let _ = apart(move || drop(client));
    }
}

fn bounds(client: &BaseConsumer<Heard>, partitions: &[TopicPartition]) -> KafkaResult<Vec<Stand>> {
    let bound = |partition: &TopicPartition| {
        let (topic, number) = (partition.topic(), partition.partition());
        let (first, end) = client.fetch_watermarks(topic, number, LIMIT)?;
        Ok(Stand {
            partition: partition.clone(),
            committed: None,
            first,
            end,
            done: true,
        })
    };
    partitions.iter().map(bound).collect()
}

fn stands(client: &BaseConsumer<Heard>, partitions: &[TopicPartition]) -> KafkaResult<Vec<Stand>> {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(partition.topic(), partition.partition());
    }
    let committed = client.committed_offsets(list, LIMIT)?;
    let mut stands = bounds(client, partitions)?;
    for stand in &mut stands {
        let (topic, number) = (stand.partition.topic(), stand.partition.partition());
        let committed = committed.find_partition(topic, number);
        let committed = committed.and_then(|element| element.offset().to_raw());
        stand.committed = committed.filter(|offset| *offset >= 0);
        let (from, end) = (stand.from().max(stand.first), stand.end);
        // Beyond the end stands who committed before the topic was made anew.
        stand.done = from == end || (from < end && !holds(client, stand, from)?);
    }
    Ok(stands)
}

/// A client that is no member, for questions and for reading beside the members.
pub(super) fn reader(cluster: &Cluster, group: &str) -> Result<BaseConsumer<Heard>, Error> {
    let mut config = cluster.member(group, "earliest");
    config.set("statistics.interval.ms", "0");
    BaseConsumer::from_config_and_context(&config, Heard::default()).map_err(error::client)
}

/// Whether there is a record from that offset on.
fn holds(client: &BaseConsumer<Heard>, stand: &Stand, from: i64) -> KafkaResult<bool> {
    Ok(find(client, &stand.partition, from, |_| true)?.is_some())
}

/// The offset of the first record from there on that fits. None: none does. Reads the partition up to it.
pub(super) fn find(
    client: &BaseConsumer<Heard>,
    partition: &TopicPartition,
    from: i64,
    fits: impl Fn(&BorrowedMessage<'_>) -> bool,
) -> KafkaResult<Option<i64>> {
    let mut list = TopicPartitionList::new();
    let from = Offset::Offset(from);
    list.add_partition_offset(partition.topic(), partition.partition(), from)?;
    client.assign(&list)?;
    let mut until = Instant::now() + LIMIT;
    let found = loop {
        match client.poll(LIMIT) {
            Some(Ok(message)) if fits(&message) => break Ok(Some(message.offset())),
            Some(Ok(_)) => until = Instant::now() + LIMIT,
            Some(Err(KafkaError::PartitionEOF(_))) => break Ok(None),
            Some(Err(error)) if Instant::now() >= until => break Err(error),
            None if Instant::now() >= until => {
                let late = rdkafka::types::RDKafkaErrorCode::OperationTimedOut;
                break Err(KafkaError::MessageConsumption(late));
            }
            _ => {}
        }
    };
    client.unassign()?;
    found
}

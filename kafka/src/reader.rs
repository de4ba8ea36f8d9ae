//! Reads a cluster's metadata and offsets without being a member of a group. Everything here blocks.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, Timestamp};
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::connect::{self, Heard};
use crate::error::Error;
use crate::limits::CONNECT_MS;
use crate::record::{Header, Record, TimestampType, TopicPartition};

const LIMIT: Duration = Duration::from_millis(CONNECT_MS);

/// A client that reads with a group's name without being a member of the group. Closing it may block until a broker responds:
/// drop it where blocking is allowed.
///
/// # Example
///
/// ```
/// use msk_kafka::record::TopicPartition;
/// use msk_kafka::{EmbeddedBroker, Reader};
///
/// let broker = EmbeddedBroker::start([("orders", 1)])?;
/// let reader = Reader::new(&broker.cluster(), "desk")?;
/// assert_eq!(reader.bounds(&TopicPartition::new("orders", 0))?, (0, 0));
/// # Ok::<(), msk_kafka::Error>(())
/// ```
pub struct Reader {
    cluster: Cluster,
    client: BaseConsumer<Heard>,
}

impl Reader {
    /// Creates a reader for this cluster. It connects with its first request.
    ///
    /// # Errors
    ///
    /// Those of [`Cluster::check`].
    pub fn new(cluster: &Cluster, group: &str) -> Result<Self, Error> {
        let mut settings = cluster.member(group, "earliest");
        settings.set("statistics.interval.ms", "0");
        let config = settings.into_config();
        let client = BaseConsumer::from_config_and_context(&config, Heard::of(cluster));
        Ok(Self {
            cluster: cluster.clone(),
            client: client.map_err(Error::client)?,
        })
    }

    /// The partitions of a topic, ascending. Blocks for at most six seconds.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the cluster refuses the client, [`Error::Unreachable`] if no broker responds,
    /// [`Error::UnknownTopic`] if the topic does not exist.
    pub fn partitions(&self, topic: &str) -> Result<Vec<TopicPartition>, Error> {
        connect::ask(&self.cluster, &self.client, topic)
    }

    /// The first offset of a partition, and the offset after its last readable record.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the cluster refuses the client, [`Error::Unreachable`] if no broker responds.
    pub fn bounds(&self, partition: &TopicPartition) -> Result<(i64, i64), Error> {
        let (topic, number) = (partition.topic(), partition.partition());
        self.sign_in()?;
        self.answered(self.client.fetch_watermarks(topic, number, LIMIT))
    }

    /// The group's committed offset of each partition. None: the group has committed none.
    ///
    /// # Errors
    ///
    /// As [`bounds`](Self::bounds).
    pub fn committed(&self, partitions: &[TopicPartition]) -> Result<Vec<Option<i64>>, Error> {
        self.sign_in()?;
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(partition.topic(), partition.partition());
        }
        let found = self.answered(self.client.committed_offsets(list, LIMIT))?;
        let committed = |partition: &TopicPartition| {
            let element = found.find_partition(partition.topic(), partition.partition());
            let offset = element.and_then(|element| element.offset().to_raw());
            offset.filter(|offset| *offset >= 0)
        };
        Ok(partitions.iter().map(committed).collect())
    }

    /// The offset of the first record from the given offset on; if a time is given (milliseconds since 1970), of the first record of that time or later.
    /// None: there is no such record. Reads the partition up to that record.
    ///
    /// # Errors
    ///
    /// As [`bounds`](Self::bounds).
    pub fn find(
        &self,
        partition: &TopicPartition,
        from: i64,
        since: Option<i64>,
    ) -> Result<Option<i64>, Error> {
        self.sign_in()?;
        self.answered(find(&self.client, partition, from, since))
    }

    /// The records of a partition from one offset up to the one before another, each passed to the closure, which returns whether to go on.
    ///
    /// # Errors
    ///
    /// As [`bounds`](Self::bounds).
    pub fn read(
        &self,
        partition: &TopicPartition,
        from: i64,
        until: i64,
        mut each: impl FnMut(Record) -> bool,
    ) -> Result<(), Error> {
        self.sign_in()?;
        self.answered(read(&self.client, partition, from, until, &mut each))
    }

    /// Commits a position of the reader's group: the offset of the next record that is to be read. The group must have no members.
    ///
    /// # Errors
    ///
    /// As [`bounds`](Self::bounds).
    pub fn commit(&self, partition: &TopicPartition, position: i64) -> Result<(), Error> {
        self.sign_in()?;
        let mut list = TopicPartitionList::new();
        let position = Offset::Offset(position);
        let added = list.add_partition_offset(partition.topic(), partition.partition(), position);
        let committed = added.and_then(|()| self.client.commit(&list, CommitMode::Sync));
        self.answered(committed)
    }

    /// librdkafka asks for a token in a call-back, and calls back only while it is polled.
    fn sign_in(&self) -> Result<(), Error> {
        match self.cluster.has_identity() {
            true => connect::hear(&self.cluster, &self.client).map(drop),
            false => Ok(()),
        }
    }

    /// Why a question was not answered, in the client's own words if it has called back with some.
    fn answered<T>(&self, answer: KafkaResult<T>) -> Result<T, Error> {
        answer.map_err(|source| connect::why(&self.cluster, &self.client, source))
    }
}

fn read(
    client: &BaseConsumer<Heard>,
    partition: &TopicPartition,
    from: i64,
    until: i64,
    each: &mut dyn FnMut(Record) -> bool,
) -> KafkaResult<()> {
    if from >= until {
        return Ok(());
    }
    let mut list = TopicPartitionList::new();
    let from = Offset::Offset(from);
    list.add_partition_offset(partition.topic(), partition.partition(), from)?;
    client.assign(&list)?;
    let mut late = Instant::now() + LIMIT;
    let read = loop {
        match client.poll(LIMIT) {
            Some(Ok(message)) => {
                late = Instant::now() + LIMIT;
                let offset = message.offset();
                if offset >= until || !each(record(&message, partition)) || offset + 1 == until {
                    break Ok(());
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => break Ok(()),
            Some(Err(error)) if Instant::now() >= late => break Err(error),
            None if Instant::now() >= late => {
                let late = RDKafkaErrorCode::OperationTimedOut;
                break Err(KafkaError::MessageConsumption(late));
            }
            _ => {}
        }
    };
    client.unassign()?;
    read
}

/// The record in a message: null is not empty, headers keep order and repeats.
fn record(message: &BorrowedMessage<'_>, partition: &TopicPartition) -> Record {
    let mut record = Record::new(partition.clone(), message.offset());
    (record.timestamp, record.timestamp_type) = match message.timestamp() {
        Timestamp::NotAvailable => (-1, TimestampType::CreateTime),
        Timestamp::CreateTime(millis) => (millis, TimestampType::CreateTime),
        Timestamp::LogAppendTime(millis) => (millis, TimestampType::LogAppendTime),
    };
    record.key = message.key().map(Bytes::copy_from_slice);
    record.value = message.payload().map(Bytes::copy_from_slice);
    for header in message.headers().iter().flat_map(|headers| headers.iter()) {
        record.headers.push(Header {
            name: header.key.to_owned(),
            value: header.value.map(Bytes::copy_from_slice),
        });
    }
    record
}

fn find(
    client: &BaseConsumer<Heard>,
    partition: &TopicPartition,
    from: i64,
    since: Option<i64>,
) -> KafkaResult<Option<i64>> {
    let mut list = TopicPartitionList::new();
    let from = Offset::Offset(from);
    list.add_partition_offset(partition.topic(), partition.partition(), from)?;
    client.assign(&list)?;
    let fits = |at: Option<i64>| since.is_none_or(|since| at.is_some_and(|at| at >= since));
    let mut until = Instant::now() + LIMIT;
    let found = loop {
        match client.poll(LIMIT) {
            Some(Ok(message)) if fits(message.timestamp().to_millis()) => {
                break Ok(Some(message.offset()));
            }
            Some(Ok(_)) => until = Instant::now() + LIMIT,
            Some(Err(KafkaError::PartitionEOF(_))) => break Ok(None),
            Some(Err(error)) if Instant::now() >= until => break Err(error),
            None if Instant::now() >= until => {
                let late = RDKafkaErrorCode::OperationTimedOut;
                break Err(KafkaError::MessageConsumption(late));
            }
            _ => {}
        }
    };
    client.unassign()?;
    found
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

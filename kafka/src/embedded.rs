//! A Kafka broker in this process, for development without any installation: librdkafka's mock cluster.

use std::fmt;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaRespErr;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::limits::CONNECT_MS;
use crate::record::TopicPartition;

/// A broker in this process, on a free loopback port, until it is dropped. All its data is in memory.
///
/// It supports topics, records with keys, headers and tombstones, consumer groups with their offsets, and transactional producers. It is
/// not a complete Kafka: a rebalance takes three seconds, and a partition holds at most
/// [`EMBEDDED_PARTITION_BYTES_MAX`](crate::limits::EMBEDDED_PARTITION_BYTES_MAX). When a partition is full, it
/// deletes the oldest records, read or not, without a notice: ask for the
/// [losses](Self::losses).
///
/// # Example
///
/// ```
/// use msk_kafka::EmbeddedBroker;
///
/// let broker = EmbeddedBroker::start([("orders", 3)])?;
/// assert_eq!(broker.cluster().partitions("orders")?.len(), 3);
/// # Ok::<(), msk_kafka::Error>(())
/// ```
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
    partitions: Vec<TopicPartition>,
}

impl EmbeddedBroker {
    /// Starts a broker with these topics, each with its number of partitions.
    ///
    /// # Errors
    ///
    /// [`Error::Client`] if the broker cannot listen, or refuses a topic's name or number of partitions.
    pub fn start<'a>(topics: impl IntoIterator<Item = (&'a str, i32)>) -> Result<Self, Error> {
        let cluster = MockCluster::new(1).map_err(Error::client)?;
        let mut partitions = Vec::new();
        for (topic, count) in topics {
            cluster
                .create_topic(topic, count, 1)
                .map_err(Error::client)?;
            partitions.extend((0..count).map(|partition| TopicPartition::new(topic, partition)));
        }
        Ok(Self {
            cluster,
            partitions,
        })
    }

    /// The cluster for clients in this process and in other processes of this machine.
    pub fn cluster(&self) -> Cluster {
        Cluster::new(self.cluster.bootstrap_servers())
    }

    /// Refuses all requests for this topic from now on, as a cluster does whose ACLs do not allow them.
    ///
    /// # Errors
    ///
    /// [`Error::Client`] if the name has a null byte.
    pub fn deny(&self, topic: &str) -> Result<(), Error> {
        let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
        self.cluster
            .topic_error(topic, refused)
            .map_err(Error::client)
    }

    /// The number of deleted records of each partition that was too full; complete partitions are left out. Blocks
    /// for a moment, since it sends one request per partition.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] if the broker does not respond, [`Error::Client`] if the client for the requests does not start.
    pub fn losses(&self) -> Result<Vec<(TopicPartition, i64)>, Error> {
        let bootstrap = self.cluster.bootstrap_servers();
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &bootstrap)
            .create()
            .map_err(Error::client)?;
        let mut losses = Vec::new();
        for partition in &self.partitions {
            let (first, _) = client
                .fetch_watermarks(
                    partition.topic(),
                    partition.partition(),
                    Duration::from_millis(CONNECT_MS),
                )
                .map_err(|source| Error::Unreachable {
                    bootstrap: bootstrap.clone(),
                    source: source.into(),
                })?;
            if first > 0 {
                losses.push((partition.clone(), first));
            }
        }
        Ok(losses)
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EmbeddedBroker")
            .field(&self.cluster.bootstrap_servers())
            .finish()
    }
}

//! A Kafka broker in this process, for a desk with nothing installed: librdkafka's mock cluster.

use std::fmt;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::limits::CONNECT_MS;
use crate::record::TopicPartition;

/// A broker in this process, on a free port of loopback, until it is dropped. Everything in it is in memory.
///
/// It knows topics, records with keys, headers and tombstones, groups and their offsets, transactional producers. It is
/// no Kafka: its groups take three seconds to settle, and a partition holds
/// [`EMBEDDED_PARTITION_BYTES_MAX`](crate::limits::EMBEDDED_PARTITION_BYTES_MAX). For what is written beyond that it
/// takes the oldest records away, read or not, and says so to nobody: whoever fills it asks for its
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
    /// Starts it with these topics, each with its number of partitions.
    ///
    /// # Errors
    ///
    /// [`Error::Client`] if it cannot listen, or a topic's name or number of partitions is refused.
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

    /// How it is reached, also from other processes of this machine.
    pub fn cluster(&self) -> Cluster {
        Cluster::new(self.cluster.bootstrap_servers())
    }

    /// How many records of each partition it took away for want of room; partitions that are whole are not named. Blocks
    /// for a moment, as a partition has to be asked after the other.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`] if it does not answer, [`Error::Client`] if there is no client to ask with.
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

//! A Kafka broker in this process, for a desk with nothing installed: librdkafka's mock cluster.

use std::fmt;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use super::{Cluster, Error, error};

/// A broker in this process, on a free port of loopback, until it is dropped. Everything in it is in memory.
///
/// It knows topics, records with keys, headers and tombstones, groups and their offsets, transactions' producers. It is
/// no Kafka: it keeps what is in it for ever, and its groups take three seconds to settle.
///
/// # Example
///
/// ```
/// use msk_mapping::driver::EmbeddedBroker;
///
/// let broker = EmbeddedBroker::start([("orders", 3)])?;
/// assert_eq!(broker.cluster().partitions("orders")?.len(), 3);
/// # Ok::<(), msk_mapping::driver::Error>(())
/// ```
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl EmbeddedBroker {
    /// Starts it with these topics, each with its number of partitions.
    ///
    /// # Errors
    ///
    /// [`Error::Client`] if it cannot listen, or a topic's name or number of partitions is refused.
    pub fn start<'a>(topics: impl IntoIterator<Item = (&'a str, i32)>) -> Result<Self, Error> {
        let cluster = MockCluster::new(1).map_err(error::client)?;
        for (topic, partitions) in topics {
            cluster
                .create_topic(topic, partitions, 1)
                .map_err(error::client)?;
        }
        Ok(Self { cluster })
    }

    /// How it is reached, also from other processes of this machine.
    pub fn cluster(&self) -> Cluster {
        Cluster::new(self.cluster.bootstrap_servers())
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EmbeddedBroker")
            .field(&self.cluster.bootstrap_servers())
            .finish()
    }
}

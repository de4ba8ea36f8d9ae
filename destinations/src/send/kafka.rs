//! Records to a Kafka topic.

use msk_kafka::{Cluster, Error, Outgoing, Producer};

/// A topic that records are written to.
#[derive(Debug)]
pub struct KafkaTopic {
    topic: String,
    cluster: Cluster,
    producer: Producer,
}

impl KafkaTopic {
    /// A topic of this cluster, which has to exist. Connects with its first record.
    ///
    /// # Errors
    ///
    /// Those of [`Cluster::check`].
    pub fn new(cluster: &Cluster, topic: impl Into<String>) -> Result<Self, Error> {
        Ok(Self {
            topic: topic.into(),
            cluster: cluster.clone(),
            producer: Producer::for_documents(cluster)?,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.topic
    }

    /// Writes keys with their values. Ok: the cluster has all of them, in this order. Their size is left to the topic's own
    /// `max.message.bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::Produce`] for the first that was not written; others may have been.
    pub async fn send<'a>(
        &self,
        messages: impl IntoIterator<Item = (Option<&'a [u8]>, &'a [u8])>,
    ) -> Result<(), Error> {
        let outgoing = |(key, value)| {
            let mut outgoing = Outgoing::to(&self.topic);
            outgoing.key = key;
            outgoing.value = Some(value);
            outgoing
        };
        let outgoing: Vec<Outgoing<'_>> = messages.into_iter().map(outgoing).collect();
        self.producer.send(&outgoing).await.map(drop)
    }

    /// Whether it is there. Blocks for at most six seconds.
    ///
    /// # Errors
    ///
    /// Those of [`Cluster::partitions`].
    pub fn check(&self) -> Result<(), Error> {
        self.cluster.partitions(&self.topic).map(drop)
    }
}

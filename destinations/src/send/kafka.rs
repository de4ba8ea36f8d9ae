//! Records to a Kafka topic.

use msk_kafka::{Cluster, Error, Outgoing, Producer};

/// A Kafka topic to which records are written.
#[derive(Debug)]
pub struct KafkaTopic {
    topic: String,
    cluster: Cluster,
    producer: Producer,
}

impl KafkaTopic {
    /// Creates a sender for a topic of this cluster, which must exist. It connects with the first record.
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

    /// The topic's name.
    pub fn name(&self) -> &str {
        &self.topic
    }

    /// Writes keys with their values. Ok: the cluster has confirmed all of them, in this order. Only the topic's own
    /// `max.message.bytes` limits their size.
    ///
    /// # Errors
    ///
    /// [`Error::Produce`] for the first record that was not written; others may have been written.
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

    /// Checks that the topic exists. Blocks for at most six seconds.
    ///
    /// # Errors
    ///
    /// Those of [`Cluster::partitions`].
    pub fn check(&self) -> Result<(), Error> {
        self.cluster.partitions(&self.topic).map(drop)
    }
}

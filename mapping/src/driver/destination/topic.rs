//! Lambda's own Kafka destination: a topic of the cluster that is read.

use msk_kafka::{Cluster, Error, Outgoing, Producer};

use super::{Destination, SendFuture, Undelivered};
use crate::document::Documents;
use crate::machine::{Configuration, Discarded};

/// Writes one message for each record: its own key, and as value Lambda's document with the record in it. That is a third
/// larger than the record: the topic's own `max.message.bytes` has to allow it.
#[derive(Debug)]
pub struct TopicDestination {
    topic: String,
    cluster: Cluster,
    producer: Producer,
    documents: Documents,
}

impl TopicDestination {
    /// A topic of this cluster, which has to exist, for the mapping with this configuration.
    ///
    /// # Errors
    ///
    /// Those of [`Cluster::check`].
    pub fn new(
        cluster: &Cluster,
        topic: impl Into<String>,
        configuration: &Configuration,
    ) -> Result<Self, Error> {
        Ok(Self {
            topic: topic.into(),
            cluster: cluster.clone(),
            producer: Producer::for_documents(cluster)?,
            documents: Documents::of(configuration),
        })
    }
}

impl Destination for TopicDestination {
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a> {
        Box::pin(async move {
            let messages = self.documents.messages(discarded);
            let outgoing: Vec<Outgoing<'_>> = messages
                .iter()
                .map(|message| {
                    let mut outgoing = Outgoing::to(&self.topic);
                    outgoing.key = message.key.as_deref();
                    outgoing.value = Some(message.value.as_bytes());
                    outgoing
                })
                .collect();
            let sent = self.producer.send(&outgoing).await;
            sent.map(drop).map_err(|error| Undelivered(Box::new(error)))
        })
    }

    fn check(&self) -> SendFuture<'_> {
        let (cluster, topic) = (self.cluster.clone(), self.topic.clone());
        Box::pin(async move {
            let asked = tokio::task::spawn_blocking(move || cluster.partitions(&topic)).await;
            match asked {
                Ok(found) => found
                    .map(drop)
                    .map_err(|error| Undelivered(Box::new(error))),
                Err(error) => Err(Undelivered(Box::new(error))),
            }
        })
    }

    fn describe(&self) -> String {
        format!("kafka://{}", self.topic)
    }
}

//! Lambda's Kafka destination: a topic of the same cluster.

use std::sync::Arc;

use msk_destinations::send::KafkaTopic;
use msk_kafka::{Cluster, Error};
use tokio::task::spawn_blocking;

use super::{Destination, SendFuture, Undelivered};
use crate::document::Documents;
use crate::machine::{Configuration, Discarded};

/// Writes one message for each record: the record's key, and as value Lambda's document with the record in it. The value
/// is a third larger than the record: the topic's `max.message.bytes` has to allow it.
#[derive(Debug)]
pub struct TopicDestination {
    topic: Arc<KafkaTopic>,
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
            topic: Arc::new(KafkaTopic::new(cluster, topic)?),
            documents: Documents::of(configuration),
        })
    }
}

impl Destination for TopicDestination {
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a> {
        Box::pin(async move {
            let messages = self.documents.messages(discarded);
            let messages = messages
                .iter()
                .map(|message| (message.key.as_deref(), message.value.as_bytes()));
            let sent = self.topic.send(messages).await;
            sent.map_err(|error| Undelivered(Box::new(error)))
        })
    }

    fn check(&self) -> SendFuture<'_> {
        let topic = Arc::clone(&self.topic);
        Box::pin(async move {
            match spawn_blocking(move || topic.check()).await {
                Ok(found) => found.map_err(|error| Undelivered(Box::new(error))),
                Err(error) => Err(Undelivered(Box::new(error))),
            }
        })
    }

    fn describe(&self) -> String {
        format!("kafka://{}", self.topic.name())
    }
}

//! Writes records to topics: test data, and dead letters.

use std::fmt;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header as RawHeader, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _};
use rdkafka::util::Timeout;

use crate::cluster::Cluster;
use crate::error::Error;
use crate::identity::Identified;
use crate::limits::{DOCUMENT_BYTES_MAX, QUEUE_FULL_MS};
use crate::record::{Header, Record};
use crate::settings::Settings;

/// librdkafka's bound of a record, a million bytes unless it is set.
const MESSAGE_BYTES: &str = "message.max.bytes";

/// A producer for one cluster: a confirmed record is written, once and in order.
pub struct Producer {
    producer: FutureProducer<Identified>,
}

/// A record to be written.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Outgoing<'a> {
    /// The topic, which must exist.
    pub topic: &'a str,
    /// The partition. None: chosen by the key, or any.
    pub partition: Option<i32>,
    /// The key. None: null.
    pub key: Option<&'a [u8]>,
    /// The value. None: a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers, in order.
    pub headers: &'a [Header],
    /// The timestamp in milliseconds since 1970. None: now.
    pub timestamp: Option<i64>,
}

/// Without the bytes of key and value.
impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .field("key_bytes", &self.key.map(<[u8]>::len))
            .field("value_bytes", &self.value.map(<[u8]>::len))
            .field("headers", &self.headers)
            .field("timestamp", &self.timestamp)
            .finish()
    }
}

impl<'a> Outgoing<'a> {
    /// Creates an empty record for a topic.
    pub fn to(topic: &'a str) -> Self {
        Self {
            topic,
            ..Self::default()
        }
    }
}

impl<'a> From<&'a Record> for Outgoing<'a> {
    /// The same record, to the same partition. Its offset is the broker's to give.
    fn from(record: &'a Record) -> Self {
        Self {
            topic: record.partition.topic(),
            partition: Some(record.partition.partition()),
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &record.headers,
            timestamp: (record.timestamp >= 0).then_some(record.timestamp),
        }
    }
}

impl Producer {
    /// Creates a producer for this cluster. It connects with its first record.
    ///
    /// # Errors
    ///
    /// Those of [`Cluster::check`].
    pub fn new(cluster: &Cluster) -> Result<Self, Error> {
        cluster.check_security()?;
        Self::of(cluster, cluster.producer())
    }

    /// Creates a producer for documents about records, which are larger than the records. Only the broker limits their size,
    /// unless the cluster's `message.max.bytes` is set.
    ///
    /// # Errors
    ///
    /// Those of [`Cluster::check`].
    pub fn for_documents(cluster: &Cluster) -> Result<Self, Error> {
        cluster.check_security()?;
        let mut config = cluster.producer();
        if config.get(MESSAGE_BYTES).is_none() {
            config.set(MESSAGE_BYTES, DOCUMENT_BYTES_MAX.to_string());
        }
        Self::of(cluster, config)
    }

    fn of(cluster: &Cluster, settings: Settings) -> Result<Self, Error> {
        let (config, context) = (settings.into_config(), Identified(cluster.identity()));
        let producer = FutureProducer::from_config_and_context(&config, context);
        Ok(Self {
            producer: producer.map_err(Error::client)?,
        })
    }

    /// Writes records and waits until all are confirmed, for at most `message.timeout.ms` (five minutes).
    ///
    /// # Errors
    ///
    /// [`Error::Produce`] for the first record that was not written; others may have been written.
    pub async fn send(&self, records: &[Outgoing<'_>]) -> Result<usize, Error> {
        let mut waiting = Vec::new();
        for record in records {
            waiting.push((record.topic.to_owned(), self.enqueue(record).await?));
        }
        let sent = waiting.len();
        for (topic, delivery) in waiting {
            match delivery.await {
                Ok(Ok(_)) => {}
                Ok(Err((source, _))) => {
                    let source = source.into();
                    return Err(Error::Produce { topic, source });
                }
                // The producer is gone, and we hold it: this does not happen.
                Err(_) => {
                    let source = KafkaError::Canceled.into();
                    return Err(Error::Produce { topic, source });
                }
            }
        }
        Ok(sent)
    }

    /// Hands one record to librdkafka, once its queue has room.
    async fn enqueue(&self, record: &Outgoing<'_>) -> Result<DeliveryFuture, Error> {
        let mut outgoing = FutureRecord {
            topic: record.topic,
            partition: record.partition,
            payload: record.value,
            key: record.key,
            timestamp: record.timestamp,
            headers: headers(record.headers),
        };
        let full = rdkafka::types::RDKafkaErrorCode::QueueFull;
        loop {
            match self.producer.send_result(outgoing) {
                Ok(delivery) => return Ok(delivery),
                Err((error, back)) if error.rdkafka_error_code() == Some(full) => {
                    outgoing = back;
                    tokio::time::sleep(Duration::from_millis(QUEUE_FULL_MS)).await;
                }
                Err((source, _)) => {
                    let (topic, source) = (record.topic.to_owned(), source.into());
                    return Err(Error::Produce { topic, source });
                }
            }
        }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // Nothing waits: whoever sent has been told, or has gone.
        let _ = self.producer.flush(Timeout::After(Duration::ZERO));
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}

/// Headers for a producer. None: the record has none.
fn headers(headers: &[Header]) -> Option<OwnedHeaders> {
    if headers.is_empty() {
        return None;
    }
    let empty = OwnedHeaders::new_with_capacity(headers.len());
    let add = |all: OwnedHeaders, header: &Header| {
        all.insert(RawHeader {
            key: &header.name,
            value: header.value.as_deref(),
        })
    };
    Some(headers.iter().fold(empty, add))
}

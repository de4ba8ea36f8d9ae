//! A destination that writes letters to a Kafka topic: which cluster, and how a letter becomes a record.

mod headers;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use msk_destinations::address::{KafkaAddress, KafkaAddressError, Security};
use msk_destinations::send::{NewRecord, Progress, RecordError, RecordTopic};

use self::headers::headers;
use crate::destination::{DeadLetter, Destination, SendError, patience};
use crate::limits::KAFKA_SENDS_AT_ONCE_MAX;

/// A destination that writes letters to a Kafka topic, one record per letter. `LAMBDA_MSK_ON_FAILURE=kafka://TOPIC`; needs the feature `kafka`.
///
/// The record's key, value and headers are written exactly as they came, with headers of ours behind them, each of them text: `__lambda_msk.errors.topic`, `.partition`, `.offset`,
/// `.timestamp` (the record's, in milliseconds since 1970), `.cluster`, `.code`, `.message`, `.attempts`, `.key` (the idempotency key), `.group` (the namespace), `.id` (the
/// letter's) and `.redrives`. A record that is rejected a second time gets them anew. The partition has the same number if the topic has it, else the key chooses. The
/// record's time is that of the rejection, so that an old record is not deleted by the topic's retention at once.
///
/// Parameters, as of a URL:
///
/// - `bootstrap=HOST:PORT,…`: the cluster. Without it the topic is one of the cluster that the record came from.
/// - `headers=spring`: Spring Kafka's `kafka_dlt-*` headers, too.
/// - `security=plaintext`, `ssl` or `iam`: without it, as MSK's ports have it; brokers at a port of SASL/SCRAM are refused. `iam` takes the role's credentials from the environment's
///   variables, and the region from the brokers' names. It signs by the mechanism AWS_MSK_IAM, whereas `cargo msk` signs tokens of OAUTHBEARER, because librdkafka lacks that mechanism.
///
/// The producer is idempotent and waits for all in-sync replicas (`acks=all`). A letter is confirmed once its own record is; one that is possibly written is not confirmed, is
/// tried again, and may be there twice: recognize duplicates by `.key`. Connections outlive an invocation. Retries are as for
/// [`SqsDestination`](crate::destination::SqsDestination).
///
/// A topic whose records the function handles is refused. The topic must exist. With IAM the role needs `kafka-cluster:Connect` and `kafka-cluster:WriteDataIdempotently` on the
/// cluster, and `kafka-cluster:DescribeTopic` and `kafka-cluster:WriteData` on the topic.
///
/// # Large letters, and records that could not be decoded
///
/// A record over the topic's `max.message.bytes`, and one that the event does not hold whole, go to the overflow (`LAMBDA_MSK_ON_FAILURE_LARGE`,
/// [`overflow`](crate::builder::Builder::overflow)); the topic gets the key, the headers, `__lambda_msk.errors.overflow` with the object's URL, and for a value the envelope without its payload.
/// Without an overflow such a record fails.
pub struct KafkaDestination {
    address: KafkaAddress,
    /// By their brokers.
    clusters: Mutex<BTreeMap<String, Arc<RecordTopic>>>,
}

/// The reason why a text is not the address of a Kafka topic, worded to follow the text.
pub type KafkaTopicError = KafkaAddressError;

impl KafkaDestination {
    /// Creates a destination for `kafka://TOPIC`, with its parameters. It connects with the first letter.
    ///
    /// # Errors
    ///
    /// The text names no topic, or has an unknown parameter. A topic that does not exist is only noticed with the first letter.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_msk::destination::{Destination, KafkaDestination};
    ///
    /// let dead = KafkaDestination::new("kafka://orders-dead?headers=spring")?;
    /// assert_eq!(dead.kafka_topic(), Some("orders-dead"));
    /// # Ok::<(), lambda_msk::destination::KafkaTopicError>(())
    /// ```
    pub fn new(topic: &str) -> Result<Self, KafkaTopicError> {
        Ok(Self::at(KafkaAddress::parse(topic)?))
    }

    pub(crate) fn at(address: KafkaAddress) -> Self {
        Self {
            address,
            clusters: Mutex::default(),
        }
    }

    async fn send_one(&self, letter: &DeadLetter, progress: &Progress) -> Result<(), SendError> {
        let topic = self.address.topic();
        if letter.record().topic() == topic {
            return Err(SendError::new(OwnTopic));
        }
        let named = self.address.bootstrap();
        let source = letter.record().event_source();
        let bootstrap = named.or(source.bootstrap_servers.as_deref());
        let bootstrap = bootstrap.ok_or_else(|| SendError::new(NoBrokers))?;
        if letter.record().fault().is_some() && letter.overflow().is_none() {
            return Err(SendError::no_room(NotDecoded));
        }
        let to = self.cluster(bootstrap);
        let to = to.map_err(|_| SendError::new(ScramBrokers))?;
        let sent = to.send(&self.record(letter), progress).await;
        sent.map_err(|error| match error {
            RecordError::TooLarge { .. } => SendError::no_room(error),
            error => SendError::new(error),
        })
    }

    fn record(&self, letter: &DeadLetter) -> NewRecord {
        let record = letter.record();
        let value = match letter.overflow() {
            // Never null, which would read as a tombstone.
            Some(_) => Some(Bytes::from(letter.envelope())),
            None => record.value().map(Bytes::copy_from_slice),
        };
        NewRecord {
            partition: record.partition(),
            key: record.key().map(Bytes::copy_from_slice),
            value,
            headers: headers(letter, self.address.spring()),
        }
    }

    fn cluster(&self, bootstrap: &str) -> Result<Arc<RecordTopic>, KafkaAddressError> {
        let mut clusters = self.clusters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clusters.get(bootstrap) {
            return Ok(Arc::clone(known));
        }
        // A function has the clusters of its mappings: a few.
        let topic = self.address.topic();
        let made = Arc::new(match self.address.security() {
            Some(security) => RecordTopic::new(topic, bootstrap, security),
            None => RecordTopic::new(topic, bootstrap, Security::of_port(bootstrap)?).guessed(),
        });
        clusters.insert(bootstrap.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "the topic is the one that the record came from, where its letter would be a record to reject: name another topic"
)]
struct OwnTopic;

#[derive(Debug, thiserror::Error)]
#[error(
    "the event names no brokers: name them in the address, `kafka://TOPIC?bootstrap=HOST:PORT`"
)]
struct NoBrokers;

#[derive(Debug, thiserror::Error)]
#[error(
    "the event names brokers at a port of SASL/SCRAM, which is not supported: name those that take IAM in the address, `kafka://TOPIC?bootstrap=HOST:9098`"
)]
struct ScramBrokers;

#[derive(Debug, thiserror::Error)]
#[error(
    "expected a record that could be decoded, since a topic gets it as it came: set LAMBDA_MSK_ON_FAILURE_LARGE=s3://BUCKET/PREFIX, which takes the others"
)]
struct NotDecoded;

impl Destination for KafkaDestination {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let Some(patience) = patience(letters) else {
            return Vec::new();
        };
        let progress = Progress::begin(patience);
        let mut sends = Vec::with_capacity(letters.len());
        for letter in letters {
            sends.push(self.send_one(letter, &progress));
        }
        let sends = stream::iter(sends).buffered(KAFKA_SENDS_AT_ONCE_MAX);
        sends.collect().await
    }

    fn describe(&self) -> String {
        let mut parameters = Vec::new();
        if let Some(bootstrap) = self.address.bootstrap() {
            parameters.push(format!("bootstrap={bootstrap}"));
        }
        if self.address.spring() {
            parameters.push("headers=spring".to_owned());
        }
        let topic = self.address.topic();
        match &*parameters.join("&") {
            "" => format!("kafka://{topic}"),
            parameters => format!("kafka://{topic}?{parameters}"),
        }
    }

    fn kafka_topic(&self) -> Option<&str> {
        Some(self.address.topic())
    }
}

impl fmt::Debug for KafkaDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaDestination")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Records to a Kafka topic through krafka: for functions, whose connections outlive an invocation, and whose process may be frozen between two. Made by the framework.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use krafka::auth::{AuthConfig, AwsMskIamCredentials, TlsConfig};
use krafka::producer::{Acks, Producer};
use krafka::{CloseOptions, Kafka, KrafkaError, Record};
use msk_kafka::region_of;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::Progress;
use super::chance::back_off;
use super::record_error::RecordError;
use crate::address::Security;
use crate::limits::{
    KAFKA_BUFFER_BYTES_MAX, KAFKA_DELIVERY_GROWS, KAFKA_DELIVERY_MS_MAX, KAFKA_DELIVERY_MS_MIN,
    KAFKA_REQUEST_BYTES_MAX,
};

/// A record for a Kafka topic.
#[derive(Clone)]
pub struct NewRecord {
    /// The partition, if the topic has it: else the key chooses one.
    pub partition: i32,
    /// *None: no key.*
    pub key: Option<Bytes>,
    /// *None: a tombstone.*
    pub value: Option<Bytes>,
    /// In order, and with repeats. *None: the header's value is null.*
    pub headers: Vec<(String, Option<Bytes>)>,
}

impl NewRecord {
    /// The bytes of key, value and headers.
    pub fn bytes(&self) -> usize {
        let len = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| name.len() + len(value));
        len(&self.key) + len(&self.value) + headers.sum::<usize>()
    }
}

/// Sizes alone.
impl fmt::Debug for NewRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewRecord")
            .field("bytes", &self.bytes())
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}

/// A topic of one cluster, to which records are written by an idempotent producer that waits for all replicas (`acks=all`).
pub struct RecordTopic {
    topic: String,
    bootstrap: String,
    security: Security,
    is_guess: bool,
    /// Made at the first record, and anew after a fault, or if the time left is shorter than it may take.
    live: Mutex<Option<Arc<Live>>>,
}

/// A producer, and how long it tries to deliver a record.
struct Live {
    producer: Producer,
    delivery: Duration,
}

impl RecordTopic {
    /// Creates a sender for a topic of the cluster with these brokers (`HOST:PORT,…`). It connects with the first record.
    ///
    /// For [`Security::Iam`] the credentials come from the environment's variables, as Lambda sets them, and the region from the brokers' names, else from the environment. It signs by krafka's
    /// mechanism AWS_MSK_IAM, which needs nothing else; `msk_kafka::Iam` signs tokens of OAUTHBEARER, because librdkafka does not have that mechanism. Brokers of MSK take both.
    pub fn new(topic: impl Into<String>, bootstrap: impl Into<String>, security: Security) -> Self {
        Self {
            topic: topic.into(),
            bootstrap: bootstrap.into(),
            security,
            is_guess: false,
            live: Mutex::new(None),
        }
    }

    /// Says that nobody has named the security: if no broker confirms a record, the error says how to name it.
    #[must_use]
    pub fn guessed(mut self) -> Self {
        self.is_guess = true;
        self
    }

    /// Writes a record. Ok: all in-sync replicas have it. What may pass is tried again until the time of `progress`, which records that
    /// are sent at once share, is up. So a record whose confirmation was lost
    /// may be there twice.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: nothing has confirmed the record; it may be there.
    pub async fn send(&self, record: &NewRecord, progress: &Progress) -> Result<(), RecordError> {
        let sent = self.try_for(record, progress).await;
        sent.map_err(|error| match self.is_guess {
            true => error.after_a_guess(self.security),
            false => error,
        })
    }

    async fn try_for(&self, record: &NewRecord, progress: &Progress) -> Result<(), RecordError> {
        let mut said = None;
        for tried in 0.. {
            let Some(delivery) = delivery(progress.until()) else {
                break;
            };
            match progress.in_time(self.once(record, delivery)).await {
                Some(Ok(())) => {
                    progress.went_on();
                    return Ok(());
                }
                Some(Err(error)) if error.is_final() => return Err(error),
                Some(Err(error)) => said = Some(error),
                // Nothing else bounds the connection itself. A reason from an earlier try says more.
                None => {
                    self.discard(None).await;
                    return Err(said.unwrap_or_else(|| RecordError::no_answer(&self.topic)));
                }
            }
            let wait = back_off(tried);
            if Instant::now() + wait >= progress.until() {
                break;
            }
            sleep(wait).await;
        }
        Err(said.unwrap_or_else(|| RecordError::not_sent(&self.topic)))
    }

    async fn once(&self, record: &NewRecord, delivery: Duration) -> Result<(), RecordError> {
        let live = self.live(delivery).await?;
        let sent = self.write(&live, record).await;
        let Err(error) = sent else {
            return Ok(());
        };
        let error = RecordError::of(&self.topic, record.bytes(), &error);
        if !error.is_final() {
            // The producer's state may be what is wrong. What it has on its way ends with its delivery time.
            self.discard(Some(&live)).await;
        }
        Err(error)
    }

    /// The producer, if it gives up early enough, and is not one of shorter times: else a new one.
    async fn live(&self, delivery: Duration) -> Result<Arc<Live>, RecordError> {
        let mut live = self.live.lock().await;
        if let Some(live) = &*live
            && live.delivery <= delivery
            && live.delivery * KAFKA_DELIVERY_GROWS >= delivery
        {
            return Ok(Arc::clone(live));
        }
        let made = self.connect(delivery).await;
        let made = made.map_err(|error| RecordError::of(&self.topic, 0, &error))?;
        let made = Arc::new(made);
        if let Some(former) = live.replace(Arc::clone(&made)) {
            close(former);
        }
        Ok(made)
    }

    async fn connect(&self, delivery: Duration) -> Result<Live, KrafkaError> {
        let request = delivery / 2;
        let kafka = Kafka::builder(&self.bootstrap)
            .client_id(CLIENT_ID)
            .request_timeout(request)
            .connect_timeout(request / 2);
        let kafka = match self.security {
            Security::Plaintext => kafka,
            Security::Ssl => kafka.security(AuthConfig::ssl(TlsConfig::new())),
            Security::Iam => {
                let region = region_of(&self.bootstrap);
                kafka.security(AuthConfig::aws_msk_iam_provider(move || {
                    let region = region.clone();
                    async move { credentials(region) }
                }))
            }
        };
        let producer = kafka.connect().await?.producer();
        let producer = producer
            .acks(Acks::All)
            .idempotent(true)
            // A function sends few records, and each is waited for.
            .linger(Duration::ZERO)
            .delivery_timeout(delivery)
            .max_block(request)
            .max_request_size(KAFKA_REQUEST_BYTES_MAX)
            .buffer_memory(KAFKA_BUFFER_BYTES_MAX)
            .metrics_push(false);
        let producer = producer.build().await?;
        Ok(Live { producer, delivery })
    }

    /// Takes the producer away: that one, or whichever there is.
    async fn discard(&self, which: Option<&Arc<Live>>) {
        let mut live = self.live.lock().await;
        let is_it = |live: &Arc<Live>| which.is_none_or(|it| Arc::ptr_eq(live, it));
        if live.as_ref().is_some_and(is_it)
            && let Some(former) = live.take()
        {
            close(former);
        }
    }

    async fn write(&self, live: &Live, record: &NewRecord) -> Result<(), KrafkaError> {
        let partitions = live.producer.partitions_for(&self.topic).await?;
        let mut outgoing = Record::new(self.topic.clone(), Bytes::new());
        outgoing.key.clone_from(&record.key);
        outgoing.value.clone_from(&record.value);
        if partitions.iter().any(|it| it.partition == record.partition) {
            outgoing = outgoing.partition(record.partition);
        }
        for (name, value) in &record.headers {
            outgoing = match value {
                Some(value) => outgoing.header(name, value.clone()),
                None => outgoing.null_header(name),
            };
        }
        let written = live.producer.send(outgoing).await?;
        match written.is_persisted() {
            true => Ok(()),
            false => Err(KrafkaError::timeout("the broker's confirmation")),
        }
    }
}

/// Those of the environment's variables, for the brokers' region: a cluster of another region takes no other.
fn credentials(region: Option<String>) -> Result<AwsMskIamCredentials, KrafkaError> {
    match region {
        Some(region) => AwsMskIamCredentials::from_env_with_region(region),
        None => AwsMskIamCredentials::from_env(),
    }
}

/// In the background, and no longer than what is on its way may take.
fn close(live: Arc<Live>) {
    drop(tokio::spawn(async move {
        let options = CloseOptions::new().timeout(live.delivery);
        // What it had on its way is answered for by who waits for it.
        drop(live.producer.close_with(options).await);
    }));
}

/// How long a producer may try until then. *None: too short for any.*
///
/// One of few steps, so that a producer serves many calls.
fn delivery(until: Instant) -> Option<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    let longest = Duration::from_millis(KAFKA_DELIVERY_MS_MAX);
    let steps = std::iter::successors(Some(longest), |step| Some(*step / 2));
    let mut steps = steps.take_while(|step| *step >= Duration::from_millis(KAFKA_DELIVERY_MS_MIN));
    steps.find(|step| *step <= left)
}

impl fmt::Debug for RecordTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordTopic")
            .field("topic", &self.topic)
            .field("bootstrap", &self.bootstrap)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// As the brokers' logs and quotas name it.
const CLIENT_ID: &str = "lambda-msk";

#[cfg(test)]
mod real;
#[cfg(test)]
mod soak_real;

//! One attempt at one record: the input of extractors, handlers and tower layers. Made by `process`.

use std::cmp::Ordering;
use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::chunk::Chunk;
use crate::context::Context;
use crate::deadline::Deadline;
use crate::failure::Failure;
use crate::key_texts::write_key;
use crate::record::Record;
use crate::schemas::{BatchSchemas, Reading};
use crate::trace::TraceParent;

/// A handler's run, not started before its first poll.
pub(crate) type HandlerRun = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// One attempt at one record: the record, and the data of this attempt. The counterpart of `http::Request` in axum.
///
/// Dereferences to the [`Record`], so `delivery.key()` and `delivery.header("x")` work.
#[derive(Clone)]
pub struct Delivery {
    record: Record,
    invocation: Arc<Context>,
    attempt: u32,
    /// How the route reads payloads by their schemas. *None: as their writers' schemas say.*
    reading: Option<Arc<Reading>>,
    /// The run that extraction has made for this try, until the handler's service takes it. Empty for a clone that comes second.
    prepared: Option<Arc<Mutex<Option<HandlerRun>>>>,
    /// Of a batch handler, in its layers: the records of the call. *None: the handler is one of one record.*
    chunk: Option<Arc<Chunk>>,
}

impl Delivery {
    pub(crate) fn new(record: Record, invocation: Arc<Context>, attempt: u32) -> Self {
        Self {
            record,
            invocation,
            attempt,
            reading: None,
            prepared: None,
            chunk: None,
        }
    }

    /// Becomes a delivery to a route.
    pub(crate) fn read_by(&mut self, reading: Option<&Arc<Reading>>) {
        if self.reading.is_some() || reading.is_some() {
            self.reading = reading.cloned();
        }
    }

    #[cfg_attr(
        not(feature = "avro"),
        expect(dead_code, reason = "nothing is read by a schema")
    )]
    pub(crate) fn reading(&self) -> Option<&Reading> {
        self.reading.as_deref()
    }

    /// The schemas of the invocation's records.
    pub(crate) fn schemas(&self) -> &BatchSchemas {
        &self.invocation.schemas
    }

    /// Becomes a try of another record of the same batch.
    pub(crate) fn set(&mut self, record: &Record, attempt: u32) {
        self.record.set(record);
        self.attempt = attempt;
        self.prepared = None;
    }

    /// The record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The number of the attempt in this invocation, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The time at which Lambda ends the invocation.
    pub fn deadline(&self) -> Deadline {
        self.invocation.deadline
    }

    /// The invocation's request id, which all its log lines carry.
    pub fn request_id(&self) -> &str {
        &self.invocation.request_id
    }

    /// The key that identifies this record, the same in every delivery of it.
    pub fn idempotency_key(&self) -> IdempotencyKey {
        IdempotencyKey::in_invocation(&self.invocation, &self.record)
    }

    /// The producer's trace, from the headers `traceparent` and `tracestate`. Read anew by each call.
    ///
    /// *None: the record has no valid `traceparent`.*
    pub fn trace_parent(&self) -> Option<TraceParent> {
        TraceParent::of(&self.record)
    }

    /// The records of the call, for a layer around a batch handler; the [`record`](Self::record) is the first of them. *None: the handler takes one record.*
    pub fn chunk(&self) -> Option<&Chunk> {
        self.chunk.as_deref()
    }

    pub(crate) fn shared_chunk(&self) -> Option<&Arc<Chunk>> {
        self.chunk.as_ref()
    }

    /// Becomes a delivery of a whole chunk.
    pub(crate) fn set_chunk(&mut self, chunk: &Arc<Chunk>) {
        self.chunk = Some(Arc::clone(chunk));
    }

    pub(crate) fn prepare(&mut self, run: HandlerRun) {
        self.prepared = Some(Arc::new(Mutex::new(Some(run))));
    }

    /// *None: nothing was prepared, or another clone has taken it.*
    pub(crate) fn take_prepared(&self) -> Option<HandlerRun> {
        let slot = self.prepared.as_ref()?;
        slot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Deref for Delivery {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.record
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("record", &self.record)
            .field("attempt", &self.attempt)
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

/// A key that identifies one record, for the receiver of an effect. It is the same in every delivery of the record, also after a redrive.
///
/// Made of the consumer's namespace, the cluster, topic, partition, offset and timestamp. With [`PerRecord`](crate::idempotency::PerRecord) keys it is made of the key
/// that the record holds, so two records with one key have one idempotency key. Clusters whose events name neither an ARN nor a broker share keys unless `LAMBDA_MSK_CLUSTER`
/// names them: a warning is logged. As an HTTP header: `Idempotency-Key`.
///
/// With this key an effect happens once, if the receiver stores key and effect in one atomic step, keeps keys longer than the longest redelivery, and
/// the request depends only on the record.
///
/// # Example
///
/// ```
/// use lambda_msk::{Failure, IdempotencyKey};
///
/// async fn charge(key: IdempotencyKey) -> Result<(), Failure> {
///     let request = http::Request::post("http://127.0.0.1/charges").header("Idempotency-Key", key.as_str());
/// #   let _ = request;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct IdempotencyKey(Inner);

#[derive(Clone)]
enum Inner {
    /// By where the record stands. Its text is made when it is asked for: many handlers take a key, and few need it in each delivery.
    Place {
        invocation: Arc<Context>,
        record: Record,
    },
    Text(Arc<str>),
}

impl IdempotencyKey {
    /// By what the record holds, if that is how records are known here; of one that lacks it, by where it stands.
    pub(crate) fn in_invocation(invocation: &Arc<Context>, record: &Record) -> Self {
        match invocation.record_key(record) {
            Ok(Some(key)) => Self(Inner::Text(key)),
            Ok(None) | Err(_) if invocation.key_texts.hold(record) => Self(Inner::Place {
                invocation: Arc::clone(invocation),
                record: record.clone(),
            }),
            Ok(None) | Err(_) => Self::of(&invocation.namespace, &invocation.cluster, record),
        }
    }

    /// By where the record stands.
    pub(crate) fn of(namespace: &str, cluster: &str, record: &Record) -> Self {
        let mut text = String::new();
        write_key(&mut text, namespace, cluster, record);
        Self(Inner::Text(text.into()))
    }

    /// The key's text. The key keeps the event in memory as a [`Record`] does: keep the text where it is to outlive the handler.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Inner::Text(text) => text,
            Inner::Place { invocation, record } => {
                let Context {
                    namespace, cluster, ..
                } = &**invocation;
                let text = invocation.key_texts.text(namespace, cluster, record);
                text.expect("a key by place is one of the batch's")
            }
        }
    }
}

impl PartialEq for IdempotencyKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for IdempotencyKey {}

impl Hash for IdempotencyKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for IdempotencyKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for IdempotencyKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl AsRef<str> for IdempotencyKey {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdempotencyKey")
            .field(&self.as_str())
            .finish()
    }
}

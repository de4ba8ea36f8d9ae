//! Batch handlers: their settings, and the route that is made of them.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tower::{Layer, Service};

use crate::batches::{BatchArgs, BatchHandler, ChunkRoute, Collection, IntoOutcomes, collector};
use crate::chunk::Chunk;
use crate::delivery::{Delivery, HandlerRun};
use crate::extract::NotTaken;
use crate::failure::Failure;
use crate::handler::{HandlerCall, Route, Try, Wrap, wrap};
use crate::limits::{BATCH_BYTES_DEFAULT, BATCH_RECORDS_DEFAULT};
use crate::schemas::ReadingOptions;

/// Wraps a batch handler and gives it its settings, for [`Builder::route`](crate::builder::Builder::route).
///
/// # Example
///
/// ```
/// use lambda_msk::{Batch, Consumer, Failure, Json, batch};
/// use std::time::Duration;
///
/// async fn store(orders: Batch<Json<u64>>) -> Result<(), Failure> {
///     println!("{} orders", orders.len());
///     Ok(())
/// }
///
/// let consumer = Consumer::builder()
///     .route("orders", batch(store).records(200).timeout(Duration::from_secs(5)))
///     .build();
/// # consumer.unwrap();
/// ```
pub fn batch<H>(handler: H) -> BatchOptions<H> {
    BatchOptions {
        handler,
        layers: Vec::new(),
        attempts: None,
        reading: None,
        records: BATCH_RECORDS_DEFAULT,
        bytes: BATCH_BYTES_DEFAULT,
        is_across: false,
        bisects: true,
        timeout: None,
    }
}

/// A batch handler and its settings: made by [`batch`]. The builder's `route` checks its state.
#[derive(Clone)]
#[must_use = "give it to `Builder::route`"]
pub struct BatchOptions<H> {
    handler: H,
    layers: Vec<Arc<Wrap>>,
    attempts: Option<u32>,
    reading: Option<ReadingOptions>,
    records: usize,
    bytes: usize,
    is_across: bool,
    bisects: bool,
    timeout: Option<Duration>,
}

impl<H> BatchOptions<H> {
    /// Sets the maximum records of a call: from 1 to [`BATCH_RECORDS_MAX`](crate::limits::BATCH_RECORDS_MAX). Default: [`BATCH_RECORDS_DEFAULT`]. `build` checks it.
    pub fn records(mut self, records: usize) -> Self {
        self.records = records;
        self
    }

    /// Sets the maximum size of a call's keys and values together, in bytes. Default: [`BATCH_BYTES_DEFAULT`]. A single record that is larger is a chunk of its own.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Takes the next chunks of all lanes of the topic into one call: fewer and larger calls where the records of a batch are spread over many partitions or keys. By default a
    /// chunk is of one lane, and lanes run concurrently.
    ///
    /// There is one call at a time for the topic, and whatever one lane waits for, the others wait for too. Without an order each lane is one record: then a chunk needs this.
    pub fn across_partitions(mut self) -> Self {
        self.is_across = true;
        self
    }

    /// Sets whether a chunk that has failed as often as `attempts` says is halved until the culprit stands alone. Default: true. Without halving, all its records end alike: failed, or, after `Failure::reject`, at the destination.
    pub fn bisect(mut self, bisects: bool) -> Self {
        self.bisects = bisects;
        self
    }

    /// Sets the longest time of one call. A call that takes longer is dropped, which does not undo its effects, and fails with `handler.timed_out`. Default: half of the
    /// time that is left until the margin; without a deadline there is none.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the maximum attempts in one invocation, the first included: of a chunk as a whole, and of a record that was found to be the culprit, or that the handler has said is to be
    /// retried. From 1 to [`ATTEMPTS_MAX`](crate::limits::ATTEMPTS_MAX); `build` checks it.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Sets the reader's schema of Avro values: see [`each`](crate::handler::Options::reader_schema).
    #[cfg(feature = "avro")]
    pub fn reader_schema(mut self, text: impl Into<Arc<str>>) -> Self {
        self.reading.get_or_insert_default().value = Some(text.into());
        self
    }

    /// Sets the reader's schema of Avro keys: see [`each`](crate::handler::Options::reader_schema).
    #[cfg(feature = "avro")]
    pub fn key_reader_schema(mut self, text: impl Into<Arc<str>>) -> Self {
        self.reading.get_or_insert_default().key = Some(text.into());
        self
    }

    /// Sets whether [`Json`](crate::Json) values are checked against the JSON Schema that their frame names: see [`each`](crate::handler::Options::validate).
    #[cfg(feature = "json-schema")]
    pub fn validate(mut self, validate: bool) -> Self {
        self.reading.get_or_insert_default().validate = validate;
        self
    }

    /// Adds a layer around every call. A later layer is outside an earlier one, and [`Builder::layer`](crate::builder::Builder::layer) is outside all of these.
    ///
    /// The layer's [`Delivery`] is of the chunk's first record; [`Delivery::chunk`] has all of them. A layer's own error (`Elapsed`, `Overloaded`) is a failure of the call, and retried.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<HandlerCall> + Send + Sync + 'static,
        L::Service: Service<Delivery, Response = Result<(), Failure>, Error: Into<Failure>, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.layers.push(wrap(layer));
        self
    }
}

impl<H> fmt::Debug for BatchOptions<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchOptions")
            .field("records", &self.records)
            .field("bytes", &self.bytes)
            .field("across_partitions", &self.is_across)
            .field("attempts", &self.attempts)
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}

impl Route {
    /// A batch handler with its settings.
    pub(crate) fn of_batch<H, A, S>(options: BatchOptions<H>, state: Arc<S>) -> Self
    where
        H: BatchHandler<A, Future: Future<Output: IntoOutcomes> + Send + 'static>,
        A: BatchArgs<S> + Send + 'static,
        S: Send + Sync + 'static,
    {
        let chunks = Arc::new(ChunkRoute {
            collector: collector(options.handler, state),
            records: options.records,
            bytes: options.bytes,
            is_across: options.is_across,
            bisects: options.bisects,
            timeout: options.timeout,
            needs_one_partition: A::needs_one_partition(),
        });
        let again = Arc::clone(&chunks);
        let mut route = Self {
            extract: Arc::new(move |delivery: &Delivery| collected_again(&again, delivery)),
            layered: None,
            attempts: options.attempts,
            uses: A::schemas(),
            options: options.reading,
            reading: None,
            chunks: Some(chunks),
        };
        for layer in &options.layers {
            route.wrap(layer);
        }
        route
    }

    /// Takes the arguments of one more record of a chunk.
    pub(crate) fn collect(
        &self,
        delivery: &Delivery,
        items: &mut Collection,
    ) -> Result<(), NotTaken> {
        #[cfg(feature = "json-schema")]
        self.validate(delivery)?;
        items.take(delivery)
    }

    /// The run of a chunk, in the handler's layers; it does not start. `delivery`: of its first record.
    pub(crate) fn chunk_run(
        &self,
        chunk: &Arc<Chunk>,
        delivery: &Delivery,
        items: Collection,
    ) -> Result<Try, NotTaken> {
        let run = items.run(Arc::clone(chunk))?;
        let mut delivery = delivery.clone();
        delivery.set_chunk(chunk);
        Ok(self.in_layers(delivery, run))
    }
}

/// The run of a call that a layer repeats: the arguments of all its records are taken once more.
fn collected_again(chunks: &ChunkRoute, delivery: &Delivery) -> Result<HandlerRun, NotTaken> {
    let Some(chunk) = delivery.shared_chunk() else {
        // The engine begins no call of a batch handler without a chunk.
        return Err(NotTaken::Panicked("Batch"));
    };
    let mut items = Collection::of(chunks);
    let mut delivery = delivery.clone();
    let attempt = delivery.attempt();
    for record in chunk.records() {
        delivery.set(&record, attempt);
        items.take(&delivery)?;
    }
    items.run(Arc::clone(chunk))
}

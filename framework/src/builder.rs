//! Builds a consumer from handlers and settings, and reports all faults together. Called in `main` and in tests.

// What is wrong with a batch handler's settings.
mod batches;
mod destination;
// What is wrong with payloads by schemas.
mod payloads;
// How a fault names what was written.
mod place;
mod seen;
mod telemetry;
mod topics;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[cfg(feature = "lambda")]
use lambda_runtime::SnapStartResource;
use tower::{Layer, Service};

use crate::batches::{BatchArgs, BatchHandler, IntoOutcomes};
use crate::consumer::{Consumer, Inner, IntoConsumer};
use crate::delivery::Delivery;
use crate::error::{ConfigurationError, ConfigurationFault, Error};
use crate::failure::Failure;
use crate::flush::Flush;
use crate::handler::{Args, BatchOptions, Handler, HandlerCall, IntoOutcome, Route, Wrap, wrap};
use crate::idempotency::{
    BoxStore, Guarantee, Idempotency, IdempotencyStore, MemoryStore, PerRecord, Unframe,
    WhenStoreFails,
};
use crate::limits::{LEDGER_AGE_MS_MAX, MEMORY_LEDGER_AGE_MS};
use crate::log::Advice;
use crate::part::Part;
use crate::partition::check_topic_name;
use crate::process::{Keeping, Processor};
use crate::record::Spare;
use crate::response::FailureReporting;
use crate::schemas::Schemas;
use crate::settings::{Settings, Unread};

pub use self::topics::Topics;
pub use crate::lane::{NullKeys, ProcessingOrder};
pub use crate::process::{WhenExhausted, WhenUnhandled};

impl Consumer {
    /// Creates a builder without handlers, with all defaults.
    pub fn builder() -> Builder<()> {
        Builder {
            state: Arc::new(()),
            topics: Vec::new(),
            fallback: None,
            layers: Vec::new(),
            settings: Settings::default(),
            variables: BTreeMap::new(),
            reads_variables: false,
            faults: Vec::new(),
            flush: None,
            #[cfg(feature = "lambda")]
            snapstart: Vec::new(),
        }
    }
}

/// A builder of a consumer: see [`Consumer::builder`].
///
/// Set the state first, then the topics whose handlers use it, then settings. If [`from_env`](Self::from_env) is called, the environment takes precedence over code.
/// Otherwise a warning at the start names the variables that are set but were not read.
///
/// A second handler for a topic, or a second fallback, is a fault. A setting that is set twice takes the last value, and a warning at the start
/// names it.
#[must_use = "a builder does nothing until `.build()`, or until `run` takes it"]
pub struct Builder<S> {
    state: Arc<S>,
    topics: Vec<(String, Route)>,
    fallback: Option<Route>,
    layers: Vec<Arc<Wrap>>,
    settings: Settings,
    variables: BTreeMap<String, String>,
    /// Code has asked for them.
    reads_variables: bool,
    faults: Vec<ConfigurationFault>,
    flush: Option<Flush>,
    #[cfg(feature = "lambda")]
    snapstart: Vec<Arc<dyn SnapStartResource>>,
}

impl Builder<()> {
    /// Sets the state: handlers that are added after this call may take it, or a part of it, as [`State<T>`](crate::State).
    pub fn state<S: Send + Sync + 'static>(self, state: S) -> Builder<S> {
        Builder {
            state: Arc::new(state),
            topics: self.topics,
            fallback: self.fallback,
            layers: self.layers,
            settings: self.settings,
            variables: self.variables,
            reads_variables: self.reads_variables,
            faults: self.faults,
            flush: self.flush,
            #[cfg(feature = "lambda")]
            snapstart: self.snapstart,
        }
    }
}

impl<S: Send + Sync + 'static> Builder<S> {
    /// Adds a handler for one topic or several (`["orders", "returns"]`): an `async fn` of extractors. Settings for it alone:
    /// `.topic("orders", each(ship).attempts(5).layer(…))`.
    pub fn topic<H, A>(self, topics: impl Topics, handler: H) -> Self
    where
        H: Handler<A, Future: Future<Output: IntoOutcome> + Send + 'static>,
        A: Args<S> + Send + 'static,
    {
        let route = Route::new(handler, Arc::clone(&self.state));
        self.add(topics, &route)
    }

    /// Adds a batch handler for one topic or several: an `async fn` whose first argument is a [`Batch`](crate::Batch), with its settings. See the [`batches`](crate::batches) module.
    ///
    /// Layers of [`layer`](Self::layer) are around each call; their [`Delivery`] is of the chunk's first record.
    pub fn route<H, A>(self, topics: impl Topics, batch: BatchOptions<H>) -> Self
    where
        H: BatchHandler<A, Future: Future<Output: IntoOutcomes> + Send + 'static>,
        A: BatchArgs<S> + Send + 'static,
    {
        let route = Route::of_batch(batch, Arc::clone(&self.state));
        self.add(topics, &route)
    }

    fn add(mut self, topics: impl Topics, route: &Route) -> Self {
        let names = topics.names();
        if names.is_empty() {
            let reason = "expected a topic, found none: its handler would never be called";
            self.faults
                .push(ConfigurationFault::new(".topic(…)", reason));
        }
        let names = names.into_iter();
        self.topics.extend(names.map(|name| (name, route.clone())));
        self
    }

    /// Adds a handler for all topics that have none; settings for it alone are set by [`each`](crate::each). Without a fallback, [`when_unhandled`](Self::when_unhandled) decides about their records.
    pub fn fallback<H, A>(mut self, handler: H) -> Self
    where
        H: Handler<A, Future: Future<Output: IntoOutcome> + Send + 'static>,
        A: Args<S> + Send + 'static,
    {
        let route = Route::new(handler, Arc::clone(&self.state));
        if self.fallback.replace(route).is_some() {
            let reason =
                "expected one fallback, found two: only one can take the topics without a handler";
            self.faults
                .push(ConfigurationFault::new(".fallback(…)", reason));
        }
        self
    }

    /// Adds a layer around every attempt of every handler, also of handlers that are added later, and outside the layers of [`each`](crate::each): for traces, timers
    /// and time-outs. A later layer is outside an earlier one.
    ///
    /// Each topic's handler is wrapped separately: a `ConcurrencyLimitLayer` limits each handler, a `GlobalConcurrencyLimitLayer` all together. A
    /// layer's own error is a failure of the record, and retried. A record that is rejected before its handler does not reach the layers.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_msk::{Consumer, Record};
    /// use std::time::Duration;
    /// use tower::timeout::TimeoutLayer;
    ///
    /// async fn ship(_: Record) {}
    /// async fn restock(_: Record) {}
    ///
    /// let consumer = Consumer::builder()
    ///     .topic("orders", ship)
    ///     .topic("returns", restock)
    ///     .layer(TimeoutLayer::new(Duration::from_secs(2)))
    ///     .build();
    /// # consumer.unwrap();
    /// ```
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

    /// Sets where settled records are stored, so that they are not run twice (`LAMBDA_MSK_IDEMPOTENCY`): an [`Idempotency`], or a store.
    pub fn idempotency(mut self, idempotency: impl Into<Idempotency>) -> Self {
        self.settings.idempotency.by_code(idempotency.into());
        self
    }

    /// Identifies records by a key that they hold, instead of their offset: for producers that send duplicates.
    pub fn per_record(mut self, per_record: PerRecord) -> Self {
        self.settings.per_record.by_code(Some(Arc::new(per_record)));
        self
    }

    /// Sets the guarantee: how often a record's handler may start. [`Guarantee::AtMostOnce`] requires other settings: [`build`](Self::build) names each that is missing.
    pub fn guarantee(mut self, guarantee: Guarantee) -> Self {
        self.settings.guarantee.by_code(guarantee);
        self
    }

    /// Sets the time between two writes of a partition's progress while a batch runs (`LAMBDA_MSK_PROGRESS_MS`). Default: [`PROGRESS_MS`](crate::limits::PROGRESS_MS).
    ///
    /// After a kill, only records that were started since the last confirmed write may run again. Zero: a lane's next record starts once the record before is
    /// recorded, which costs one write per record.
    pub fn progress(mut self, each: Duration) -> Self {
        self.settings.progress.by_code(each);
        self
    }

    /// Sets what happens to records while the store fails (`LAMBDA_MSK_WHEN_STORE_FAILS`).
    pub fn when_store_fails(mut self, when_store_fails: WhenStoreFails) -> Self {
        self.settings.when_store_fails.by_code(when_store_fails);
        self
    }

    /// Sets how Lambda learns which records are not done (`LAMBDA_MSK_FAILURE_REPORTING`). Set it together with the mapping's setting, so that the two cannot differ.
    pub fn failure_reporting(mut self, reporting: FailureReporting) -> Self {
        self.settings.failure_reporting.by_code(reporting);
        self
    }

    /// Sets the processing order: which records wait for each other (`LAMBDA_MSK_ORDER`).
    pub fn order(mut self, order: ProcessingOrder) -> Self {
        self.settings.order.by_code(order);
        self
    }

    /// Sets whether records without a key wait for each other in key order (`LAMBDA_MSK_NULL_KEYS`). By default they do.
    pub fn null_keys(mut self, null_keys: NullKeys) -> Self {
        self.settings.null_keys.by_code(null_keys);
        self
    }

    /// Sets the maximum number of lanes that run concurrently (`LAMBDA_MSK_CONCURRENCY`). Default: [`CONCURRENCY_DEFAULT`](crate::limits::CONCURRENCY_DEFAULT).
    ///
    /// In partition order there are no more lanes than partitions in the batch. A lane that waits for its next attempt, for a lease or for another lane's claim does
    /// not count: [a thousand](crate::limits::LANES_WAITING_MAX) may wait in addition. All lanes of an invocation share one task: work that keeps a
    /// processor busy belongs in `tokio::task::spawn_blocking`.
    pub fn concurrency(mut self, lanes: usize) -> Self {
        self.settings.concurrency.by_code(lanes);
        self
    }

    /// Sets the maximum attempts for a record in one invocation, the first included (`LAMBDA_MSK_ATTEMPTS`). Default: [`ATTEMPTS_DEFAULT`](crate::limits::ATTEMPTS_DEFAULT). The
    /// mapping's `MaximumRetryAttempts` counts only retries.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts.by_code(attempts);
        self
    }

    /// Sets what happens to a record whose attempts are used up (`LAMBDA_MSK_WHEN_EXHAUSTED`).
    pub fn when_exhausted(mut self, when_exhausted: WhenExhausted) -> Self {
        self.settings.when_exhausted.by_code(when_exhausted);
        self
    }

    /// Sets what happens to a record whose topic has no handler (`LAMBDA_MSK_WHEN_UNHANDLED`).
    ///
    /// By default the record is rejected. But if no record of the batch has a handler, all are Failed: each of Lambda's mappings reads one topic, so
    /// this is a fault of the deployment, and the whole topic would end up at the destination.
    pub fn when_unhandled(mut self, when_unhandled: WhenUnhandled) -> Self {
        self.settings.when_unhandled.by_code(Some(when_unhandled));
        self
    }

    /// Sets the margin before Lambda's deadline (`LAMBDA_MSK_DEADLINE_MARGIN_MS`): at most a fifth of the invocation's time, and at least
    /// [`DEADLINE_MARGIN_MS_MIN`](crate::limits::DEADLINE_MARGIN_MS_MIN), which the response needs.
    ///
    /// No record starts if less time is left than the margin and the longest run so far. A handler that is still running at the margin is dropped, and its record is Failed:
    /// dropping it does not undo its effects, and does not stop tasks that it has spawned.
    pub fn deadline_margin(mut self, margin: Duration) -> Self {
        self.settings.deadline_margin.by_code(margin);
        self
    }

    /// Sets the consumer's name in idempotency keys (`LAMBDA_MSK_NAMESPACE`). Default: the function's name. A new name changes all keys.
    pub fn namespace(mut self, namespace: impl Into<Arc<str>>) -> Self {
        self.settings.namespace.by_code(Some(namespace.into()));
        self
    }

    /// Sets the cluster's name in idempotency keys (`LAMBDA_MSK_CLUSTER`). By default an Amazon MSK cluster is identified by its ARN, a self-managed cluster by its
    /// brokers.
    ///
    /// Set a name if the cluster has several ARNs: over a connection from another account (`vpc-connection`) its ARN differs. A function
    /// that reads two clusters must not set one: both would share the name, and their records would be mistaken for each other. A new name changes all keys.
    pub fn cluster(mut self, cluster: impl Into<Arc<str>>) -> Self {
        self.settings.cluster.by_code(Some(cluster.into()));
        self
    }

    /// Sets where schemas of typed payloads are had, and how payloads are framed (`LAMBDA_MSK_SCHEMA_REGISTRY`, `_AUTH`, `LAMBDA_MSK_SCHEMA_FRAMING`, `LAMBDA_MSK_SCHEMA_FORMAT`). Default: no
    /// registry.
    pub fn schemas(mut self, schemas: Schemas) -> Self {
        self.settings.schemas_by_code(schemas);
        self
    }

    /// Adds faults in the function's own configuration, to be reported together with the consumer's: [`build`](Self::build) fails if there are any.
    pub fn faults(mut self, faults: impl IntoIterator<Item = ConfigurationFault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Adds hooks around SnapStart's snapshot, foundations first: see [`lambda_runtime::SnapStartResource`].
    ///
    /// [`run`](crate::run) registers them. A `lambda_runtime` service of your own registers them itself.
    #[cfg(feature = "lambda")]
    pub fn snapstart_resource(mut self, resource: Arc<dyn SnapStartResource>) -> Self {
        self.snapstart.push(resource);
        self
    }

    /// Reads the environment's `LAMBDA_MSK_…` variables. They take precedence over code, wherever in the chain this call stands.
    pub fn from_env(self) -> Self {
        // A value that is not UTF-8 is no value of ours; it is shown with U+FFFD in the fault that it makes.
        self.from_vars(std::env::vars_os().map(|(name, value)| {
            let name = name.to_string_lossy().into_owned();
            (name, value.to_string_lossy().into_owned())
        }))
    }

    /// Reads the given variables instead of the environment's, for tests: see [`from_env`](Self::from_env).
    pub fn from_vars<N: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.reads_variables = true;
        let variables = variables.into_iter();
        self.variables
            .extend(variables.map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Checks the configuration and builds the consumer.
    ///
    /// # Errors
    ///
    /// All faults together: of handlers, of settings in code, of variables. Give the result, or the builder, to [`run`](crate::run) unchanged, and Lambda
    /// shows the faults as an init error.
    pub fn build(self) -> Result<Consumer, Error> {
        let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        self.build_beside(names)
    }

    /// [`build`](Self::build) in an environment whose variables have these names.
    pub(crate) fn build_beside(
        self,
        names: impl Iterator<Item = String>,
    ) -> Result<Consumer, Error> {
        let names = self.names(names);
        let unread = match self.reads_variables {
            true => Unread::default(),
            false => Unread::among(names.iter().cloned()),
        };
        let mut faults = self.faults;
        let mut settings = self.settings;
        settings.check(&mut faults);
        settings.default_metrics(names.iter().map(String::as_str));
        let mut fallback = self.fallback;
        let mut topics = check_topics(self.topics, fallback.as_ref(), &mut faults);
        let unknown_variables = settings.read(&self.variables, &mut faults);
        settings.check_destination(topics.keys().map(String::as_str), &mut faults);
        let routes = topics.values().chain(&fallback);
        settings.check_guarantee(routes.filter_map(|route| route.attempts), &mut faults);
        batches::refuse_at_most_once(topics.iter(), settings.guarantee.value, &mut faults);
        let typed = settings.typed(&mut faults);
        payloads::read_by_schemas(&typed, topics.iter_mut(), &mut fallback, &mut faults);
        if !typed.is_refused {
            let routes = topics.iter().map(|(name, route)| (Some(&**name), route));
            let routes = routes.chain(fallback.iter().map(|route| (None, route)));
            payloads::check_json_keys(
                settings.per_record.value.as_deref(),
                &typed,
                routes,
                &mut faults,
            );
        }
        if !faults.is_empty() {
            for fault in &mut faults {
                fault.reason = unread.amend(&fault.reason);
            }
            return Err(ConfigurationError::new(faults).into());
        }
        for layer in &self.layers {
            let routes = topics.values_mut().chain(&mut fallback);
            routes.for_each(|route| route.wrap(layer));
        }
        let typed = Arc::new(typed);
        if let Some(per_record) = &mut settings.per_record.value {
            let typed = Arc::clone(&typed);
            let unframe =
                Unframe::new(move |record, value| typed.unframed(record, Part::Value, value, None));
            *per_record = Arc::new(PerRecord::clone(per_record).unframed_by(unframe));
        }
        let keys = settings.per_record.value.clone();
        let reads_schemas = topics
            .values()
            .chain(&fallback)
            .any(|route| !route.uses().is_none());
        let processor = Processor {
            topics,
            fallback,
            destination: settings.destination(),
            keeping: keeping(&settings),
            reports_partially: settings.failure_reporting.value == FailureReporting::Partial,
            sound_topics: Mutex::default(),
            order: settings.order.value,
            null_keys: settings.null_keys.value,
            concurrency: settings.concurrency.value,
            attempts: settings.attempts.value,
            when_exhausted: settings.when_exhausted.value,
            when_unhandled: settings.when_unhandled.value,
            schemas: typed.cache.clone().filter(|_| reads_schemas),
            #[cfg(feature = "otel")]
            traces: settings.traces(),
        };
        Ok(Consumer::new(Inner {
            processor,
            emitter: settings.emitter(&self.variables),
            settings,
            unknown_variables,
            flush: self.flush,
            #[cfg(feature = "lambda")]
            snapstart: self.snapstart,
            advice: Advice::new(unread),
            keys,
            typed,
            spare: Spare::default(),
        }))
    }
}

impl<S: Send + Sync + 'static> IntoConsumer for Builder<S> {
    fn into_consumer(self) -> Result<Consumer, Error> {
        self.build()
    }
}

/// *None: nothing is kept.*
fn keeping(settings: &Settings) -> Option<Keeping> {
    let store = match &settings.idempotency.value {
        Idempotency::Memory => BoxStore::new(MemoryStore::new()),
        Idempotency::Store(store) => store.clone(),
        Idempotency::None => return None,
    };
    let age_ms = match store.is_durable() {
        true => LEDGER_AGE_MS_MAX,
        false => MEMORY_LEDGER_AGE_MS,
    };
    Some(Keeping {
        store,
        progress: settings.progress.value,
        age: Duration::from_millis(age_ms),
        when_store_fails: settings.when_store_fails.value,
        per_record: settings.per_record.value.clone(),
        guarantee: settings.guarantee.value,
    })
}

fn check_topics(
    given: Vec<(String, Route)>,
    fallback: Option<&Route>,
    faults: &mut Vec<ConfigurationFault>,
) -> HashMap<String, Route> {
    if given.is_empty() && fallback.is_none() {
        let reason = "expected a handler, found none: add one with `.topic(\"orders\", handler)`";
        faults.push(ConfigurationFault::new("Consumer::builder()", reason));
    }
    if let Some(route) = fallback {
        batches::check_attempts(None, route, faults);
    }
    let mut topics = HashMap::with_capacity(given.len());
    for (name, route) in given {
        let place = place::of(Some(&name), &route);
        if let Err(reason) = check_topic_name(&name) {
            faults.push(ConfigurationFault::new(place.as_str(), reason));
        }
        batches::check_attempts(Some(&name), &route, faults);
        batches::check(&route, &name, faults);
        if topics.insert(name, route).is_some() {
            faults.push(ConfigurationFault::new(
                place.as_str(),
                "the topic already has a handler; a topic takes one",
            ));
        }
    }
    topics
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

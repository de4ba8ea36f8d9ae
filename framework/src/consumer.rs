//! The consumer, which processes one event per call. Made by `builder`, called by `lambda`, `testing`, and services that embed a consumer.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "lambda")]
use lambda_runtime::SnapStartResource;
use tokio::time::Instant;

use crate::context::Context;
use crate::current;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::event;
use crate::failure::BoxError;
use crate::flush::Flush;
use crate::idempotency::{Cluster, PerRecord, cluster_of};
use crate::invocation::{Content, Invocation, Until};
use crate::invoked::Invoked;
use crate::key_texts::KeyTexts;
use crate::log::{self, Advice};
use crate::meter::Meter;
use crate::metrics::Emitter;
use crate::process::Processor;
use crate::record::Spare;
use crate::report::RecordReport;
use crate::response::BatchResponse;
use crate::schemas::{BatchSchemas, Typed};
use crate::settings::Settings;
#[cfg(feature = "otel")]
use crate::traces::{InvocationSpan, TracedRecords, without_spans};

/// The answer, and how each record ended.
type Ended = (Result<BatchResponse, Error>, Vec<RecordReport>);

/// Keys of a consumer that no name was given to, outside Lambda.
const NAMESPACE_UNNAMED: &str = "lambda-msk";

/// A consumer: the handlers of a function with their settings. Cheap to clone; no type parameters.
///
/// # Example
///
/// ```
/// use lambda_msk::{Consumer, Failure, Json, State};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Order { order_id: u64 }
///
/// #[derive(Clone)]
/// struct Fulfilment;
///
/// async fn ship(Json(order): Json<Order>, State(_): State<Fulfilment>) -> Result<(), Failure> {
///     if order.order_id == 0 {
///         return Err(Failure::reject("no such order").code("order.unknown"));
///     }
///     Ok(())
/// }
///
/// let consumer = Consumer::builder()
///     .state(Fulfilment)
///     .topic("orders", ship)
///     .from_env()
///     .build()?;
/// # Ok::<(), lambda_msk::Error>(())
/// ```
#[derive(Clone)]
pub struct Consumer {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) processor: Processor,
    pub(crate) settings: Settings,
    pub(crate) unknown_variables: Vec<String>,
    /// *None: there is no hook before the answer.*
    pub(crate) flush: Option<Flush>,
    #[cfg(feature = "lambda")]
    pub(crate) snapstart: Vec<Arc<dyn SnapStartResource>>,
    pub(crate) advice: Advice,
    /// *None: records are known by where they stand.*
    pub(crate) keys: Option<Arc<PerRecord>>,
    /// How typed payloads are read.
    pub(crate) typed: Arc<Typed>,
    pub(crate) spare: Spare,
    /// *None: nothing is measured.*
    pub(crate) emitter: Option<Emitter>,
}

impl Consumer {
    pub(crate) fn new(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Processes one event and returns the response. [`run`](crate::run) and the test kit call it too.
    ///
    /// Call it to embed a consumer in a service of your own: with your own layers, next to other event sources, or outside Lambda. Invocations may
    /// overlap. If the future is dropped, its handlers stop where they are, as if the process were killed: Lambda gets no response and redelivers the batch,
    /// and with a durable store its records wait for lease expiry.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_msk::{BatchResponse, Consumer, Error, Failure, FailureReporting, Invocation, Json, Outcome};
    ///
    /// async fn ship(Json(order): Json<u64>) -> Result<(), Failure> {
    ///     if order == 0 { Err(Failure::retry("inventory is down")) } else { Ok(()) }
    /// }
    ///
    /// /// What a service of your own does with an event of Kafka.
    /// async fn kafka(consumer: &Consumer, body: Vec<u8>, request_id: &str, deadline_ms: u64) -> Result<BatchResponse, Error> {
    ///     let invocation = Invocation::new(body).request_id(request_id).deadline_ms(deadline_ms).function_name("orders");
    ///     let invoked = consumer.invoke(invocation).await;
    ///     let skipped = invoked.records().iter().filter(|record| record.outcome == Outcome::Skipped).count();
    ///     println!("{skipped} of {} records were done before, in {:?}", invoked.records().len(), invoked.elapsed());
    ///     invoked.into_response()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Error> {
    /// let consumer = Consumer::builder().topic("orders", ship).failure_reporting(FailureReporting::Partial).build()?;
    /// consumer.log_start();
    /// let body = r#"{"eventSource":"aws:kafka","records":{"orders-0":[
    ///     {"topic":"orders","partition":0,"offset":15,"value":"Nw=="},
    ///     {"topic":"orders","partition":0,"offset":16,"value":"MA=="}]}}"#;
    /// let response = kafka(&consumer, body.into(), "8476a536", 0).await?;
    /// assert_eq!(response.batch_item_failures[0].item_identifier.offset, 16);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "return the response to Lambda: without a response it redelivers the batch"]
    pub async fn invoke(&self, invocation: Invocation) -> Invoked {
        let started = Instant::now();
        let flushing = self.inner.flush.as_ref().map(|flush| {
            let (deadline, _) = self.inner.deadline(&invocation);
            Box::new((flush, deadline, invocation.request_id.clone()))
        });
        let request = current::request(&invocation.request_id);
        let (response, records) =
            current::of_request(request.clone(), self.traced(invocation)).await;
        if let Some(flushing) = flushing {
            let (flush, deadline, request_id) = *flushing;
            let end = deadline.flush_end(self.inner.settings.deadline_margin.value);
            // On the heap: few have a hook.
            let flush = Box::pin(flush.run(&request_id, end));
            current::of_request(request, flush).await;
        }
        Invoked {
            response,
            records,
            elapsed: started.elapsed(),
        }
    }

    /// On the heap, as with spans: whoever invokes holds it in a future of its own.
    #[cfg(not(feature = "otel"))]
    async fn traced(&self, invocation: Invocation) -> Ended {
        Box::pin(self.handle(invocation)).await
    }

    /// Handles it in its span.
    #[cfg(feature = "otel")]
    async fn traced(&self, invocation: Invocation) -> Ended {
        use opentelemetry::trace::FutureExt;

        let is_off = self.inner.settings.traces().records == TracedRecords::None;
        let span = (!is_off).then(|| InvocationSpan::start(&invocation));
        // On the heap: the context stands around it.
        let handling = Box::pin(self.handle(invocation));
        let span = match span {
            Some(Some(span)) => span,
            Some(None) => return handling.await,
            // Else each span of a handler would begin a trace of its own: more than with any other choice.
            None => {
                return match without_spans() {
                    Some(context) => handling.with_context(context).await,
                    None => handling.await,
                };
            }
        };
        let (response, records) = handling.with_context(span.context()).await;
        span.end(&records, response.as_ref().err().map(Error::code));
        (response, records)
    }

    /// An event that cannot be read has no records.
    async fn handle(&self, invocation: Invocation) -> Ended {
        let inner = &*self.inner;
        let request_id = invocation.request_id.clone();
        let batch = match &invocation.content {
            Content::Batch(batch) => Arc::clone(batch),
            Content::Event(event) => match event::decode(event.clone(), &inner.spare) {
                Ok(batch) => Arc::new(batch),
                Err(error) => {
                    let error = Error::from(error);
                    log::refused(&request_id, event.len(), &error);
                    return (Err(error), Vec::new());
                }
            },
        };
        inner.advice.disorder(&request_id, &batch);
        let settings = &inner.settings;
        let cluster = cluster_of(&batch.source, settings.cluster.value.as_deref());
        if settings.cluster.value.is_some() && !batch.records.is_empty() {
            inner.advice.named_cluster(&batch.source);
        }
        let key_texts = KeyTexts::of(batch.records.len());
        let mut context = inner.context(invocation, &cluster, key_texts);
        let emitter = inner.emitter.as_ref();
        context.meter = emitter.map(|emitter| Arc::new(Meter::of(&batch, emitter.form.by)));
        let context = Arc::new(context);
        let keeping = inner.processor.keeping.as_ref();
        match &cluster {
            _ if batch.records.is_empty() => {}
            Cluster::Named(_) => {}
            Cluster::ByBrokers(brokers) => inner.advice.cluster_by_brokers(brokers),
            Cluster::Unnamed => inner.advice.cluster_unnamed(keeping),
        }
        let report = inner.processor.process(&batch, &context).await;
        if let (Some(emitter), Some(meter)) = (emitter, &context.meter) {
            emitter.write(meter, &report, &context);
        }
        let reporting = settings.failure_reporting.value;
        let which = settings.log_records.value;
        inner
            .advice
            .ended(&request_id, &report, reporting, keeping, which);
        let response = BatchResponse::of(&report, reporting).map_err(Error::from);
        (response, report.records)
    }

    /// Fetches the schemas that [`Schemas::warm`](crate::schemas::Schemas::warm) names, and logs a warning for each that cannot be had. [`run`](crate::run) calls it; if you embed a consumer,
    /// call it once, before the first event. Takes at most [`SCHEMA_FETCH_MS_MAX`](crate::limits::SCHEMA_FETCH_MS_MAX).
    pub async fn warm(&self) {
        for (id, why) in self.inner.typed.fetch_warm().await {
            log::not_warm(id, &why);
        }
    }

    /// Logs the whole configuration in effect, and warns of its dangers. [`run`](crate::run) calls it; if you embed a
    /// consumer, call it once, before the first event.
    pub fn log_start(&self) {
        let Inner {
            processor,
            settings,
            unknown_variables,
            advice,
            ..
        } = &*self.inner;
        let mut topics: Vec<&str> = processor.topics.keys().map(String::as_str).collect();
        topics.sort_unstable();
        if processor.fallback.is_some() {
            topics.push("(fallback)");
        }
        log::started(settings, &topics.join(", "), unknown_variables, advice);
    }

    #[cfg(feature = "lambda")]
    pub(crate) fn snapstart(&self) -> &[Arc<dyn SnapStartResource>] {
        &self.inner.snapstart
    }
}

impl Inner {
    /// And what was said of it, in milliseconds since 1970.
    fn deadline(&self, invocation: &Invocation) -> (Deadline, u64) {
        let margin = self.settings.deadline_margin.value;
        match invocation.until {
            Until::EpochMs(said_ms) => {
                let wall = invocation.clock.now();
                (Deadline::from_epoch_ms(said_ms, wall, margin), said_ms)
            }
            Until::At(end) => (Deadline::at(end, margin), 0),
        }
    }

    fn context(&self, invocation: Invocation, cluster: &Cluster, key_texts: KeyTexts) -> Context {
        let (deadline, said_ms) = self.deadline(&invocation);
        if deadline.instant().is_none() {
            self.advice
                .deadline_unknown(&invocation.request_id, said_ms);
        }
        let named = self.settings.namespace.value.clone();
        let namespace = named.unwrap_or_else(|| match invocation.function_name.as_str() {
            "" => {
                let keeping = self.processor.keeping.as_ref();
                self.advice.namespace_unnamed(NAMESPACE_UNNAMED, keeping);
                NAMESPACE_UNNAMED.into()
            }
            name => name.into(),
        });
        Context {
            request_id: invocation.request_id,
            function_arn: invocation.function_arn,
            deadline,
            clock: invocation.clock,
            namespace,
            cluster: cluster.identity(),
            keys: self.keys.clone(),
            key_texts,
            schemas: BatchSchemas::new(&self.typed),
            meter: None,
        }
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("processor", &self.inner.processor)
            .finish_non_exhaustive()
    }
}

/// A [`Consumer`], its [`Builder`](crate::builder::Builder), or a `Result` of one: Lambda shows a fault as an init error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "expected a `Consumer`, its builder, or a `Result` of one",
    note = "make a consumer from a handler: `Consumer::builder().topic(\"orders\", handler)`"
)]
pub trait IntoConsumer {
    /// Converts the value into a consumer.
    ///
    /// # Errors
    ///
    /// The faults in the configuration, or the error of the code that made it.
    fn into_consumer(self) -> Result<Consumer, Error>;
}

impl IntoConsumer for Consumer {
    fn into_consumer(self) -> Result<Consumer, Error> {
        Ok(self)
    }
}

impl<E: Into<BoxError>> IntoConsumer for Result<Consumer, E> {
    fn into_consumer(self) -> Result<Consumer, Error> {
        self.map_err(|error| match error.into().downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::Init(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Consumer, IntoConsumer};
    use crate::delivery::IdempotencyKey;
    use crate::error::{ConfigurationFault, Error};
    use crate::failure::BoxError;
    use crate::invocation::Invocation;
    use crate::testing::{Event, Sample};

    fn faulty() -> Error {
        let fault = ConfigurationFault::new("FULFILMENT_URL", "is no URL");
        Consumer::builder().faults([fault]).build().unwrap_err()
    }

    #[test]
    fn an_error_of_the_builder_stays_what_it_is_also_in_a_box() {
        let plain: Result<Consumer, Error> = Err(faulty());
        let boxed: Result<Consumer, BoxError> = Err(faulty().into());

        for error in [
            plain.into_consumer().unwrap_err(),
            boxed.into_consumer().unwrap_err(),
        ] {
            assert_eq!(error.code(), "configuration.invalid");
        }
    }

    #[test]
    fn any_other_error_is_one_of_the_start_and_keeps_its_cause() {
        let other: Result<Consumer, &str> = Err("no such secret");

        let error = other.into_consumer().unwrap_err();

        assert_eq!(error.code(), "init.failed");
        assert_eq!(
            format!("{error:?}"),
            "the function could not start: no such secret (init.failed)"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn keys_of_a_consumer_without_any_name_begin_with_the_frameworks() {
        let consumer = Consumer::builder()
            .topic("orders", async |key: IdempotencyKey| {
                assert!(key.as_str().starts_with("lambda-msk/"), "{key}");
            })
            .attempts(1)
            .build()
            .unwrap();
        let event = Event::msk().record(Sample::new("orders", 0)).to_json();

        let invoked = consumer.invoke(Invocation::new(event)).await;

        let response = invoked.response();
        assert!(response.is_ok(), "{response:?}");
    }
}

//! The consumer: what one event is given to. Made by `builder`, called by `lambda` and `testing`.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use lambda_runtime::SnapStartResource;

use crate::error::Error;
use crate::event;
use crate::failure::BoxError;
use crate::idempotency::{Cluster, cluster_of};
use crate::invocation::{Clock, Deadline, Invocation, RecordKeys};
use crate::log::{self, Advice};
use crate::process::Processor;
use crate::report::Report;
use crate::response::BatchResponse;
use crate::settings::Settings;

/// Keys of a consumer that no name was given to, outside Lambda.
const NAMESPACE_UNNAMED: &str = "lambda-msk";

/// The handlers of a function and all that they run with. Cheap to clone; no type parameters.
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
    pub(crate) snapstart: Vec<Arc<dyn SnapStartResource>>,
    pub(crate) advice: Advice,
    /// *None: records are known by where they stand.*
    pub(crate) keys: Option<Arc<dyn RecordKeys>>,
}

/// One event as it comes, and what Lambda says with it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) body: Bytes,
    pub(crate) request_id: String,
    pub(crate) function_arn: String,
    /// Outside Lambda there may be none: empty.
    pub(crate) function_name: String,
    /// Milliseconds since 1970; 0 where there is none.
    pub(crate) deadline_ms: u64,
    pub(crate) clock: Clock,
}

impl Consumer {
    pub(crate) fn new(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Runs one event to its answer. The report says how each record ended; an event that cannot be read has none.
    pub(crate) async fn handle(
        &self,
        incoming: Incoming,
    ) -> (Result<BatchResponse, Error>, Option<Report>) {
        let inner = &*self.inner;
        let request_id = incoming.request_id.clone();
        let bytes = incoming.body.len();
        let batch = match event::decode(incoming.body.clone()) {
            Ok(batch) => Arc::new(batch),
            Err(error) => {
                let error = Error::from(error);
                log::refused(&request_id, bytes, &error);
                return (Err(error), None);
            }
        };
        inner.advice.disorder(&request_id, &batch);
        let settings = &inner.settings;
        let cluster = cluster_of(&batch.source, settings.cluster.value.as_deref());
        if settings.cluster.value.is_some() && !batch.records.is_empty() {
            inner.advice.named_cluster(&batch.source);
        }
        let invocation = Arc::new(inner.invocation(incoming, &cluster));
        let keeping = inner.processor.keeping.as_ref();
        match &cluster {
            _ if batch.records.is_empty() => {}
            Cluster::Named(_) => {}
            Cluster::ByBrokers(brokers) => inner.advice.cluster_by_brokers(brokers),
            Cluster::Unnamed => inner.advice.cluster_unnamed(keeping),
        }
        let report = inner.processor.process(&batch, &invocation).await;
        let reporting = settings.failure_reporting.value;
        inner.advice.ended(&request_id, &report, reporting, keeping);
        let response = BatchResponse::of(&report, reporting).map_err(Error::from);
        (response, Some(report))
    }

    /// Logs the whole configuration in effect.
    pub(crate) fn log_start(&self) {
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

    pub(crate) fn snapstart(&self) -> &[Arc<dyn SnapStartResource>] {
        &self.inner.snapstart
    }
}

impl Inner {
    fn invocation(&self, incoming: Incoming, cluster: &Cluster) -> Invocation {
        let wall = incoming.clock.now();
        let margin = self.settings.deadline_margin.value;
        let deadline = Deadline::from_epoch_ms(incoming.deadline_ms, wall, margin);
        if deadline.instant().is_none() {
            self.advice
                .deadline_unknown(&incoming.request_id, incoming.deadline_ms);
        }
        let named = self.settings.namespace.value.clone();
        let namespace = named.unwrap_or_else(|| match incoming.function_name.as_str() {
            "" => NAMESPACE_UNNAMED.into(),
            name => name.into(),
        });
        Invocation {
            request_id: incoming.request_id,
            function_arn: incoming.function_arn,
            deadline,
            clock: incoming.clock,
            namespace,
            cluster: cluster.identity(),
            keys: self.keys.clone(),
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

/// A [`Consumer`], or the outcome of making one: then a fault reaches Lambda as an init error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no consumer",
    label = "not a `Consumer` or a `Result` of one",
    note = "end the builder with `.build()`"
)]
pub trait IntoConsumer {
    /// The consumer.
    ///
    /// # Errors
    ///
    /// What kept it from being made.
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
    use bytes::Bytes;

    use super::{Consumer, Incoming, IntoConsumer};
    use crate::delivery::IdempotencyKey;
    use crate::error::{ConfigurationFault, Error};
    use crate::failure::BoxError;
    use crate::invocation::Clock;
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
        let incoming = Incoming {
            body: Bytes::from(event),
            request_id: String::new(),
            function_arn: String::new(),
            function_name: String::new(),
            deadline_ms: 0,
            clock: Clock::System,
        };

        let (response, _) = consumer.handle(incoming).await;

        assert!(response.is_ok(), "{response:?}");
    }
}

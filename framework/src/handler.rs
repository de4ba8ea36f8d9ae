//! Turns an `async fn` of extractors into one type-erased route. Generic at the consumer's builder, boxed from here on.

// Batch handlers.
mod many;

use std::any::type_name;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};

use crate::batches::ChunkRoute;
use crate::caught::{Caught, caught};
use crate::delivery::{Delivery, HandlerRun};
#[cfg(feature = "json-schema")]
use crate::extract::validate;
use crate::extract::{FromRecord, NotTaken};
use crate::failure::{Failure, Rejection, cut};
use crate::schemas::{Reading, ReadingOptions, SchemaUse, Typed};

pub use self::many::{BatchOptions, batch};

/// A type that a handler may return: `()`, or `Result<(), E>` for any `E` that converts into a [`Failure`].
#[diagnostic::on_unimplemented(
    message = "a record handler cannot return `{Self}`",
    label = "not a result that a handler can return",
    note = "return `()`, `Result<(), Failure>`, or `Result<(), E>` where `E` is an error (`anyhow::Error`, `Box<dyn Error + Send + Sync>`, …)",
    note = "a record handler returns no value: drop it with `.map(drop)` or `Ok(())`"
)]
pub trait IntoOutcome {
    /// Converts the returned value. Ok: the record is Done.
    ///
    /// # Errors
    ///
    /// The handler's failure.
    fn into_outcome(self) -> Result<(), Failure>;
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl IntoOutcome for Infallible {
    fn into_outcome(self) -> Result<(), Failure> {
        match self {}
    }
}

impl<E: Into<Failure>> IntoOutcome for Result<(), E> {
    fn into_outcome(self) -> Result<(), Failure> {
        self.map_err(Into::into)
    }
}

/// An `async fn` of extractors, or a closure that returns a future; [`each`] adds settings to one. Implemented for functions of up to
/// eight arguments; do not implement it by hand.
///
/// A panic in a handler is a failure of its record, and retried; so is a panic in an extractor, whose text is left out. A future that panics while it is dropped at the deadline's
/// margin has no further effect. A second panic while the first one unwinds (in a destructor) cannot be caught: Rust ends the process, and the batch is redelivered.
///
/// A handler must not block its thread: blocking calls and long computations belong in `tokio::task::spawn_blocking`, since all records of an invocation share one task. A handler that blocks
/// for longer than [`HANDLER_POLL_MS_MAX`](crate::limits::HANDLER_POLL_MS_MAX) is named in a warning.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not an async fn of extractors",
    note = "a handler is an `async fn`, or a closure that returns a future, of up to 8 arguments",
    note = "to set attempts or layers for one handler, wrap it: `each(handler).attempts(5)`",
    note = "an `async` closure that borrows its captures is not a handler: write `move |a| {{ let x = x.clone(); async move {{ … }} }}`"
)]
pub trait Handler<Args>: Clone + Send + Sync + 'static {
    /// The future that a call returns.
    type Future: Future;

    /// Calls the handler.
    fn call(&self, args: Args) -> Self::Future;

    /// The handler's layers, the innermost first.
    #[doc(hidden)]
    fn layers(&self) -> &[Arc<Wrap>] {
        &[]
    }

    /// Maximum attempts for a record in one invocation. *None: the consumer's.*
    #[doc(hidden)]
    fn attempts(&self) -> Option<u32> {
        None
    }

    /// How payloads are read by their schemas. *None: as their writers' schemas say.*
    #[doc(hidden)]
    fn reading(&self) -> Option<&ReadingOptions> {
        None
    }
}

/// The arguments of a handler: a tuple of extractors. A separate trait, so that rustc's list of extractors contains no tuples.
#[doc(hidden)]
pub trait Args<S>: Sized {
    /// Extracts each argument in turn. `taken` is the type of the argument being extracted: after a panic, it names the extractor that panicked.
    ///
    /// # Errors
    ///
    /// The first argument that cannot be extracted.
    fn extract(delivery: &Delivery, state: &S, taken: &mut &'static str)
    -> Result<Self, Rejection>;

    /// What of a record its extractors read by a schema.
    fn schemas() -> SchemaUse;
}

macro_rules! handlers {
    ($($($arg:ident)*;)*) => {$(
        #[allow(non_snake_case)]
        impl<F, Fut, $($arg,)*> Handler<($($arg,)*)> for F
        where
            F: Fn($($arg,)*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future,
        {
            type Future = Fut;

            fn call(&self, ($($arg,)*): ($($arg,)*)) -> Fut {
                self($($arg,)*)
            }
        }

        #[allow(unused_variables)]
        impl<S, $($arg: FromRecord<S>,)*> Args<S> for ($($arg,)*) {
            fn extract(
                delivery: &Delivery,
                state: &S,
                taken: &mut &'static str,
            ) -> Result<Self, Rejection> {
                Ok(($({
                    *taken = type_name::<$arg>();
                    $arg::from_record(delivery, state).map_err(Into::into)?
                },)*))
            }

            fn schemas() -> SchemaUse {
                SchemaUse::NONE$(.and($arg::schemas()))*
            }
        }
    )*};
}

handlers! { ; A; A B; A B C; A B C D; A B C D E; A B C D E G; A B C D E G H; A B C D E G H I; }

/// One topic's handler with erased types: the service that a [`tower::Layer`] wraps. One call is one attempt.
pub type HandlerCall = BoxCloneSyncService<Delivery, Result<(), Failure>, Infallible>;

type Extract = dyn Fn(&Delivery) -> Result<HandlerRun, NotTaken> + Send + Sync;

/// One try of a record that has not started: its first poll starts it. A panic of the handler is told, one of a `drop` costs nothing.
pub(crate) type Try = Caught<HandlerRun>;

/// A handler in its layers, types erased, with its own settings.
#[derive(Clone)]
pub(crate) struct Route {
    extract: Arc<Extract>,
    /// *None: there are no layers, and the run is what extraction made.*
    layered: Option<Arc<HandlerCall>>,
    /// *None: the consumer's.*
    pub(crate) attempts: Option<u32>,
    /// What of a record the handler's extractors read by a schema.
    uses: SchemaUse,
    /// As the handler's options have it, until the consumer is built.
    options: Option<ReadingOptions>,
    /// *None: as the writers' schemas say.*
    reading: Option<Arc<Reading>>,
    /// *Some: its handler takes many records in one call.*
    pub(crate) chunks: Option<Arc<ChunkRoute>>,
}

impl Route {
    /// A handler with its settings.
    pub(crate) fn new<H, A, S>(handler: H, state: Arc<S>) -> Self
    where
        H: Handler<A, Future: Future<Output: IntoOutcome> + Send + 'static>,
        A: Args<S> + Send + 'static,
        S: Send + Sync + 'static,
    {
        let (layers, attempts) = (handler.layers().to_vec(), handler.attempts());
        let options = handler.reading().cloned();
        let mut route = Self {
            uses: A::schemas(),
            options,
            reading: None,
            extract: erase(handler, state),
            layered: None,
            attempts,
            chunks: None,
        };
        for layer in &layers {
            route.wrap(layer);
        }
        route
    }

    /// Puts one more layer around it, outside its own.
    pub(crate) fn wrap(&mut self, layer: &Arc<Wrap>) {
        let inner = match &self.layered {
            Some(layered) => HandlerCall::clone(layered),
            None => HandlerCall::new(HandlerService {
                extract: Arc::clone(&self.extract),
            }),
        };
        self.layered = Some(Arc::new(layer(inner)));
    }

    /// Checks what is to be read by schemas, and compiles the reader's. *Err: what is wrong with each method or argument.*
    pub(crate) fn read_by(&mut self, typed: &Typed) -> Result<(), Vec<(&'static str, String)>> {
        let options = self.options.take().unwrap_or_default();
        self.reading = Reading::of(&options, self.uses, typed)?.map(Arc::new);
        Ok(())
    }

    /// The parts of a record whose schemas are fetched before it runs.
    pub(crate) fn uses(&self) -> SchemaUse {
        match &self.reading {
            Some(reading) => self.uses.and(reading.uses()),
            None => self.uses,
        }
    }

    /// *None: as the writers' schemas say.*
    pub(crate) fn reading(&self) -> Option<&Arc<Reading>> {
        self.reading.as_ref()
    }

    /// Takes the handler's arguments from the record; the handler does not start.
    pub(crate) fn extract(&self, delivery: &Delivery) -> Result<Try, NotTaken> {
        #[cfg(feature = "json-schema")]
        self.validate(delivery)?;
        let run = (self.extract)(delivery)?;
        match &self.layered {
            Some(_) => Ok(self.in_layers(delivery.clone(), run)),
            None => Ok(Caught::new(|| run)),
        }
    }

    /// The run in the handler's layers, if it has any.
    fn in_layers(&self, mut delivery: Delivery, run: HandlerRun) -> Try {
        let Some(layered) = &self.layered else {
            return Caught::new(|| run);
        };
        delivery.prepare(run);
        let layered = Arc::clone(layered);
        // The layers' own code runs with the first poll, as the handler's does.
        let run: HandlerRun = Box::pin(async move {
            let layered = HandlerCall::clone(&layered);
            match layered.oneshot(delivery).await {
                Ok(result) => result,
                Err(never) => match never {},
            }
        });
        Caught::new(|| run)
    }
}

#[cfg(feature = "json-schema")]
impl Route {
    fn validate(&self, delivery: &Delivery) -> Result<(), NotTaken> {
        let validates = self
            .reading
            .as_ref()
            .is_some_and(|reading| reading.validate);
        if !validates {
            return Ok(());
        }
        let checked = caught(|| validate(delivery));
        let checked = checked.map_err(|_| NotTaken::Panicked("JSON Schema"))?;
        checked.map_err(NotTaken::Rejected)
    }
}

fn erase<H, A, S>(handler: H, state: Arc<S>) -> Arc<Extract>
where
    H: Handler<A, Future: Future<Output: IntoOutcome> + Send + 'static>,
    A: Args<S> + Send + 'static,
    S: Send + Sync + 'static,
{
    Arc::new(move |delivery: &Delivery| -> Result<HandlerRun, _> {
        let mut taken = "";
        let args = caught(|| {
            let args = A::extract(delivery, &state, &mut taken)?;
            taken = type_name::<H>();
            Ok((args, handler.clone()))
        });
        let (args, handler) = match args {
            Ok(Ok(args)) => args,
            // An extractor of the user's own may say as much as it likes.
            Ok(Err::<_, Rejection>(rejection)) => {
                let message = cut(rejection.message);
                return Err(NotTaken::Rejected(Rejection {
                    message,
                    ..rejection
                }));
            }
            Err(_) => return Err(NotTaken::Panicked(taken)),
        };
        // The handler is called by the first poll: what it does before its first await is part of the run.
        Ok(Box::pin(
            async move { handler.call(args).await.into_outcome() },
        ))
    })
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// A layer, its type erased.
pub(crate) type Wrap = dyn Fn(HandlerCall) -> HandlerCall + Send + Sync;

/// Erases a layer's type.
pub(crate) fn wrap<L>(layer: L) -> Arc<Wrap>
where
    L: Layer<HandlerCall> + Send + Sync + 'static,
    L::Service: Service<Delivery, Response = Result<(), Failure>, Error: Into<Failure>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
{
    Arc::new(move |inner| HandlerCall::new(Flatten(layer.layer(inner))))
}

/// Wraps a handler, to set attempts and layers for it alone: for [`Builder::topic`](crate::builder::Builder::topic) and [`Builder::fallback`](crate::builder::Builder::fallback).
///
/// # Example
///
/// ```
/// use lambda_msk::{Consumer, Record, each};
/// use std::time::Duration;
/// use tower::timeout::TimeoutLayer;
///
/// async fn ship(_: Record) {}
///
/// let consumer = Consumer::builder()
///     .topic("orders", each(ship).attempts(5).layer(TimeoutLayer::new(Duration::from_secs(2))))
///     .build();
/// # consumer.unwrap();
/// ```
pub fn each<H>(handler: H) -> Options<H> {
    Options {
        handler,
        layers: Vec::new(),
        attempts: None,
        reading: None,
    }
}

/// A handler and its settings: made by [`each`]. The builder's `topic` checks its state.
#[derive(Clone)]
#[must_use = "give it to `Builder::topic` or `Builder::fallback`"]
pub struct Options<H> {
    handler: H,
    layers: Vec<Arc<Wrap>>,
    attempts: Option<u32>,
    reading: Option<ReadingOptions>,
}

impl<H> Options<H> {
    /// Sets the maximum attempts for a record in one invocation, the first included: from 1 to [`ATTEMPTS_MAX`](crate::limits::ATTEMPTS_MAX). `build` checks it.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Sets the reader's schema of Avro values: the fields that the handler expects. Values of other, compatible schemas are resolved to it as the Avro specification says (defaults, aliases,
    /// promotions); a record whose writer's schema is incompatible is rejected with `reject.schema`. Without a registry, the reader's schema stands for the writer's.
    ///
    /// `build` checks the text. Without a reader's schema, values are read as their writer's schema says.
    #[cfg(feature = "avro")]
    pub fn reader_schema(mut self, text: impl Into<Arc<str>>) -> Self {
        self.reading_mut().value = Some(text.into());
        self
    }

    /// Sets the reader's schema of Avro keys: see [`reader_schema`](Self::reader_schema).
    #[cfg(feature = "avro")]
    pub fn key_reader_schema(mut self, text: impl Into<Arc<str>>) -> Self {
        self.reading_mut().key = Some(text.into());
        self
    }

    /// Sets whether [`Json`](crate::Json) values are checked against the JSON Schema that their frame names. A value that does not fit is rejected with `reject.json_schema`.
    ///
    /// Costs a second reading of each value.
    #[cfg(feature = "json-schema")]
    pub fn validate(mut self, validate: bool) -> Self {
        self.reading_mut().validate = validate;
        self
    }

    #[cfg(any(feature = "avro", feature = "json-schema"))]
    fn reading_mut(&mut self) -> &mut ReadingOptions {
        self.reading.get_or_insert_default()
    }

    /// Adds a layer around every attempt. A later layer is outside an earlier one, and [`Builder::layer`](crate::builder::Builder::layer) is outside all of these.
    ///
    /// A layer's own error (`Elapsed`, `Overloaded`) is a failure of the record, and retried: no `HandleErrorLayer` is needed. A record that is
    /// rejected before its handler (decoding, extraction) does not reach the layers.
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

// Else it is the one type that rustc proposes in place of what is no handler.
#[diagnostic::do_not_recommend]
impl<H: Handler<A>, A> Handler<A> for Options<H> {
    type Future = H::Future;

    fn call(&self, args: A) -> H::Future {
        self.handler.call(args)
    }

    fn layers(&self) -> &[Arc<Wrap>] {
        &self.layers
    }

    fn attempts(&self) -> Option<u32> {
        self.attempts
    }

    fn reading(&self) -> Option<&ReadingOptions> {
        self.reading.as_ref()
    }
}

impl<H> fmt::Debug for Options<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("attempts", &self.attempts)
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}

/// The innermost service: one call is one try.
#[derive(Clone)]
struct HandlerService {
    extract: Arc<Extract>,
}

impl Service<Delivery> for HandlerService {
    type Response = Result<(), Failure>;
    type Error = Infallible;
    type Future = Infallibly<HandlerRun>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, delivery: Delivery) -> Self::Future {
        // A layer that repeats a call gives a clone, whose run is taken: it is extracted again.
        let run = delivery
            .take_prepared()
            .map_or_else(|| (self.extract)(&delivery), Ok);
        Infallibly(run.unwrap_or_else(|not_taken| {
            Box::pin(std::future::ready(Err(Failure::from(not_taken))))
        }))
    }
}

/// A future whose service cannot fail.
struct Infallibly<F>(F);

impl<F: Future + Unpin> Future for Infallibly<F> {
    type Output = Result<F::Output, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(Ok)
    }
}

/// Makes a layer's error a failure of the record. Readiness is awaited inside the call, so a limit of concurrency holds the lane, not the batch.
#[derive(Clone)]
struct Flatten<V>(V);

impl<V> Service<Delivery> for Flatten<V>
where
    V: Service<Delivery, Response = Result<(), Failure>, Error: Into<Failure>, Future: Send>
        + Clone
        + Send
        + 'static,
{
    type Response = Result<(), Failure>;
    type Error = Infallible;
    type Future = Infallibly<HandlerRun>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, delivery: Delivery) -> Self::Future {
        let service = self.0.clone();
        Infallibly(Box::pin(async move {
            service
                .oneshot(delivery)
                .await
                .unwrap_or_else(|error| Err(error.into()))
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Arc;

    use super::erase;
    use crate::context::Context;
    use crate::deadline::Deadline;
    use crate::delivery::{Delivery, IdempotencyKey};
    use crate::extract::{Json, State};
    use crate::failure::Failure;
    use crate::key_texts::KeyTexts;
    use crate::record::Record;
    use crate::schemas::{BatchSchemas, Typed};
    use crate::testing::{Event, Sample};

    /// As an order's: an id, a text, a number.
    type Args = (Json<(u64, String, u64)>, Record, IdempotencyKey, State<()>);

    async fn ship(
        order: Json<(u64, String, u64)>,
        record: Record,
        key: IdempotencyKey,
        _: State<()>,
    ) -> Result<(), Failure> {
        ready(()).await;
        drop((order, record, key));
        Ok(())
    }

    /// An `async fn` holds its arguments twice if they live across an await, and what calls it holds them once more.
    #[test]
    fn the_box_of_a_call_holds_the_arguments_three_times() {
        let sample = Sample::new("orders", 0).value(r#"[1, "c-1", 2]"#);
        let mut records = Event::msk().record(sample).build().records().unwrap();
        let invocation = Arc::new(Context {
            schemas: BatchSchemas::new(&Typed::none()),
            meter: None,
            key_texts: KeyTexts::default(),
            request_id: String::new(),
            function_arn: String::new(),
            deadline: Deadline::UNKNOWN,
            clock: crate::clock::Clock::System,
            namespace: "shop".into(),
            cluster: "main".into(),
            keys: None,
        });
        let delivery = Delivery::new(records.remove(0), invocation, 1);

        let run = erase(ship, Arc::new(()))(&delivery).unwrap();

        let (run, args) = (size_of_val(&*run), size_of::<Args>());
        println!("arguments: {args} bytes, their call: {run} bytes");
        assert!(
            run <= 3 * args + 64,
            "{run} bytes, with arguments of {args}"
        );
    }
}

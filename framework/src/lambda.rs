//! The connection to Lambda: takes events from the Runtime API and returns responses. Called by `main` through [`run`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime};
use lambda_runtime_api_client::PooledClient;
use lambda_runtime_api_client::body::Body;
use tokio::sync::RwLock;
use tower::{Layer, Service};
use tracing::{error, info, warn};

use crate::consumer::{Consumer, IntoConsumer};
use crate::error::Error;
use crate::failure::BoxError;
use crate::invocation::Invocation;
use crate::limits::SHUTDOWN_GRACE_MS;
use crate::response::BatchResponse;

/// Runs the consumer as a Lambda function, until Lambda ends it.
///
/// Takes a [`Consumer`], its builder, or a `Result` of one: an error is reported to Lambda as an init error, which the console shows.
/// Several invocations at once (Lambda Managed Instances) and SnapStart work without a setting. A shutdown signal lets
/// invocations in flight answer for [`SHUTDOWN_GRACE_MS`].
///
/// Does not set a global log subscriber: [`logging::init`](crate::logging::init) does.
///
/// # Errors
///
/// The consumer could not be built, the process does not run under Lambda, or the Runtime API is gone. Return the error from `main`: its `Debug` form is
/// readable.
///
/// # Example
///
/// ```no_run
/// use lambda_msk::{Consumer, Failure, Record};
///
/// async fn ship(record: Record) -> Result<(), Failure> {
/// #   let _ = record;
///     Ok(())
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), lambda_msk::Error> {
///     lambda_msk::logging::init();
///     lambda_msk::run(Consumer::builder().topic("orders", ship).from_env()).await
/// }
/// ```
pub fn run(consumer: impl IntoConsumer) -> Running {
    Box::pin(run_consumer(consumer.into_consumer()))
}

/// The future of [`run`]. Its type does not depend on the consumer's, so that rustc reports a wrong argument once and not three times.
pub type Running = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

async fn run_consumer(consumer: Result<Consumer, Error>) -> Result<(), Error> {
    check_environment()?;
    let consumer = match consumer {
        Ok(consumer) => consumer,
        Err(error) => {
            report_init_error(&error).await;
            return Err(error);
        }
    };
    consumer.log_start();
    consumer.warm().await;
    let snapstart = consumer.snapstart().to_vec();
    let running = Arc::new(RwLock::new(()));
    let mut runtime = Runtime::new(Function { consumer })
        .layer(TakeBody {
            running: Arc::clone(&running),
        })
        .layer(TracingLayer::new());
    for resource in snapstart {
        runtime = runtime.register_snapstart_resource(resource);
    }
    tokio::select! {
        ended = runtime.run_concurrent() => ended.map_err(Error::Runtime),
        () = shut_down(&running) => Ok(()),
    }
}

/// `lambda_runtime` panics where one of these is missing.
fn check_environment() -> Result<(), Error> {
    let is_there = |variable: &&str| !std::env::var(variable).unwrap_or_default().is_empty();
    let needed = [
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
    ];
    if let Some(variable) = needed.into_iter().find(|variable| !is_there(variable)) {
        return Err(Error::NotInLambda { variable });
    }
    let variable = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
    let memory = std::env::var(variable).unwrap_or_default();
    match memory.parse::<i32>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::NotInLambda { variable }),
    }
}

/// Tells Lambda why the function does not start. What cannot be told is logged: the process ends all the same.
async fn report_init_error(fault: &Error) {
    error!(code = fault.code(), problem = fault.text(), "init failed");
    let body = serde_json::json!({
        "errorType": fault.code(),
        "errorMessage": fault.text(),
        "stackTrace": [],
    });
    let request = http::Request::post("/2018-06-01/runtime/init/error")
        .header("Content-Type", "application/json")
        .header("Lambda-Runtime-Function-Error-Type", fault.code())
        .body(Body::from(body.to_string()));
    let sent = match request {
        Ok(request) => PooledClient::builder()
            .build()
            .call(request)
            .await
            .map(drop),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = sent {
        warn!(%error, "cannot report the init error to Lambda");
    }
}

impl Invocation {
    /// Sets request id, deadline, function name and function ARN from the context that `lambda_runtime` gives with an event.
    pub fn context(self, context: &lambda_runtime::Context) -> Self {
        let invocation = self
            .request_id(&context.request_id)
            .deadline_ms(context.deadline)
            .function_name(&context.env_config.function_name)
            .function_arn(&context.invoked_function_arn);
        #[cfg(feature = "otel")]
        let invocation = invocation.xray_trace(context.xray_trace_id.clone().unwrap_or_default());
        invocation
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self {
            error_type: error.code().to_owned(),
            error_message: error.text(),
        }
    }
}

/// Waits for a signal, then for the invocations in flight: a writer waits for all readers, and lets no new one in.
async fn shut_down(running: &RwLock<()>) {
    signal().await;
    info!("shutdown signal received: no new event is accepted");
    let grace = Duration::from_millis(SHUTDOWN_GRACE_MS);
    if tokio::time::timeout(grace, running.write()).await.is_err() {
        warn!("an invocation was still running: Lambda redelivers its records");
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        warn!("cannot install a handler for shutdown signals");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

tokio::task_local! {
    /// The event's bytes, on their way past `lambda_runtime`'s deserializer.
    static BODY: Bytes;
}

/// Takes the body out of an invocation and leaves `null`: `lambda_runtime` would run a slower deserializer over it first, and a body that is not
/// JSON would never come to us.
struct TakeBody {
    /// Held by each invocation until its answer has left.
    running: Arc<RwLock<()>>,
}

impl<S> Layer<S> for TakeBody {
    type Service = TakenBody<S>;

    fn layer(&self, inner: S) -> TakenBody<S> {
        TakenBody {
            inner,
            running: Arc::clone(&self.running),
        }
    }
}

#[derive(Clone)]
struct TakenBody<S> {
    inner: S,
    running: Arc<RwLock<()>>,
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<S> Service<LambdaInvocation> for TakenBody<S>
where
    S: Service<LambdaInvocation, Response = (), Error = BoxError, Future: Send + 'static>,
{
    type Response = ();
    type Error = BoxError;
    type Future = Boxed<Result<(), BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        let body = std::mem::replace(&mut invocation.body, Bytes::from_static(b"null"));
        // `lambda_runtime` calls the function's service within this call; only its future comes later.
        let answering = BODY.sync_scope(body, || self.inner.call(invocation));
        let running = Arc::clone(&self.running);
        Box::pin(async move {
            let _in_flight = running.read().await;
            answering.await
        })
    }
}

/// The function: one event in, one answer out.
#[derive(Clone)]
struct Function {
    consumer: Consumer,
}

impl Service<LambdaEvent<()>> for Function {
    type Response = BatchResponse;
    type Error = Error;
    type Future = Boxed<Result<BatchResponse, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<()>) -> Self::Future {
        let invocation = Invocation::new(BODY.get()).context(&event.context);
        let consumer = self.consumer.clone();
        Box::pin(async move { consumer.invoke(invocation).await.into_response() })
    }
}

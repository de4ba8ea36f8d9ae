//! The function's binary: a service of `lambda_runtime` with layers of its own, in which the consumer is one part.

use lambda_runtime::layers::TracingLayer;
use lambda_runtime::{Error, Runtime, service_fn};
use tower::ServiceBuilder;
use two_sources::{Event, Timed, answer, consumer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_msk::logging::init();
    let consumer = consumer().from_env().build()?;
    consumer.log_start();
    let service = service_fn(move |event: Event| {
        let consumer = consumer.clone();
        async move { answer(&consumer, event).await }
    });
    let service = ServiceBuilder::new().layer_fn(Timed::new).service(service);
    Runtime::new(service)
        .layer(TracingLayer::new())
        .run_concurrent()
        .await
}

//! Functions that people write over lambda_runtime and aws_lambda_events: what the bench of invocations compares with. `WAY` chooses one.

use std::hint::black_box;
use std::task::{Context, Poll};

use aws_lambda_events::kafka::KafkaEvent;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use lambda_runtime::{Error, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::{Layer, Service};

/// The fields of an order that the sample function reads.
#[derive(Deserialize)]
struct Order {
    order_id: u64,
    customer_id: String,
    amount_cents: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    match std::env::var("WAY").as_deref() {
        // Decodes each value's base64 and parses the order in it.
        Ok("orders") => {
            lambda_runtime::run(service_fn(async |event: LambdaEvent<KafkaEvent>| {
                for value in values(event.payload) {
                    let order: Order = serde_json::from_slice(&value)?;
                    black_box((order.order_id, order.customer_id, order.amount_cents));
                }
                Ok::<_, Error>(done())
            }))
            .await
        }
        // Decodes each value's base64 and parses nothing.
        Ok("records") => {
            lambda_runtime::run(service_fn(async |event: LambdaEvent<KafkaEvent>| {
                for value in values(event.payload) {
                    black_box(value);
                }
                Ok::<_, Error>(done())
            }))
            .await
        }
        // Reads the body, as all do, and looks at nothing in it.
        Ok("floor") => {
            let function = service_fn(async |_: LambdaEvent<()>| Ok::<_, Error>(done()));
            Runtime::new(function).layer(Unread).run().await
        }
        way => {
            Err(format!("expected WAY to be `orders`, `records` or `floor`, found {way:?}").into())
        }
    }
}

fn values(event: KafkaEvent) -> impl Iterator<Item = Vec<u8>> {
    let records = event.records.into_values().flatten();
    records.map(|record| {
        let value = record.value.expect("no record is a tombstone");
        BASE64_STANDARD.decode(value).expect("each value is base64")
    })
}

fn done() -> Value {
    json!({"batchItemFailures": []})
}

/// Leaves the body unread: it has come by then, and `lambda_runtime` parses `null` in its place.
struct Unread;

impl<S> Layer<S> for Unread {
    type Service = Unreading<S>;

    fn layer(&self, inner: S) -> Unreading<S> {
        Unreading(inner)
    }
}

#[derive(Clone)]
struct Unreading<S>(S);

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for Unreading<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> S::Future {
        black_box(std::mem::replace(
            &mut invocation.body,
            Bytes::from_static(b"null"),
        ));
        self.0.call(invocation)
    }
}

//! What spans cost: whole invocations with and without them, in turns. Spans are made by OpenTelemetry's SDK and dropped as they end, so their export is not measured.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::traces::{TracedRecords, Traces};
use lambda_msk::{Consumer, Idempotency};
use opentelemetry::{Context, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, Span, SpanData, SpanProcessor};

const RECORDS: i32 = 10_000;
const TURNS: usize = 101;
const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Takes each span, and keeps none.
#[derive(Debug)]
struct Dropped;

impl SpanProcessor for Dropped {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// One record in so many has a producer that has sampled its trace. *None: no record has a trace.*
fn body(one_in: Option<i32>) -> Bytes {
    let sample = |at| {
        let sample = Sample::new("orders", at % 10).value(r#"{"order_id":1}"#);
        match one_in {
            Some(one_in) if at % one_in == 0 => sample.header("traceparent", SAMPLED),
            _ => sample,
        }
    };
    let event = Event::msk().records((0..RECORDS).map(sample));
    event.to_json().into()
}

fn consumer(records: TracedRecords) -> Consumer {
    let builder = Consumer::builder().topic("orders", async || {});
    let builder = builder.idempotency(Idempotency::None);
    let builder = builder.traces(Traces::of(records));
    builder.build().expect("a topic is all that it needs")
}

/// Nanoseconds a record, the least of all turns, with each consumer.
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
async fn measure(consumers: &[&Consumer; 2], body: &Bytes) -> [f64; 2] {
    let mut least = [Duration::MAX; 2];
    for _ in 0..TURNS {
        for (consumer, least) in consumers.iter().zip(&mut least) {
            let start = Instant::now();
            let invoked = invoke(consumer, body.clone()).await;
            *least = start.elapsed().min(*least);
            assert!(invoked.response().is_ok());
        }
    }
    least.map(|least| least.as_secs_f64() * 1e9 / f64::from(RECORDS))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let provider = SdkTracerProvider::builder().with_span_processor(Dropped);
    global::set_tracer_provider(provider.build());
    let none = consumer(TracedRecords::None);
    println!("nanoseconds a record, the least of {TURNS} turns, without spans and with them");
    for (name, records, one_in) in [
        ("sampled, none is", TracedRecords::Sampled, None),
        ("sampled, 1 in 100 is", TracedRecords::Sampled, Some(100)),
        ("all", TracedRecords::All, None),
    ] {
        let with = consumer(records);
        let [without, with] = measure(&[&none, &with], &body(one_in)).await;
        println!("{name:22} {without:7.1} {with:7.1}: {:+.1}", with - without);
    }
}

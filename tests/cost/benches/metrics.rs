//! What metrics cost: whole invocations with and without them, in turns, by shape of the batch. The least of the turns counts.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_msk::metrics::{Emf, Metrics};
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Idempotency};

/// Partitions of each shape; all have so many records.
const SHAPES: [i32; 3] = [1, 10, 100];
const RECORDS: i32 = 10_000;
const TURNS: usize = 101;

fn body(partitions: i32) -> Bytes {
    let sample = |at| Sample::new("orders", at % partitions).value(r#"{"order_id":1}"#);
    Event::msk()
        .records((0..RECORDS).map(sample))
        .to_json()
        .into()
}

fn consumer(metrics: Metrics) -> Consumer {
    let builder = Consumer::builder().topic("orders", async || {});
    let builder = builder.idempotency(Idempotency::None).metrics(metrics);
    builder.build().expect("a topic is all that it needs")
}

#[tokio::main(flavor = "current_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
async fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let emf = Emf::namespace("bench").output(std::io::sink());
    let consumers = [consumer(Metrics::None), consumer(emf.into())];
    for partitions in SHAPES {
        let body = body(partitions);
        let mut least = [Duration::MAX; 2];
        for _ in 0..TURNS {
            for (consumer, least) in consumers.iter().zip(&mut least) {
                let start = Instant::now();
                let invoked = invoke(consumer, body.clone()).await;
                *least = start.elapsed().min(*least);
                assert!(invoked.response().is_ok());
            }
        }
        let [without, with] = least.map(|least| least.as_secs_f64() * 1e9 / f64::from(RECORDS));
        println!(
            "{partitions:4} partitions: {without:6.1} ns a record without metrics, {with:6.1} with them: {:+.1}",
            with - without
        );
    }
}

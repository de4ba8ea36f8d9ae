//! What it costs to do nothing twice: the ledger in memory, a record.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]

use std::time::Instant;

use bytes::Bytes;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Idempotency};

const TURNS: usize = 61;
const RECORDS: usize = 10_000;

/// Records of ten partitions, as orders are.
fn body(records: usize) -> Bytes {
    let samples = (0..records).map(|index| {
        let value = format!(r#"{{"order_id":{index},"customer_id":"c-7","amount_cents":1250}}"#);
        Sample::new("orders", (index % 10) as i32)
            .key(format!("c-{index}"))
            .value(value)
    });
    Event::msk().records(samples).to_json().into()
}

fn consumer(idempotency: impl Into<Idempotency>) -> Consumer {
    Consumer::builder()
        .topic("orders", async || {})
        .idempotency(idempotency)
        .build()
        .expect("a topic is all that a consumer needs")
}

/// Nanoseconds of one batch.
async fn one_batch(consumer: &Consumer, body: &Bytes) -> f64 {
    let body = body.clone();
    let start = Instant::now();
    let invoked = invoke(consumer, body).await;
    let took = start.elapsed();
    assert!(invoked.response().is_ok());
    took.as_secs_f64() * 1e9
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Nanoseconds a record: with nothing kept, with a ledger that knows nothing of the batch, with one that has all of it.
async fn memory() {
    let body = body(RECORDS);
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..TURNS {
        let (none, ledger) = (consumer(Idempotency::None), consumer(Idempotency::Memory));
        times[0].push(one_batch(&none, &body).await);
        times[1].push(one_batch(&ledger, &body).await);
        times[2].push(one_batch(&ledger, &body).await);
    }
    let [none, new, known] = times.map(|times| median(times) / RECORDS as f64);
    println!("ledger in memory, {RECORDS} records of 10 partitions, a handler that does nothing");
    println!("  nothing kept        {none:6.0} ns a record");
    println!(
        "  all new             {new:6.0} ns a record: the ledger takes {:.0}",
        new - none
    );
    println!("  all known, skipped  {known:6.0} ns a record");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    memory().await;
}

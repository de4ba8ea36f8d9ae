//! A whole invocation: event in, handler called for each record, answer out. Ours, against what people write over lambda_runtime and aws_lambda_events:
//! a loop that decodes base64 and JSON and calls the handler. Theirs keeps no lanes, retries nothing, and skips nothing.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lambda_events::kafka::KafkaEvent;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use lambda_msk::extract::{Delivery, FromRecord};
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Batch, Consumer, Failure, Idempotency, Json, ProcessingOrder, batch};
use serde::Deserialize;

const RECORDS: usize = 10_000;

#[derive(Deserialize)]
struct Order {
    order_id: u64,
    customer_id: String,
    amount_cents: u64,
}

fn body() -> Bytes {
    let samples = (0..RECORDS).map(|index| {
        let customer = index % 500;
        Sample::new("orders", (index % 10) as i32)
            .key(format!("c-{customer}"))
            .value(format!(
                r#"{{"order_id":{index},"customer_id":"c-{customer}","amount_cents":1250,"currency":"EUR"}}"#
            ))
    });
    Event::msk().records(samples).to_json().into()
}

async fn handle(order: Order) {
    black_box((order.order_id, order.customer_id, order.amount_cents));
}

async fn ship(Json(order): Json<Order>) -> Result<(), Failure> {
    handle(order).await;
    Ok(())
}

fn consumer(order: ProcessingOrder, idempotency: Idempotency) -> Consumer {
    Consumer::builder()
        .topic("orders", ship)
        .order(order)
        .idempotency(idempotency)
        .build()
        .expect("a topic is all that a consumer needs")
}

async fn store(orders: Batch<Json<Order>>) -> Result<(), Failure> {
    for Json(order) in orders {
        handle(order).await;
    }
    Ok(())
}

/// A batch handler, with the default limits of a chunk.
fn of_chunks(is_across: bool, idempotency: Idempotency) -> Consumer {
    let batch = match is_across {
        true => batch(store).across_partitions(),
        false => batch(store),
    };
    Consumer::builder()
        .route("orders", batch)
        .idempotency(idempotency)
        .build()
        .expect("a topic is all that a consumer needs")
}

async fn nothing() {}

/// What a batch handler takes of a record that it does not look at.
struct Unread;

impl<S> FromRecord<S> for Unread {
    type Rejection = Infallible;

    fn from_record(_: &Delivery, _: &S) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

async fn nothing_of_many(_: Batch<Unread>) -> Result<(), Failure> {
    Ok(())
}

/// Handlers that do nothing and take nothing: one of one record, and batch handlers.
fn empty() -> [Consumer; 3] {
    let builder = || Consumer::builder().idempotency(Idempotency::None);
    let many = || batch(nothing_of_many);
    let builders = [
        builder().topic("orders", nothing),
        builder().route("orders", many()),
        builder().route("orders", many().across_partitions()),
    ];
    builders.map(|builder| {
        builder
            .build()
            .expect("a topic is all that a consumer needs")
    })
}

async fn ours(consumer: &Consumer, body: &Bytes) {
    let invoked = invoke(consumer, body.clone()).await;
    assert!(invoked.response().is_ok());
}

async fn loop_over_aws_lambda_events(body: &Bytes) {
    let json = &mut serde_json::Deserializer::from_slice(body);
    let event: KafkaEvent = serde_path_to_error::deserialize(json).expect("the event can be read");
    for record in event.records.into_values().flatten() {
        let value = record.value.expect("no record is a tombstone");
        let value = BASE64_STANDARD.decode(value).expect("the value is base64");
        handle(serde_json::from_slice(&value).expect("the value is an order")).await;
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

#[tokio::main(flavor = "current_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
async fn main() {
    const TURNS: usize = 41;
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let body = body();
    let mut loops = Vec::new();
    let mut times = [const { Vec::new() }; 7];
    let mut of_empty = [const { Vec::new() }; 3];
    let empty = empty();
    for _ in 0..TURNS {
        let start = Instant::now();
        loop_over_aws_lambda_events(&body).await;
        loops.push(start.elapsed());
        // A consumer of its own for each turn: a ledger that knows the records would skip them.
        let consumers = [
            consumer(ProcessingOrder::Partition, Idempotency::None),
            consumer(ProcessingOrder::Key, Idempotency::None),
            consumer(ProcessingOrder::Unordered, Idempotency::None),
            consumer(ProcessingOrder::Partition, Idempotency::Memory),
            of_chunks(false, Idempotency::None),
            of_chunks(true, Idempotency::None),
            of_chunks(false, Idempotency::Memory),
        ];
        for (consumer, times) in consumers.iter().zip(&mut times) {
            let start = Instant::now();
            ours(consumer, &body).await;
            times.push(start.elapsed());
        }
        for (consumer, times) in empty.iter().zip(&mut of_empty) {
            let start = Instant::now();
            ours(consumer, &body).await;
            times.push(start.elapsed());
        }
    }
    let theirs = median(loops);
    println!(
        "{RECORDS} records of {} bytes, a handler that reads JSON",
        body.len() / RECORDS
    );
    println!("{:28} {theirs:8.2} ms", "a loop over aws_lambda_events");
    let names = [
        "partition order",
        "key order",
        "unordered",
        "partition order, ledger",
        "chunks of a partition",
        "chunks across partitions",
        "chunks of a partition, ledger",
    ];
    for (name, times) in names.into_iter().zip(times) {
        let ours = median(times);
        let each_ns = ours * 1e6 / RECORDS as f64;
        println!(
            "{name:30} {ours:8.2} ms {each_ns:6.0} ns a record {:5.2}x the loop",
            ours / theirs
        );
    }
    // The least: what else the machine does only adds to it.
    let least = |times: &Vec<Duration>| times.iter().min().map_or(0.0, Duration::as_secs_f64);
    let of_one = least(&of_empty[0]);
    println!("a handler that takes nothing, the least of {TURNS} turns");
    let names = ["of one record", "of chunks", "of chunks across partitions"];
    for (name, times) in names.into_iter().zip(&of_empty) {
        let each_ns = least(times) * 1e9 / RECORDS as f64;
        println!(
            "{name:30} {each_ns:6.0} ns a record {:5.2}x that of one record",
            least(times) / of_one
        );
    }
}

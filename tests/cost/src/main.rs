//! Measures the cost of a record: feeds one consumer with events, and prints the time a record. `tests/cost/run` counts the instructions of [`measured`] under callgrind.
//!
//! ```text
//! cost WAY RECORDS EVENTS
//! ```
//!
//! Each way is a consumer and the events that it gets. `bytes` gets one record of so many bytes, in place of so many records.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "a program that prints its measurement"
)]

mod events;

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::extract::{Delivery, FromRecord};
use lambda_msk::metrics::Emf;
use lambda_msk::testing::Event;
use lambda_msk::{
    Batch, Consumer, Failure, Idempotency, IdempotencyKey, Invocation, Json, ProcessingOrder,
    Record, State, batch,
};
use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};

#[derive(Deserialize)]
struct Order {
    order_id: u64,
    customer_id: String,
    amount_cents: u64,
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

async fn record(record: Record) {
    black_box(record.value());
}

async fn keyed(key: IdempotencyKey) {
    black_box(key.as_str());
}

/// The arguments that a handler of orders takes, as the sample function's does.
async fn ship(
    Json(order): Json<Order>,
    record: Record,
    key: IdempotencyKey,
    State(()): State<()>,
) -> Result<(), Failure> {
    black_box((order.order_id, order.customer_id, order.amount_cents));
    black_box((record, key));
    Ok(())
}

/// The consumer of a way, or `None` if there is no such way.
fn consumer(way: &str, records: usize) -> Option<Consumer> {
    let builder = Consumer::builder().state(()).idempotency(Idempotency::None);
    let builder = match way {
        "decode" | "engine" | "partitions" => builder.topic("orders", nothing),
        "topics" => {
            let names: Vec<_> = (0..records).map(|index| format!("t-{index}")).collect();
            names
                .into_iter()
                .fold(builder, |builder, name| builder.topic(name, nothing))
        }
        "metrics" => builder
            .topic("orders", nothing)
            .metrics(Emf::namespace("cost").output(std::io::sink())),
        "chunks" => builder.route("orders", batch(nothing_of_many)),
        "across" => builder.route("orders", batch(nothing_of_many).across_partitions()),
        "key" | "keys" => builder.topic("orders", nothing).order(ProcessingOrder::Key),
        "unordered" => builder
            .topic("orders", nothing)
            .order(ProcessingOrder::Unordered),
        "ledger" | "skipped" => builder
            .topic("orders", nothing)
            .idempotency(Idempotency::Memory),
        "record" | "headers" | "large" | "bytes" => builder.topic("orders", record),
        "keyed" => builder.topic("orders", keyed),
        "orders" => builder
            .topic("orders", ship)
            .idempotency(Idempotency::Memory),
        "rejected" => builder
            .topic("orders", ship)
            .on_failure(MemoryDestination::new()),
        _ => return None,
    };
    builder.build().ok()
}

fn run(runtime: &Runtime, consumer: &Consumer, way: &str, body: Bytes) {
    if way == "decode" {
        black_box(Event::from(body).records()).expect("the event can be read");
        return;
    }
    let invocation = Invocation::new(body).function_name("orders");
    let invoked = runtime.block_on(consumer.invoke(invocation));
    assert!(invoked.response().is_ok(), "a record has failed");
}

/// The part that is counted: `tests/cost/run` names this function to callgrind.
#[inline(never)]
fn measured(runtime: &Runtime, consumer: &Consumer, way: &str, body: Bytes) {
    run(runtime, consumer, way, body);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match args.as_slice() {
        [way, records, events] => records
            .parse::<usize>()
            .ok()
            .zip(events.parse().ok())
            .and_then(|(records, events): (usize, usize)| {
                Some((way, consumer(way, records)?, records, events))
            }),
        _ => None,
    };
    let Some((way, consumer, records, events)) = parsed else {
        eprintln!("expected a way, and numbers of records and events, found {args:?}");
        std::process::exit(2);
    };
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime of one thread");
    // Not measured: the first event of a process pays for what the others find there.
    run(&runtime, &consumer, way, events::event(way, records, 0));
    let mut least = u128::MAX;
    for turn in 1..=events {
        let known = way == "skipped";
        let body = events::event(way, records, if known { 0 } else { turn });
        let began = Instant::now();
        measured(&runtime, &consumer, way, body);
        least = least.min(began.elapsed().as_nanos());
    }
    println!(
        "{way}: at least {} ns a record",
        least / records.max(1) as u128
    );
}

//! What a record costs: one consumer, fed with events of new records. Timed by itself; counted by `tests/cost/run` under callgrind, as the difference between many events and few.
//!
//! ```text
//! cost WAY RECORDS EVENTS
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "a program that says what it measured"
)]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use lambda_msk::idempotency::Idempotency;
use lambda_msk::testing::{Event, Sample};
use lambda_msk::{
    Consumer, Failure, IdempotencyKey, Invocation, Json, ProcessingOrder, Record, State,
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

async fn record(record: Record) {
    black_box(record.value());
}

/// As the sample function without a service: the arguments that a handler of orders takes.
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

async fn keyed(key: IdempotencyKey) {
    black_box(key.as_str());
}

fn consumer(way: &str) -> Option<Consumer> {
    let builder = Consumer::builder().state(()).idempotency(Idempotency::None);
    let builder = match way {
        "engine" | "decode" => builder.topic("orders", nothing),
        "key" => builder.topic("orders", nothing).order(ProcessingOrder::Key),
        "unordered" => builder
            .topic("orders", nothing)
            .order(ProcessingOrder::Unordered),
        "ledger" => builder
            .topic("orders", nothing)
            .idempotency(Idempotency::Memory),
        "record" => builder.topic("orders", record),
        "keyed" => builder.topic("orders", keyed),
        "orders" => builder
            .topic("orders", ship)
            .idempotency(Idempotency::Memory),
        _ => return None,
    };
    builder.build().ok()
}

/// An event of small orders, whose offsets no other event has.
fn event(records: usize, turn: usize) -> Bytes {
    let samples = (0..records).map(|index| {
        let customer = format!("c-{index:06}");
        Sample::new("orders", (index % 3) as i32)
            .offset((turn * records + index) as i64)
            .key(&customer)
            .value(format!(
                r#"{{"order_id":{index},"customer_id":"{customer}","amount_cents":1250,"currency":"EUR","note":"{}"}}"#,
                "leave it with the neighbours, please. ".repeat(3)
            ))
    });
    Event::msk().records(samples).to_json().into()
}

/// What is counted: `tests/cost/run` switches the counting on here and off behind it.
#[inline(never)]
fn measured(runtime: &Runtime, consumer: &Consumer, way: &str, body: Bytes) {
    if way == "decode" {
        black_box(Event::from(body).records()).ok();
        return;
    }
    let invocation = Invocation::new(body).function_name("orders");
    let invoked = runtime.block_on(consumer.invoke(invocation));
    assert!(invoked.response().is_ok(), "each record is done");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [way, records, events] = args.as_slice() else {
        eprintln!("expected WAY RECORDS EVENTS, found {args:?}");
        std::process::exit(2);
    };
    let (Some(consumer), Ok(records), Ok(events)) =
        (consumer(way), records.parse::<usize>(), events.parse::<usize>())
    else {
        eprintln!("expected a way, and two numbers, found {args:?}");
        std::process::exit(2);
    };
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a thread is there");
    let mut least = u128::MAX;
    for turn in 0..events {
        let body = event(records, turn);
        let began = Instant::now();
        measured(&runtime, &consumer, way, body);
        least = least.min(began.elapsed().as_nanos());
    }
    println!("{way}: {} ns a record at the least", least / records.max(1) as u128);
}

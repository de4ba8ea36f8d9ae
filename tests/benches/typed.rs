//! What a typed record costs: `Avro<T>` and `Protobuf<T>` beside the bare libraries (`serde_avro_fast`, `prost`) on the same bytes.
//!
//! Two ratios a format. *The extractor*: it alone, on one record again and again, as the bare library is called. *In an invocation*: a whole invocation whose handler takes the extractor, less
//! the same with a handler that takes `Record`, a record; what is left has the frame, the schema's search and the error path in it, too. All ways have their turns one after the other, and the
//! least of the turns counts. With valgrind on the path, the same ratios follow in instructions, which do not depend on what else the machine does.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and ends where it cannot go on"
)]

use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use lambda_msk::extract::{Avro, Delivery, FromRecord, Protobuf};
use lambda_msk::testing::{Event, MemoryRegistry, Sample, invoke};
use lambda_msk::{Consumer, Idempotency, Record};
use prost::Message;
use serde::{Deserialize, Serialize};

const RECORDS: usize = 10_000;
const TURNS: usize = 31;

const ORDER: &str = r#"{"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "order_id", "type": "long"},
    {"name": "customer_id", "type": "string"},
    {"name": "amount_cents", "type": "long"},
    {"name": "currency", "type": "string"},
    {"name": "note", "type": ["null", "string"], "default": null},
    {"name": "channel", "type": {"type": "enum", "name": "Channel", "symbols": ["WEB", "APP", "SHOP"]}}]}"#;

const PAYMENT: &str = r#"syntax = "proto3"; package shop;
message Payment {
  uint64 order_id = 1;
  string customer_id = 2;
  uint64 amount_cents = 3;
  string currency = 4;
  optional string note = 5;
  int32 channel = 6;
}"#;

#[derive(Deserialize, Serialize)]
struct Order {
    order_id: i64,
    customer_id: String,
    amount_cents: i64,
    currency: String,
    note: Option<String>,
    channel: Channel,
}

#[derive(Deserialize, Serialize)]
enum Channel {
    #[serde(rename = "WEB")]
    Web,
    #[serde(rename = "APP")]
    App,
    #[serde(rename = "SHOP")]
    Shop,
}

#[derive(Clone, PartialEq, Message)]
struct Payment {
    #[prost(uint64, tag = "1")]
    order_id: u64,
    #[prost(string, tag = "2")]
    customer_id: String,
    #[prost(uint64, tag = "3")]
    amount_cents: u64,
    #[prost(string, tag = "4")]
    currency: String,
    #[prost(string, optional, tag = "5")]
    note: Option<String>,
    #[prost(int32, tag = "6")]
    channel: i32,
}

impl prost::Name for Payment {
    const NAME: &'static str = "Payment";
    const PACKAGE: &'static str = "shop";
}

fn order(index: usize) -> Order {
    Order {
        order_id: index as i64,
        customer_id: format!("c-{:06}", index % 500),
        amount_cents: 1_250,
        currency: "EUR".to_owned(),
        note: index
            .is_multiple_of(2)
            .then(|| "leave it with the neighbours".to_owned()),
        channel: match index % 3 {
            0 => Channel::Web,
            1 => Channel::App,
            _ => Channel::Shop,
        },
    }
}

fn payment(index: usize) -> Payment {
    let order = order(index);
    Payment {
        order_id: index as u64,
        customer_id: order.customer_id,
        amount_cents: 1_250,
        currency: order.currency,
        note: order.note,
        channel: (index % 3) as i32,
    }
}

/// How long the extractor alone took for as many records as an event has.
static ALONE_NS: AtomicU64 = AtomicU64::new(0);

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
fn timed_ns(measured: impl FnOnce()) -> u64 {
    let start = Instant::now();
    measured();
    start.elapsed().as_nanos() as u64
}

fn time_alone<E: FromRecord<()>>(delivery: &Delivery) {
    let taken = timed_ns(|| {
        for _ in 0..RECORDS {
            assert!(black_box(E::from_record(black_box(delivery), &())).is_ok());
        }
    });
    ALONE_NS.store(taken, Ordering::Relaxed);
}

async fn avro(Avro(order): Avro<Order>) {
    black_box(order);
}

async fn protobuf(Protobuf(payment): Protobuf<Payment>) {
    black_box(payment);
}

/// The second argument has the schema fetched.
async fn avro_alone(delivery: Delivery, _: Avro<Order>) {
    time_alone::<Avro<Order>>(&delivery);
}

async fn protobuf_alone(delivery: Delivery, _: Protobuf<Payment>) {
    time_alone::<Protobuf<Payment>>(&delivery);
}

async fn nothing(record: Record) {
    black_box(record);
}

/// One format: its event, its consumers, and what the bare library does with the payloads.
struct Format<'a> {
    name: &'static str,
    event: Bytes,
    one: Bytes,
    typed: Consumer,
    record: Consumer,
    alone: Consumer,
    bare: &'a dyn Fn(&[u8]),
    payloads: Vec<Vec<u8>>,
}

async fn invocation_ns(consumer: &Consumer, event: &Bytes) -> u64 {
    let event = event.clone();
    let mut taken = 0;
    let invoked = {
        let start = now();
        let invoked = invoke(consumer, event).await;
        taken += start.elapsed().as_nanos() as u64;
        invoked
    };
    assert!(invoked.response().is_ok());
    taken
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
fn now() -> Instant {
    Instant::now()
}

async fn measure(format: Format<'_>) {
    let [mut bare_all, mut bare_one, mut typed, mut record, mut alone] = [u64::MAX; 5];
    for _ in 0..TURNS {
        bare_all = bare_all.min(timed_ns(|| {
            for payload in &format.payloads {
                (format.bare)(black_box(payload));
            }
        }));
        bare_one = bare_one.min(timed_ns(|| {
            for _ in 0..RECORDS {
                (format.bare)(black_box(&format.payloads[0]));
            }
        }));
        record = record.min(invocation_ns(&format.record, &format.event).await);
        typed = typed.min(invocation_ns(&format.typed, &format.event).await);
        invocation_ns(&format.alone, &format.one).await;
        alone = alone.min(ALONE_NS.load(Ordering::Relaxed));
    }
    let each = |ns: u64| ns as f64 / RECORDS as f64;
    let difference = typed.saturating_sub(record);
    println!(
        "{:9} the extractor {:6.0} ns, bare {:6.0} ns: {:.2}x; in an invocation {:6.0} ns more than `Record` ({:.0} ns), bare {:6.0} ns: {:.2}x",
        format.name,
        each(alone),
        each(bare_one),
        each(alone) / each(bare_one),
        each(difference),
        each(record),
        each(bare_all),
        each(difference) / each(bare_all),
    );
}

/// The ways whose instructions are counted.
const WAYS: [&str; 5] = ["bare", "bare_one", "alone", "record", "typed"];

/// A process of its own counts one way of one format: the argument that starts it.
const COUNTED: &str = "--counted";

/// Goes one way so many times, for an event's records each time.
async fn go(format: &Format<'_>, way: &str, times: usize) {
    for _ in 0..times {
        match way {
            "bare" => {
                for payload in &format.payloads {
                    (format.bare)(black_box(payload));
                }
            }
            "bare_one" => {
                for _ in 0..RECORDS {
                    (format.bare)(black_box(&format.payloads[0]));
                }
            }
            "alone" => {
                invocation_ns(&format.alone, &format.one).await;
            }
            "record" => {
                invocation_ns(&format.record, &format.event).await;
            }
            _ => {
                invocation_ns(&format.typed, &format.event).await;
            }
        }
    }
}

/// Instructions a record: what twice as many turns take more. *None: there is no valgrind.*
fn instructions(format: &str, way: &str) -> Option<f64> {
    let run = |times: u64| {
        let program = std::env::current_exe().ok()?;
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args(["--bench", COUNTED, format, way, &times.to_string()])
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let (_, count) = said.split_once("Collected : ")?;
        count.split_whitespace().next()?.parse::<f64>().ok()
    };
    Some((run(4)? - run(2)?) / (2 * RECORDS) as f64)
}

fn count(name: &str) {
    let counts: Option<Vec<f64>> = WAYS.iter().map(|way| instructions(name, way)).collect();
    let Some([bare, bare_one, alone, record, typed]) = counts.as_deref() else {
        println!("{name:9} instructions: left out, needs valgrind");
        return;
    };
    let difference = typed - record;
    println!(
        "{name:9} instructions: the extractor {alone:5.0}, bare {bare_one:5.0}: {:.2}x; in an invocation {difference:5.0} more than `Record`, bare {bare:5.0}: {:.2}x",
        alone / bare_one,
        difference / bare,
    );
}

/// Measures a format, or goes one way of it if that is what this process is for.
async fn take(format: Format<'_>) {
    let arguments: Vec<String> = std::env::args().collect();
    let counted = arguments.iter().position(|argument| argument == COUNTED);
    match counted.map(|at| &arguments[at + 1..]) {
        None => {
            let name = format.name;
            measure(format).await;
            count(name);
        }
        Some([name, way, times]) if name == format.name => {
            go(&format, way, times.parse().unwrap()).await;
        }
        Some(_) => {}
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let registry = MemoryRegistry::new();
    let builder = || {
        let builder = Consumer::builder().schemas(registry.schemas());
        builder.idempotency(Idempotency::None)
    };
    let event = |samples: Vec<Sample>| -> Bytes { Event::msk().records(samples).to_json().into() };
    let sample = |index: usize| Sample::new("orders", (index % 3) as i32);
    let all = 0..RECORDS;

    let schema = registry.avro(ORDER);
    let framed = |index| sample(index).avro(&schema, &order(index));
    let fast: serde_avro_fast::Schema = ORDER.parse().unwrap();
    let bare = |bytes: &[u8]| {
        let order: Order = serde_avro_fast::from_datum_slice(bytes, &fast).unwrap();
        black_box(order);
    };
    take(Format {
        name: "Avro",
        event: event(all.clone().map(framed).collect()),
        one: event(vec![framed(0)]),
        typed: builder().topic("orders", avro).build().unwrap(),
        record: builder().topic("orders", nothing).build().unwrap(),
        alone: builder().topic("orders", avro_alone).build().unwrap(),
        payloads: all
            .clone()
            .map(|index| {
                serde_avro_fast::to_datum_vec(
                    &order(index),
                    &mut serde_avro_fast::ser::SerializerConfig::new(&fast),
                )
                .unwrap()
            })
            .collect(),
        bare: &bare,
    })
    .await;

    let schema = registry.protobuf(PAYMENT);
    let framed = |index| sample(index).protobuf(&schema, &payment(index));
    let bare = |bytes: &[u8]| {
        black_box(Payment::decode(bytes).unwrap());
    };
    take(Format {
        name: "Protobuf",
        event: event(all.clone().map(framed).collect()),
        one: event(vec![framed(0)]),
        typed: builder().topic("orders", protobuf).build().unwrap(),
        record: builder().topic("orders", nothing).build().unwrap(),
        alone: builder().topic("orders", protobuf_alone).build().unwrap(),
        payloads: all.map(|index| payment(index).encode_to_vec()).collect(),
        bare: &bare,
    })
    .await;
}

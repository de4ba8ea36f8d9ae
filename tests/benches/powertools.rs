//! Typed values of a whole event beside Powertools for Python and for TypeScript: from the body to each record's value, on the same bytes, in two forms: behind Confluent's frame, and as a
//! mapping with a registry delivers them (`SOURCE`). What theirs reads wrong is said, since it is no measure of anything. Needs `tests/services/run decoders`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and ends where it cannot go on"
)]

use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use lambda_msk::extract::{Avro, Protobuf};
use lambda_msk::testing::{Event, MemoryRegistry, RegisteredSchema, Sample, invoke};
use lambda_msk::{Consumer, Idempotency};
use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const RECORDS: usize = 2_000;
const TURNS: usize = 15;

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
  string note = 5;
  int32 channel = 6;
}"#;

#[derive(Deserialize, Serialize)]
struct Order {
    order_id: i64,
    customer_id: String,
    amount_cents: i64,
    currency: String,
    note: Option<String>,
    channel: String,
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
    #[prost(string, tag = "5")]
    note: String,
    #[prost(int32, tag = "6")]
    channel: i32,
}

impl prost::Name for Payment {
    const NAME: &'static str = "Payment";
    const PACKAGE: &'static str = "shop";
}

/// From 1: Protobuf's default value is in no JSON that is made of a message.
fn number(index: usize) -> u64 {
    index as u64 + 1
}

fn customer(index: usize) -> String {
    format!("c-{:06}", index % 500)
}

fn order(index: usize) -> Order {
    let note = index.is_multiple_of(2);
    Order {
        order_id: number(index) as i64,
        customer_id: customer(index),
        amount_cents: 1_250,
        currency: "EUR".to_owned(),
        note: note.then(|| "leave it with the neighbours".to_owned()),
        channel: ["WEB", "APP", "SHOP"][index % 3].to_owned(),
    }
}

fn payment(index: usize) -> Payment {
    let order = order(index);
    Payment {
        order_id: number(index),
        customer_id: order.customer_id,
        amount_cents: 1_250,
        currency: order.currency,
        note: order.note.unwrap_or_default(),
        channel: (index % 3) as i32,
    }
}

async fn ship(Avro(order): Avro<Order>) {
    black_box(order);
}

async fn paid(Protobuf(payment): Protobuf<Payment>) {
    black_box(payment);
}

/// The event of so many records with these values, framed or as a mapping delivers them.
fn event(
    schema: &RegisteredSchema,
    format: &str,
    framed: bool,
    value: impl Fn(usize) -> Vec<u8>,
) -> Bytes {
    let samples = (0..RECORDS).map(|index| {
        let sample = Sample::new("orders", (index % 10) as i32);
        let value = value(index);
        if framed {
            sample.value(value)
        } else {
            // The mapping takes Confluent's five bytes, and leaves Protobuf's message indexes.
            let id = schema.id().to_string();
            sample.value(&value[5..]).value_schema(format, id)
        }
    });
    Event::msk().records(samples).to_json().into()
}

/// Nanoseconds of the quickest turn.
async fn ours(consumer: &Consumer, body: &Bytes) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..TURNS {
        let body = body.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "a bench measures the machine's time"
        )]
        let start = Instant::now();
        let invoked = invoke(consumer, body).await;
        best = best.min(start.elapsed().as_secs_f64() * 1e9);
        assert!(invoked.response().is_ok());
    }
    best
}

/// What theirs said of the event.
fn theirs(command: &[String], request: &Value) -> Value {
    let child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(request.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How many of their values are what was written, and the ratio, if that is all.
fn said(ours_ns: f64, answer: &Value) -> String {
    if let Some(error) = answer["error"].as_str() {
        return format!("cannot read it ({error})");
    }
    let values = answer["values"].as_array().unwrap();
    let is_right = |(index, value): (usize, &Value)| {
        *value == json!([number(index).to_string(), customer(index), "1250"])
    };
    // Theirs read partition by partition; so they come in another order.
    let mut values: Vec<&Value> = values.iter().collect();
    values.sort_by_key(|value| value[0].as_str().and_then(|id| id.parse::<u64>().ok()));
    let right = values
        .iter()
        .enumerate()
        .filter(|(index, value)| is_right((*index, value)))
        .count();
    if right < RECORDS {
        let is_wrong = |(index, value): &(usize, &&Value)| !is_right((*index, value));
        let one = values.iter().enumerate().find(is_wrong).map(|(_, one)| one);
        let one = one.map_or_else(|| "missing".to_owned(), ToString::to_string);
        return format!(
            "reads {right} of {RECORDS} values right, WITHOUT AN ERROR: [order_id, customer_id, amount_cents] of one are {one}"
        );
    }
    let each = answer["nanoseconds"].as_f64().unwrap() / RECORDS as f64;
    format!(
        "{each:8.0} ns a record: {:.0} times as long",
        each / (ours_ns / RECORDS as f64)
    )
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(python) = variable("DECODERS_PYTHON") else {
        println!("typed values beside Powertools: left out, needs tests/services/run decoders");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/services/decoders/decode.py");
    let mut libraries = vec![("Python", vec![python, script.to_owned()])];
    match variable("DECODERS_NODE") {
        Some(script) => libraries.push(("TypeScript", vec!["node".to_owned(), script])),
        None => println!("Powertools for TypeScript: left out, needs node and npm"),
    }

    let registry = MemoryRegistry::new();
    let (avro, protobuf) = (registry.avro(ORDER), registry.protobuf(PAYMENT));
    let builder = || {
        let builder = Consumer::builder().schemas(registry.schemas());
        builder.idempotency(Idempotency::None)
    };
    let ships = builder().topic("orders", ship).build().unwrap();
    let pays = builder().topic("orders", paid).build().unwrap();
    let fast: serde_avro_fast::Schema = ORDER.parse().unwrap();
    let frame = |number: u32| [&[0][..], &number.to_be_bytes()].concat();
    let order_bytes = |index| {
        let mut config = serde_avro_fast::ser::SerializerConfig::new(&fast);
        let datum = serde_avro_fast::to_datum_vec(&order(index), &mut config).unwrap();
        [frame(1), datum].concat()
    };
    // The single 0 stands for the file's first message.
    let payment_bytes = |index| [frame(2), vec![0], payment(index).encode_to_vec()].concat();

    println!(
        "typed values of {RECORDS} records, from the event's body on, beside Powertools; the quickest of {TURNS} turns each"
    );
    for framed in [true, false] {
        let form = match framed {
            true => "behind Confluent's frame",
            false => "as a mapping delivers it",
        };
        for (format, schema, text, consumer) in [
            ("AVRO", &avro, ORDER, &ships),
            ("PROTOBUF", &protobuf, PAYMENT, &pays),
        ] {
            let body = match format {
                "AVRO" => event(schema, format, framed, order_bytes),
                _ => event(schema, format, framed, payment_bytes),
            };
            let ours_ns = ours(consumer, &body).await;
            println!(
                "  {format:8} {form}: {:.0} ns a record",
                ours_ns / RECORDS as f64
            );
            for (language, command) in &libraries {
                let request = json!({
                    "body": std::str::from_utf8(&body).unwrap(),
                    "format": format,
                    "schema": text,
                    "framed": framed,
                    "turns": TURNS,
                });
                let answer = theirs(command, &request);
                println!("    {language:10} {}", said(ours_ns, &answer));
            }
        }
    }
}

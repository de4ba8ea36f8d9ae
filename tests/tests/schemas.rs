//! What the mapping makes of framed records, and what the framework reads of that: with either `EventRecordFormat`, in each format.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lambda_msk::builder::Builder;
use lambda_msk::extract::{Avro, Protobuf};
use lambda_msk::schemas::{
    FetchError, Fetching, Format, RecordFormat, Registry, SchemaId, Schemas, Source,
};
use lambda_msk::testing::invoke;
use lambda_msk::{Consumer, Json, Key, Outcome, State};
use msk_mapping::event;
use msk_mapping::machine::{
    Configuration, EventRecordFormat, Input, Mapping, Output, PollerId, ProvisionedPollers,
    SchemaRegistryConfig, StartingPosition, ValidatedAttribute,
};
use msk_mapping::record::{Record, TopicPartition};
use msk_mapping::schemas::Validator;
use msk_mapping::time::Time;
use serde::Deserialize;

const ORDER: &str = r#"{"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"]}]}"#;
const SHOP: &str = r#"syntax = "proto3"; package shop;
    message Cart { uint64 id = 1; }
    message Payment { uint64 amount_cents = 1; }"#;
const CLICK: &str = r#"{"type": "object", "properties": {"x": {"type": "integer"}}}"#;

#[derive(Debug, Clone)]
struct Memory;

impl Registry for Memory {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        let found = match id {
            SchemaId::Number(1) => Ok(Source::new(Format::Avro, ORDER)),
            SchemaId::Number(2) => Ok(Source::new(Format::Protobuf, SHOP)),
            SchemaId::Number(3) => Ok(Source::new(Format::Json, CLICK)),
            id => Err(FetchError::NotFound(id)),
        };
        Box::pin(std::future::ready(found))
    }

    fn place(&self) -> &'static str {
        "memory"
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Order {
    id: i64,
    note: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Payment {
    #[prost(uint64, tag = "1")]
    amount_cents: u64,
}

impl prost::Name for Payment {
    const NAME: &'static str = "Payment";
    const PACKAGE: &'static str = "shop";
}

#[derive(Debug, Deserialize, PartialEq)]
struct Click {
    x: i64,
}

#[derive(Debug, Deserialize, PartialEq)]
struct PaymentJson {
    amount_cents: u64,
}

fn framed(id: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 0, id][..], payload].concat()
}

/// `{id: 7, note: "a"}`.
fn order() -> Vec<u8> {
    framed(1, &[14, 2, 2, b'a'])
}

/// `{amount_cents: 5}`, the second message of its file.
fn payment() -> Vec<u8> {
    framed(2, &[2, 2, 8, 5])
}

fn click() -> Vec<u8> {
    framed(3, br#"{"x": 1}"#)
}

/// The very event that a mapping with this format sends of records.
async fn event_of(topic: &str, format: EventRecordFormat, records: Vec<Record>) -> Bytes {
    let source = event::Source::SelfManaged {
        bootstrap_servers: None,
    };
    let mut settings = Configuration::new(source, topic, StartingPosition::TrimHorizon);
    settings.provisioned_poller_config = Some(ProvisionedPollers {
        minimum: None,
        maximum: None,
        group: None,
    });
    settings.schema_registry_config = Some(SchemaRegistryConfig {
        uri: "http://memory".to_owned(),
        event_record_format: Some(format),
        validated: vec![ValidatedAttribute::Key, ValidatedAttribute::Value],
    });
    let validator = Validator::of(&settings, Box::new(Memory)).unwrap();
    let checked = validator.check(records).await.unwrap();
    let records = checked.into_iter().map(|checked| {
        assert_eq!(checked.reason, None);
        checked.validated
    });
    let (poller, partition) = (PollerId(0), TopicPartition::new(topic, 0));
    let (now, mut mapping) = (Time::default(), Mapping::new(settings).unwrap());
    let assigned = Input::Assigned {
        poller,
        partition,
        committed: Some(0),
    };
    mapping.handle(now, assigned);
    let records = records.collect();
    mapping.handle(now, Input::Validated { poller, records });
    mapping.handle(now.after(Duration::from_millis(500)), Input::Woken);
    let mut outputs = std::iter::from_fn(|| mapping.poll());
    let batch = outputs.find_map(|output| match output {
        Output::Invoke(batch) => Some(batch.body),
        _ => None,
    });
    batch.unwrap()
}

fn record(topic: &str, value: Vec<u8>) -> Record {
    Record::new(TopicPartition::new(topic, 0), 0).with_value(value)
}

fn schemas(format: RecordFormat) -> Schemas {
    Schemas::of(Memory).record_format(format)
}

/// What the handlers were given, as text.
type Seen = Arc<Mutex<Vec<String>>>;

fn see(seen: &Seen, what: impl std::fmt::Debug) {
    seen.lock().unwrap().push(format!("{what:?}"));
}

/// What the handlers of three topics are given of these records.
async fn seen_by(builder: Builder<Seen>, seen: Seen, format: EventRecordFormat) -> String {
    let consumer = builder.build().unwrap();
    let clicks = record("clicks", click()).with_key(order());
    for record in [
        record("orders", order()),
        record("payments", payment()),
        clicks,
    ] {
        let topic = record.partition.topic().to_owned();
        let event = event_of(&topic, format, vec![record]).await;
        let invoked = invoke(&consumer, event).await;
        assert_eq!(invoked.outcomes(), [Outcome::Done], "{topic}");
    }
    seen.lock().unwrap().concat()
}

const EACH: &str = r#"Order { id: 7, note: Some("a") }5(Click { x: 1 }, 7)"#;

async fn order_of_avro(State(seen): State<Seen>, Avro(order): Avro<Order>) {
    see(&seen, order);
}

#[tokio::test(start_paused = true)]
async fn the_mappings_source_is_read_by_the_frameworks_extractors() {
    async fn paid(State(seen): State<Seen>, Protobuf(payment): Protobuf<Payment>) {
        see(&seen, payment.amount_cents);
    }
    async fn click(
        State(seen): State<Seen>,
        Json(click): Json<Click>,
        Key(Avro(key)): Key<Avro<Order>>,
    ) {
        see(&seen, (click, key.id));
    }
    let seen = Seen::default();
    let builder = Consumer::builder()
        .state(seen.clone())
        .schemas(schemas(RecordFormat::Source))
        .topic("orders", order_of_avro)
        .topic("payments", paid)
        .topic("clicks", click);

    let all = seen_by(builder, seen, EventRecordFormat::Source).await;

    assert_eq!(all, EACH);
}

#[tokio::test(start_paused = true)]
async fn the_mappings_json_is_read_by_the_frameworks_extractors() {
    async fn paid(State(seen): State<Seen>, Json(payment): Json<PaymentJson>) {
        see(&seen, payment.amount_cents);
    }
    async fn click(
        State(seen): State<Seen>,
        Json(click): Json<Click>,
        Key(Json(key)): Key<Json<Order>>,
    ) {
        see(&seen, (click, key.id));
    }
    let seen = Seen::default();
    let builder = Consumer::builder()
        .state(seen.clone())
        .schemas(schemas(RecordFormat::Json))
        .topic("orders", order_of_avro)
        .topic("payments", paid)
        .topic("clicks", click);

    let all = seen_by(builder, seen, EventRecordFormat::Json).await;

    assert_eq!(all, EACH);
}

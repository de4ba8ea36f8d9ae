//! Any bytes as a record that a handler reads by a schema: each is read or rejected, the second of two alike as the first was, and no text of the payload is shown.

#![no_main]

mod vectors;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

use lambda_msk::destination::{DeadLetter, Destination, SendError};
use lambda_msk::extract::{Avro, Json, JsonRejection, Protobuf, State};
use lambda_msk::failure::Rejection;
use lambda_msk::schemas::{FetchError, Fetching, Framing, Registry, SchemaId, Schemas};
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Idempotency, Outcome, each};
use libfuzzer_sys::fuzz_target;
use msk_schemas::frame::{KEY_HEADER, VALUE_HEADER};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::vectors::{Vector, all, joined, parted, seed};

static VECTORS: LazyLock<Vec<Vector>> = LazyLock::new(all);

/// The vectors' schemas, each by the last byte of its id: numbers, GUIDs and Glue's versions alike.
#[derive(Debug)]
struct Vectors;

impl Registry for Vectors {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        let place = match id {
            SchemaId::Number(number) => usize::try_from(number).ok(),
            SchemaId::Guid(id) | SchemaId::Version(id) => Some(id[15].into()),
            _ => None,
        };
        let vector = place.and_then(|place| VECTORS.get(place));
        let answer = vector.map(|vector| vector.source.clone());
        Box::pin(async move { answer.ok_or(FetchError::NotFound(id)) })
    }

    fn place(&self) -> &str {
        "vectors"
    }
}

/// Takes all letters, and keeps none: a run has millions.
struct Nowhere;

impl Destination for Nowhere {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        letters.iter().map(|_| Ok(())).collect()
    }

    fn describe(&self) -> String {
        "nowhere".to_owned()
    }
}

/// A message of the vectors'.
#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(string, tag = "1")]
    order_id: String,
    #[prost(btree_map = "string, message", tag = "2")]
    by_name: BTreeMap<String, Order>,
    #[prost(message, repeated, tag = "3")]
    lines: Vec<Order>,
    #[prost(sint64, tag = "4")]
    amount_cents: i64,
    #[prost(double, repeated, tag = "5")]
    parts: Vec<f64>,
}

impl prost::Name for Order {
    const NAME: &'static str = "Order";
    const PACKAGE: &'static str = "shop";
}

/// The fields of the vectors' orders, otherwise.
const READER: &str = r#"{"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "amount_cents", "type": "double"},
    {"name": "text", "type": ["string", "null"], "aliases": ["note"]},
    {"name": "channel", "type": {"type": "enum", "name": "Channel", "symbols": ["SHOP", "OTHER"], "default": "OTHER"}},
    {"name": "more", "type": {"type": "map", "values": "int"}, "default": {"a": 1}}]}"#;

/// What each topic's records were read as, in turn.
type Seen = Arc<Mutex<Vec<(&'static str, Result<String, String>)>>>;

fn see<T: std::fmt::Debug, E: std::fmt::Display>(
    seen: &Seen,
    topic: &'static str,
    read: Result<T, E>,
) {
    // Not a number is not equal to itself, and its text is.
    let read = read.map(|read| format!("{read:?}"));
    let read = read.map_err(|error| error.to_string());
    seen.lock().expect("whole").push((topic, read));
}

async fn avro(read: Result<Avro<Value>, Rejection>, State(seen): State<Seen>) {
    see(&seen, "avro", read);
}

async fn resolved(read: Result<Avro<Value>, Rejection>, State(seen): State<Seen>) {
    see(&seen, "resolved", read);
}

async fn protobuf(read: Result<Protobuf<Order>, Rejection>, State(seen): State<Seen>) {
    see(&seen, "protobuf", read);
}

async fn json(read: Result<Json<Value>, JsonRejection>, State(seen): State<Seen>) {
    see(&seen, "json", read);
}

async fn validated(Json(_): Json<Value>) {}

const FRAMINGS: [Framing; 4] = [
    Framing::Auto,
    Framing::Confluent,
    Framing::Glue,
    Framing::None,
];

struct Process {
    runtime: Runtime,
    seen: Seen,
    /// One for each framing.
    consumers: Vec<(Consumer, &'static [&'static str])>,
}

static PROCESS: LazyLock<Process> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let within = runtime.enter();
    let seen = Seen::default();
    let consumers = FRAMINGS.map(|framing| {
        let builder = Consumer::builder()
            .state(Arc::clone(&seen))
            .schemas(Schemas::of(Vectors).framing(framing))
            .idempotency(Idempotency::None)
            .on_failure(Nowhere)
            .topic("resolved", each(resolved).reader_schema(READER))
            .topic("protobuf", protobuf)
            .topic("json", json);
        // Without a frame nothing names the writer's schema.
        let (builder, topics): (_, &[_]) = match framing {
            Framing::None => (builder, &["resolved", "protobuf", "json"]),
            _ => (
                builder
                    .topic("avro", avro)
                    .topic("validated", each(validated).validate(true)),
                &["resolved", "protobuf", "json", "avro", "validated"],
            ),
        };
        (builder.build().expect("a consumer"), topics)
    });
    drop(within);
    Process {
        consumers: consumers.into_iter().collect(),
        runtime,
        seen,
    }
});

/// Texts that are shorter may stand in a message by chance.
const TEXT_BYTES_MIN: usize = 16;

fuzz_target!(
    init: seed(VECTORS.iter().zip(0u8..).map(|(vector, place)| {
        let mut bytes = vector.bytes.clone();
        let mut header = vector.header.clone().unwrap_or_default();
        // The last byte of the id becomes the registry's.
        let (frame, last) = match (&vector.header, bytes.first()) {
            (Some(given), _) => (&mut header, if given[0] == 0 { 4 } else { 16 }),
            (None, Some(0)) => (&mut bytes, 4),
            (None, _) => (&mut bytes, 17),
        };
        frame[last] = place;
        let choice = 4 * u8::from(vector.header.is_some());
        [&[choice][..], &joined(&header, &bytes)].concat()
    })),
    |input: &[u8]| {
        let Some((choice, input)) = input.split_first() else {
            return;
        };
        let (beside, bytes) = parted(input);
        let process = &*PROCESS;
        let (consumer, topics) = &process.consumers[usize::from(choice % 4)];
        let mut event = Event::msk();
        for topic in *topics {
            for _ in 0..2 {
                let sample = Sample::new(*topic, 0).key(bytes).value(bytes);
                let id = || String::from_utf8_lossy(beside);
                event = event.record(match choice / 4 % 4 {
                    1 => sample.header(VALUE_HEADER, beside).header(KEY_HEADER, beside),
                    2 => sample.value_schema("AVRO", id()).key_schema("PROTOBUF", id()),
                    3 => sample.value_schema("JSON", id()).header(VALUE_HEADER, beside),
                    _ => sample,
                });
            }
        }

        let invoked = process.runtime.block_on(invoke(consumer, event));

        let seen = std::mem::take(&mut *process.seen.lock().expect("whole"));
        for report in invoked.records() {
            let is_settled = [Outcome::Done, Outcome::Rejected].contains(&report.outcome);
            assert!(is_settled, "neither read nor rejected: {report:?}");
        }
        // A handler that is not called sees nothing.
        for topic in topics.iter().filter(|topic| **topic != "validated") {
            let of: Vec<_> = seen.iter().filter(|(of, _)| of == topic).collect();
            assert_eq!(of.len(), 2, "{topic}");
            assert_eq!(of[0], of[1], "the second of two alike");
            if let (_, Err(said)) = of[0] {
                shows_nothing(said, bytes);
            }
        }
    }
);

/// No text of the payload is in the message.
fn shows_nothing(said: &str, bytes: &[u8]) {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    for text in bytes.chunk_by(|one, other| is_text(one) == is_text(other)) {
        let Ok(text) = std::str::from_utf8(text) else {
            continue;
        };
        let text = text.trim();
        if text.len() >= TEXT_BYTES_MIN {
            let is_known = VECTORS
                .iter()
                .any(|vector| vector.source.text.contains(text));
            assert!(is_known || !said.contains(text), "shown: {text}");
        }
    }
}

//! JSON behind a schema registry's frame is read as JSON without one. The frame is decided by fixed rules, never tried.

use lambda_msk::destination::MemoryDestination;
use lambda_msk::idempotency::PerRecord;
use lambda_msk::schemas::{Framing, Schemas};
use lambda_msk::testing::{Event, MemoryRegistry, Sample, invoke};
use lambda_msk::{Consumer, Idempotency, Json, Key};

use crate::support::{code, letters};

const CONFLUENT: &[u8] = &[0, 0, 0, 0, 42];
const GLUE: &[u8] = &[3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

async fn seven(Json(value): Json<u64>) {
    assert_eq!(value, 7);
}

fn value(bytes: &[&[u8]]) -> Event {
    let record = Sample::new("orders", 0).value(bytes.concat());
    Event::msk().record(record).build()
}

#[tokio::test(start_paused = true)]
async fn json_behind_confluents_or_glues_frame_is_read_as_json() {
    let consumer = Consumer::builder().topic("orders", seven).build().unwrap();

    for frame in [&[][..], CONFLUENT, GLUE] {
        let invoked = invoke(&consumer, value(&[frame, b"7"])).await;
        assert_eq!(letters(&invoked), "D", "{frame:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_behind_a_frame_is_read_as_json() {
    let consumer = Consumer::builder()
        .topic("orders", async |Key(Json(key)): Key<Json<String>>| {
            assert_eq!(key, "c-1");
        })
        .build()
        .unwrap();
    let key = [CONFLUENT, b"\"c-1\""].concat();
    let event = Event::msk().record(Sample::new("orders", 0).key(key));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn a_schema_id_in_a_header_leaves_the_value_without_a_frame() {
    let consumer = Consumer::builder().topic("orders", seven).build().unwrap();
    let record = |value: &[&[u8]]| {
        let record = Sample::new("orders", 0).value(value.concat());
        record.header("__value_schema_id", CONFLUENT)
    };
    let event = Event::msk().record(record(&[b"7"]));
    let framed = Event::msk().record(record(&[CONFLUENT, b"7"]));

    assert_eq!(letters(&invoke(&consumer, event).await), "D");
    // The header says that there is no frame: what stands there is the value.
    assert_eq!(code(&invoke(&consumer, framed).await, 0, 0), "reject.json");
}

#[tokio::test(start_paused = true)]
async fn where_no_frame_is_expected_none_is_taken_off() {
    let schemas = Schemas::none().framing(Framing::None);
    let consumer = Consumer::builder().schemas(schemas);
    let consumer = consumer.topic("orders", seven).build().unwrap();

    let invoked = invoke(&consumer, value(&[CONFLUENT, b"7"])).await;

    assert_eq!(code(&invoked, 0, 0), "reject.json");
}

#[tokio::test(start_paused = true)]
async fn json_behind_a_frame_whose_schema_is_of_another_format_is_rejected() {
    let registry = MemoryRegistry::new();
    let avro = registry.avro(r#""long""#);
    let json = registry.json_schema(r#"{"type": "integer"}"#);
    let consumer = Consumer::builder()
        .schemas(registry.schemas())
        .topic("orders", seven);
    let consumer = consumer.build().unwrap();
    let run = |sample: Sample| invoke(&consumer, Event::msk().record(sample).build());
    let orders = || Sample::new("orders", 0);

    let of_json = run(orders().framed_json(&json, &7)).await;
    let of_avro = run(orders().framed_json(&avro, &7)).await;
    let plain = run(orders().json(&7)).await;

    assert_eq!(letters(&of_json), "D");
    assert_eq!(code(&of_avro, 0, 0), "reject.schema_format");
    assert_eq!(letters(&plain), "D");
}

#[tokio::test(start_paused = true)]
async fn what_a_mapping_has_made_json_of_needs_no_schema_of_json() {
    let registry = MemoryRegistry::new();
    let avro = registry.avro(r#""long""#);
    let consumer = Consumer::builder()
        .schemas(registry.schemas())
        .topic("orders", seven);
    let consumer = consumer.build().unwrap();
    let id = avro.id().to_string();
    let record = Sample::new("orders", 0).json(&7);
    let event = Event::msk().record(record.value_schema("AVRO", id));

    assert_eq!(letters(&invoke(&consumer, event).await), "D");
    assert_eq!(registry.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_is_a_part_of_json_behind_a_frame() {
    let consumer = Consumer::builder()
        .topic("orders", async |_: Json<serde_json::Value>| {})
        .idempotency(Idempotency::Memory)
        .per_record(PerRecord::by_json(["/order_id"]))
        .build()
        .unwrap();
    let order: &[u8] = br#"{"order_id": 7}"#;
    let orders = [&[][..], CONFLUENT, GLUE].map(|frame| {
        let value = [frame, order].concat();
        Sample::new("orders", 0).value(value)
    });
    let event = Event::msk().records(orders);

    // The same order three times.
    assert_eq!(letters(&invoke(&consumer, event).await), "DSS");
}

#[tokio::test(start_paused = true)]
async fn compressed_payloads_of_an_invocation_have_a_bound_together() {
    use std::io::Write;

    use serde::de::IgnoredAny;

    let compressed = |bytes: usize| {
        let level = flate2::Compression::fast();
        let frame = [&[3, 5][..], &GLUE[2..]].concat();
        let mut writer = flate2::write::ZlibEncoder::new(frame, level);
        writer.write_all(&vec![b' '; bytes - 1]).unwrap();
        writer.write_all(b"7").unwrap();
        writer.finish().unwrap()
    };
    let consumer = Consumer::builder()
        .topic("orders", async |_: Json<IgnoredAny>| {})
        .on_failure(MemoryDestination::new());
    let consumer = consumer.build().unwrap();
    let (large, small) = (compressed(8 << 20), compressed(1_000));
    let too_large = compressed((8 << 20) + 1);
    let record = |at: i64, value: &[u8]| Sample::new("orders", 0).offset(at).value(value);
    let of_eight = (0..8).map(|at| record(at, &large));
    let event = Event::msk().record(record(0, &too_large));

    let alone = invoke(&consumer, event).await;
    let event = Event::msk().records(of_eight).record(record(8, &small));
    let together = invoke(&consumer, event).await;

    assert_eq!(code(&alone, 0, 0), "reject.schema_framing");
    // It may have room when the others are done.
    assert_eq!(letters(&together), "DDDDDDDDF");
    assert_eq!(code(&together, 0, 8), "schema.inflated");
    let again = invoke(&consumer, Event::msk().record(record(8, &small))).await;
    assert_eq!(letters(&again), "D");
    let problem = together.record("orders", 0, 8).problem.as_ref().unwrap();
    assert!(
        problem.message.contains("67108864 bytes for all payloads"),
        "{}",
        problem.message
    );
}

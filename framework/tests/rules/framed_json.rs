//! JSON behind a schema registry's frame is read as JSON without one. The frame is decided by fixed rules, never tried.

use lambda_msk::schemas::{Framing, Schemas};
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Json, Key};

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

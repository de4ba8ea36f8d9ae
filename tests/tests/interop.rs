//! Whatever `aws_lambda_events` can read of an event without loss, it reads as we do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use aws_lambda_events::kafka::{KafkaEvent, KafkaRecord};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_msk::Record;
use lambda_msk::record::{EventSourceKind, TimestampType};
use lambda_msk::testing::{Event, strategy};
use proptest::proptest;
use serde_json::{Value, json};

/// Changes what `KafkaEvent` refuses or changes, and nothing else.
fn without_what_theirs_loses(event: &mut Value) {
    let Some(partitions) = event["records"].as_object_mut() else {
        return;
    };
    for record in partitions
        .values_mut()
        .flat_map(|records| records.as_array_mut().unwrap())
    {
        // Milliseconds go through an f64 there, and about half of them come out one lower; -1 is refused. Whole seconds come through.
        let millis = record["timestamp"].as_i64().unwrap_or_default().max(0);
        record["timestamp"] = json!(millis - millis % 1_000);
        // Absent or null headers fail their whole event.
        if record["headers"].is_null() {
            record["headers"] = json!([]);
        }
        for header in record["headers"].as_array_mut().unwrap() {
            for value in header.as_object_mut().unwrap().values_mut() {
                // So does a null value.
                if value.is_null() {
                    *value = json!([]);
                }
                // So does a byte as emulators send it: theirs are signed only.
                for byte in value.as_array_mut().unwrap() {
                    *byte = json!((byte.as_i64().unwrap() as u8).cast_signed());
                }
            }
        }
    }
}

/// What both say of a record. They have no schema metadata, so it is not compared.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Read {
    topic: String,
    partition: i64,
    offset: i64,
    timestamp: i64,
    timestamp_type: Option<String>,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
}

fn theirs(record: KafkaRecord) -> Read {
    // Theirs leaves base64 to the caller.
    let bytes = |text: Option<String>| text.map(|text| STANDARD.decode(text).unwrap());
    let headers = record.headers.into_iter().flatten();
    Read {
        topic: record.topic.unwrap(),
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp.timestamp_millis(),
        timestamp_type: record.timestamp_type,
        key: bytes(record.key),
        value: bytes(record.value),
        headers: headers
            .map(|(name, value)| (name, value.into_iter().map(i8::cast_unsigned).collect()))
            .collect(),
    }
}

fn ours(record: &Record) -> Read {
    let timestamp_type = match record.timestamp_type() {
        TimestampType::CreateTime => Some("CREATE_TIME".to_owned()),
        TimestampType::LogAppendTime => Some("LOG_APPEND_TIME".to_owned()),
        _ => None,
    };
    let headers = record.headers();
    Read {
        topic: record.topic().to_owned(),
        partition: record.partition().into(),
        offset: record.offset(),
        timestamp: record.timestamp_millis(),
        timestamp_type,
        key: record.key().map(<[u8]>::to_vec),
        value: record.value().map(<[u8]>::to_vec),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_owned(), value.unwrap().to_vec()))
            .collect(),
    }
}

fn check(body: &[u8]) {
    let mut event: Value = serde_json::from_slice(body).unwrap();
    without_what_theirs_loses(&mut event);
    let json = event.to_string();

    let records = Event::from(json.as_str()).records().unwrap();
    let their_event: KafkaEvent = serde_json::from_str(&json).unwrap();

    for record in &records {
        let source = record.event_source();
        let name = match source.kind {
            EventSourceKind::Msk => "aws:kafka",
            _ => "SelfManagedKafka",
        };
        assert_eq!(their_event.event_source.as_deref(), Some(name));
        assert_eq!(their_event.event_source_arn, source.arn);
        assert_eq!(their_event.bootstrap_servers, source.bootstrap_servers);
    }
    // What cannot be decoded has no counterpart there: theirs hands the text on.
    let is_bad = |record: &KafkaRecord| {
        records.iter().any(|other| {
            other.fault().is_some()
                && other.offset() == record.offset
                && i64::from(other.partition()) == record.partition
        })
    };
    let mut ours: Vec<Read> = records
        .iter()
        .filter(|record| record.fault().is_none())
        .map(ours)
        .collect();
    // Their partitions lie in a HashMap, so the order between partitions is lost.
    let their_records = their_event.records.into_values().flatten();
    let mut theirs: Vec<Read> = their_records
        .filter(|record| !is_bad(record))
        .map(theirs)
        .collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
}

proptest! {
    #[test]
    fn both_read_the_same_from_every_event(event in strategy::event()) {
        check(event.to_json().as_bytes());
    }
}

#[test]
fn both_read_the_same_from_the_events_in_the_repository() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_event = path
            .extension()
            .is_some_and(|extension| extension == "json");
        // An event of SQS is one of neither.
        if is_event && !path.ends_with("sqs-by-mistake.json") {
            check(&std::fs::read(&path).unwrap());
            checked += 1;
        }
    }
    assert!(checked >= 8, "{checked} events");
}

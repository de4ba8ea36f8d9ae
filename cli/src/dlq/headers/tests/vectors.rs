//! Letters as Spring Kafka, Kafka Connect, Kafka Streams and the broker's share groups write them: `make vectors` writes them by that code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use msk_mapping::record::{Header, Record, TopicPartition};
use serde::Deserialize;

use super::super::read;
use crate::dlq::document::Foreign;
use crate::dlq::letter::{Content, Letter, Shape};

/// When the broker of a topic of dead letters takes a letter whose writer gives no time.
const WRITTEN_MS: i64 = 1_767_300_000_000;
/// The time of each record.
const RECORD_MS: i64 = 1_767_258_000_138;

#[derive(Deserialize)]
struct Vector {
    name: String,
    timestamp: Option<i64>,
    key: Option<String>,
    value: Option<String>,
    headers: Vec<(String, Option<String>)>,
}

fn bytes(text: &str) -> Bytes {
    STANDARD.decode(text).unwrap().into()
}

/// The letters of one writer, by their names.
fn letters(vectors: &str) -> Vec<(String, Result<Letter, Foreign>)> {
    let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
    let one = |vector: Vector| {
        let mut record = Record::new(TopicPartition::new("dead", 0), 7);
        record.timestamp = vector.timestamp.unwrap_or(WRITTEN_MS);
        record.key = vector.key.as_deref().map(bytes);
        record.value = vector.value.as_deref().map(bytes);
        let header = |(name, value): (String, Option<String>)| Header {
            name,
            value: value.as_deref().map(bytes),
        };
        record.headers = vector.headers.into_iter().map(header).collect();
        (vector.name, read(&record))
    };
    vectors.into_iter().map(one).collect()
}

/// The record of a letter as the function gets it, without its place.
fn event(letter: &Letter) -> serde_json::Value {
    let Content::Event(event) = &letter.content else {
        panic!("{:?}", letter.content);
    };
    let event: serde_json::Value = serde_json::from_str(&event.json(None)).unwrap();
    event["records"][format!("{}-{}", letter.topic(), letter.spans[0].partition)][0].clone()
}

/// What each letter says: its place, code, message, group, and the record's time.
type Said<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, Option<i64>);

fn said(letter: &Letter) -> (String, &str, &str, Option<&str>, Option<i64>) {
    let group = letter.group.as_deref();
    let time = letter.spans[0].first_ms;
    (letter.place(), &letter.code, &letter.message, group, time)
}

fn assert_said(letters: &[(String, Result<Letter, Foreign>)], shape: Shape, expected: &[Said]) {
    assert_eq!(letters.len(), expected.len());
    for ((name, letter), (place, code, message, group, time)) in letters.iter().zip(expected) {
        let letter = letter
            .as_ref()
            .unwrap_or_else(|why| panic!("{name}: {why:?}"));
        assert_eq!(letter.shape, shape, "{name}");
        let expected = ((*place).to_owned(), *code, *message, *group, *time);
        assert_eq!(said(letter), expected, "{name}");
    }
}

/// A record with the headers that all of them had: none of its error, repeats and null in order.
fn assert_record(letter: &Letter, key: Option<&str>, value: Option<&str>) {
    let record = event(letter);
    let base64 = |text: Option<&str>| text.map(|text| STANDARD.encode(text));
    assert_eq!(record["key"].as_str(), base64(key).as_deref());
    assert_eq!(record["value"].as_str(), base64(value).as_deref());
    let headers = r#"[{"tenant":[97]},{"tenant":[98]},{"empty":null},{"bytes":[0,-1]}]"#;
    assert_eq!(record["headers"].to_string(), headers);
}

#[test]
fn letters_of_spring_are_read_as_its_recoverer_writes_them() {
    let letters = letters(include_str!("../../../../tests/vectors/spring.json"));

    let (place, time) = ("orders-3@41", Some(RECORD_MS));
    let illegal = "java.lang.IllegalStateException";
    let listener = "Listener failed; no such customer";
    let unread = "org.springframework.kafka.support.serializer.DeserializationException";
    let again = ("orders-dlt-3@7", Some(1_767_258_111_000));
    let group = Some("shipping");
    assert_said(
        &letters,
        Shape::Spring,
        &[
            (place, illegal, listener, group, time),
            (place, illegal, "", None, time),
            (again.0, illegal, listener, group, again.1),
            (place, unread, "failed to deserialize", None, time),
            (place, unread, "failed to deserialize", None, time),
        ],
    );
    let order = Some(r#"{"order_id":41}"#);
    let records = [
        (Some("c-1"), order),
        (Some("c-1"), None),
        (Some("c-1"), order),
        (Some("c-1"), Some("twelve")),
        (Some("twelve"), order),
    ];
    for ((_, letter), (key, value)) in letters.iter().zip(records) {
        assert_record(letter.as_ref().unwrap(), key, value);
    }
}

#[test]
fn letters_of_connect_are_read_as_its_reporter_writes_them() {
    let letters = letters(include_str!("../../../../tests/vectors/connect.json"));

    let (place, group) = ("orders-3@41", Some("shipping"));
    let data = "org.apache.kafka.connect.errors.DataException";
    let illegal = "java.lang.IllegalStateException";
    assert_said(
        &letters,
        Shape::Connect,
        &[
            (place, data, "not an order", group, Some(RECORD_MS)),
            (place, illegal, "", group, Some(RECORD_MS)),
            // The broker's time of the letter: nothing tells it from the record's.
            (place, data, "not an order", group, Some(WRITTEN_MS)),
        ],
    );
    let order = Some(r#"{"order_id":41}"#);
    assert_record(
        letters[0].1.as_ref().unwrap(),
        Some("c-1"),
        Some("not JSON"),
    );
    assert_record(letters[1].1.as_ref().unwrap(), None, order);
}

#[test]
fn letters_of_streams_are_read_as_its_handlers_write_them() {
    let mut letters = letters(include_str!("../../../../tests/vectors/streams.json"));

    // A punctuation has no record, so there is nothing to redrive.
    let (_, punctuation) = letters.pop().unwrap();
    assert_eq!(punctuation, Err(Foreign::BadErrorHeaders));
    let (place, time) = ("orders-3@41", Some(RECORD_MS));
    let unread = "org.apache.kafka.common.errors.SerializationException";
    let null = "java.lang.NullPointerException";
    assert_said(
        &letters,
        Shape::Streams,
        &[
            (place, unread, "cannot read", None, time),
            (place, null, "", None, time),
        ],
    );
    for (_, letter) in &letters {
        assert_record(letter.as_ref().unwrap(), Some("c-1"), Some("not JSON"));
    }
}

#[test]
fn letters_of_share_groups_are_read_as_the_broker_writes_them() {
    let letters = letters(include_str!("../../../../tests/vectors/share-group.json"));

    let (place, group) = ("orders-3@41", Some("shipping"));
    let (code, thrown) = ("share-group", "rejected by the consumer");
    // The letter has its own time, not the record's.
    assert_said(
        &letters,
        Shape::ShareGroup,
        &[
            (place, code, thrown, group, None),
            (place, code, thrown, group, None),
            (place, code, "", group, None),
        ],
    );
    let letters: Vec<Letter> = letters.into_iter().map(|(_, it)| it.unwrap()).collect();
    assert!(letters.iter().all(|letter| letter.attempts == Some(5)));
    // Else the function would be given a tombstone that nobody wrote.
    assert_eq!(letters[0].content, Content::Coordinates);
    for letter in &letters[1..] {
        let record = event(letter);
        assert_eq!(record["key"], STANDARD.encode("c-1"));
        assert_eq!(record["value"], STANDARD.encode(r#"{"order_id":41}"#));
    }
}

//! Bytes that Confluent's and Glue's own serializers made, read by their schemas. `tests/services/serializers/vectors.py` writes the vectors.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use msk_schemas::id::{Format, Reference, Source};
use msk_schemas::json_schema::Validator;
use msk_schemas::protobuf::File;
use msk_schemas::protobuf::json::Dynamic;
use serde_json::Value;

/// The vectors of a format.
fn vectors(text: &str, format: &str) -> Vec<Value> {
    let vectors: Vec<Value> = serde_json::from_str(text).unwrap();
    let of = vectors
        .into_iter()
        .filter(|vector| vector["format"] == format);
    let of: Vec<Value> = of.collect();
    assert!(of.len() >= 2, "{format}: {}", of.len());
    of
}

fn confluent(format: &str) -> Vec<Value> {
    vectors(include_str!("vectors/confluent.json"), format)
}

fn glue(format: &str) -> Vec<Value> {
    vectors(include_str!("vectors/glue.json"), format)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let hex = text(value);
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn source(format: Format, schema: &Value) -> Source {
    let references = schema["references"].as_array().unwrap().iter();
    let references = references.map(|reference| Reference {
        name: text(&reference["name"]).to_owned(),
        source: source(format, reference),
    });
    Source {
        references: references.collect(),
        ..Source::new(format, text(&schema["text"]))
    }
}

/// The id or GUID with all that stands before or beside a payload, and the payload.
fn parted(vector: &Value) -> (Vec<u8>, Vec<u8>) {
    let payload = bytes(&vector["bytes"]);
    let headers = vector["headers"].as_array().unwrap();
    match text(&vector["framing"]) {
        "header" => {
            let name = format!("__{}_schema_id", text(&vector["place"]));
            assert_eq!((headers.len(), text(&headers[0][0])), (1, &*name));
            (bytes(&headers[0][1]), payload)
        }
        _ => {
            assert!(headers.is_empty());
            let indexes = match text(&vector["format"]) {
                "PROTOBUF" => indexes(&payload[5..]).1,
                _ => 0,
            };
            let (frame, payload) = payload.split_at(5 + indexes);
            (frame.to_vec(), payload.to_vec())
        }
    }
}

/// Confluent's message indexes at the start of bytes, and their size.
fn indexes(bytes: &[u8]) -> (Vec<u32>, usize) {
    let mut at = 0;
    let mut next = || {
        // Zigzag, and small.
        at += 1;
        u32::from(bytes[at - 1]) / 2
    };
    let count = next();
    let indexes = match count {
        0 => vec![0],
        count => (0..count).map(|_| next()).collect(),
    };
    (indexes, at)
}

#[test]
fn the_indexes_that_confluents_serializer_writes_name_its_message() {
    let mut seen = Vec::new();
    for vector in confluent("PROTOBUF") {
        let file = File::of(&source(Format::Protobuf, &vector["schema"])).unwrap();
        let message = text(&vector["message"]);
        let (frame, _) = parted(&vector);
        let before = match frame[0] {
            0 => 5,
            _ => 17,
        };

        let (indexes, size) = indexes(&frame[before..]);

        assert_eq!(before + size, frame.len(), "{message}");
        assert_eq!(file.message_at(&indexes), Some(message));
        assert!(file.fits(&indexes, message));
        assert_eq!(file.indexes_of(message), Some(&*indexes));
        seen.push(indexes);
    }
    seen.sort();
    seen.dedup();
    let all: [&[u32]; 7] = [&[0], &[0, 1], &[0, 1, 1], &[1], &[1, 0], &[1, 2], &[2]];
    assert_eq!(seen, all);
}

#[test]
fn protobuf_is_what_the_serializer_was_given() {
    for vector in confluent("PROTOBUF") {
        let dynamic = Dynamic::of(&source(Format::Protobuf, &vector["schema"])).unwrap();
        let message = text(&vector["message"]);
        let (_, payload) = parted(&vector);

        let json = dynamic.to_json(message, &payload).unwrap();

        assert_eq!(
            dynamic.from_json(message, &json).unwrap(),
            payload,
            "{json}"
        );
        let given = dynamic.from_json(message, &vector["value"]).unwrap();
        assert_eq!(given, payload, "{json}");
    }
}

#[test]
fn json_fits_the_schema_that_it_was_written_with() {
    for vector in confluent("JSON") {
        let (_, payload) = parted(&vector);
        let value: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(value, vector["value"]);

        let validator = Validator::of(&source(Format::Json, &vector["schema"])).unwrap();

        assert_eq!(validator.check(&value), Ok(()));
    }
}

#[test]
fn a_key_and_a_value_have_their_own_headers_with_the_guid() {
    let mut headers = 0;
    for format in ["AVRO", "JSON", "PROTOBUF"] {
        for vector in confluent(format) {
            if vector["framing"] == "header" {
                let (frame, _) = parted(&vector);
                let guid = text(&vector["guid"]).replace('-', "");
                assert_eq!(frame[0], 1);
                assert_eq!(frame[1..17], bytes(&Value::String(guid)));
                headers += 1;
            }
        }
    }
    assert_eq!(headers, 20);
}

#[test]
fn the_place_that_glues_serializer_writes_names_its_message() {
    let mut seen = Vec::new();
    for vector in glue("PROTOBUF") {
        let source = source(Format::Protobuf, &vector["schema"]);
        let message = text(&vector["message"]);
        let payload = bytes(&vector["payload"]);

        let file = File::of(&source).unwrap();
        let dynamic = Dynamic::of(&source).unwrap();

        let place = file.order_of(message).unwrap();
        assert_eq!(file.message_in_order(place), Some(message));
        assert_eq!(
            dynamic.from_json(message, &vector["value"]).unwrap(),
            payload
        );
        let mut framed = bytes(&vector["bytes"]);
        let behind = framed.split_off(18);
        assert_eq!(framed[0], 3);
        if vector["compressed"] == false {
            assert_eq!(framed[1], 0);
            assert_eq!(behind, [&[place as u8][..], &payload].concat());
            seen.push(place);
        }
    }
    seen.sort();
    assert_eq!(seen, [0, 0, 1, 3, 4, 5, 6, 7]);
}

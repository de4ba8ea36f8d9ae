//! Payloads that Confluent's and Glue's own serializers wrote, with their schemas: where the targets of typed payloads begin.

#![allow(dead_code, reason = "each target takes a part")]

use std::path::Path;

use msk_schemas::id::{Format, Reference, Source};
use serde_json::Value;

/// One payload.
pub struct Vector {
    pub source: Source,
    /// The full name of a Protobuf message.
    pub message: Option<String>,
    /// With its frame.
    pub bytes: Vec<u8>,
    /// The header that names its schema.
    pub header: Option<Vec<u8>>,
}

/// All of them.
pub fn all() -> Vec<Vector> {
    let files = [
        include_str!("../../schemas/tests/vectors/confluent.json"),
        include_str!("../../schemas/tests/vectors/glue.json"),
    ];
    let vectors = files.map(|file| serde_json::from_str::<Vec<Value>>(file).expect("vectors"));
    vectors.iter().flatten().map(vector).collect()
}

fn vector(vector: &Value) -> Vector {
    let format = match text(&vector["format"]) {
        "AVRO" => Format::Avro,
        "PROTOBUF" => Format::Protobuf,
        _ => Format::Json,
    };
    Vector {
        source: source(format, &vector["schema"]),
        message: vector["message"].as_str().map(str::to_owned),
        bytes: bytes(text(&vector["bytes"])),
        header: vector["headers"][0][1].as_str().map(bytes),
    }
}

fn source(format: Format, schema: &Value) -> Source {
    let references = schema["references"].as_array().expect("references").iter();
    let references = references.map(|reference| Reference {
        name: text(&reference["name"]).to_owned(),
        source: source(format, reference),
    });
    Source {
        references: references.collect(),
        ..Source::new(format, text(&schema["text"]))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = (0..hex.len()).step_by(2);
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    pairs.map(byte).collect()
}

/// Writes the inputs that the fuzzer begins with into the folder that `SEEDS` names. Without it there are none.
pub fn seed(inputs: impl IntoIterator<Item = Vec<u8>>) {
    let Ok(folder) = std::env::var("SEEDS") else {
        return;
    };
    for (number, input) in inputs.into_iter().enumerate() {
        let path = Path::new(&folder).join(format!("seed-{number}"));
        std::fs::write(path, input).expect("a folder that can be written");
    }
}

/// An input in two parts: a part of at most 65,535 bytes behind its length, and the rest.
pub fn parted(input: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = input.split_first_chunk() else {
        return (&[], &[]);
    };
    rest.split_at(rest.len().min(u16::from_be_bytes(*length).into()))
}

/// What `parted` takes apart.
pub fn joined(one: &[u8], other: &[u8]) -> Vec<u8> {
    let length = u16::try_from(one.len()).expect("a vector is small");
    [&length.to_be_bytes()[..], one, other].concat()
}

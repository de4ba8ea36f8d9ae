//! Values that other libraries wrote and resolved are read as they read them. `vectors/README.md` says how the vectors are made.

#![cfg(feature = "avro")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use msk_schemas::avro::{self, Schema};
use msk_schemas::id::{Format, Reference, Source};
use serde_json::Value;

struct Vector(Value);

fn vectors() -> Vec<Vector> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors/vectors.json")).unwrap();
    vectors.into_iter().map(Vector).collect()
}

impl Vector {
    fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        let hex = self.0["java"]["bytes"].as_str().unwrap();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect()
    }

    fn writer(&self) -> Schema {
        let mut source = Source::new(Format::Avro, self.0["writer"].to_string());
        for reference in self.0["references"].as_array().into_iter().flatten() {
            source.references.push(Reference {
                name: reference["name"].as_str().unwrap().to_owned(),
                source: Source::new(Format::Avro, reference["schema"].to_string()),
            });
        }
        Schema::of(&source).unwrap()
    }

    /// What the library that is followed gives. None: an error.
    fn expected(&self) -> Option<&Value> {
        let of = match self.0["follow"].as_str() {
            None | Some("both" | "java") => &self.0["java"],
            Some("fastavro") => &self.0["fastavro"],
            Some(_) => &self.0["expected"],
        };
        of.get("value")
    }

    fn read(&self) -> Option<Value> {
        let writer = self.writer();
        let read = |plan: &avro::Plan| avro::to_json(plan, &self.bytes()).ok();
        match &self.0["reader"] {
            Value::Null => read(writer.plan()),
            reader => {
                let reader = Schema::parse(&reader.to_string()).unwrap();
                read(&reader.reads(&writer).ok()?)
            }
        }
    }
}

/// With all numbers as floating-point: a whole number that one side shows as `1.0` is the same.
fn loose(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.iter().map(loose).collect(),
        Value::Object(entries) => {
            let entries = entries.iter();
            entries
                .map(|(key, value)| (key.clone(), loose(value)))
                .collect()
        }
        other => other.clone(),
    }
}

#[test]
fn each_vector_is_read_as_the_library_reads_it() {
    let vectors = vectors();
    let wrong: Vec<String> = vectors
        .iter()
        .filter_map(|vector| {
            let read = vector.read();
            let expected = vector.expected();
            let is_float = |value: Option<&Value>| value.is_some_and(Value::is_f64);
            let right = if is_float(expected) {
                read.as_ref().map(loose) == expected.map(loose)
            } else {
                read.as_ref() == expected
            };
            (!right).then(|| {
                format!(
                    "{}: {read:?}, expected {:?}",
                    vector.name(),
                    vector.expected()
                )
            })
        })
        .collect();

    assert!(vectors.len() > 100);
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn where_the_libraries_differ_a_vector_says_who_is_followed_and_why() {
    for Vector(vector) in vectors() {
        let of = |library: &str| vector[library].get("value").map(loose);
        let differ = of("java") != of("fastavro");
        assert!(!differ || vector["why"].is_string(), "{}", vector["name"]);
    }
}

#[test]
fn dates_and_times_are_the_texts_that_fastavro_gives() {
    let mut seen = 0;
    for vector in vectors() {
        let Some(text) = vector.0["fastavro"]["text"].as_str() else {
            continue;
        };
        seen += 1;
        let (writer, bytes) = (vector.writer(), vector.bytes());
        let read: String = avro::from_slice(writer.plan(), &bytes).unwrap();
        assert_eq!(read, text, "{}", vector.name());
        assert_eq!(
            avro::to_vec(&writer, text).unwrap(),
            bytes,
            "{}",
            vector.name()
        );
    }
    assert!(seen > 10);
}

#[test]
fn values_are_written_as_the_libraries_write_them() {
    for vector in vectors() {
        if vector.0["blocks"] == true {
            continue;
        }
        let writer = vector.writer();
        // The value as it is read: a union is plain, a decimal is text.
        let value = avro::to_json(writer.plan(), &vector.bytes()).unwrap();
        assert_eq!(
            avro::to_vec(&writer, &value).unwrap(),
            vector.bytes(),
            "{}",
            vector.name()
        );
    }
}

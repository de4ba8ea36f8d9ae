//! Any text as a schema, and any bytes as its payload: nothing panics, what is read can be passed over, and memory stays in bounds.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use msk_schemas::avro::{Plan, Schema, from_json, to_json, to_vec};
use serde_json::{Value, json};

/// Every type, inside each other and in itself.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let fields = json!([
        {"name": "a", "type": ["null", "int", "string", {"type": "map", "values": "All"}]},
        {"name": "b", "type": {"type": "array", "items": ["null", "long", "All"]}},
        {"name": "c", "type": {"type": "enum", "name": "Letter", "symbols": ["A", "B", "C"]}},
        {"name": "d", "type": {"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 5}},
        {"name": "e", "type": {"type": "fixed", "name": "Id", "size": 16, "logicalType": "uuid"}},
        {"name": "f", "type": {"type": "fixed", "name": "For", "size": 12, "logicalType": "duration"}},
        {"name": "g", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}, "float", "bytes"]},
        {"name": "h", "type": {"type": "array", "items": {"type": "record", "name": "Empty", "fields": []}}},
    ]);
    Schema::parse(&json!({"type": "record", "name": "All", "fields": fields}).to_string())
        .expect("a schema")
});

/// The same, read as something else.
static READER: LazyLock<Schema> = LazyLock::new(|| {
    let fields = json!([
        {"name": "h", "type": {"type": "array", "items": {"type": "record", "name": "Empty", "fields": [
            {"name": "more", "type": {"type": "array", "items": "int"}, "default": [1, 2]}
        ]}}},
        {"name": "g", "type": ["double", "string", "null", {"type": "long", "logicalType": "timestamp-micros"}]},
        {"name": "c", "type": {"type": "enum", "name": "Letter", "symbols": ["C", "D"], "default": "D"}},
        {"name": "z", "type": ["null", "double", "bytes"], "aliases": ["a"]},
        {"name": "e", "type": {"type": "fixed", "name": "Id", "size": 16}},
    ]);
    Schema::parse(&json!({"type": "record", "name": "All", "fields": fields}).to_string())
        .expect("a schema")
});

static RESOLVED: LazyLock<Plan> = LazyLock::new(|| READER.reads(&SCHEMA).expect("a plan"));

/// Passes over everything.
static DROPPING: LazyLock<Plan> = LazyLock::new(|| {
    let reader = json!({"type": "record", "name": "All", "fields": []});
    let reader = Schema::parse(&reader.to_string()).expect("a schema");
    reader.reads(&SCHEMA).expect("a plan")
});

/// Values of JSON, counted.
fn values(json: &Value) -> usize {
    match json {
        Value::Array(items) => 1 + items.iter().map(values).sum::<usize>(),
        Value::Object(entries) => 1 + entries.values().map(values).sum::<usize>(),
        _ => 1,
    }
}

fuzz_target!(|input: (String, Vec<u8>)| {
    let (text, bytes) = input;
    if let Ok(read) = to_json(SCHEMA.plan(), &bytes) {
        assert!(
            to_json(&DROPPING, &bytes).is_ok(),
            "read, and not passed over"
        );
        // A record has eight fields and three parts of a duration; elements are as many as bytes, and 10,000.
        assert!(
            values(&read) <= 16 * (bytes.len() + 10_000),
            "more values than bytes"
        );
        // A union may take another branch, and a map can look like a name with a value.
        if let Ok(written) = to_vec(&SCHEMA, &read) {
            assert!(
                to_json(SCHEMA.plan(), &written).is_ok(),
                "written, and not read"
            );
        }
    }
    let _ = to_json(&RESOLVED, &bytes);
    let _ = from_json::<Value>(&bytes);
    if let Ok(schema) = Schema::parse(&text) {
        let _ = to_json(schema.plan(), &bytes);
        let plan = schema.reads(&schema).expect("a schema reads itself");
        let _ = to_json(&plan, &bytes);
    }
});

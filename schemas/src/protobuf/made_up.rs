//! Messages made up from a schema, for tools that need examples.

use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::limits::MADE_UP_DEPTH_MAX;
use crate::protobuf::json::{ConvertError, Dynamic};

impl Dynamic {
    /// Makes up a message, as [`from_json`](Self::from_json) takes it. `random` gives a number from 0 up to, and without, the one that it is given: the same numbers make the same message.
    ///
    /// # Errors
    ///
    /// The schema has no such message.
    pub fn made_up(
        &self,
        message: &str,
        random: &mut dyn FnMut(u64) -> u64,
    ) -> Result<Value, ConvertError> {
        Ok(of_message(&self.message(message)?, 0, random))
    }
}

fn of_message(of: &MessageDescriptor, depth: usize, random: &mut dyn FnMut(u64) -> u64) -> Value {
    match of.full_name() {
        "google.protobuf.Timestamp" => return json!("2026-01-01T00:00:00Z"),
        "google.protobuf.Duration" => return json!("1.500s"),
        // Their JSON is not an object of their fields, or may be any.
        name if name.starts_with("google.protobuf.") => return empty(name),
        _ => {}
    }
    let mut fields = Map::new();
    let chosen: Vec<u32> = of
        .oneofs()
        .filter_map(|oneof| {
            let fields: Vec<_> = oneof.fields().collect();
            let at = random(fields.len().max(1) as u64) as usize;
            Some(fields.get(at)?.number())
        })
        .collect();
    for field in of.fields() {
        let in_oneof = field.containing_oneof().is_some();
        if in_oneof && !chosen.contains(&field.number()) {
            continue;
        }
        let is_message = matches!(field.kind(), Kind::Message(_));
        if is_message && depth >= MADE_UP_DEPTH_MAX && field.cardinality() != Cardinality::Required
        {
            continue;
        }
        fields.insert(field.name().to_owned(), of_field(&field, depth, random));
    }
    Value::Object(fields)
}

fn of_field(field: &FieldDescriptor, depth: usize, random: &mut dyn FnMut(u64) -> u64) -> Value {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else {
            return json!({});
        };
        let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        let key = match scalar(&key.kind(), key.name(), depth, random) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        return json!({ key: scalar(&value.kind(), field.name(), depth, random) });
    }
    if field.is_list() {
        let items = 1 + random(3);
        return (0..items)
            .map(|_| scalar(&field.kind(), field.name(), depth, random))
            .collect();
    }
    scalar(&field.kind(), field.name(), depth, random)
}

fn scalar(kind: &Kind, name: &str, depth: usize, random: &mut dyn FnMut(u64) -> u64) -> Value {
    match kind {
        Kind::Double | Kind::Float => json!(random(10_000) as f64 / 4.0),
        Kind::Bool => json!(random(2) == 1),
        Kind::String => json!(format!("{name}-{}", random(10_000))),
        // Base64 of three bytes.
        Kind::Bytes => json!("AQID"),
        Kind::Message(of) => of_message(of, depth + 1, random),
        Kind::Enum(of) => {
            let names: Vec<String> = of.values().map(|value| value.name().to_owned()).collect();
            json!(names.get(random(names.len().max(1) as u64) as usize))
        }
        _ => json!(random(10_000)),
    }
}

/// The least that one of Protobuf's own messages may be.
fn empty(name: &str) -> Value {
    match name.trim_start_matches("google.protobuf.") {
        "DoubleValue" | "FloatValue" | "Int32Value" | "UInt32Value" => json!(0),
        "Int64Value" | "UInt64Value" => json!("0"),
        "BoolValue" => json!(false),
        "StringValue" | "BytesValue" | "FieldMask" => json!(""),
        "ListValue" => json!([]),
        "Value" => Value::Null,
        _ => json!({}),
    }
}

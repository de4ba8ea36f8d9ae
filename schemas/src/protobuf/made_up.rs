//! Messages made up from a schema, for tools that need examples.

use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::limits::{MADE_UP_DEPTH_MAX, MADE_UP_PROTOBUF_DEPTH_MAX, MADE_UP_VALUES_MAX};
use crate::protobuf::json::{ConvertError, Dynamic};

impl Dynamic {
    /// Makes up a message, as [`from_json`](Self::from_json) takes it. `random` gives a number from 0 up to, and without, the one that it is given: the same numbers make the same message.
    ///
    /// # Errors
    ///
    /// The schema has no such message, or the message has no value that is small enough to make up: it always contains itself.
    pub fn made_up(
        &self,
        message: &str,
        random: &mut dyn FnMut(u64) -> u64,
    ) -> Result<Value, ConvertError> {
        let mut maker = Maker {
            random,
            values_left: MADE_UP_VALUES_MAX,
        };
        maker.of_message(&self.message(message)?, 0)
    }
}

struct Maker<'a> {
    random: &'a mut dyn FnMut(u64) -> u64,
    values_left: usize,
}

impl Maker<'_> {
    fn random(&mut self, below: u64) -> u64 {
        (self.random)(below)
    }

    fn of_message(&mut self, of: &MessageDescriptor, depth: usize) -> Result<Value, ConvertError> {
        match of.full_name() {
            "google.protobuf.Timestamp" => return Ok(json!("2026-01-01T00:00:00Z")),
            "google.protobuf.Duration" => return Ok(json!("1.500s")),
            // Their JSON is not an object of their fields, or may be any.
            name if name.starts_with("google.protobuf.") => return Ok(empty(name)),
            _ => {}
        }
        if depth > MADE_UP_PROTOBUF_DEPTH_MAX {
            return Err(ConvertError::Endless(of.full_name().to_owned()));
        }
        let mut fields = Map::new();
        let mut chosen = Vec::new();
        for oneof in of.oneofs() {
            let of_one: Vec<_> = oneof.fields().collect();
            let at = self.random(of_one.len().max(1) as u64) as usize;
            chosen.extend(of_one.get(at).map(FieldDescriptor::number));
        }
        for field in of.fields() {
            let in_oneof = field.containing_oneof().is_some();
            if in_oneof && !chosen.contains(&field.number()) {
                continue;
            }
            let is_message = matches!(field.kind(), Kind::Message(_));
            if is_message
                && depth >= MADE_UP_DEPTH_MAX
                && field.cardinality() != Cardinality::Required
            {
                continue;
            }
            fields.insert(field.name().to_owned(), self.of_field(&field, depth)?);
        }
        Ok(Value::Object(fields))
    }

    fn of_field(&mut self, field: &FieldDescriptor, depth: usize) -> Result<Value, ConvertError> {
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else {
                return Ok(json!({}));
            };
            let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
            let key = match self.scalar(&key.kind(), key.name(), depth)? {
                Value::String(text) => text,
                other => other.to_string(),
            };
            return Ok(json!({ key: self.scalar(&value.kind(), field.name(), depth)? }));
        }
        if field.is_list() {
            let items = 1 + self.random(3);
            let items = (0..items).map(|_| self.scalar(&field.kind(), field.name(), depth));
            return Ok(Value::Array(items.collect::<Result<_, _>>()?));
        }
        self.scalar(&field.kind(), field.name(), depth)
    }

    fn scalar(&mut self, kind: &Kind, name: &str, depth: usize) -> Result<Value, ConvertError> {
        self.values_left = match self.values_left {
            0 => return Err(ConvertError::Parts),
            left => left - 1,
        };
        Ok(match kind {
            Kind::Double | Kind::Float => json!(self.random(10_000) as f64 / 4.0),
            Kind::Bool => json!(self.random(2) == 1),
            Kind::String => json!(format!("{name}-{}", self.random(10_000))),
            // Base64 of three bytes.
            Kind::Bytes => json!("AQID"),
            Kind::Message(of) => self.of_message(of, depth + 1)?,
            Kind::Enum(of) => {
                let names: Vec<String> = of.values().map(|value| value.name().to_owned()).collect();
                json!(names.get(self.random(names.len().max(1) as u64) as usize))
            }
            _ => json!(self.random(10_000)),
        })
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

#[cfg(test)]
mod tests {
    use crate::id::{Format, Source};
    use crate::protobuf::json::Dynamic;

    fn fault(text: &str) -> String {
        let schema = Dynamic::of(&Source::new(Format::Protobuf, text)).unwrap();
        let made = schema.made_up("A", &mut |below| below - 1);
        made.unwrap_err().to_string()
    }

    #[test]
    fn a_message_that_always_contains_itself_is_an_error() {
        let fault = fault(r#"syntax = "proto2"; message A { required A a = 1; }"#);

        assert!(fault.contains("the message A contains itself"), "{fault}");
    }

    #[test]
    fn a_message_with_too_many_parts_is_an_error() {
        let mut text =
            r#"syntax = "proto2"; message A { required M0 a = 1; } message M40 {}"#.to_owned();
        for step in 0..40 {
            let next = step + 1;
            text +=
                &format!("message M{step} {{ required M{next} a = 1; required M{next} b = 2; }}");
        }

        let fault = fault(&text);

        assert!(fault.contains("more than 65536 parts"), "{fault}");
    }
}

//! Values made up from a JSON Schema, for tools that need examples. Not every schema can be met so: who makes a value checks it.

use serde_json::{Map, Value, json};

use crate::id::SchemaError;
use crate::limits::{MADE_UP_DEPTH_MAX, MADE_UP_VALUES_MAX};

/// Makes up a value from the schema's types, constants, enumerations, bounds and `$ref`s within the schema. `random` gives a number from 0 up to, and without, the one that it is given.
///
/// # Errors
///
/// The value would have more parts than are made up.
pub fn made_up(schema: &Value, random: &mut dyn FnMut(u64) -> u64) -> Result<Value, SchemaError> {
    let mut maker = Maker {
        root: schema,
        random,
        values_left: MADE_UP_VALUES_MAX,
    };
    maker.value(schema, "value", 0)
}

struct Maker<'a> {
    root: &'a Value,
    random: &'a mut dyn FnMut(u64) -> u64,
    values_left: usize,
}

impl Maker<'_> {
    fn random(&mut self, below: u64) -> u64 {
        (self.random)(below)
    }

    fn value(&mut self, schema: &Value, name: &str, depth: usize) -> Result<Value, SchemaError> {
        self.values_left = self.values_left.checked_sub(1).ok_or_else(|| {
            SchemaError(format!(
                "the schema's smallest values have more than {MADE_UP_VALUES_MAX} parts, the most that are made up"
            ))
        })?;
        if let Some(constant) = schema.get("const") {
            return Ok(constant.clone());
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
            let at = self.random(allowed.len().max(1) as u64) as usize;
            return Ok(allowed.get(at).cloned().unwrap_or_default());
        }
        if depth > 2 * MADE_UP_DEPTH_MAX {
            return Ok(Value::Null);
        }
        let pointer = schema.get("$ref").and_then(Value::as_str);
        let root = self.root;
        if let Some(found) = pointer.and_then(|pointer| root.pointer(pointer.strip_prefix('#')?)) {
            return self.value(found, name, depth + 1);
        }
        for choices in ["oneOf", "anyOf"] {
            if let Some(first) = schema.get(choices).and_then(|of| of.get(0)) {
                return self.value(first, name, depth + 1);
            }
        }
        let number = |key: &str| schema.get(key).and_then(Value::as_f64);
        Ok(match of_type(schema) {
            "object" => self.object(schema, depth)?,
            "array" => {
                let item = schema.get("items").unwrap_or(&Value::Null);
                let least = number("minItems").unwrap_or(1.0) as u64;
                let items = (0..least.clamp(1, 10)).map(|_| self.value(item, name, depth + 1));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            "integer" | "number" => {
                let least = number("minimum").unwrap_or(0.0).ceil() as i64;
                let most = number("maximum")
                    .map_or(least.saturating_add(10_000), |most| most.floor() as i64);
                let range = most.saturating_sub(least).saturating_add(1).max(1);
                json!(least.saturating_add(self.random(range.cast_unsigned()).cast_signed()))
            }
            "boolean" => json!(self.random(2) == 1),
            "null" => Value::Null,
            _ => string(schema, name, self.random),
        })
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Result<Value, SchemaError> {
        let none = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let required = schema.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|names| names.iter().any(|of| of == name));
        let mut object = Map::new();
        for (name, of) in properties {
            if depth < MADE_UP_DEPTH_MAX || is_required(name) {
                object.insert(name.clone(), self.value(of, name, depth + 1)?);
            }
        }
        Ok(Value::Object(object))
    }
}

/// The first type that is not null.
fn of_type(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(one)) => one,
        Some(Value::Array(several)) => {
            let mut named = several.iter().filter_map(Value::as_str);
            named.find(|name| *name != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ => "string",
    }
}

fn string(schema: &Value, name: &str, random: &mut dyn FnMut(u64) -> u64) -> Value {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date") => "2026-01-01".to_owned(),
        Some("date-time") => "2026-01-01T00:00:00Z".to_owned(),
        Some("uuid") => "0f8fad5b-d9cb-469f-a165-70867728950e".to_owned(),
        Some("email") => format!("user{}@shop.example", random(10_000)),
        Some("uri") => format!("https://shop.example/{}", random(10_000)),
        _ => format!("{name}-{}", random(10_000)),
    };
    let length = |key: &str| schema.get(key).and_then(Value::as_u64);
    let least = length("minLength").unwrap_or(0).min(10_000) as usize;
    let mut text = format!("{text:x<least$}");
    if let Some(most) = length("maxLength") {
        text = text.chars().take(most as usize).collect();
    }
    json!(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::made_up;

    #[test]
    fn a_value_with_too_many_parts_is_an_error() {
        let names: Vec<String> = (0..100).map(|at| format!("p{at}")).collect();
        let itself = json!({"$ref": "#"});
        let properties: serde_json::Map<_, _> = names
            .iter()
            .map(|name| (name.clone(), itself.clone()))
            .collect();
        let schema = json!({"type": "object", "properties": properties, "required": names});

        let error = made_up(&schema, &mut |_| 0).unwrap_err();

        assert!(
            error.to_string().contains("more than 65536 parts"),
            "{error}"
        );
    }
}

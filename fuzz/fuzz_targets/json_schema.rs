//! Any text as a JSON Schema, and any JSON as its value: nothing panics or runs on, and no text of the value is shown.

#![no_main]

mod vectors;

use libfuzzer_sys::fuzz_target;
use msk_schemas::id::{Format, Source};
use msk_schemas::json_schema::Validator;
use serde_json::Value;

use crate::vectors::{all, joined, parted, seed};

/// Texts that are shorter may stand in a message by chance: those of the checker's own words.
const TEXT_BYTES_MIN: usize = 16;

fuzz_target!(
    init: seed(all().iter().filter(|vector| vector.source.format == Format::Json).map(|vector| {
        let json = vector.bytes.iter().position(|byte| *byte == b'{').unwrap_or_default();
        joined(vector.source.text.as_bytes(), &vector.bytes[json..])
    })),
    |input: &[u8]| {
        let (text, bytes) = parted(input);
        let Ok(text) = std::str::from_utf8(text) else {
            return;
        };
        let Ok(validator) = Validator::of(&Source::new(Format::Json, text)) else {
            return;
        };
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
            return;
        };
        if let Err(misfit) = validator.check(&value) {
            let said = misfit.to_string();
            let schema: Value = serde_json::from_str(text).expect("it was compiled");
            let mut known = Vec::new();
            texts(&schema, &mut |text| known.push(text.to_owned()));
            texts(&value, &mut |text| {
                let is_known = text.len() < TEXT_BYTES_MIN || known.iter().any(|known| known.contains(text));
                assert!(is_known || !said.contains(text), "a text of the value's is shown");
            });
        }
    }
);

/// All texts and keys.
fn texts(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, see)),
        Value::Object(entries) => {
            for (key, value) in entries {
                see(key);
                texts(value, see);
            }
        }
        _ => {}
    }
}

//! Values made up from a schema, for tools that need examples.

use serde_json::{Map, Value, json};

use crate::avro::schema::{Kind, Logical, Schema, TypeId};
use crate::avro::temporal::Temporal;
use crate::limits::MADE_UP_DEPTH_MAX;

/// A number from 0 up to, and without, the one that is given.
pub type Random<'a> = dyn FnMut(u64) -> u64 + 'a;

/// The first made-up time, milliseconds since 1970: 2026-01-01T00:00:00Z.
const TIME_MS: u64 = 1_767_225_600_000;
const DAY_MS: u64 = 86_400_000;

/// Makes up a value of the schema, as [`to_vec`](crate::avro::to_vec) takes it. `random` decides what the schema leaves open: the same numbers make the same value.
pub fn made_up(schema: &Schema, random: &mut Random<'_>) -> Value {
    value(schema, schema.root, "value", 0, random)
}

fn value(schema: &Schema, id: TypeId, name: &str, depth: usize, random: &mut Random<'_>) -> Value {
    let of = &schema.types[id];
    if let Some(logical) = of.logical {
        return of_logical(logical, random);
    }
    let deep = depth >= MADE_UP_DEPTH_MAX;
    match &of.kind {
        Kind::Null => Value::Null,
        Kind::Boolean => json!(random(2) == 1),
        Kind::Int | Kind::Long => json!(random(10_000)),
        // Of a power of two: the same in both widths.
        Kind::Float | Kind::Double => json!(random(10_000) as f64 / 4.0),
        Kind::Bytes => json!(code_points(1 + random(8), random)),
        Kind::String => json!(format!("{name}-{}", random(10_000))),
        Kind::Fixed(fixed) => json!(code_points(fixed.size as u64, random)),
        Kind::Enum(of) => json!(of.symbols[random(of.symbols.len() as u64) as usize]),
        Kind::Array(_) | Kind::Map(_) if deep => match of.kind {
            Kind::Array(_) => json!([]),
            _ => json!({}),
        },
        Kind::Array(item) => {
            let items = 1 + random(3);
            (0..items)
                .map(|_| value(schema, *item, name, depth + 1, random))
                .collect()
        }
        Kind::Map(item) => {
            let mut map = Map::new();
            for at in 0..=random(3) {
                map.insert(
                    format!("{name}-{at}"),
                    value(schema, *item, name, depth + 1, random),
                );
            }
            Value::Object(map)
        }
        Kind::Union(branches) => {
            let null = branches
                .iter()
                .position(|branch| matches!(schema.kind(*branch), Kind::Null));
            let branch = match (null, deep) {
                (Some(null), true) => null,
                _ => random(branches.len() as u64) as usize,
            };
            let branch = branches[branch];
            let made = value(schema, branch, name, depth + 1, random);
            match schema.kind(branch) {
                Kind::Null => made,
                _ => json!({ schema.types[branch].branch_name(): made }),
            }
        }
        Kind::Record(record) => {
            let mut fields = Map::new();
            for field in &record.fields {
                let made = match (&field.default, depth >= 2 * MADE_UP_DEPTH_MAX) {
                    (Some(default), true) => default.clone(),
                    _ => value(schema, field.of, &field.name, depth + 1, random),
                };
                fields.insert(field.name.to_string(), made);
            }
            Value::Object(fields)
        }
    }
}

fn of_logical(logical: Logical, random: &mut Random<'_>) -> Value {
    match logical {
        Logical::Decimal { precision, scale } => {
            let digits = 10_u64.pow(precision.min(6));
            let (number, scale) = (random(digits), scale as usize);
            let text = format!("{number:0width$}", width = scale + 1);
            let (whole, part) = text.split_at(text.len() - scale);
            json!(if scale == 0 {
                text
            } else {
                format!("{whole}.{part}")
            })
        }
        Logical::Uuid => {
            let word = |random: &mut Random<'_>| random(1 << 16);
            let words: Vec<String> = (0..8).map(|_| format!("{:04x}", word(random))).collect();
            let [a, b, c, d, e, f, g, h] = &words[..] else {
                unreachable!("there are eight");
            };
            json!(format!("{a}{b}-{c}-4{}-8{}-{f}{g}{h}", &d[1..], &e[1..]))
        }
        Logical::Duration => {
            json!({"months": random(12), "days": random(30), "millis": random(DAY_MS)})
        }
        Logical::Time(time) => {
            let day_ms = random(DAY_MS);
            json!(match time {
                Temporal::Date => TIME_MS / DAY_MS + random(365),
                Temporal::TimeMillis => day_ms,
                Temporal::TimeMicros => day_ms * 1_000,
                Temporal::TimestampMillis | Temporal::LocalTimestampMillis => TIME_MS + day_ms,
                Temporal::TimestampMicros | Temporal::LocalTimestampMicros =>
                    (TIME_MS + day_ms) * 1_000,
                Temporal::TimestampNanos | Temporal::LocalTimestampNanos =>
                    (TIME_MS + day_ms) * 1_000_000,
            })
        }
    }
}

/// Bytes as Avro's JSON has them.
fn code_points(bytes: u64, random: &mut Random<'_>) -> String {
    (0..bytes).map(|_| char::from(random(256) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use super::made_up;
    use crate::avro::{Schema, to_json, to_vec};

    /// Every type, every logical type, and a record within itself.
    const ALL: &str = r#"{"type": "record", "name": "All", "fields": [
        {"name": "a", "type": ["null", "All"], "default": null},
        {"name": "b", "type": {"type": "array", "items": "All"}},
        {"name": "c", "type": {"type": "map", "values": ["null", "string", "bytes", "All"]}},
        {"name": "d", "type": {"type": "fixed", "name": "F", "size": 3}},
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["X", "Y"]}},
        {"name": "f", "type": "boolean"}, {"name": "g", "type": "int"}, {"name": "h", "type": "float"},
        {"name": "i", "type": "double"}, {"name": "j", "type": "null"},
        {"name": "k", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}},
        {"name": "l", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "m", "type": {"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"}},
        {"name": "n", "type": {"type": "int", "logicalType": "date"}},
        {"name": "o", "type": {"type": "int", "logicalType": "time-millis"}},
        {"name": "p", "type": {"type": "long", "logicalType": "time-micros"}},
        {"name": "q", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        {"name": "r", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
        {"name": "s", "type": {"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 3}}]}"#;

    #[test]
    fn a_made_up_value_is_one_of_the_schema() {
        let schema = Schema::parse(ALL).unwrap();
        for seed in 0..200 {
            let mut state = seed;
            let mut random = |below: u64| {
                state = (state * 6_364_136_223_846_793_005_u128 + 1_442_695_040_888_963_407)
                    % (1 << 64);
                (state >> 33) as u64 % below.max(1)
            };

            let value = made_up(&schema, &mut random);

            let bytes = to_vec(&schema, &value).unwrap();
            assert!(to_json(schema.plan(), &bytes).is_ok(), "{value}");
        }
    }
}

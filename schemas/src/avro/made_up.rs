//! Values made up from a schema, for tools that need examples.

use serde_json::{Map, Value, json};

use crate::avro::schema::{Kind, Logical, Schema, TypeId};
use crate::avro::temporal::Temporal;
use crate::id::SchemaError;
use crate::limits::{
    AVRO_DECIMAL_DIGITS_MAX, AVRO_VALUE_DEPTH_MAX, MADE_UP_BYTES_MAX, MADE_UP_DEPTH_MAX,
    MADE_UP_VALUES_MAX,
};

/// A number from 0 up to, and without, the one that is given.
pub type Random<'a> = dyn FnMut(u64) -> u64 + 'a;

/// The first made-up time, milliseconds since 1970: 2026-01-01T00:00:00Z.
const TIME_MS: u64 = 1_767_225_600_000;
const DAY_MS: u64 = 86_400_000;

/// Makes up a value of the schema, as [`to_vec`](crate::avro::to_vec) takes it. `random` decides what the schema leaves open: the same numbers make the same value.
///
/// # Errors
///
/// The schema has no value, such as an enum without symbols or a record that always contains itself, or none that is small enough to make up.
pub fn made_up(schema: &Schema, random: &mut Random<'_>) -> Result<Value, SchemaError> {
    let mut maker = Maker {
        schema,
        random,
        values_left: MADE_UP_VALUES_MAX,
    };
    maker.value(schema.root, "value", 0)
}

struct Maker<'a, 'r> {
    schema: &'a Schema,
    random: &'a mut Random<'r>,
    values_left: usize,
}

impl Maker<'_, '_> {
    fn random(&mut self, below: u64) -> u64 {
        (self.random)(below)
    }

    fn value(&mut self, id: TypeId, name: &str, depth: usize) -> Result<Value, SchemaError> {
        self.values_left = self.values_left.checked_sub(1).ok_or_else(|| {
            SchemaError(format!(
                "the schema's smallest values have more than {MADE_UP_VALUES_MAX} parts, the most that are made up"
            ))
        })?;
        let of = &self.schema.types[id];
        if depth > AVRO_VALUE_DEPTH_MAX {
            return Err(SchemaError(format!(
                "{} contains itself, and no field can be null or empty to end it",
                of.described()
            )));
        }
        if let Some(logical) = of.logical {
            return self.of_logical(logical);
        }
        let deep = depth >= MADE_UP_DEPTH_MAX;
        Ok(match &of.kind {
            Kind::Null => Value::Null,
            Kind::Boolean => json!(self.random(2) == 1),
            Kind::Int | Kind::Long => json!(self.random(10_000)),
            // Of a power of two: the same in both widths.
            Kind::Float | Kind::Double => json!(self.random(10_000) as f64 / 4.0),
            Kind::Bytes => {
                let bytes = 1 + self.random(8);
                json!(code_points(bytes, self.random))
            }
            Kind::String => json!(format!("{name}-{}", self.random(10_000))),
            Kind::Fixed(fixed) if fixed.size > MADE_UP_BYTES_MAX => {
                return Err(SchemaError(format!(
                    "{} has {} bytes: at most {MADE_UP_BYTES_MAX} are made up",
                    of.described(),
                    fixed.size
                )));
            }
            Kind::Fixed(fixed) => json!(code_points(fixed.size as u64, self.random)),
            Kind::Enum(symbols) if symbols.symbols.is_empty() => {
                return Err(SchemaError(format!("{} has no symbols", of.described())));
            }
            Kind::Enum(of) => json!(of.symbols[self.random(of.symbols.len() as u64) as usize]),
            Kind::Array(_) if deep => json!([]),
            Kind::Map(_) if deep => json!({}),
            Kind::Array(item) => {
                let items = 1 + self.random(3);
                let items = (0..items).map(|_| self.value(*item, name, depth + 1));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Kind::Map(item) => {
                let mut map = Map::new();
                for at in 0..=self.random(3) {
                    map.insert(format!("{name}-{at}"), self.value(*item, name, depth + 1)?);
                }
                Value::Object(map)
            }
            Kind::Union(branches) => self.union(branches, name, depth)?,
            Kind::Record(record) => {
                let mut fields = Map::new();
                for field in &record.fields {
                    let made = match (&field.default, depth >= 2 * MADE_UP_DEPTH_MAX) {
                        (Some(default), true) => default.clone(),
                        _ => self.value(field.of, &field.name, depth + 1)?,
                    };
                    fields.insert(field.name.to_string(), made);
                }
                Value::Object(fields)
            }
        })
    }

    /// Deep inside, a branch that ends there: null, or one without types inside.
    fn union(
        &mut self,
        branches: &[TypeId],
        name: &str,
        depth: usize,
    ) -> Result<Value, SchemaError> {
        let schema = self.schema;
        let find = |ends: fn(&Kind) -> bool| {
            let mut kinds = branches.iter().map(|branch| schema.kind(*branch));
            kinds.position(ends)
        };
        let end = match depth >= MADE_UP_DEPTH_MAX {
            true => find(|kind| matches!(kind, Kind::Null))
                .or_else(|| find(|kind| !matches!(kind, Kind::Record(_)))),
            false => None,
        };
        let at = end.unwrap_or_else(|| self.random(branches.len() as u64) as usize);
        let Some(branch) = branches.get(at) else {
            return Err(SchemaError("a union without branches".to_owned()));
        };
        let made = self.value(*branch, name, depth + 1)?;
        Ok(match schema.kind(*branch) {
            Kind::Null => made,
            _ => json!({ schema.types[*branch].branch_name(): made }),
        })
    }

    fn of_logical(&mut self, logical: Logical) -> Result<Value, SchemaError> {
        Ok(match logical {
            Logical::Decimal { scale, .. } if scale > AVRO_DECIMAL_DIGITS_MAX => {
                return Err(SchemaError(format!(
                    "a decimal has {scale} digits behind its point: at most {AVRO_DECIMAL_DIGITS_MAX} are read and written"
                )));
            }
            Logical::Decimal { precision, scale } => {
                let digits = 10_u64.pow(precision.min(6));
                let (number, scale) = (self.random(digits), scale as usize);
                let text = format!("{number:0width$}", width = scale + 1);
                let (whole, part) = text.split_at(text.len() - scale);
                json!(if scale == 0 {
                    text
                } else {
                    format!("{whole}.{part}")
                })
            }
            Logical::Uuid => {
                let words: Vec<String> = (0..8)
                    .map(|_| format!("{:04x}", self.random(1 << 16)))
                    .collect();
                let [a, b, c, d, e, f, g, h] = &words[..] else {
                    unreachable!("there are eight");
                };
                json!(format!("{a}{b}-{c}-4{}-8{}-{f}{g}{h}", &d[1..], &e[1..]))
            }
            Logical::Duration => {
                json!({"months": self.random(12), "days": self.random(30), "millis": self.random(DAY_MS)})
            }
            Logical::Time(time) => {
                let day_ms = self.random(DAY_MS);
                json!(match time {
                    Temporal::Date => TIME_MS / DAY_MS + self.random(365),
                    Temporal::TimeMillis => day_ms,
                    Temporal::TimeMicros => day_ms * 1_000,
                    Temporal::TimestampMillis | Temporal::LocalTimestampMillis => TIME_MS + day_ms,
                    Temporal::TimestampMicros | Temporal::LocalTimestampMicros =>
                        (TIME_MS + day_ms) * 1_000,
                    Temporal::TimestampNanos | Temporal::LocalTimestampNanos =>
                        (TIME_MS + day_ms) * 1_000_000,
                })
            }
        })
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

            let value = made_up(&schema, &mut random).unwrap();

            let bytes = to_vec(&schema, &value).unwrap();
            assert!(to_json(schema.plan(), &bytes).is_ok(), "{value}");
        }
    }

    #[test]
    fn a_schema_without_a_value_that_can_be_made_up_is_an_error() {
        let mut wide = r#"{"type": "record", "name": "R0", "fields": []}"#.to_owned();
        for step in 1..40 {
            wide = format!(
                r#"{{"type": "record", "name": "R{step}", "fields": [{{"name": "a", "type": {wide}}}, {{"name": "b", "type": "R{}"}}]}}"#,
                step - 1
            );
        }
        for (schema, expected) in [
            (
                r#"{"type": "enum", "name": "E", "symbols": []}"#,
                "an enum E has no symbols",
            ),
            ("[]", "a union without branches"),
            (
                r#"{"type": "fixed", "name": "F", "size": 1000000000000}"#,
                "1000000000000 bytes",
            ),
            (
                r#"{"type": "bytes", "logicalType": "decimal", "precision": 100000, "scale": 99999}"#,
                "99999 digits",
            ),
            (
                r#"{"type": "record", "name": "R", "fields": [{"name": "a", "type": "R"}]}"#,
                "a record R contains itself",
            ),
            (&wide, "more than 65536 parts"),
        ] {
            let schema = Schema::parse(schema).unwrap();
            let error = made_up(&schema, &mut |below| below / 2).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn a_union_ends_deep_inside_where_one_branch_can() {
        let schema =
            r#"{"type": "record", "name": "R", "fields": [{"name": "a", "type": ["R", "int"]}]}"#;

        assert!(made_up(&Schema::parse(schema).unwrap(), &mut |_| 0).is_ok());
    }
}

//! Values in Avro's binary encoding, by a schema. Called by `parse` for defaults, and by tests and tools through `to_vec`.

use std::borrow::Cow;

use serde::Serialize;

use crate::avro::error::Error;
use crate::avro::schema::{Field, Kind, Logical, Record, Schema, Type, TypeId, simple};
use crate::avro::text;
use crate::avro::tree::Tree;
use crate::limits::AVRO_VALUE_DEPTH_MAX;

/// Writes a value in Avro's binary encoding: for tests and tools. `value` is a Rust type or a `serde_json::Value`.
///
/// A missing field takes its default. A union takes the first branch that fits, and `{"string": "x"}` names one; so does a variant of a Rust enum.
/// Decimals are texts or numbers, dates and times are integers or ISO 8601 texts, bytes may be a text of code points up to 255.
///
/// # Errors
///
/// The value does not fit the schema.
pub fn to_vec<T: Serialize + ?Sized>(schema: &Schema, value: &T) -> Result<Vec<u8>, Error> {
    let mut writer = Writer {
        schema,
        is_default: false,
        values_left: usize::MAX,
        depth: 0,
        bytes: Vec::new(),
    };
    writer.write(schema.root, &Tree::of(value)?)?;
    Ok(writer.bytes)
}

/// Writes the default of a field. `values_left` is how many values it may hold, and is counted down.
pub(super) fn default_bytes(
    schema: &Schema,
    of: TypeId,
    default: &serde_json::Value,
    values_left: &mut usize,
) -> Result<Box<[u8]>, Error> {
    let mut writer = Writer {
        schema,
        is_default: true,
        values_left: *values_left,
        depth: 0,
        bytes: Vec::new(),
    };
    let written = writer.write(of, &Tree::of(default)?);
    // Those that do not fit count, too.
    *values_left = writer.values_left;
    written.map(|()| writer.bytes.into())
}

struct Writer<'a> {
    schema: &'a Schema,
    /// As defaults are written in a schema: unions plain, bytes as code points, logical types as what is below them.
    is_default: bool,
    values_left: usize,
    depth: usize,
    bytes: Vec<u8>,
}

impl Writer<'_> {
    fn write(&mut self, id: TypeId, value: &Tree) -> Result<(), Error> {
        self.values_left = self
            .values_left
            .checked_sub(1)
            .ok_or_else(|| Error::new("expected defaults of a reasonable size, found more"))?;
        let of = &self.schema.types[id];
        if !self.is_default
            && let Some(logical) = of.logical
            && self.logical(of, logical, value)?
        {
            return Ok(());
        }
        match (&of.kind, value) {
            (Kind::Null, Tree::Null) => {}
            (Kind::Boolean, Tree::Boolean(value)) => self.bytes.push(u8::from(*value)),
            (Kind::Int, Tree::Integer(value)) => {
                let value = i32::try_from(*value).map_err(|_| out_of_range(of))?;
                self.long(i64::from(value));
            }
            (Kind::Long, Tree::Integer(value)) => {
                let value = i64::try_from(*value).map_err(|_| out_of_range(of))?;
                self.long(value);
            }
            (Kind::Float | Kind::Double, _) => {
                let value = number(value).ok_or_else(|| mismatch(of, value))?;
                match of.kind {
                    Kind::Float => self.bytes.extend((value as f32).to_le_bytes()),
                    _ => self.bytes.extend(value.to_le_bytes()),
                }
            }
            (Kind::Bytes, _) => {
                let bytes = octets(value).ok_or_else(|| mismatch(of, value))?;
                self.length_and(&bytes);
            }
            (Kind::Fixed(fixed), _) => {
                let bytes = octets(value).filter(|bytes| bytes.len() == fixed.size);
                let bytes = bytes.ok_or_else(|| mismatch(of, value))?;
                self.bytes.extend(&*bytes);
            }
            (Kind::String, Tree::Text(text)) => self.length_and(text.as_bytes()),
            (Kind::Enum(symbols), Tree::Text(symbol)) => {
                let at = symbols.symbols.iter().position(|known| **known == **symbol);
                match at {
                    Some(at) => self.long(at as i64),
                    None => {
                        return Err(Error::new(format!(
                            "expected a symbol of {}, found another string",
                            of.described()
                        )));
                    }
                }
            }
            (Kind::Union(branches), value) => self.union(branches, value)?,
            (Kind::Array(_) | Kind::Map(_) | Kind::Record(_), _) => self.container(of, value)?,
            _ => return Err(mismatch(of, value)),
        }
        Ok(())
    }

    fn container(&mut self, of: &Type, value: &Tree) -> Result<(), Error> {
        if self.depth == AVRO_VALUE_DEPTH_MAX {
            return Err(Error::new(format!(
                "expected at most {AVRO_VALUE_DEPTH_MAX} records, arrays and maps inside each other, found more"
            )));
        }
        self.depth += 1;
        match (&of.kind, value) {
            (Kind::Array(item), Tree::Seq(items)) => {
                self.block(items.len());
                for (at, value) in items.iter().enumerate() {
                    self.write(*item, value)
                        .map_err(|error| error.at_index(at))?;
                }
                self.end_of(items.len());
            }
            (Kind::Map(of), Tree::Map(entries)) => {
                self.block(entries.len());
                for (key, value) in entries {
                    self.length_and(key.as_bytes());
                    self.write(*of, value).map_err(Error::at_key)?;
                }
                self.end_of(entries.len());
            }
            (Kind::Record(record), Tree::Map(entries)) => self.record(record, entries)?,
            (Kind::Record(record), Tree::Seq(values)) if values.len() == record.fields.len() => {
                for (field, value) in record.fields.iter().zip(values) {
                    self.write(field.of, value)
                        .map_err(|error| error.in_field(&field.name))?;
                }
            }
            _ => return Err(mismatch(of, value)),
        }
        self.depth -= 1;
        Ok(())
    }

    fn record(&mut self, record: &Record, entries: &[(String, Tree)]) -> Result<(), Error> {
        if let Some((name, _)) = entries
            .iter()
            .find(|(name, _)| !record.fields.iter().any(|field| *field.name == **name))
        {
            // A map as a value may have keys that are payload.
            let place = if self.is_default { name } else { "*" };
            return Err(Error::new(format!(
                "expected a field of {}, found another",
                record.name.full
            ))
            .in_field(place));
        }
        for field in &record.fields {
            match entries.iter().find(|(name, _)| *field.name == **name) {
                Some((_, value)) => self.write(field.of, value),
                None => self.missing(field),
            }
            .map_err(|error| error.in_field(&field.name))?;
        }
        Ok(())
    }

    fn missing(&mut self, field: &Field) -> Result<(), Error> {
        let Some(default) = &field.default else {
            return Err(Error::new(
                "expected a value, found neither one nor a default",
            ));
        };
        match &field.default_bytes {
            Some(Ok(bytes)) => self.bytes.extend(bytes),
            Some(Err(fault)) => return Err(Error::new(fault.to_string())),
            None => self.write(field.of, &Tree::of(default)?)?,
        }
        Ok(())
    }

    /// The first branch that fits, or the one that the value names.
    fn union(&mut self, branches: &[TypeId], value: &Tree) -> Result<(), Error> {
        let named = match value {
            Tree::Variant(name, value) => Some((&**name, &**value)),
            Tree::Map(entries) if !self.is_default => match entries.as_slice() {
                [(name, value)] => Some((name.as_str(), value)),
                _ => None,
            },
            _ => None,
        };
        if let Some((name, inner)) = named
            && let Some(at) = self.branch_of_name(branches, name)
            && self.attempt(at, branches[at], inner).is_ok()
        {
            return Ok(());
        }
        let mut first = None;
        for (at, branch) in branches.iter().enumerate() {
            match self.attempt(at, *branch, value) {
                Ok(()) => return Ok(()),
                // The reason of a branch that is more than another kind of value.
                Err(error) if first.is_none() && error.path() != "." => first = Some(error),
                Err(_) => {}
            }
        }
        Err(first.unwrap_or_else(|| {
            Error::new(format!(
                "expected a branch of the union, found {} that fits none",
                value.kind()
            ))
        }))
    }

    fn branch_of_name(&self, branches: &[TypeId], name: &str) -> Option<usize> {
        let named = |fits: &dyn Fn(&str) -> bool| {
            branches
                .iter()
                .position(|branch| fits(self.schema.types[*branch].branch_name()))
        };
        named(&|known| known == name).or_else(|| named(&|known| simple(known) == name))
    }

    fn attempt(&mut self, at: usize, branch: TypeId, value: &Tree) -> Result<(), Error> {
        let (length, depth) = (self.bytes.len(), self.depth);
        self.long(at as i64);
        self.write(branch, value).inspect_err(|_| {
            self.bytes.truncate(length);
            self.depth = depth;
        })
    }

    /// Whether the value was one of the logical type. If not, it may be one of the type below.
    fn logical(&mut self, of: &Type, logical: Logical, value: &Tree) -> Result<bool, Error> {
        match (logical, value) {
            (Logical::Decimal { precision, scale }, _) => {
                let Some(text) = decimal_text(value) else {
                    return Ok(false);
                };
                let bytes = text::decimal_bytes(&text, precision, scale);
                match (bytes, &of.kind) {
                    (Some(bytes), Kind::Fixed(fixed)) if bytes.len() <= fixed.size => {
                        let sign = if bytes[0] >= 0x80 { 0xff } else { 0 };
                        self.bytes
                            .extend(std::iter::repeat_n(sign, fixed.size - bytes.len()));
                        self.bytes.extend(bytes);
                    }
                    (Some(bytes), Kind::Bytes) => self.length_and(&bytes),
                    _ => return Err(out_of_range(of)),
                }
            }
            (Logical::Time(time), Tree::Text(text)) => {
                let number = text::temporal_number(time, text).ok_or_else(|| out_of_range(of))?;
                if let (Kind::Int, Err(_)) = (&of.kind, i32::try_from(number)) {
                    return Err(out_of_range(of));
                }
                self.long(number);
            }
            (Logical::Uuid, Tree::Text(text)) if matches!(of.kind, Kind::Fixed(_)) => {
                let Some(bytes) = text::uuid_bytes(text) else {
                    return Ok(false);
                };
                self.bytes.extend(bytes);
            }
            (Logical::Duration, Tree::Map(entries)) => {
                for name in ["months", "days", "millis"] {
                    let part = entries.iter().find(|(known, _)| known == name);
                    self.part(of, part.map(|(_, value)| value))?;
                }
            }
            (Logical::Duration, Tree::Seq(parts)) if parts.len() == 3 => {
                for part in parts {
                    self.part(of, Some(part))?;
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn part(&mut self, of: &Type, part: Option<&Tree>) -> Result<(), Error> {
        let part = match part {
            Some(Tree::Integer(part)) => u32::try_from(*part).ok(),
            _ => None,
        };
        let part = part.ok_or_else(|| out_of_range(of))?;
        self.bytes.extend(part.to_le_bytes());
        Ok(())
    }

    fn long(&mut self, value: i64) {
        let mut rest = (value << 1 ^ value >> 63) as u64;
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    fn length_and(&mut self, bytes: &[u8]) {
        self.long(bytes.len() as i64);
        self.bytes.extend(bytes);
    }

    fn block(&mut self, count: usize) {
        self.long(count as i64);
    }

    /// An empty block ends the elements, and stands alone if there are none.
    fn end_of(&mut self, count: usize) {
        if count > 0 {
            self.block(0);
        }
    }
}

fn number(value: &Tree) -> Option<f64> {
    match value {
        Tree::Integer(value) => Some(*value as f64),
        Tree::Float(value) => Some(*value),
        Tree::Text(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Bytes, a sequence of them, or a text of code points up to 255, as Avro's JSON has it.
fn octets(value: &Tree) -> Option<Cow<'_, [u8]>> {
    match value {
        Tree::Bytes(bytes) => Some(Cow::Borrowed(bytes)),
        Tree::Text(text) => {
            let bytes: Option<Vec<u8>> =
                text.chars().map(|point| u8::try_from(point).ok()).collect();
            bytes.map(Cow::Owned)
        }
        Tree::Seq(items) => {
            let bytes: Option<Vec<u8>> = items
                .iter()
                .map(|item| match item {
                    Tree::Integer(byte) => u8::try_from(*byte).ok(),
                    _ => None,
                })
                .collect();
            bytes.map(Cow::Owned)
        }
        _ => None,
    }
}

fn decimal_text(value: &Tree) -> Option<String> {
    match value {
        Tree::Integer(value) => Some(value.to_string()),
        // In as few digits as say the number.
        Tree::Float(value) => Some(value.to_string()),
        Tree::Text(text) => Some(text.clone()),
        _ => None,
    }
}

#[cold]
fn out_of_range(of: &Type) -> Error {
    Error::new(format!(
        "expected {}, found a value that the type does not hold",
        of.described()
    ))
}

#[cold]
fn mismatch(of: &Type, value: &Tree) -> Error {
    Error::new(format!(
        "expected {}, found {}",
        of.described(),
        value.kind()
    ))
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::{Value, json};

    use crate::avro::schema::Schema;
    use crate::avro::{to_json, to_vec};

    fn schema(json: &Value) -> Schema {
        Schema::parse(&json.to_string()).unwrap()
    }

    /// The value as it is read again, or why it was not written.
    fn written<T: Serialize + ?Sized>(of: &Value, value: &T) -> Result<Value, String> {
        let schema = schema(of);
        let bytes = to_vec(&schema, value).map_err(|error| error.to_string())?;
        Ok(to_json(schema.plan(), &bytes).unwrap())
    }

    #[test]
    fn a_missing_field_takes_its_default_and_another_is_an_error() {
        let of = json!({"type": "record", "name": "R", "fields": [
            {"name": "a", "type": "int"}, {"name": "b", "type": ["null", "string"], "default": null}
        ]});

        assert_eq!(
            written(&of, &json!({"a": 1})),
            Ok(json!({"a": 1, "b": null}))
        );
        assert_eq!(
            written(&of, &json!({"b": "x"})).unwrap_err(),
            "expected a value, found neither one nor a default at `a`"
        );
        assert_eq!(
            written(&of, &json!({"a": 1, "4111": 2})).unwrap_err(),
            "expected a field of R, found another at `*`"
        );
    }

    #[test]
    fn a_union_takes_the_branch_that_is_named_or_the_first_that_fits() {
        let of = json!(["null", "bytes", "string", "long", {"type": "map", "values": "int"}]);
        let bytes = |value: &Value| to_vec(&schema(&of), value).unwrap();

        assert_eq!(bytes(&json!("x")), [2, 2, b'x']);
        assert_eq!(bytes(&json!({"string": "x"})), [4, 2, b'x']);
        assert_eq!(bytes(&json!({"long": 1})), [6, 2]);
        assert_eq!(
            bytes(&json!({"map": {"long": 1}})),
            [8, 2, 8, b'l', b'o', b'n', b'g', 2, 0]
        );
        // The name of a branch that the value does not fit: a map of one entry.
        assert_eq!(
            bytes(&json!({"string": 1})),
            [8, 2, 12, b's', b't', b'r', b'i', b'n', b'g', 2, 0]
        );
        assert!(
            written(&of, &1.5)
                .unwrap_err()
                .starts_with("expected a branch of the union, found a floating-point")
        );
    }

    #[test]
    fn a_rust_enum_names_its_branch() {
        #[derive(Serialize)]
        enum Pay {
            Card {
                number: &'static str,
            },
            #[serde(rename = "string")]
            Text(&'static str),
        }
        let of = json!(["string", {"type": "record", "name": "shop.Card", "fields": [{"name": "number", "type": "string"}]}]);

        assert_eq!(
            written(&of, &Pay::Card { number: "1" }),
            Ok(json!({"number": "1"}))
        );
        assert_eq!(written(&of, &Pay::Text("x")), Ok(json!("x")));
    }

    #[test]
    fn an_error_inside_a_union_names_its_place() {
        let of = json!(["null", {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}]);

        let error = written(&of, &json!({"a": "4111"})).unwrap_err();

        assert_eq!(error, "expected an int, found a string at `a`");
    }

    #[test]
    fn numbers_out_of_their_types_range_are_errors() {
        let decimal =
            json!({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1});
        let small = json!({"type": "fixed", "name": "F", "size": 1, "logicalType": "decimal", "precision": 2, "scale": 1});

        assert!(written(&json!("int"), &(1_i64 << 31)).is_err());
        assert!(written(&json!("long"), &u64::MAX).is_err());
        assert!(written(&decimal, "123.4").is_err());
        assert_eq!(written(&decimal, &12.5), Ok(json!("12.5")));
        assert_eq!(written(&decimal, &12), Ok(json!("12.0")));
        assert_eq!(written(&small, "-9.9"), Ok(json!("-9.9")));
        assert!(written(&json!({"type": "int", "logicalType": "date"}), "no date").is_err());
    }

    #[test]
    fn bytes_are_bytes_a_sequence_or_a_text_of_code_points() {
        let expected = Ok(json!("\u{1}ÿ"));

        assert_eq!(written(&json!("bytes"), "\u{1}ÿ"), expected);
        assert_eq!(written(&json!("bytes"), &[1_u8, 255]), expected);
        assert!(written(&json!("bytes"), "ł").is_err());
        assert!(
            written(
                &json!({"type": "fixed", "name": "F", "size": 3}),
                &[1_u8, 255]
            )
            .is_err()
        );
    }
}

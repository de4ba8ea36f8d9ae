//! JSON that a mapping made of Avro, read as the type that is asked for. No schema is at hand, so the type decides whether a union is wrapped. Called by `avro`.

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde_json::Value;

use crate::avro::error::Error;
use crate::avro::json_access::{De, Entries, Items, Octets, Variant, is_full_name, wrapped};
use crate::avro::schema::simple;

/// Reads JSON that an event source mapping made of Avro (EventRecordFormat JSON). Each union may be plain (`"x"`) or wrapped (`{"string": "x"}`); bytes are a text
/// with a code point for each.
///
/// A value is unwrapped only from a branch that such a value can be of: an integer from `int` or `long`, a text from `string`, `bytes` or the full name of an enum or a fixed, and so on. Of a type without a
/// namespace the name is that of the Rust type.
///
/// A map of one entry is never taken for a wrapped one, so a union's `{"map": …}` is read only as a variant of an enum.
///
/// # Errors
///
/// The bytes are not JSON, or the value does not fit `T`.
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    let value: Value = serde_json::from_slice(json)
        .map_err(|error| Error::new(format!("expected JSON, found none: {error}")))?;
    T::deserialize(De(&value))
}

/// The branch's name of a value that is not wrapped, by its kind.
fn branch_of_kind(value: &Value, variants: &[&str]) -> Option<&'static str> {
    let names: &[&'static str] = match value {
        Value::Null => &["null"],
        Value::Bool(_) => &["boolean"],
        Value::Number(number) if number.is_f64() => &["double", "float"],
        Value::Number(_) => &["long", "int", "double", "float"],
        Value::String(_) => &["string", "bytes"],
        Value::Array(_) => &["array"],
        Value::Object(_) => &["map"],
    };
    names.iter().copied().find(|name| variants.contains(name))
}

/// The branches of a union that each kind of value may be under.
const BOOLEAN: &[&str] = &["boolean"];
const INTEGERS: &[&str] = &["int", "long"];
const NUMBERS: &[&str] = &["int", "long", "float", "double"];
const TEXTS: &[&str] = &["string", "bytes"];
const LISTS: &[&str] = &["array", "string", "bytes"];

macro_rules! unwrapped {
    ($words:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.unwrapped($words).deserialize_any(visitor)
        }
    )*};
}

macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.unwrapped_text(TEXTS).deserialize_any(visitor)
        }
    )*};
}

macro_rules! floats {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let plain = self.unwrapped(NUMBERS);
            match plain.float() {
                Some(value) => visitor.visit_f64(value),
                None => plain.deserialize_any(visitor),
            }
        }
    )*};
}

macro_rules! bytes {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let plain = self.unwrapped_text(LISTS);
            match plain.octets() {
                Some(bytes) => visitor.visit_byte_buf(bytes),
                None if plain.text().is_some() => Err(Error::new(
                    "expected bytes as a string of code points up to 255, found others",
                )),
                None => plain.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for De<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (_, Some(value)) => visitor.visit_i64(value),
                _ => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => {
                let mut items = Items::new(items);
                let value = visitor.visit_seq(&mut items)?;
                items.finish()?;
                Ok(value)
            }
            Value::Object(object) => visitor.visit_map(Entries::new(object, &[])),
        }
    }

    unwrapped! { BOOLEAN: deserialize_bool }

    unwrapped! {
        INTEGERS:
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    texts! { deserialize_char deserialize_str deserialize_string }

    floats! { deserialize_f32 deserialize_f64 }

    bytes! { deserialize_bytes deserialize_byte_buf }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let plain = self.unwrapped_text(LISTS);
        match plain.octets() {
            Some(bytes) => visitor.visit_seq(Octets::new(bytes)),
            None => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        of: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let inner = match wrapped(self.0) {
            Some((name, inner)) if !fields.contains(&name) && inner.is_object() => {
                // Read as a record of other fields, it would be one of defaults alone.
                if !is_full_name(name) && name != of {
                    return Err(Error::new(format!(
                        "expected the fields of a record, or the record under the full name of its type or under `{of}`, found an object under another name"
                    )));
                }
                inner
            }
            _ => self.0,
        };
        match inner {
            Value::Object(object) => visitor.visit_map(Entries::new(object, fields)),
            _ => De(inner).deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        of: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let of_branch = |name: &'de str, value| Variant { name, value };
        let variant = match (wrapped(self.0), self.text()) {
            (Some((name, inner)), _) if variants.contains(&name) => of_branch(name, Some(inner)),
            (Some((name, inner)), _) if variants.contains(&simple(name)) => {
                of_branch(simple(name), Some(inner))
            }
            (_, Some(symbol)) if variants.contains(&symbol) => of_branch(symbol, None),
            // An enum of Avro's, wrapped.
            (Some((name, Value::String(symbol))), _)
                if (is_full_name(name) || name == of) && variants.contains(&symbol.as_str()) =>
            {
                of_branch(symbol, None)
            }
            (_, text) => match (branch_of_kind(self.0, variants), text) {
                (Some(name), _) => of_branch(name, Some(self.0)),
                (None, Some(symbol)) => of_branch(symbol, None),
                (None, None) => {
                    return Err(Error::new(
                        "expected a variant's name or an object with one, found neither",
                    ));
                }
            },
        };
        visitor.visit_enum(variant)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::from_json;

    fn read<T: DeserializeOwned>(json: &Value) -> Result<T, String> {
        from_json(json.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Order {
        order_id: u64,
        note: Option<String>,
        channel: Option<Channel>,
        lines: Option<Vec<Line>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Line {
        sku: String,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    enum Channel {
        Web,
        Store,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Either {
        #[serde(rename = "string")]
        Text(String),
        #[serde(rename = "long")]
        Number(i64),
        Line(Line),
    }

    fn order() -> Order {
        Order {
            order_id: 7,
            note: Some("x".to_owned()),
            channel: Some(Channel::Store),
            lines: Some(vec![Line {
                sku: "a".to_owned(),
            }]),
        }
    }

    #[test]
    fn a_union_is_read_plain_or_wrapped() {
        let plain =
            json!({"order_id": 7, "note": "x", "channel": "STORE", "lines": [{"sku": "a"}]});
        let wrapped = json!({
            "order_id": {"long": 7}, "note": {"string": "x"}, "channel": {"shop.Channel": "STORE"},
            "lines": {"array": [{"shop.Line": {"sku": "a"}}]}
        });

        assert_eq!(read(&plain), Ok(order()));
        assert_eq!(read(&wrapped), Ok(order()));
        assert_eq!(read(&json!({"shop.Order": wrapped})), Ok(order()));
        let nothing = Order {
            order_id: 7,
            note: None,
            channel: None,
            lines: None,
        };
        assert_eq!(
            read(&json!({"order_id": 7, "note": null, "channel": null, "lines": null})),
            Ok(nothing)
        );
    }

    #[test]
    fn a_union_as_an_enum_is_read_plain_or_wrapped() {
        assert_eq!(read(&json!("x")), Ok(Either::Text("x".to_owned())));
        assert_eq!(
            read(&json!({"string": "x"})),
            Ok(Either::Text("x".to_owned()))
        );
        assert_eq!(read(&json!(5)), Ok(Either::Number(5)));
        assert_eq!(
            read(&json!({"shop.Line": {"sku": "a"}})),
            Ok(Either::Line(Line {
                sku: "a".to_owned()
            }))
        );
    }

    #[test]
    fn a_record_with_one_field_is_no_wrapper() {
        #[derive(Debug, Default, PartialEq, Deserialize)]
        #[serde(default)]
        struct Lenient {
            a: u8,
        }

        for json in [
            json!({"cents": 99}),
            json!({"string": 5}),
            json!({"boolean": 1}),
            json!({"double": 1}),
            json!({"shop.Cents": 1}),
        ] {
            assert!(read::<u64>(&json).is_err(), "{json}");
            assert!(read::<i64>(&json).is_err(), "{json}");
        }
        assert!(read::<f64>(&json!({"cents": 1.5})).is_err());
        assert!(read::<bool>(&json!({"is_paid": true})).is_err());
        assert!(read::<String>(&json!({"first_name": "Ann"})).is_err());
        assert!(read::<String>(&json!({"int": "Ann"})).is_err());
        assert!(read::<char>(&json!({"letter": "A"})).is_err());
        assert!(read::<Vec<u8>>(&json!({"name": "Ann"})).is_err());
        assert!(read::<Vec<i64>>(&json!({"lines": [1]})).is_err());
        assert!(read::<Channel>(&json!({"first_name": "STORE"})).is_err());
        let error = read::<Lenient>(&json!({"whatever": {"a": 1}})).unwrap_err();
        assert!(error.contains("or under `Lenient`"), "{error}");
        assert!(!error.contains("whatever"), "{error}");
    }

    #[test]
    fn a_wrapper_is_a_branch_that_the_value_can_be_of() {
        assert_eq!(read(&json!({"int": 5})), Ok(5_u64));
        assert_eq!(read(&json!({"long": 5})), Ok(5.0));
        assert_eq!(read(&json!({"boolean": true})), Ok(true));
        assert_eq!(
            read(&json!({"shop.Channel": "STORE"})),
            Ok("STORE".to_owned())
        );
        assert_eq!(read(&json!({"Channel": "STORE"})), Ok(Channel::Store));
        assert_eq!(read(&json!({"shop.Hash": "\u{1}ÿ"})), Ok([1_u8, 255]));
        assert_eq!(
            read(&json!({"Line": {"sku": "a"}})),
            Ok(Line {
                sku: "a".to_owned()
            })
        );
    }

    #[test]
    fn a_text_is_a_list_of_bytes_and_of_nothing_else() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Byte(u8);

        assert_eq!(read(&json!("12")), Ok(vec![Byte(49), Byte(50)]));
        let error = read::<Vec<u64>>(&json!("12")).unwrap_err();
        assert_eq!(error, "expected an array, found a string at `.`");
        assert!(read::<Vec<Value>>(&json!("12")).is_err());
        assert!(read::<(i32, i32)>(&json!("12")).is_err());
        assert_eq!(read(&json!("")), Ok(Vec::<u8>::new()));
    }

    #[test]
    fn a_struct_with_a_field_of_the_wrappers_name_is_not_unwrapped() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Odd {
            string: BTreeMap<String, u8>,
        }

        let read = read(&json!({"string": {"a": 1}}));

        assert_eq!(
            read,
            Ok(Odd {
                string: BTreeMap::from([("a".to_owned(), 1)])
            })
        );
    }

    #[test]
    fn a_map_and_any_value_are_never_unwrapped() {
        let json = json!({"map": {"a": 1}});

        assert_eq!(read(&json), Ok(json.clone()));
        assert_eq!(
            read(&json),
            Ok(BTreeMap::from([("map".to_owned(), json!({"a": 1}))]))
        );
    }

    #[test]
    fn bytes_are_a_text_of_code_points_and_no_numbers_are_texts() {
        assert_eq!(read(&json!("\u{1}ÿ")), Ok(vec![1_u8, 255]));
        assert_eq!(read(&json!({"bytes": "\u{1}ÿ"})), Ok(vec![1_u8, 255]));
        assert_eq!(read(&json!([1, 255])), Ok(vec![1_u8, 255]));
        assert_eq!(read(&json!("-Infinity")), Ok(f64::NEG_INFINITY));
        assert_eq!(read(&json!({"double": 1.5})), Ok(1.5));
    }

    #[test]
    fn an_error_has_the_path_and_no_value() {
        let bad = json!({"order_id": 7, "lines": [{"sku": "a"}, {"sku": 4111}]});
        assert_eq!(
            read::<Order>(&bad).unwrap_err(),
            "expected a string, found an integer at `lines[1].sku`"
        );
        let in_a_map = read::<BTreeMap<String, u8>>(&json!({"4111": "4111"})).unwrap_err();
        assert_eq!(in_a_map, "expected an integer (u8), found a string at `*`");
        let error = from_json::<Order>(b"4111 4111").unwrap_err().to_string();
        assert!(
            error.starts_with("expected JSON, found none") && !error.contains("4111"),
            "{error}"
        );
        assert!(from_json::<Value>("[".repeat(1_000).as_bytes()).is_err());
    }
}

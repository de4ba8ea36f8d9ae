//! JSON with what `serde_json::Value` loses and Lambda's matcher looks at: numbers as they are written, fields in order and
//! repeated. Read from patterns and from records.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::limits::FILTER_JSON_DEPTH_MAX;

/// A document, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// As it is written: `1.0` is not `1`, and no digit is lost.
    Number(String),
    String(String),
    Array(Vec<Json>),
    /// In order, repeated names included.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// # Errors
    ///
    /// The text is not JSON, holds half of a surrogate pair, or is nested deeper than [`FILTER_JSON_DEPTH_MAX`].
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let raw: &RawValue = serde_json::from_str(text)?;
        Self::read(raw, FILTER_JSON_DEPTH_MAX)
    }

    /// Each level is scanned once more by the level above it: the price of seeing numbers as written, bounded by the depth.
    fn read(raw: &RawValue, depth_left: usize) -> Result<Self, serde_json::Error> {
        let text = raw.get();
        let inner = || {
            depth_left.checked_sub(1).ok_or_else(|| {
                serde::de::Error::custom(format_args!(
                    "nested deeper than {FILTER_JSON_DEPTH_MAX} levels"
                ))
            })
        };
        Ok(match text.as_bytes().first() {
            Some(b'{') => {
                let inner = inner()?;
                let Fields(fields) = serde_json::from_str(text)?;
                let read = |(name, raw)| Ok((name, Self::read(raw, inner)?));
                Self::Object(fields.into_iter().map(read).collect::<Result<_, _>>()?)
            }
            Some(b'[') => {
                let inner = inner()?;
                let elements: Vec<&RawValue> = serde_json::from_str(text)?;
                let read = |raw| Self::read(raw, inner);
                Self::Array(elements.into_iter().map(read).collect::<Result<_, _>>()?)
            }
            Some(b'"') => Self::String(serde_json::from_str(text)?),
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            _ => Self::Number(text.to_owned()),
        })
    }

    /// With its article, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// The fields of an object, not yet read.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::Json;
    use crate::limits::FILTER_JSON_DEPTH_MAX;

    #[test]
    fn a_number_stays_as_it_is_written() {
        let Ok(Json::Array(numbers)) = Json::parse("[1.0, 3.0e2, 12345678901234567890123, -0]")
        else {
            panic!()
        };

        let numbers: Vec<_> = numbers
            .iter()
            .map(|number| match number {
                Json::Number(text) => text.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(numbers, ["1.0", "3.0e2", "12345678901234567890123", "-0"]);
    }

    #[test]
    fn fields_keep_their_order_and_their_repeats() {
        let object = Json::parse(r#" {"b": 1, "a": null, "b": {"": true}} "#).unwrap();

        let inner = Json::Object(vec![(String::new(), Json::Bool(true))]);
        assert_eq!(
            object,
            Json::Object(vec![
                ("b".to_owned(), Json::Number("1".to_owned())),
                ("a".to_owned(), Json::Null),
                ("b".to_owned(), inner),
            ])
        );
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            "ship it",
            "{",
            "[1,]",
            "01",
            "{\"a\":1} x",
            "NaN",
            "'a'",
        ] {
            assert!(Json::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn half_of_a_surrogate_pair_is_refused() {
        assert!(Json::parse(r#"{"a": "\ud83d"}"#).is_err());
    }

    #[test]
    fn more_levels_than_the_limit_are_refused() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);

        assert!(Json::parse(&nested(FILTER_JSON_DEPTH_MAX)).is_ok());
        assert!(Json::parse(&nested(FILTER_JSON_DEPTH_MAX + 1)).is_err());
        // Refused by its depth, not by a stack that overflows.
        assert!(Json::parse(&nested(500_000)).is_err());
    }
}

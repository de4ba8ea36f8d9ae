//! `Json<T>`: the record's value as JSON.

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use crate::delivery::Delivery;
use crate::extract::names::Names;
use crate::extract::{FromRecord, OptionalFromRecord};
use crate::failure::Rejection;

/// The record's value, read as JSON.
///
/// A value that does not fit rejects with `reject.json`; the message names path, line and column, never the bytes. A tombstone rejects with
/// `reject.tombstone`; `Option<Json<T>>` is None for it, and for nothing else.
///
/// # Example
///
/// ```
/// use lambda_msk::Json;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Order {
///     order_id: u64,
/// }
///
/// async fn ship(Json(order): Json<Order>) {
///     println!("{}", order.order_id);
/// }
/// # lambda_msk::Consumer::builder().topic("orders", ship).build().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Json<T>(pub T);

/// Why a value could not be read as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonRejection {
    /// There is no value.
    #[error("the record is a tombstone (no value): take `Option<Json<_>>` if that is no fault")]
    Tombstone,
    /// The value is not JSON.
    #[error("the value ({bytes} bytes) is not JSON: {reason} at line {line}, column {column}")]
    #[non_exhaustive]
    Malformed {
        /// What breaks it.
        reason: &'static str,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// The value's length.
        bytes: usize,
    },
    /// The value is JSON of another shape.
    #[error(
        "the value ({bytes} bytes) does not fit: {reason} at `{path}`, line {line}, column {column}"
    )]
    #[non_exhaustive]
    Mismatch {
        /// What is wrong.
        reason: String,
        /// Where: `lines[2].sku`. A key that is no name of a field or variant of the type is shown as `*`: it is payload.
        path: String,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// The value's length.
        bytes: usize,
    },
}

impl From<JsonRejection> for Rejection {
    fn from(rejection: JsonRejection) -> Self {
        let code = match rejection {
            JsonRejection::Tombstone => "reject.tombstone",
            JsonRejection::Malformed { .. } | JsonRejection::Mismatch { .. } => "reject.json",
        };
        Self::new(code, rejection.to_string())
    }
}

impl<S, T: DeserializeOwned> FromRecord<S> for Json<T> {
    type Rejection = JsonRejection;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, JsonRejection> {
        <Self as OptionalFromRecord<S>>::from_record(delivery, state)?
            .ok_or(JsonRejection::Tombstone)
    }
}

impl<S, T: DeserializeOwned> OptionalFromRecord<S> for Json<T> {
    type Rejection = JsonRejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, JsonRejection> {
        let Some(value) = delivery.value() else {
            return Ok(None);
        };
        match serde_json::from_slice(value) {
            Ok(json) => Ok(Some(Self(json))),
            Err(error) => Err(explain::<T>(value, &error)),
        }
    }
}

/// Reads a second time, slower, to learn the path.
fn explain<T: DeserializeOwned>(value: &[u8], error: &serde_json::Error) -> JsonRejection {
    let (line, column, bytes) = (error.line(), error.column(), value.len());
    let malformed = |reason| JsonRejection::Malformed {
        reason,
        line,
        column,
        bytes,
    };
    match error.classify() {
        Category::Eof if value.is_empty() => malformed("it is empty"),
        Category::Eof => malformed("it ends early"),
        Category::Syntax | Category::Io => malformed(syntax_reason(error)),
        Category::Data => {
            let mut json = serde_json::Deserializer::from_slice(value);
            let names = Names::default();
            let path = serde_path_to_error::deserialize::<_, T>(names.of(&mut json))
                .err()
                .map_or_else(String::new, |error| path_of(error.path(), &names));
            JsonRejection::Mismatch {
                reason: reason_of(error),
                path,
                line,
                column,
                bytes,
            }
        }
    }
}

fn syntax_reason(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    let kind = [
        ("trailing characters", "more after its end"),
        ("trailing comma", "a comma before an end"),
        ("recursion limit", "nested too deeply"),
        ("number out of range", "a number out of range"),
        ("key must be", "a key that is no string"),
        ("control character", "a control character in a string"),
        ("invalid escape", "an invalid escape"),
        ("invalid unicode", "a string that is not UTF-8"),
        ("lone leading surrogate", "half of a surrogate pair"),
        ("invalid value: expected key", "a key that is no number"),
    ];
    kind.iter()
        .find(|(start, _)| text.starts_with(start))
        .map_or("something else is expected", |(_, reason)| reason)
}

/// serde's own text quotes the value (`invalid type: string "4111…"`), so only what comes from the type is taken from it.
fn reason_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if let Some(field) = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next())
        .filter(|field| is_name(field))
    {
        return format!("no field `{field}`");
    }
    let kind = [
        ("invalid type", "a value of another type"),
        ("invalid value", "a value that is not allowed"),
        ("invalid length", "another number of elements"),
        ("unknown variant", "an unknown variant"),
        ("unknown field", "an unknown field"),
        ("duplicate field", "a field that stands twice"),
        ("missing field", "a missing field"),
    ];
    kind.iter()
        .find(|(start, _)| text.starts_with(start))
        .map_or("a value that its type refuses", |(_, reason)| reason)
        .to_owned()
}

fn path_of(path: &serde_path_to_error::Path, names: &Names) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(if names.contains(name) { name } else { "*" });
            }
            Segment::Unknown => text.push_str(if text.is_empty() { "?" } else { ".?" }),
        }
    }
    if text.is_empty() {
        text.push('.');
    }
    text
}

/// Whether a text can be a field's name: serde takes it from the type, an error of the type's own might not.
fn is_name(text: &str) -> bool {
    const FIELD_NAME_BYTES_MAX: usize = 64;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=FIELD_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::explain;
    use crate::failure::Rejection;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Order {
        order_id: u64,
        #[serde(default)]
        lines: Vec<Line>,
        #[serde(default)]
        by_name: BTreeMap<String, Line>,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Line {
        sku: u64,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    enum Kind {
        Express { hours: u8 },
        Days(u8),
    }

    /// What the rejection says after the value's size.
    fn said<T: DeserializeOwned + std::fmt::Debug>(value: &str) -> String {
        let error = serde_json::from_str::<T>(value).unwrap_err();
        let message = Rejection::from(explain::<T>(value.as_bytes(), &error)).message;
        message.split_once("bytes) ").unwrap().1.to_owned()
    }

    #[test]
    fn what_is_not_json_is_told_by_what_breaks_it_and_where() {
        let deep = "[".repeat(200);
        let cases = [
            ("", "is not JSON: it is empty at line 1, column 0"),
            ("{", "is not JSON: it ends early at line 1, column 1"),
            ("1 2", "is not JSON: more after its end at line 1, column 3"),
            (
                "{\n?",
                "is not JSON: a key that is no string at line 2, column 1",
            ),
            (
                &deep,
                "is not JSON: nested too deeply at line 1, column 128",
            ),
            (
                "1e999",
                "is not JSON: a number out of range at line 1, column 5",
            ),
            (
                "nope",
                "is not JSON: something else is expected at line 1, column 2",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(said::<serde_json::Value>(value), expected, "{value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_by_path_line_and_column() {
        let cases = [
            (
                r#"{"order_id":"x"}"#,
                "a value of another type at `order_id`, line 1, column 15",
            ),
            (
                r#"{"order_id":1,"lines":[{"sku":1},{"sku":-7}]}"#,
                "a value that is not allowed at `lines[1].sku`, line 1, column 42",
            ),
            (
                r#"{"lines":[]}"#,
                "no field `order_id` at `.`, line 1, column 12",
            ),
            (
                r#"{"order_id":1,"order_id":1}"#,
                "a field that stands twice at `.`, line 1, column 24",
            ),
            (
                r#"{"order_id":1,"kind":{"Express":{"hours":300}}}"#,
                "a value that is not allowed at `kind.Express.hours`, line 1, column 44",
            ),
            (
                r#"{"order_id":1,"kind":{"Days":"x"}}"#,
                "a value of another type at `kind.Days`, line 1, column 32",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(
                said::<Order>(value),
                format!("does not fit: {expected}"),
                "{value}"
            );
        }
    }

    #[test]
    fn a_key_that_is_no_name_of_the_type_is_not_shown() {
        let of_a_map = said::<Order>(r#"{"order_id":1,"by_name":{"alice":{"sku":"x"}}}"#);
        let of_the_root = said::<BTreeMap<String, u64>>(r#"{"alice":"x"}"#);
        let of_a_variant = said::<Order>(r#"{"order_id":1,"kind":{"alice":1}}"#);

        assert!(of_a_map.contains("`by_name.*.sku`"), "{of_a_map}");
        assert!(of_the_root.contains("`*`"), "{of_the_root}");
        assert!(!of_a_variant.contains("alice"), "{of_a_variant}");
    }
}

//! `Json<T>`: the record's value as JSON.

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use crate::delivery::Delivery;
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
        /// Where: `lines[2].sku`. A key that does not look like a field's name is shown as `*`: it may be payload.
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
        Category::Syntax | Category::Io => malformed("it breaks off"),
        Category::Data => {
            let mut json = serde_json::Deserializer::from_slice(value);
            let path = serde_path_to_error::deserialize::<_, T>(&mut json)
                .err()
                .map_or_else(String::new, |error| path_of(error.path()));
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
        ("trailing", "more after its end"),
    ];
    kind.iter()
        .find(|(start, _)| text.starts_with(start))
        .map_or("a value that its type refuses", |(_, reason)| reason)
        .to_owned()
}

fn path_of(path: &serde_path_to_error::Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(if is_name(name) { name } else { "*" });
            }
            Segment::Unknown => text.push_str(if text.is_empty() { "?" } else { ".?" }),
        }
    }
    if text.is_empty() {
        text.push('.');
    }
    text
}

/// Whether a key looks like the name of a struct's field. A key of a map may be anything, and then it is payload.
fn is_name(key: &str) -> bool {
    const FIELD_NAME_BYTES_MAX: usize = 64;
    key.len() <= FIELD_NAME_BYTES_MAX
        && key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

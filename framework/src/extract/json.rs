//! `Json<T>`: the record's value as JSON.

use serde::de::DeserializeOwned;

use crate::delivery::Delivery;
use crate::extract::{FromRecord, OptionalFromRecord, explain};
use crate::failure::Rejection;

/// The record's value, read as JSON.
///
/// A value that does not fit rejects with `reject.json`; the message names what was found and what is expected by kind, path, line and column, never the bytes.
/// A value that is not JSON is named by how it begins: a schema registry's framing, gzip, UTF-16 and the like. A tombstone rejects with
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
    #[error("the value ({bytes} bytes) is not JSON: {reason} at line {line}, column {column}{}", behind(*.hint))]
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
        /// What the value is instead, by its first bytes or by its schema's metadata, and the cure. None: nothing that is known.
        hint: Option<&'static str>,
    },
    /// The value is JSON of another shape.
    #[error("the value ({bytes} bytes) does not fit: {reason} {}{}", place(path, *.line, *.column), behind(*.hint))]
    #[non_exhaustive]
    Mismatch {
        /// What was found and what is expected, by kind.
        reason: String,
        /// Where: `lines[2].sku`. A key that is no name of a field or variant of the type is shown as `*`: it is payload.
        path: String,
        /// From 1. 0: the place inside of `path` is not known, since serde reads `tag`, `untagged` and `flatten` from a buffer.
        line: usize,
        /// From 1, in bytes. 0: not known.
        column: usize,
        /// The value's length.
        bytes: usize,
        /// What the value is instead, and the cure. None: nothing that is known.
        hint: Option<&'static str>,
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
            Err(error) => {
                let schema = delivery.value_schema();
                let format = schema.and_then(|schema| schema.data_format.as_deref());
                Err(explain::explain::<T>(value, &error, format))
            }
        }
    }
}

fn behind(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; {hint}"))
}

fn place(path: &str, line: usize, column: usize) -> String {
    let buffered = "no nearer place is known: serde reads `tag`, `untagged` and `flatten` from a buffer, which keeps none";
    match (path, line) {
        (".", 0) => format!("somewhere in the value ({buffered})"),
        (path, 0) => format!("in `{path}` ({buffered})"),
        (path, line) => format!("at `{path}`, line {line}, column {column}"),
    }
}

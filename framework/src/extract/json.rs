//! `Json<T>`: the record's value as JSON.

use std::borrow::Cow;

use msk_schemas::id::Format;
use serde::de::DeserializeOwned;

use crate::delivery::Delivery;
use crate::extract::framed::{absent, unframed};
use crate::extract::key::Key;
use crate::extract::rejection::JsonRejection;
use crate::extract::{FromRecord, OptionalFromRecord, explain};
use crate::failure::Rejection;
use crate::part::Part;
use crate::schemas::SchemaUse;

/// The record's value, read as JSON. The key is [`Key<Json<T>>`](super::Key).
///
/// A schema registry's frame before the JSON (Confluent's, Glue's) is taken off. With a registry, the frame's schema must be one of JSON: another is rejected with `reject.schema_format`. [`validate`](crate::handler::Options::validate) checks the value against the schema that the frame names.
///
/// A value that does not fit is rejected with `reject.json`; the message gives the found and the expected kind, path, line and column, never the bytes.
/// If a value is not JSON, the message names the format by its first bytes: a schema registry's framing, gzip, UTF-16 and others. A tombstone is rejected with
/// `reject.tombstone`; `Option<Json<T>>` is None only for a tombstone.
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

impl<S, T: DeserializeOwned> FromRecord<S> for Json<T> {
    type Rejection = JsonRejection;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, JsonRejection> {
        <Self as OptionalFromRecord<S>>::from_record(delivery, state)?
            .ok_or(JsonRejection::Tombstone)
    }

    fn schemas() -> SchemaUse {
        SchemaUse::of(Part::Value, Format::Json)
    }
}

impl<S, T: DeserializeOwned> OptionalFromRecord<S> for Json<T> {
    type Rejection = JsonRejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, JsonRejection> {
        let Some(value) = delivery.value() else {
            return Ok(None);
        };
        read(delivery, Part::Value, value).map(Some)
    }

    fn schemas() -> SchemaUse {
        SchemaUse::of(Part::Value, Format::Json)
    }
}

impl<S, T: DeserializeOwned> FromRecord<S> for Key<Json<T>> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Rejection> {
        <Self as OptionalFromRecord<S>>::from_record(delivery, state)?
            .ok_or_else(|| absent(Part::Key, "Json"))
    }

    fn schemas() -> SchemaUse {
        SchemaUse::of(Part::Key, Format::Json)
    }
}

impl<S, T: DeserializeOwned> OptionalFromRecord<S> for Key<Json<T>> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, Rejection> {
        let Some(key) = delivery.key() else {
            return Ok(None);
        };
        Ok(Some(Self(read(delivery, Part::Key, key)?)))
    }

    fn schemas() -> SchemaUse {
        SchemaUse::of(Part::Key, Format::Json)
    }
}

fn read<T: DeserializeOwned>(
    delivery: &Delivery,
    part: Part,
    bytes: &[u8],
) -> Result<Json<T>, JsonRejection> {
    // No JSON begins with these two, and every frame does.
    let whole = bytes.len();
    let bytes = match bytes.first() {
        Some(0 | 3) => unframed(delivery, part, bytes).map_err(JsonRejection::Frame)?,
        _ => Cow::Borrowed(bytes),
    };
    // Text is checked once, not string by string. What is not UTF-8 may still be read: strings that nobody asks for are not looked at.
    let read = match std::str::from_utf8(&bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(&bytes),
    };
    match read {
        Ok(json) => Ok(Json(json)),
        Err(error) => {
            let schema = match part {
                Part::Key => delivery.key_schema(),
                Part::Value => delivery.value_schema(),
            };
            let format = schema.and_then(|schema| schema.data_format.as_deref());
            // A registry has told that it is JSON.
            let is_told = delivery.schemas().typed.cache.is_some();
            let framed = (bytes.len() != whole && !is_told).then_some(explain::BEHIND_A_FRAME);
            let otherwise = explain::of_schema(format).or(framed);
            Err(explain::explain::<T>(&bytes, &error, otherwise))
        }
    }
}

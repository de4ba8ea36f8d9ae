//! `Json<T>`: the record's value as JSON.

use serde::de::DeserializeOwned;

use crate::delivery::Delivery;
use crate::extract::rejection::JsonRejection;
use crate::extract::{FromRecord, OptionalFromRecord, explain};

/// The record's value, read as JSON.
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

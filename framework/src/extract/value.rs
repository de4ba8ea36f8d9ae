//! `Value<T>`: the record's value as bytes, text, a number, or any type that parses.

use crate::delivery::Delivery;
use crate::extract::bytes::FromBytes;
use crate::extract::{FromRecord, OptionalFromRecord};
use crate::failure::Rejection;
use crate::part::Part;

/// The record's value, if it is not JSON (for JSON, use [`Json`](super::Json)): bytes (`Value`, `Value<Bytes>`), text (`Value<String>`, `Value<Arc<str>>`), numbers and
/// other types that parse, as in the table of [`Key`](super::Key).
///
/// A tombstone is rejected with `reject.tombstone`, an unreadable value with `reject.value`. `Option<Value<T>>` is None for a tombstone.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use lambda_msk::Value;
///
/// async fn log_line(Value(line): Value<String>) {
///     println!("{} characters", line.chars().count());
/// }
/// async fn image(Value(png): Value<Bytes>) {
///     println!("{} bytes", png.len());
/// }
/// # lambda_msk::Consumer::builder().topic("lines", log_line).topic("images", image).build().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Value<T = Vec<u8>>(pub T);

impl<S, T: FromBytes> FromRecord<S> for Value<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Rejection> {
        <Self as OptionalFromRecord<S>>::from_record(delivery, state)?.ok_or_else(|| {
            Rejection::new(
                "reject.tombstone",
                "the record is a tombstone (no value): take `Option<Value<_>>` if that is allowed",
            )
        })
    }
}

impl<S, T: FromBytes> OptionalFromRecord<S> for Value<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, Rejection> {
        delivery
            .value()
            .map(|value| T::from_bytes(value, Part::Value).map(Self))
            .transpose()
    }
}

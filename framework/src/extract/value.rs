//! `Value<T>`: the record's value as bytes, text, a number in either form, or anything that parses.

use crate::delivery::Delivery;
use crate::extract::bytes::{FromBytes, Part};
use crate::extract::{FromRecord, OptionalFromRecord};
use crate::failure::Rejection;

/// The record's value, for what is no JSON ([`Json`](super::Json)): bytes (`Value`, `Value<Bytes>`), text (`Value<String>`, `Value<Arc<str>>`), numbers and
/// whatever parses, by the table of [`Key`](super::Key).
///
/// A tombstone rejects with `reject.tombstone`, a value that cannot be read so with `reject.value`. `Option<Value<T>>` is None for a tombstone.
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
                "the record is a tombstone (no value): take `Option<Value<_>>` if that is no fault",
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

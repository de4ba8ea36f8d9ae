//! `Key<T>`: the record's key as bytes, text, a number, or any type that parses.

use crate::delivery::Delivery;
use crate::extract::bytes::FromBytes;
use crate::extract::{FromRecord, OptionalFromRecord};
use crate::failure::Rejection;
use crate::part::Part;

/// The record's key.
///
/// | the producer writes | take |
/// |---|---|
/// | any bytes | `Key`, `Key<Bytes>` |
/// | text (`StringSerializer`) | `Key<String>`, `Key<Arc<str>>` |
/// | a number as decimal text | `Key<i64>`, `Key<u64>` and their like |
/// | a number as bytes (`ShortSerializer`, `IntegerSerializer`, `LongSerializer`, `FloatSerializer`, `DoubleSerializer`) | [`Key<BigEndian<i32>>`](super::BigEndian) and its like |
/// | a UUID (`UUIDSerializer`, which writes text), or other text that has a [`FromStr`](std::str::FromStr) | [`Key<Parsed<Uuid>>`](super::Parsed) |
///
/// A record without a key is rejected with `reject.no_key`, one with an unreadable key with `reject.key`. `Option<Key<T>>` is None for a record without a key.
///
/// # Example
///
/// ```
/// use lambda_msk::extract::Parsed;
/// use lambda_msk::Key;
/// use std::net::Ipv4Addr;
///
/// async fn by_customer(Key(customer): Key<String>) {
/// #   let _ = customer;
/// }
/// async fn by_address(Key(Parsed(address)): Key<Parsed<Ipv4Addr>>) {
/// #   let _ = address;
/// }
/// # lambda_msk::Consumer::builder().topic("a", by_customer).topic("b", by_address).build().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key<T = Vec<u8>>(pub T);

impl<S, T: FromBytes> FromRecord<S> for Key<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Rejection> {
        <Self as OptionalFromRecord<S>>::from_record(delivery, state)?.ok_or_else(|| {
            Rejection::new(
                "reject.no_key",
                "the record has no key: take `Option<Key<_>>` if that is allowed",
            )
        })
    }
}

impl<S, T: FromBytes> OptionalFromRecord<S> for Key<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, Rejection> {
        delivery
            .key()
            .map(|key| T::from_bytes(key, Part::Key).map(Self))
            .transpose()
    }
}

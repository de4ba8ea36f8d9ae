//! `Key<T>`: the record's key as bytes, text, a number, or anything that parses.

use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use crate::delivery::Delivery;
use crate::extract::{FromRecord, OptionalFromRecord};
use crate::failure::Rejection;

/// The record's key.
///
/// `Key<Vec<u8>>` (or `Key` alone) takes any bytes, `Key<String>` text, `Key<u64>` and its like numbers in decimal text, `Key<Parsed<T>>` whatever has a
/// [`FromStr`]. A record without a key rejects with `reject.no_key`, an unreadable one with `reject.key`. `Option<Key<T>>` is None for a record without a key.
///
/// # Example
///
/// ```
/// use lambda_msk::{Key, Parsed};
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

/// A type that a key's bytes can be read as.
#[diagnostic::on_unimplemented(
    message = "a key cannot be read as `{Self}`",
    label = "not a type of keys",
    note = "keys are read as `Vec<u8>`, `Bytes`, `String`, `Arc<str>`, integers, and `Parsed<T>` for any `T: FromStr`",
    note = "for a type of your own, implement `FromKey`"
)]
pub trait FromKey: Sized {
    /// Reads the key. It may be empty: zero bytes are a key.
    ///
    /// # Errors
    ///
    /// The bytes are not such a key: the record is rejected.
    fn from_key(key: &[u8]) -> Result<Self, Rejection>;
}

/// A key by its type's [`FromStr`]: `Key<Parsed<Uuid>>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parsed<T>(pub T);

impl<S, T: FromKey> FromRecord<S> for Key<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Rejection> {
        <Self as OptionalFromRecord<S>>::from_record(delivery, state)?.ok_or_else(|| {
            Rejection::new(
                "reject.no_key",
                "the record has no key: take `Option<Key<_>>` if that is no fault",
            )
        })
    }
}

impl<S, T: FromKey> OptionalFromRecord<S> for Key<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, Rejection> {
        delivery
            .key()
            .map(|key| T::from_key(key).map(Self))
            .transpose()
    }
}

impl FromKey for Vec<u8> {
    fn from_key(key: &[u8]) -> Result<Self, Rejection> {
        Ok(key.to_vec())
    }
}

impl FromKey for Bytes {
    fn from_key(key: &[u8]) -> Result<Self, Rejection> {
        Ok(Self::copy_from_slice(key))
    }
}

impl FromKey for String {
    fn from_key(key: &[u8]) -> Result<Self, Rejection> {
        text(key).map(str::to_owned)
    }
}

impl FromKey for Arc<str> {
    fn from_key(key: &[u8]) -> Result<Self, Rejection> {
        text(key).map(Self::from)
    }
}

impl<T: FromStr> FromKey for Parsed<T> {
    fn from_key(key: &[u8]) -> Result<Self, Rejection> {
        parsed(key).map(Self)
    }
}

macro_rules! in_decimal {
    ($($number:ty)*) => {$(
        impl FromKey for $number {
            fn from_key(key: &[u8]) -> Result<Self, Rejection> {
                parsed(key)
            }
        }
    )*};
}

in_decimal! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

fn parsed<T: FromStr>(key: &[u8]) -> Result<T, Rejection> {
    // The error of the parse is left out: it may quote the key.
    text(key)?.parse().map_err(|_| unparsed::<T>(key))
}

fn text(key: &[u8]) -> Result<&str, Rejection> {
    std::str::from_utf8(key).map_err(|error| {
        let at = error.valid_up_to();
        let bytes = key.len();
        Rejection::new(
            "reject.key",
            format!("the key ({bytes} bytes) is not UTF-8 from byte {at} on"),
        )
    })
}

fn unparsed<T>(key: &[u8]) -> Rejection {
    let bytes = key.len();
    let name = std::any::type_name::<T>();
    Rejection::new(
        "reject.key",
        format!("the key ({bytes} bytes) does not parse as `{name}`"),
    )
}

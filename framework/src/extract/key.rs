//! `Key<T>`: the record's key as bytes, text, a number in either form, or anything that parses.

use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use crate::delivery::Delivery;
use crate::extract::{FromRecord, OptionalFromRecord, form};
use crate::failure::Rejection;

/// The record's key.
///
/// | the producer writes | take |
/// |---|---|
/// | any bytes | `Key`, `Key<Bytes>` |
/// | text (`StringSerializer`) | `Key<String>`, `Key<Arc<str>>` |
/// | a number as decimal text | `Key<i64>`, `Key<u64>` and their like |
/// | a number as bytes (`ShortSerializer`, `IntegerSerializer`, `LongSerializer`, `FloatSerializer`, `DoubleSerializer`) | [`Key<BigEndian<i32>>`](BigEndian) and its like |
/// | a UUID (`UUIDSerializer`, which writes text), or other text that has a [`FromStr`] | [`Key<Parsed<Uuid>>`](Parsed) |
///
/// A record without a key rejects with `reject.no_key`, an unreadable one with `reject.key`. `Option<Key<T>>` is None for a record without a key.
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
    note = "keys are read as `Vec<u8>`, `Bytes`, `String`, `Arc<str>`, integers in decimal text, and `Parsed<T>` for any `T: FromStr`",
    note = "numbers that Kafka's serializers write as bytes are `BigEndian<T>`: of `i16`, `i32`, `i64`, `f32` and `f64`",
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

/// A key by its type's [`FromStr`]: `Key<Parsed<Uuid>>`, which is also how Kafka's `UUIDSerializer` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parsed<T>(pub T);

/// A key that is a number in bytes, the most significant first, as the serializers of Kafka's Java client write it: `BigEndian<i16>` for `ShortSerializer`,
/// `i32` for `IntegerSerializer`, `i64` for `LongSerializer`, `f32` for `FloatSerializer`, `f64` for `DoubleSerializer`.
///
/// `Key<i32>` alone reads decimal text.
///
/// # Example
///
/// ```
/// use lambda_msk::{BigEndian, Key};
///
/// async fn by_customer(Key(BigEndian(customer)): Key<BigEndian<i32>>) {
///     println!("{customer}");
/// }
/// # lambda_msk::Consumer::builder().topic("orders", by_customer).build().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BigEndian<T>(pub T);

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
                let read = std::str::from_utf8(key).ok().and_then(|text| text.parse().ok());
                read.ok_or_else(|| no_decimal(stringify!($number), key))
            }
        }
    )*};
}

in_decimal! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

macro_rules! in_bytes {
    ($($number:ty: $serializer:literal;)*) => {$(
        impl FromKey for BigEndian<$number> {
            fn from_key(key: &[u8]) -> Result<Self, Rejection> {
                match key.try_into() {
                    Ok(bytes) => Ok(Self(<$number>::from_be_bytes(bytes))),
                    Err(_) => Err(no_bytes(stringify!($number), size_of::<$number>(), $serializer, key)),
                }
            }
        }
    )*};
}

in_bytes! {
    i16: "ShortSerializer";
    i32: "IntegerSerializer";
    i64: "LongSerializer";
    f32: "FloatSerializer";
    f64: "DoubleSerializer";
}

fn parsed<T: FromStr>(key: &[u8]) -> Result<T, Rejection> {
    // The error of the parse is left out: it may quote the key.
    text(key)?.parse().map_err(|_| {
        let (bytes, name) = (key.len(), std::any::type_name::<T>());
        unread(
            format!("the key ({bytes} bytes) does not parse as `{name}`"),
            key,
        )
    })
}

fn text(key: &[u8]) -> Result<&str, Rejection> {
    std::str::from_utf8(key).map_err(|error| {
        let (at, bytes) = (error.valid_up_to(), key.len());
        unread(
            format!("the key ({bytes} bytes) is not UTF-8 from byte {at} on"),
            key,
        )
    })
}

/// With what the bytes are instead, if that is known by their beginning.
fn unread(mut message: String, key: &[u8]) -> Rejection {
    if let Some(form) = form::of(key) {
        message += "; ";
        message += form;
    }
    Rejection::new("reject.key", message)
}

/// Of the length of a number in bytes, it is taken for one: a frame is longer.
fn no_decimal(number: &str, key: &[u8]) -> Rejection {
    let bytes = key.len();
    let message = format!(
        "the key ({bytes} bytes) is not a `{number}` in decimal text, as `Key<{number}>` reads it"
    );
    let binary = match (bytes, key.iter().all(u8::is_ascii_graphic)) {
        (2, false) => Some("`Key<BigEndian<i16>>` reads the 2 bytes of Kafka's ShortSerializer"),
        (4, false) => Some(
            "`Key<BigEndian<i32>>` reads the 4 bytes of Kafka's IntegerSerializer, `f32` those of its FloatSerializer",
        ),
        (8, false) => Some(
            "`Key<BigEndian<i64>>` reads the 8 bytes of Kafka's LongSerializer, `f64` those of its DoubleSerializer",
        ),
        _ => None,
    };
    match binary {
        Some(cure) => Rejection::new("reject.key", format!("{message}; {cure}")),
        None => unread(message, key),
    }
}

fn no_bytes(number: &str, wanted: usize, serializer: &str, key: &[u8]) -> Rejection {
    let bytes = key.len();
    let message = format!(
        "the key has {bytes} bytes, and `Key<BigEndian<{number}>>` reads the {wanted} bytes of Kafka's {serializer}"
    );
    if !key.is_empty()
        && key
            .iter()
            .all(|byte| byte.is_ascii_digit() || b"+-.".contains(byte))
    {
        let cure = match number {
            "f32" | "f64" => format!("`Key<Parsed<{number}>>` reads decimal text"),
            _ => format!("`Key<{number}>` reads decimal text"),
        };
        return Rejection::new("reject.key", format!("{message}; {cure}"));
    }
    unread(message, key)
}

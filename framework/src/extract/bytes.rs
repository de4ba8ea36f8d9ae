//! Types for the bytes of a key or value: text, a number as text or bytes, any type that parses. Called by `key` and `value`.

use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;

use crate::extract::form;
use crate::failure::Rejection;
use crate::part::Part;

/// A type that can be read from the bytes of a record's key or value: `T` in [`Key<T>`](super::Key) and [`Value<T>`](super::Value).
///
/// # Example
///
/// ```
/// use lambda_msk::extract::{FromBytes, Part};
/// use lambda_msk::failure::Rejection;
/// use lambda_msk::Key;
///
/// struct Customer(u32);
///
/// impl FromBytes for Customer {
///     fn from_bytes(bytes: &[u8], part: Part) -> Result<Self, Rejection> {
///         let number = bytes.strip_prefix(b"c-").and_then(|rest| std::str::from_utf8(rest).ok()?.parse().ok());
///         // Not the bytes themselves: the message is logged.
///         number.map(Self).ok_or_else(|| Rejection::new(part.code(), format!("the {part} is no customer, as in `c-17`")))
///     }
/// }
///
/// async fn by_customer(Key(Customer(number)): Key<Customer>) {
///     println!("{number}");
/// }
/// # lambda_msk::Consumer::builder().topic("orders", by_customer).build().unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "bytes cannot be read as `{Self}`",
    label = "expected a type for keys and values",
    note = "keys and values are read as `Vec<u8>`, `Bytes`, `String`, `Arc<str>`, integers in decimal text, and `Parsed<T>` for any `T: FromStr`",
    note = "numbers that Kafka's serializers write as bytes are `BigEndian<T>`: of `i16`, `i32`, `i64`, `f32` and `f64`",
    note = "for a type of your own, implement `FromBytes`"
)]
pub trait FromBytes: Sized {
    /// Reads the bytes, of which there may be none: an empty key or value is present.
    ///
    /// # Errors
    ///
    /// The bytes do not represent this type: the record is rejected.
    fn from_bytes(bytes: &[u8], part: Part) -> Result<Self, Rejection>;
}

/// A key or value in text form, parsed by its type's [`FromStr`]: `Key<Parsed<Uuid>>` reads the text that Kafka's `UUIDSerializer` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parsed<T>(pub T);

/// A key or value that is a big-endian number, as the serializers of Kafka's Java client write it: `BigEndian<i16>` for `ShortSerializer`,
/// `i32` for `IntegerSerializer`, `i64` for `LongSerializer`, `f32` for `FloatSerializer`, `f64` for `DoubleSerializer`.
///
/// `Key<i32>` without `BigEndian` reads decimal text.
///
/// # Example
///
/// ```
/// use lambda_msk::extract::BigEndian;
/// use lambda_msk::Key;
///
/// async fn by_customer(Key(BigEndian(customer)): Key<BigEndian<i32>>) {
///     println!("{customer}");
/// }
/// # lambda_msk::Consumer::builder().topic("orders", by_customer).build().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BigEndian<T>(pub T);

impl FromBytes for Vec<u8> {
    fn from_bytes(bytes: &[u8], _: Part) -> Result<Self, Rejection> {
        Ok(bytes.to_vec())
    }
}

impl FromBytes for Bytes {
    fn from_bytes(bytes: &[u8], _: Part) -> Result<Self, Rejection> {
        Ok(Self::copy_from_slice(bytes))
    }
}

impl FromBytes for String {
    fn from_bytes(bytes: &[u8], part: Part) -> Result<Self, Rejection> {
        text(bytes, part).map(str::to_owned)
    }
}

impl FromBytes for Arc<str> {
    fn from_bytes(bytes: &[u8], part: Part) -> Result<Self, Rejection> {
        text(bytes, part).map(Self::from)
    }
}

impl<T: FromStr> FromBytes for Parsed<T> {
    fn from_bytes(bytes: &[u8], part: Part) -> Result<Self, Rejection> {
        parsed(bytes, part).map(Self)
    }
}

macro_rules! in_decimal {
    ($($number:ty)*) => {$(
        impl FromBytes for $number {
            fn from_bytes(bytes: &[u8], part: Part) -> Result<Self, Rejection> {
                let read = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
                read.ok_or_else(|| no_decimal(stringify!($number), bytes, part))
            }
        }
    )*};
}

in_decimal! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

macro_rules! in_bytes {
    ($($number:ty: $serializer:literal;)*) => {$(
        impl FromBytes for BigEndian<$number> {
            fn from_bytes(bytes: &[u8], part: Part) -> Result<Self, Rejection> {
                match bytes.try_into() {
                    Ok(bytes) => Ok(Self(<$number>::from_be_bytes(bytes))),
                    Err(_) => Err(no_bytes(stringify!($number), size_of::<$number>(), $serializer, bytes, part)),
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

fn parsed<T: FromStr>(bytes: &[u8], part: Part) -> Result<T, Rejection> {
    // The error of the parse is left out: it may quote what it read.
    text(bytes, part)?.parse().map_err(|_| {
        let (len, name) = (bytes.len(), std::any::type_name::<T>());
        let message = format!("the {part} ({len} bytes) does not parse as `{name}`");
        unread(message, bytes, part)
    })
}

fn text(bytes: &[u8], part: Part) -> Result<&str, Rejection> {
    std::str::from_utf8(bytes).map_err(|error| {
        let (at, len) = (error.valid_up_to(), bytes.len());
        let message = format!("the {part} ({len} bytes) is not UTF-8 from byte {at} on");
        unread(message, bytes, part)
    })
}

/// With what the bytes are instead, if that is known by their beginning.
fn unread(mut message: String, bytes: &[u8], part: Part) -> Rejection {
    if let Some(form) = form::of(bytes) {
        message += "; ";
        message += form;
    }
    Rejection::new(part.code(), message)
}

/// Of the length of a number in bytes, they are taken for one: a frame is longer.
fn no_decimal(number: &str, bytes: &[u8], part: Part) -> Rejection {
    let (len, extractor) = (bytes.len(), part.extractor());
    let message = format!(
        "the {part} ({len} bytes) is not a `{number}` in decimal text, as `{extractor}<{number}>` reads it"
    );
    let (reader, serializer, float) = match (len, bytes.iter().all(u8::is_ascii_graphic)) {
        (2, false) => ("i16", "Short", None),
        (4, false) => ("i32", "Integer", Some("`f32` those of its FloatSerializer")),
        (8, false) => ("i64", "Long", Some("`f64` those of its DoubleSerializer")),
        _ => return unread(message, bytes, part),
    };
    let float = float.map_or(String::new(), |float| format!(", {float}"));
    let cure = format!(
        "`{extractor}<BigEndian<{reader}>>` reads the {len} bytes of Kafka's {serializer}Serializer{float}"
    );
    Rejection::new(part.code(), format!("{message}; {cure}"))
}

fn no_bytes(number: &str, wanted: usize, serializer: &str, bytes: &[u8], part: Part) -> Rejection {
    let (len, extractor) = (bytes.len(), part.extractor());
    let message = format!(
        "the {part} has {len} bytes, and `{extractor}<BigEndian<{number}>>` reads the {wanted} bytes of Kafka's {serializer}"
    );
    let of_a_number = |byte: &u8| byte.is_ascii_digit() || b"+-.".contains(byte);
    if bytes.is_empty() || !bytes.iter().all(of_a_number) {
        return unread(message, bytes, part);
    }
    let reader = match number {
        "f32" | "f64" => format!("Parsed<{number}>"),
        _ => number.to_owned(),
    };
    let cure = format!("`{extractor}<{reader}>` reads decimal text");
    Rejection::new(part.code(), format!("{message}; {cure}"))
}

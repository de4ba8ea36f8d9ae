//! Avro: schemas, their resolution, and values through serde. A decoder of our own: two schemas are compared once, into a [`Plan`], and each payload only follows it.
//!
//! | Avro | serde |
//! |---|---|
//! | record | struct or map; a tuple, if the fields are in the reader's order |
//! | union with null | `Option` |
//! | other unions | the branch's value, or an enum with a variant for each branch: `string`, `Order` |
//! | enum | unit variants, or text |
//! | bytes, fixed | bytes (borrowed), or a sequence of `u8` |
//! | decimal | text (`-12.34`), `f64`, the unscaled bytes, or an integer if the scale is 0 |
//! | uuid | text; 16 bytes, if the type is fixed |
//! | date, time, timestamp | the integer, or ISO 8601 if text is asked for |
//! | duration | a struct of `months`, `days`, `millis`; a tuple of three `u32`; bytes |

mod access;
mod de;
mod deserializer;
mod error;
mod from_json;
mod input;
mod json;
mod json_access;
mod logical;
#[cfg(feature = "made-up")]
mod made_up;
mod matching;
mod own;
mod parse;
mod plan;
mod resolve;
mod schema;
mod skip;
mod temporal;
mod text;
mod tree;
mod write;

use serde::Deserialize;

pub use self::error::Error;
pub use self::from_json::from_json;
#[cfg(feature = "made-up")]
pub use self::made_up::{Random, made_up};
pub use self::plan::Plan;
pub use self::resolve::Incompatible;
pub use self::schema::Schema;
pub use self::write::to_vec;

use self::de::De;
use self::input::Input;
use self::json::Json;

/// Reads a payload by a plan. Texts and bytes may be borrowed from it.
///
/// # Errors
///
/// The bytes do not fit the schema, the value does not fit `T`, or bytes are left at the end.
#[inline]
pub fn from_slice<'de, T: Deserialize<'de>>(plan: &'de Plan, bytes: &'de [u8]) -> Result<T, Error> {
    let mut input = Input::new(bytes);
    let value = T::deserialize(De::new(plan, &mut input))?;
    input.end()?;
    Ok(value)
}

/// Reads a payload as JSON, for tools that show it.
///
/// Bytes are a text with a code point for each, as in Avro's JSON; unions are plain; decimals are text; dates and times are the integers that were written; what is
/// no number is text (`NaN`, `Infinity`).
///
/// # Errors
///
/// The bytes do not fit the schema, or bytes are left at the end.
pub fn to_json(plan: &Plan, bytes: &[u8]) -> Result<serde_json::Value, Error> {
    from_slice(plan, bytes).map(|Json(value)| value)
}

//! The event, from wire to batch, in one pass. Called by `consumer` with the raw body.
//!
//! * `read` knows the shape of a Kafka event and fills the [`Batch`], `record` reads one record, `alike` one that is written as the one before it (`form`), `parts` one field of a record; `fields` has the names, `path` the current place;
//! * `scan` knows JSON and nothing of Kafka: a cursor over the bytes; `plain` finds the ends of strings;
//! * `base64` and `text` turn a JSON string into bytes, `digits` digits into a number;
//! * `error` is the error of a refused event, `mistaken` names the source from which it really came.

mod alike;
mod base64;
mod digits;
mod error;
mod fields;
mod form;
mod mistaken;
mod parts;
mod path;
mod plain;
mod read;
mod record;
mod scan;
mod text;

#[cfg(test)]
mod tests;

use bytes::Bytes;

pub use self::error::EventError;
use self::mistaken::Source;
use crate::limits::EVENT_BYTES_MAX;
use crate::record::{Batch, Spare};

/// The batch that `body` holds. A record that cannot be decoded is marked with its fault and kept; what makes the whole event unanswerable is the error.
pub(crate) fn decode(body: Bytes, spare: &Spare) -> Result<Batch, EventError> {
    if body.len() > EVENT_BYTES_MAX {
        return Err(EventError::too_many_bytes(body.len()));
    }
    match read::batch(&body, spare) {
        Ok(batch) => Ok(Batch { body, ..batch }),
        // Only here, where time no longer matters, is the body looked at twice.
        Err(error) if error.is_about_json() => Err(*error),
        Err(error) => match mistaken::source(&body) {
            Some(Source { name, cure }) => Err(EventError::other_source(name, cure)),
            None => Err(*error),
        },
    }
}

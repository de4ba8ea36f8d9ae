//! What stands behind a frame: payloads that are compressed there, and JSON with or without one. Called by `extract`, and for idempotency keys that are parts of JSON.

use std::borrow::Cow;
#[cfg(feature = "inflate")]
use std::collections::BTreeMap;
#[cfg(feature = "inflate")]
use std::sync::{Mutex, MutexGuard, PoisonError};

use msk_schemas::frame::Kind;
use msk_schemas::id::Format;

use crate::failure::Rejection;
#[cfg(feature = "inflate")]
use crate::limits::INFLATED_BYTES_MAX;
use crate::part::Part;
use crate::record::Record;
use crate::schemas::Typed;

/// The code of what has not the frame that it should have.
pub(crate) const FRAMING: &str = "reject.schema_framing";

/// The code of a payload that has no room in this invocation.
#[cfg(feature = "inflate")]
const INFLATED: &str = "schema.inflated";

/// The bytes that the compressed payloads of one invocation have behind their compression.
#[derive(Debug, Default)]
pub(crate) struct Inflated {
    #[cfg(feature = "inflate")]
    counted: Mutex<Counted>,
}

#[cfg(feature = "inflate")]
#[derive(Debug, Default)]
struct Counted {
    total: usize,
    /// By the place of the compressed bytes, which an invocation keeps: a record that is tried again counts once.
    payloads: BTreeMap<usize, usize>,
}

#[cfg(feature = "inflate")]
impl Inflated {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        // Each change is whole before anything can panic.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is left for this payload.
    fn left(&self, compressed: &[u8]) -> usize {
        let counted = self.counted();
        match counted.payloads.get(&(compressed.as_ptr() as usize)) {
            Some(length) => *length,
            None => INFLATED_BYTES_MAX.saturating_sub(counted.total),
        }
    }

    fn count(&self, compressed: &[u8], length: usize) {
        let mut counted = self.counted();
        let place = compressed.as_ptr() as usize;
        if counted.payloads.insert(place, length).is_none() {
            counted.total += length;
        }
    }
}

impl Typed {
    /// JSON without the frame that may stand before it. `inflated`: of the invocation. *None: what is read is not kept.*
    pub(crate) fn unframed<'a>(
        &self,
        record: &'a Record,
        part: Part,
        bytes: &'a [u8],
        inflated: Option<&Inflated>,
    ) -> Result<Cow<'a, [u8]>, Rejection> {
        // No JSON begins with these two, and every frame does.
        if !matches!(bytes.first(), Some(0 | 3)) {
            return Ok(Cow::Borrowed(bytes));
        }
        match self.framed(record, part, bytes, Format::Json) {
            Some(framed) => inflate(part, framed.kind, framed.rest, inflated),
            None => Ok(Cow::Borrowed(bytes)),
        }
    }
}

/// The bytes behind a frame that says that they are compressed. `inflated`: of the invocation. *None: what is read is not kept.*
pub(crate) fn inflate<'a>(
    part: Part,
    kind: Kind<'_>,
    bytes: &'a [u8],
    inflated: Option<&Inflated>,
) -> Result<Cow<'a, [u8]>, Rejection> {
    match kind {
        Kind::Glue { zlib: true } => inflate_zlib(part, bytes, inflated).map(Cow::Owned),
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

#[cfg(feature = "inflate")]
#[inline(never)]
fn inflate_zlib(
    part: Part,
    bytes: &[u8],
    inflated: Option<&Inflated>,
) -> Result<Vec<u8>, Rejection> {
    use msk_schemas::frame::{InflateError, inflate_within};

    let most = msk_schemas::limits::INFLATED_BYTES_MAX;
    let left = inflated.map_or(most, |inflated| inflated.left(bytes));
    let found = inflate_within(bytes, most.min(left)).map_err(|error| match error {
        // Not its own fault: behind those that are done it has more.
        InflateError::TooLarge { .. } if left < most => {
            let message = format!(
                "the {part} ({} bytes, compressed) has more than {left} bytes behind its compression, what the records before it have left of the {INFLATED_BYTES_MAX} bytes for all payloads of an invocation: lower the mapping's batch size",
                bytes.len()
            );
            Rejection::retry(INFLATED, message)
        }
        error => {
            let message = format!(
                "the {part} ({} bytes, compressed) cannot be decompressed: {error}",
                bytes.len()
            );
            Rejection::new(FRAMING, message)
        }
    })?;
    if let Some(inflated) = inflated {
        inflated.count(bytes, found.len());
    }
    Ok(found)
}

#[cfg(not(feature = "inflate"))]
fn inflate_zlib(part: Part, _: &[u8], _: Option<&Inflated>) -> Result<Vec<u8>, Rejection> {
    let message = format!(
        "the {part} is compressed behind Glue's frame, but this program was built without what reads it: add the feature `glue` of lambda-msk"
    );
    Err(Rejection::new(FRAMING, message))
}

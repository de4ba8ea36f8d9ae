//! The bytes of a key or value behind their frame. Called by `json`, and by `payload`, which knows schemas.

use std::borrow::Cow;

use msk_schemas::frame::Kind;
use msk_schemas::id::Format;

use crate::delivery::Delivery;
use crate::failure::Rejection;
use crate::part::Part;

/// The code of what has not the frame that it should have.
pub(super) const FRAMING: &str = "reject.schema_framing";

/// Why there is nothing to read.
pub(super) fn absent(part: Part, extractor: &str) -> Rejection {
    match part {
        Part::Key => Rejection::new(
            "reject.no_key",
            format!("the record has no key: take `Option<Key<{extractor}<_>>>` if that is allowed"),
        ),
        Part::Value => Rejection::new(
            "reject.tombstone",
            format!(
                "the record is a tombstone (no value): take `Option<{extractor}<_>>` if that is allowed"
            ),
        ),
    }
}

/// The bytes behind a frame that says that they are compressed.
#[inline]
pub(super) fn inflated<'a>(
    part: Part,
    kind: Kind<'_>,
    bytes: &'a [u8],
) -> Result<Cow<'a, [u8]>, Rejection> {
    match kind {
        Kind::Glue { zlib: true } => inflate(part, bytes).map(Cow::Owned),
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

/// JSON without the frame that may stand before it.
pub(super) fn unframed<'a>(
    delivery: &'a Delivery,
    part: Part,
    bytes: &'a [u8],
) -> Result<Cow<'a, [u8]>, Rejection> {
    let typed = &delivery.schemas().typed;
    match typed.framed(delivery, part, bytes, Format::Json) {
        Some(framed) => inflated(part, framed.kind, framed.rest),
        None => Ok(Cow::Borrowed(bytes)),
    }
}

#[cfg(feature = "inflate")]
#[inline(never)]
fn inflate(part: Part, bytes: &[u8]) -> Result<Vec<u8>, Rejection> {
    msk_schemas::frame::inflate(bytes).map_err(|error| {
        Rejection::new(
            FRAMING,
            format!("the {part} cannot be decompressed: {error}"),
        )
    })
}

#[cfg(not(feature = "inflate"))]
fn inflate(part: Part, _: &[u8]) -> Result<Vec<u8>, Rejection> {
    let message = format!(
        "the {part} is compressed behind Glue's frame, but this program was built without what reads it: add the feature `glue` of lambda-msk"
    );
    Err(Rejection::new(FRAMING, message))
}

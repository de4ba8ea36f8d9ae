//! What stands behind a frame: payloads that are compressed there, and JSON with or without one. Called by `extract`, and for idempotency keys that are parts of JSON.

use std::borrow::Cow;

use msk_schemas::frame::Kind;
use msk_schemas::id::Format;

use crate::failure::Rejection;
use crate::part::Part;
use crate::record::Record;
use crate::schemas::Typed;

/// The code of what has not the frame that it should have.
pub(crate) const FRAMING: &str = "reject.schema_framing";

impl Typed {
    /// JSON without the frame that may stand before it.
    pub(crate) fn unframed<'a>(
        &self,
        record: &'a Record,
        part: Part,
        bytes: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, Rejection> {
        // No JSON begins with these two, and every frame does.
        if !matches!(bytes.first(), Some(0 | 3)) {
            return Ok(Cow::Borrowed(bytes));
        }
        match self.framed(record, part, bytes, Format::Json) {
            Some(framed) => inflated(part, framed.kind, framed.rest),
            None => Ok(Cow::Borrowed(bytes)),
        }
    }
}

/// The bytes behind a frame that says that they are compressed.
pub(crate) fn inflated<'a>(
    part: Part,
    kind: Kind<'_>,
    bytes: &'a [u8],
) -> Result<Cow<'a, [u8]>, Rejection> {
    match kind {
        Kind::Glue { zlib: true } => inflate(part, bytes).map(Cow::Owned),
        _ => Ok(Cow::Borrowed(bytes)),
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

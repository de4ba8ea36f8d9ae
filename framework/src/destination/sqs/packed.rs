//! Letters as messages of SQS, the large ones in two parts. Called by `sqs`.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use msk_destinations::send::Message;

use crate::destination::message::message;
use crate::destination::{DeadLetter, SendError};
use crate::limits::{SQS_MESSAGE_BYTES_MAX, SQS_RECORD_BYTES_SAFE};

/// The attribute that holds a payload beside its envelope.
const PAYLOAD: &str = "payload";
/// How it is packed there, as the envelope's `payloadEncoding` says.
const GZIP: &str = "gzip";

/// A letter that no message has room for.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected a letter of at most {SQS_MESSAGE_BYTES_MAX} bytes for SQS, found {bytes} with its payload compressed (any record of {SQS_RECORD_BYTES_SAFE} bytes fits): set LAMBDA_MSK_ON_FAILURE_LARGE=s3://BUCKET/PREFIX, which takes such letters"
)]
struct TooLarge {
    bytes: usize,
}

/// The letter whole, its envelope the body; or, where that is too large, the envelope without its payload, and the payload packed in an attribute: SQS counts
/// an attribute's bytes as they are, where a body, which is text, would need base64.
pub(super) fn packed(letter: &DeadLetter) -> Result<Message, SendError> {
    let whole = message(letter, letter.envelope());
    if whole.bytes() <= SQS_MESSAGE_BYTES_MAX {
        return Ok(whole);
    }
    let (envelope, payload) = letter.parts(GZIP);
    let packed = message(letter, envelope).with_bytes(PAYLOAD, gzip(payload.get().as_bytes()));
    match packed.bytes() {
        0..=SQS_MESSAGE_BYTES_MAX => Ok(packed),
        bytes => Err(SendError::no_room(TooLarge { bytes })),
    }
}

/// Takes about 100 ms for a megabyte that does not compress, on this task: a letter so large is rare, and the invocation's other lanes wait no longer than for any
/// handler that computes.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.expect("writing to memory does not fail")
}

//! Letters as messages, and messages in batches that SQS takes. Called by `sqs`.

use std::collections::VecDeque;
use std::io::Write;

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::destination::DeadLetter;
use crate::destination::sqs::fault::Fault;
use crate::limits::{SQS_BATCH_ENTRIES_MAX, SQS_MESSAGE_BYTES_MAX};

/// One letter as a message.
pub(super) struct Entry {
    /// Its place in the call.
    pub(super) letter: usize,
    /// As SQS counts them: the body, and each attribute's name, type and value.
    pub(super) bytes: usize,
    pub(super) request: SendMessageBatchRequestEntry,
}

impl Entry {
    /// The letter whole, its envelope the body; or, where that is too large, the envelope without its payload, and the payload packed in an attribute: SQS counts
    /// an attribute's bytes as they are, where a body, which is text, would need base64.
    pub(super) fn of(at: usize, letter: &DeadLetter) -> Result<Self, Fault> {
        let whole = Self::with(at, letter, letter.envelope(), None);
        if whole.bytes <= SQS_MESSAGE_BYTES_MAX {
            return Ok(whole);
        }
        let (envelope, payload) = letter.parts(GZIP);
        let packed = Self::with(at, letter, envelope, Some(gzip(payload.get().as_bytes())));
        match packed.bytes {
            0..=SQS_MESSAGE_BYTES_MAX => Ok(packed),
            bytes => Err(Fault::TooLarge { bytes }),
        }
    }

    fn with(at: usize, letter: &DeadLetter, mut body: String, payload: Option<Vec<u8>>) -> Self {
        if body.contains(['\u{FFFE}', '\u{FFFF}']) {
            // They stand within strings, where an escape means the same.
            body = body
                .replace('\u{FFFE}', "\\ufffe")
                .replace('\u{FFFF}', "\\uffff");
        }
        let mut bytes = body.len();
        let mut request = SendMessageBatchRequestEntry::builder()
            .id(at.to_string())
            .message_body(body);
        for (name, value) in [("code", letter.code()), ("topic", letter.record().topic())] {
            if is_attribute(value) {
                bytes += name.len() + STRING.len() + value.len();
                let value = MessageAttributeValue::builder()
                    .data_type(STRING)
                    .string_value(value);
                request = request.message_attributes(name, value.build().expect("the type is set"));
            }
        }
        if let Some(payload) = payload {
            bytes += PAYLOAD.len() + BINARY.len() + payload.len();
            let value = MessageAttributeValue::builder()
                .data_type(BINARY)
                .binary_value(payload.into());
            request = request.message_attributes(PAYLOAD, value.build().expect("the type is set"));
        }
        Self {
            letter: at,
            bytes,
            request: request.build().expect("id and body are set"),
        }
    }
}

const STRING: &str = "String";
const BINARY: &str = "Binary";
/// The attribute that holds a payload beside its envelope.
const PAYLOAD: &str = "payload";
/// How it is packed there, as the envelope's `payloadEncoding` says.
const GZIP: &str = "gzip";

/// Takes about 100 ms for a megabyte that does not compress, on this task: a letter so large is rare, and the invocation's other lanes wait no longer than for any
/// handler that computes.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.expect("writing to memory does not fail")
}

/// Whether SQS takes the text for an attribute: not empty, and none of the characters that it refuses in messages.
fn is_attribute(text: &str) -> bool {
    let refused = |c: char| c.is_ascii_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    !text.is_empty() && !text.contains(refused)
}

/// Batches that SQS takes, by number and by bytes, in order.
pub(super) fn batches(entries: Vec<Entry>) -> VecDeque<Vec<Entry>> {
    let mut batches = VecDeque::new();
    let mut batch: Vec<Entry> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let full =
            batch.len() == SQS_BATCH_ENTRIES_MAX || bytes + entry.bytes > SQS_MESSAGE_BYTES_MAX;
        if full {
            batches.push_back(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += entry.bytes;
        batch.push(entry);
    }
    if !batch.is_empty() {
        batches.push_back(batch);
    }
    batches
}

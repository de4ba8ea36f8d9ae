//! Letters as messages, and messages in batches that SQS takes. Called by `sqs`.

use std::collections::VecDeque;

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};

use crate::destination::DeadLetter;
use crate::destination::sqs::fault::Fault;
use crate::limits::{SQS_BATCH_ENTRIES_MAX, SQS_MESSAGE_BYTES_MAX};

/// One letter as a message.
pub(super) struct Entry {
    /// Its place in the call.
    pub(super) letter: usize,
    bytes: usize,
    pub(super) request: SendMessageBatchRequestEntry,
}

impl Entry {
    pub(super) fn of(at: usize, letter: &DeadLetter) -> Result<Self, Fault> {
        let mut body = letter.envelope();
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
                request = request.message_attributes(name, attribute(value));
            }
        }
        if bytes > SQS_MESSAGE_BYTES_MAX {
            return Err(Fault::TooLarge { bytes });
        }
        Ok(Self {
            letter: at,
            bytes,
            request: request.build().expect("id and body are set"),
        })
    }
}

const STRING: &str = "String";

fn attribute(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type(STRING)
        .string_value(value)
        .build()
        .expect("the type is set")
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

//! Messages, and batches of them that SQS takes. Called by `sqs`.

use std::collections::VecDeque;

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};

use crate::limits::{SQS_BATCH_ENTRIES_MAX, SQS_MESSAGE_BYTES_MAX};

const STRING: &str = "String";
const BINARY: &str = "Binary";

/// A message for a queue: a JSON body with attributes.
#[derive(Clone)]
pub struct Message {
    body: String,
    attributes: Vec<(&'static str, MessageAttributeValue)>,
    bytes: usize,
}

impl Message {
    /// Creates a message with that JSON body. Characters that SQS does not accept (U+FFFE and U+FFFF) are written as JSON escapes.
    pub fn json(mut body: String) -> Self {
        if body.contains(['\u{FFFE}', '\u{FFFF}']) {
            // They stand within strings, where an escape means the same.
            body = body
                .replace('\u{FFFE}', "\\ufffe")
                .replace('\u{FFFF}', "\\uffff");
        }
        Self {
            bytes: body.len(),
            body,
            attributes: Vec::new(),
        }
    }

    /// Adds a text attribute. It is left out if SQS does not accept the value.
    #[must_use]
    pub fn with_text(mut self, name: &'static str, value: &str) -> Self {
        if is_attribute(value) {
            let attribute = MessageAttributeValue::builder()
                .data_type(STRING)
                .string_value(value);
            let attribute = attribute.build().expect("the type is set");
            self.bytes += name.len() + STRING.len() + value.len();
            self.attributes.push((name, attribute));
        }
        self
    }

    /// Adds a binary attribute: SQS counts its bytes as they are, whereas a body, which is text, would need base64.
    #[must_use]
    pub fn with_bytes(mut self, name: &'static str, value: Vec<u8>) -> Self {
        self.bytes += name.len() + BINARY.len() + value.len();
        let attribute = MessageAttributeValue::builder()
            .data_type(BINARY)
            .binary_value(value.into());
        let attribute = attribute.build().expect("the type is set");
        self.attributes.push((name, attribute));
        self
    }

    /// The size as SQS counts it: the body, and each attribute's name, type and value. SQS accepts at most [`SQS_MESSAGE_BYTES_MAX`].
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Sizes alone.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("bytes", &self.bytes)
            .field("attributes", &self.attributes.len())
            .finish_non_exhaustive()
    }
}

/// A message on its way.
pub(super) struct Entry {
    /// Its place in the call.
    pub(super) at: usize,
    bytes: usize,
    pub(super) request: SendMessageBatchRequestEntry,
}

impl Entry {
    pub(super) fn of(at: usize, message: Message) -> Self {
        let mut request = SendMessageBatchRequestEntry::builder()
            .id(at.to_string())
            .message_body(message.body);
        for (name, value) in message.attributes {
            request = request.message_attributes(name, value);
        }
        Self {
            at,
            bytes: message.bytes,
            request: request.build().expect("id and body are set"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{Entry, Message};

    #[test]
    fn a_message_counts_as_its_body_and_the_names_types_and_values_of_its_attributes() {
        let message = Message::json("{\"value\":\"a\u{FFFE}\"}".to_owned())
            .with_text("code", "reject.json")
            .with_text("topic", "")
            .with_bytes("payload", vec![0; 1_000]);

        let bytes = message.bytes();
        let request = Entry::of(0, message).request;

        let attributes = request.message_attributes().unwrap();
        let counted = attributes.iter().map(|(name, value)| {
            let text = value.string_value().unwrap_or_default();
            let binary = value.binary_value().map_or(0, |value| value.as_ref().len());
            name.len() + value.data_type().len() + text.len() + binary
        });
        assert_eq!(attributes.len(), 2);
        assert_eq!(bytes, request.message_body().len() + counted.sum::<usize>());
        assert_eq!(request.message_body(), r#"{"value":"a\ufffe"}"#);
    }
}

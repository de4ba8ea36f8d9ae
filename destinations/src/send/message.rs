//! A message for a queue or a topic of SNS. Made by callers, sent by `sqs` and `sns`.

const STRING: &str = "String";
const BINARY: &str = "Binary";

/// A message for a queue or a topic of SNS: a JSON body with attributes.
#[derive(Clone)]
pub struct Message {
    pub(super) body: String,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
    pub(super) fifo: Option<Fifo>,
    bytes: usize,
}

/// The value of an attribute.
#[derive(Clone)]
pub(super) enum Attribute {
    Text(String),
    Bytes(Vec<u8>),
}

impl Attribute {
    pub(super) fn data_type(&self) -> &'static str {
        match self {
            Self::Text(_) => STRING,
            Self::Bytes(_) => BINARY,
        }
    }
}

/// What a FIFO queue or topic wants beside a message.
#[derive(Clone)]
pub(super) struct Fifo {
    pub(super) group: String,
    pub(super) deduplication: String,
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
            fifo: None,
        }
    }

    /// Adds a text attribute. It is left out if SQS does not accept the value.
    #[must_use]
    pub fn with_text(self, name: &'static str, value: &str) -> Self {
        match is_attribute(value) {
            true => self.with(name, value.len(), Attribute::Text(value.to_owned())),
            false => self,
        }
    }

    /// Adds a binary attribute: SQS counts its bytes as they are, whereas a body, which is text, would need base64.
    #[must_use]
    pub fn with_bytes(self, name: &'static str, value: Vec<u8>) -> Self {
        self.with(name, value.len(), Attribute::Bytes(value))
    }

    /// Adds the ids that a FIFO queue or topic requires; a standard one gets the message without them. Messages of one group keep their order. A message whose
    /// deduplication id was seen within five minutes is confirmed and dropped. Both ids have at most 128 letters, digits and punctuation marks of ASCII.
    #[must_use]
    pub fn in_group(mut self, group: String, deduplication: String) -> Self {
        self.fifo = Some(Fifo {
            group,
            deduplication,
        });
        self
    }

    /// The size as SQS and SNS count it: the body, and each attribute's name, type and value.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn with(mut self, name: &'static str, bytes: usize, value: Attribute) -> Self {
        self.bytes += name.len() + value.data_type().len() + bytes;
        self.attributes.push((name, value));
        self
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

/// Whether SQS takes the text for an attribute: not empty, and none of the characters that it refuses in messages.
fn is_attribute(text: &str) -> bool {
    let refused = |c: char| c.is_ascii_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    !text.is_empty() && !text.contains(refused)
}

#[cfg(test)]
mod tests {
    use super::{Attribute, Message};

    #[test]
    fn a_message_counts_as_its_body_and_the_names_types_and_values_of_its_attributes() {
        let message = Message::json("{\"value\":\"a\u{FFFE}\"}".to_owned())
            .with_text("code", "reject.json")
            .with_text("topic", "")
            .with_bytes("payload", vec![0; 1_000]);

        let counted = message.attributes.iter().map(|(name, value)| {
            let bytes = match value {
                Attribute::Text(text) => text.len(),
                Attribute::Bytes(bytes) => bytes.len(),
            };
            name.len() + value.data_type().len() + bytes
        });
        assert_eq!(message.attributes.len(), 2);
        assert_eq!(message.bytes(), message.body.len() + counted.sum::<usize>());
        assert_eq!(message.body, r#"{"value":"a\ufffe"}"#);
    }
}

//! The body of a request: two lines for each document, one that names its id and the document itself.

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The type of the body: lines of JSON.
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// The longest id that OpenSearch takes.
const ID_BYTES_MAX: usize = 512;

/// The documents of one request.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    pub(crate) body: Vec<u8>,
    pub(crate) documents: usize,
}

impl Bulk {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a document. OpenSearch answers 409 if it has one with that id already.
    pub(crate) fn create(&mut self, key: &str, document: &RawValue) {
        // Quotes and control characters of a key are escaped.
        let action = serde_json::json!({ "create": { "_id": id(key) } });
        self.body.extend_from_slice(action.to_string().as_bytes());
        self.body.push(b'\n');
        // A line break ends a document. In JSON it stands between tokens alone, where a space means the same.
        let in_one_line = document.get().bytes().map(|byte| match byte {
            b'\n' | b'\r' => b' ',
            other => other,
        });
        self.body.extend(in_one_line);
        self.body.push(b'\n');
        self.documents += 1;
    }
}

/// The id of a record's document: its idempotency key, or the key's SHA-256 in hex if it is longer than an id may be.
pub(crate) fn id(key: &str) -> String {
    match key.len() {
        0..=ID_BYTES_MAX => key.to_owned(),
        _ => hex(&Sha256::digest(key)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::{Bulk, id};

    fn body(key: &str, document: &str) -> String {
        let mut bulk = Bulk::new();
        let document = RawValue::from_string(document.to_owned()).expect("JSON");
        bulk.create(key, &document);
        String::from_utf8(bulk.body).expect("text")
    }

    #[test]
    fn a_document_is_one_line_behind_the_line_with_its_id() {
        let text = body(
            "a\"b\n",
            "{\r\n  \"note\": \"two\\nlines\",\n  \"n\": 1.50\n}",
        );

        let expected = "{\"create\":{\"_id\":\"a\\\"b\\n\"}}\n{    \"note\": \"two\\nlines\",   \"n\": 1.50 }\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_key_that_is_too_long_for_an_id_is_hashed() {
        let (longest, longer) = ("k".repeat(512), "k".repeat(513));

        assert_eq!(id(&longest), longest);
        // printf 'k%.0s' $(seq 513) | sha256sum
        let hash = "45a7c7ef95c3417e800362f5672aba16da807261fe7121f3a81b0a0fb6b9a05c";
        assert_eq!(id(&longer), hash);
        // Bytes count, not characters.
        assert_eq!(id(&"é".repeat(257)).len(), 64);
    }
}

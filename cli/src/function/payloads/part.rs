//! The two parts of a record, and what tells that a schema is needed to read one.

use lambda_msk::Record;

/// Length of Confluent's frame: a zero byte and an id of four.
const CONFLUENT_BYTES: usize = 5;
/// Length of AWS Glue's frame: a 3, a byte for the compression, and a UUID.
pub(super) const GLUE_BYTES: usize = 18;

/// The key or the value of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Key,
    Value,
}

impl Part {
    pub(super) fn of(self, record: &Record) -> Option<&[u8]> {
        match self {
            Self::Key => record.key(),
            Self::Value => record.value(),
        }
    }

    pub(super) fn header_name(self) -> &'static str {
        match self {
            Self::Key => "__key_schema_id",
            Self::Value => "__value_schema_id",
        }
    }

    /// Whether something names the schema of it: the mapping, a header, or a frame. Neither JSON nor text begins with a byte of
    /// a frame.
    pub(super) fn is_typed(self, record: &Record, bytes: &[u8]) -> bool {
        let metadata = match self {
            Self::Key => record.key_schema(),
            Self::Value => record.value_schema(),
        };
        let framed = match bytes.first() {
            Some(0) => bytes.len() >= CONFLUENT_BYTES,
            Some(3) => bytes.len() >= GLUE_BYTES,
            _ => false,
        };
        framed || metadata.is_some() || record.header(self.header_name()).is_some()
    }
}

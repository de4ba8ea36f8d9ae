//! The words: what a registry knows a schema by, the schema's format, and its text with what it refers to. Read by every module.

use std::fmt;
use std::sync::Arc;

/// The id of a schema in its registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SchemaId {
    /// Confluent's id: a number.
    Number(u32),
    /// Confluent's GUID, which stands in headers: 16 bytes of a UUID.
    Guid([u8; 16]),
    /// AWS Glue's id of a schema version: 16 bytes of a UUID.
    Version([u8; 16]),
}

impl From<u32> for SchemaId {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Guid(bytes) | Self::Version(bytes) => write_uuid(f, bytes),
        }
    }
}

fn write_uuid(f: &mut fmt::Formatter<'_>, bytes: &[u8; 16]) -> fmt::Result {
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

/// The format of a schema, and of the payloads that it describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Avro's binary encoding.
    Avro,
    /// Protocol Buffers.
    Protobuf,
    /// JSON by a JSON Schema.
    Json,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Avro => "Avro",
            Self::Protobuf => "Protobuf",
            Self::Json => "JSON Schema",
        })
    }
}

/// A schema as its registry has it, with everything that it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The format.
    pub format: Format,
    /// The schema's text. Of Protobuf: `.proto` text, or a FileDescriptorProto in base64.
    pub text: Arc<str>,
    /// The schemas that the text refers to, each with its own references.
    pub references: Vec<Reference>,
}

impl Source {
    /// Creates the source of a schema that refers to no other.
    pub fn new(format: Format, text: impl Into<Arc<str>>) -> Self {
        Self {
            format,
            text: text.into(),
            references: Vec::new(),
        }
    }
}

/// One schema that another refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The name by which the other refers to it: a full name in Avro, an import's path in Protobuf, a URI in JSON Schema.
    pub name: String,
    /// The schema.
    pub source: Source,
}

/// Why a text is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(pub String);

#[cfg(test)]
mod tests {
    use super::SchemaId;

    #[test]
    fn an_id_is_shown_as_its_registry_shows_it() {
        let guid = std::array::from_fn(|at| at as u8 * 17);

        assert_eq!(SchemaId::Number(42).to_string(), "42");
        assert_eq!(
            SchemaId::Guid(guid).to_string(),
            "00112233-4455-6677-8899-aabbccddeeff"
        );
    }
}

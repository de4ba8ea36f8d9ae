//! A schema with its compiled forms, each compiled when it is first asked for. Made by `cache`, and of a reader's schema.

#[cfg(any(feature = "avro", feature = "protobuf", feature = "json-schema"))]
use std::sync::OnceLock;

#[cfg(any(feature = "avro", feature = "protobuf", feature = "json-schema"))]
use crate::id::SchemaError;
use crate::id::{Format, Source};

/// A schema. Its compiled forms are kept with it.
#[derive(Debug)]
pub struct Schema {
    source: Source,
    #[cfg(feature = "avro")]
    avro: OnceLock<Result<crate::avro::Schema, SchemaError>>,
    #[cfg(feature = "protobuf")]
    protobuf: OnceLock<Result<crate::protobuf::File, SchemaError>>,
    #[cfg(feature = "protobuf-json")]
    dynamic: OnceLock<Result<crate::protobuf::json::Dynamic, SchemaError>>,
    #[cfg(feature = "json-schema")]
    json: OnceLock<Result<crate::json_schema::Validator, SchemaError>>,
}

impl Schema {
    /// Creates a schema. Its text is not looked at before a compiled form is asked for.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            #[cfg(feature = "avro")]
            avro: OnceLock::new(),
            #[cfg(feature = "protobuf")]
            protobuf: OnceLock::new(),
            #[cfg(feature = "protobuf-json")]
            dynamic: OnceLock::new(),
            #[cfg(feature = "json-schema")]
            json: OnceLock::new(),
        }
    }

    /// The schema's text with its references.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The schema's format.
    pub fn format(&self) -> Format {
        self.source.format
    }

    /// The schema as Avro.
    ///
    /// # Errors
    ///
    /// The text is no Avro schema.
    #[cfg(feature = "avro")]
    pub fn avro(&self) -> Result<&crate::avro::Schema, &SchemaError> {
        let compiled = self
            .avro
            .get_or_init(|| crate::avro::Schema::of(&self.source));
        compiled.as_ref()
    }

    /// The messages of a Protobuf schema.
    ///
    /// # Errors
    ///
    /// The text is no Protobuf schema.
    #[cfg(feature = "protobuf")]
    pub fn protobuf(&self) -> Result<&crate::protobuf::File, &SchemaError> {
        let compiled = self
            .protobuf
            .get_or_init(|| crate::protobuf::File::of(&self.source));
        compiled.as_ref()
    }

    /// The messages of a Protobuf schema, to be read as JSON.
    ///
    /// # Errors
    ///
    /// The text is no Protobuf schema, or imports what is not among its references.
    #[cfg(feature = "protobuf-json")]
    pub fn dynamic(&self) -> Result<&crate::protobuf::json::Dynamic, &SchemaError> {
        let dynamic = || crate::protobuf::json::Dynamic::of(&self.source);
        let compiled = self.dynamic.get_or_init(dynamic);
        compiled.as_ref()
    }

    /// The check of a value by a JSON Schema.
    ///
    /// # Errors
    ///
    /// The text is no JSON Schema.
    #[cfg(feature = "json-schema")]
    pub fn json_schema(&self) -> Result<&crate::json_schema::Validator, &SchemaError> {
        let compiled = self
            .json
            .get_or_init(|| crate::json_schema::Validator::of(&self.source));
        compiled.as_ref()
    }
}

#[cfg(test)]
#[cfg(all(feature = "avro", feature = "protobuf", feature = "json-schema"))]
mod tests {
    use super::Schema;
    use crate::id::{Format, Source};

    /// Whether both calls gave the same place in memory.
    fn is_kept<'a, T: 'a>(compiled: impl Fn() -> &'a T) -> bool {
        std::ptr::eq(compiled(), compiled())
    }

    #[test]
    fn each_compiled_form_is_kept_with_its_schema() {
        let avro = Schema::new(Source::new(Format::Avro, r#""int""#));
        let file = Source::new(Format::Protobuf, "syntax = \"proto3\"; message A {}");
        let protobuf = Schema::new(file);
        let json = Schema::new(Source::new(Format::Json, "{}"));

        assert!(is_kept(|| avro.avro().unwrap()));
        assert!(is_kept(|| protobuf.protobuf().unwrap()));
        assert!(is_kept(|| json.json_schema().unwrap()));
        // What is wrong is found once, too.
        assert!(is_kept(|| json.avro().unwrap_err()));
    }
}

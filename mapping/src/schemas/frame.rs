//! What names the schema of a key or a value. Called by `schemas`, before and after schemas are known: a header counts only if its form is that of the schema's
//! format.

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;
use msk_schemas::cache::Known;
use msk_schemas::frame::{Framed, Framing, Given, KEY_HEADER, Kind, VALUE_HEADER};
use msk_schemas::id::{Format, SchemaId};

use crate::record::Record;

/// What is known of each id.
pub(super) type Schemas = HashMap<SchemaId, Known>;

/// The key or the value of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Key,
    Value,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Found<'r> {
    /// The frame, and the id in it. Its schema is known, or known to be missing.
    Framed(Framed<'r>, SchemaId),
    /// This schema has to be known first.
    Wanted(SchemaId),
    /// Nothing names a schema.
    None,
}

impl Part {
    /// None: it is null.
    pub(super) fn of(self, record: &Record) -> Option<&Bytes> {
        match self {
            Self::Key => record.key.as_ref(),
            Self::Value => record.value.as_ref(),
        }
    }

    /// The header's value: that of the last one of its name.
    fn header(self, record: &Record) -> Option<&[u8]> {
        let name = match self {
            Self::Key => KEY_HEADER,
            Self::Value => VALUE_HEADER,
        };
        let mut headers = record.headers.iter().rev();
        headers.find(|header| header.name == name)?.value.as_deref()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Value => "value",
        })
    }
}

/// Finds what names the schema of a part. None: the part is null, so there is nothing to check.
pub(super) fn find<'r>(part: Part, record: &'r Record, schemas: &Schemas) -> Option<Found<'r>> {
    let given = Given {
        metadata: None,
        header: part.header(record),
        bytes: part.of(record)?,
    };
    // No header has both forms.
    for form in [Format::Avro, Format::Protobuf] {
        let Some((framed, id)) = framed(given, form) else {
            continue;
        };
        if !matches!(framed.kind, Kind::Header(_)) {
            continue;
        }
        match schemas.get(&id) {
            None => return Some(Found::Wanted(id)),
            // The header is the user's own.
            Some(Known::Ready(schema)) if has_indexes(schema.format()) != has_indexes(form) => {}
            Some(_) => return Some(Found::Framed(framed, id)),
        }
    }
    let without = Given {
        header: None,
        ..given
    };
    Some(match framed(without, Format::Avro) {
        None => Found::None,
        Some((_, id)) if !schemas.contains_key(&id) => Found::Wanted(id),
        Some((framed, id)) => Found::Framed(framed, id),
    })
}

fn framed(given: Given<'_>, format: Format) -> Option<(Framed<'_>, SchemaId)> {
    let framed = Framing::Auto.find(given, format)?;
    Some((framed, framed.id?))
}

/// Whether a header has message indexes behind the id.
fn has_indexes(format: Format) -> bool {
    format == Format::Protobuf
}

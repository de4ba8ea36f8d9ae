//! What stands behind a frame: read by its schema, and made into what is delivered. Called by `schemas`.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use msk_schemas::avro;
use msk_schemas::frame::{Framed, Kind, glue_message, inflate, message_indexes};
use msk_schemas::id::{Format, SchemaError};
use msk_schemas::protobuf::File;
use msk_schemas::schema::Schema;
use serde_json::Value;

use crate::machine::{EventRecordFormat, ProtobufIndexes, SchemaFault};

/// A key or a value that fits its schema.
#[derive(Debug)]
pub(super) struct Payload {
    /// In the form that was asked for.
    pub(super) delivered: Bytes,
    /// As JSON, for filters. None: nobody asks for it, or it is what is delivered.
    pub(super) filtered: Option<Bytes>,
}

/// The form in which a valid key or value is delivered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) format: EventRecordFormat,
    pub(super) indexes: ProtobufIndexes,
    /// Whether the value is needed as JSON too: filters look at it.
    pub(super) filters: bool,
}

/// Why a key or a value is invalid.
#[derive(Debug)]
pub(super) struct Invalid {
    pub(super) fault: SchemaFault,
    pub(super) reason: String,
}

impl Invalid {
    pub(super) fn misfit(reason: impl fmt::Display) -> Self {
        Self {
            fault: SchemaFault::Deserialization,
            reason: reason.to_string(),
        }
    }
}

/// Reads what stands behind a frame.
pub(super) fn read(framed: &Framed<'_>, schema: &Schema, form: Form) -> Result<Payload, Invalid> {
    let bytes = match framed.kind {
        Kind::Glue { zlib: true } => Cow::Owned(inflate(framed.rest).map_err(Invalid::misfit)?),
        _ => Cow::Borrowed(framed.rest),
    };
    match schema.format() {
        Format::Avro => {
            let schema = schema.avro().map_err(cannot_read)?;
            let json = avro::to_json(schema.plan(), &bytes).map_err(Invalid::misfit)?;
            payload(&json, &bytes, form)
        }
        Format::Protobuf => {
            let file = schema.protobuf().map_err(cannot_read)?;
            let (name, message) = message(framed.kind, file, &bytes)?;
            let dynamic = schema.dynamic().map_err(cannot_read)?;
            let json = dynamic.to_json(name, message).map_err(Invalid::misfit)?;
            let source = match form.indexes {
                ProtobufIndexes::Kept => &*bytes,
                ProtobufIndexes::Removed => message,
            };
            payload(&json, source, form)
        }
        Format::Json => {
            let schema = schema.json_schema().map_err(cannot_read)?;
            let value = serde_json::from_slice(&bytes).map_err(|error| no_json(&error))?;
            schema.check(&value).map_err(Invalid::misfit)?;
            // JSON as it is, in either form.
            Ok(Payload {
                delivered: Bytes::copy_from_slice(&bytes),
                filtered: None,
            })
        }
        other => Err(Invalid::misfit(format_args!(
            "expected a schema of Avro, Protobuf or JSON Schema, found one of {other}"
        ))),
    }
}

/// The message that stands there: its full name, and its bytes.
fn message<'f, 'b>(
    kind: Kind<'_>,
    file: &'f File,
    bytes: &'b [u8],
) -> Result<(&'f str, &'b [u8]), Invalid> {
    let none =
        || Invalid::misfit("expected what names a message of the Protobuf schema, found none");
    let unknown = |place: &str| {
        Invalid::misfit(format_args!(
            "expected a message of the Protobuf schema, found {place}, which the schema does not have"
        ))
    };
    if let Kind::Glue { .. } = kind {
        let (place, message) = glue_message(bytes).ok_or_else(none)?;
        let name = file.message_in_order(place);
        return Ok((
            name.ok_or_else(|| unknown(&format!("the place {place}")))?,
            message,
        ));
    }
    let (indexes, message) = match kind {
        Kind::Header(behind) => (message_indexes(behind).ok_or_else(none)?.0, bytes),
        _ => message_indexes(bytes).ok_or_else(none)?,
    };
    let name = match file.names_at(&indexes) {
        [Some(one), Some(other)] if one != other => {
            return Err(Invalid::misfit(format_args!(
                "expected one message of the Protobuf schema at the message indexes {indexes:?}, found `{one}` or `{other}`: serializers count in two ways, and nothing tells which"
            )));
        }
        [Some(name), _] | [None, Some(name)] => name,
        [None, None] => return Err(unknown(&format!("the message indexes {indexes:?}"))),
    };
    Ok((name, message))
}

fn payload(json: &Value, source: &[u8], form: Form) -> Result<Payload, Invalid> {
    let of_json = |json| {
        serde_json::to_vec(json)
            .map(Bytes::from)
            .map_err(Invalid::misfit)
    };
    Ok(match form.format {
        EventRecordFormat::Json => Payload {
            delivered: of_json(json)?,
            filtered: None,
        },
        EventRecordFormat::Source => Payload {
            delivered: Bytes::copy_from_slice(source),
            filtered: form.filters.then(|| of_json(json)).transpose()?,
        },
    })
}

fn cannot_read(error: &SchemaError) -> Invalid {
    Invalid::misfit(format_args!("its schema cannot be used: {error}"))
}

/// Without the parser's words, which may hold some of the text.
fn no_json(error: &serde_json::Error) -> Invalid {
    let (line, column) = (error.line(), error.column());
    Invalid::misfit(format_args!(
        "expected JSON, found other text at line {line}, column {column}"
    ))
}

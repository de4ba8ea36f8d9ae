//! A key or value with the schema that it was written by. Called by `avro`, `protobuf`, and for routes that validate JSON; the schemas were fetched before.

use std::borrow::Cow;

use msk_schemas::frame::{Framing, Kind};
use msk_schemas::id::{Format, SchemaId};
use msk_schemas::schema::Schema;

use crate::delivery::Delivery;
use crate::extract::form;
use crate::extract::framed::schema;
use crate::failure::Rejection;
use crate::part::Part;
use crate::record::SchemaMetadata;
use crate::schemas::{FRAMING, extractor, inflate};

/// A key or value that is read by a schema.
pub(super) struct Payload<'a> {
    #[cfg_attr(
        not(any(feature = "avro", feature = "protobuf")),
        expect(dead_code, reason = "JSON is read alike behind each")
    )]
    pub(super) kind: Kind<'a>,
    /// Of the writer's schema, also without a registry. *None: nothing names it.*
    #[cfg_attr(
        not(any(feature = "avro", feature = "protobuf")),
        expect(dead_code, reason = "JSON is read alike behind each")
    )]
    pub(super) id: Option<SchemaId>,
    /// Behind the frame.
    pub(super) bytes: Cow<'a, [u8]>,
    /// The writer's schema. *None: nothing names it, or there is no registry.*
    pub(super) writer: Option<(SchemaId, &'a Schema)>,
}

/// The bytes of a part. *None: there are none.*
pub(super) fn bytes(delivery: &Delivery, part: Part) -> Option<&[u8]> {
    match part {
        Part::Key => delivery.key(),
        Part::Value => delivery.value(),
    }
}

/// A payload behind Confluent's frame whose schema is at hand, as almost all are.
#[cfg(any(feature = "avro", feature = "protobuf"))]
pub(super) struct Common<'a> {
    /// Of the schema.
    pub(super) number: u32,
    #[cfg(feature = "avro")]
    pub(super) writer: &'a Schema,
    /// Behind the frame.
    pub(super) bytes: &'a [u8],
}

/// The same as `payload`, in a few steps. *None: `payload` tells.*
#[cfg(any(feature = "avro", feature = "protobuf"))]
#[inline]
pub(super) fn common<'a>(
    delivery: &'a Delivery,
    part: Part,
    bytes: &'a [u8],
    format: Format,
) -> Option<Common<'a>> {
    let schemas = delivery.schemas();
    let (number, bytes) = schemas.typed.number(delivery, part, bytes)?;
    let writer = schemas.number(number)?;
    (writer.format() == format).then_some(Common {
        number,
        #[cfg(feature = "avro")]
        writer,
        bytes,
    })
}

/// Takes the frame off, and finds the writer's schema.
pub(super) fn payload<'a>(
    delivery: &'a Delivery,
    part: Part,
    bytes: &'a [u8],
    format: Format,
) -> Result<Payload<'a>, Rejection> {
    let schemas = delivery.schemas();
    if let Some(delivered) = delivered_format(delivery, part)
        && delivered != format
    {
        return Err(other_format(part, delivered, format));
    }
    let framed = schemas.typed.framed(delivery, part, bytes, format);
    let Some(framed) = framed else {
        return Err(no_frame(part, bytes, schemas.typed.framing, format));
    };
    let writer = match (&schemas.typed.cache, schemas.typed.id(&framed)) {
        (Some(_), Some(id)) => Some((id, schema(delivery, part, id, format)?)),
        (Some(_), None) if framed.kind == Kind::Metadata => {
            return Err(no_id(delivery, part));
        }
        (Some(_), None) | (None, _) => None,
    };
    Ok(Payload {
        kind: framed.kind,
        id: framed.id,
        bytes: inflate(part, framed.kind, framed.rest, Some(&schemas.inflated))?,
        writer,
    })
}

/// Why the event's metadata gives no schema id that a registry has.
#[cold]
fn no_id(delivery: &Delivery, part: Part) -> Rejection {
    let id = metadata(delivery, part).and_then(|metadata| metadata.schema_id.as_deref());
    let Some(id) = id else {
        let message = format!(
            "the event's metadata of the {part} names no schema id: look at the mapping's SchemaRegistryConfig"
        );
        return Rejection::new(FRAMING, message);
    };
    if let Ok(number) = id.parse::<u64>() {
        let message = format!("the {part} names schema {number}, and no registry has ids as large");
        return Rejection::new("reject.schema_not_found", message);
    }
    let message = format!(
        "the event's metadata of the {part} names a schema id of {} characters that is neither a number nor a UUID: look at the mapping's SchemaRegistryConfig",
        id.chars().count()
    );
    Rejection::new(FRAMING, message)
}

fn metadata(delivery: &Delivery, part: Part) -> Option<&SchemaMetadata> {
    match part {
        Part::Key => delivery.key_schema(),
        Part::Value => delivery.value_schema(),
    }
}

/// The format that the event's metadata gives. *None: the event gives none, or one that is not known.*
fn delivered_format(delivery: &Delivery, part: Part) -> Option<Format> {
    match metadata(delivery, part)?.data_format.as_deref()? {
        "AVRO" => Some(Format::Avro),
        "PROTOBUF" => Some(Format::Protobuf),
        "JSON" => Some(Format::Json),
        _ => None,
    }
}

/// Bytes of one format can often be read as another, as other values: nothing else would tell.
#[cold]
fn other_format(part: Part, delivered: Format, format: Format) -> Rejection {
    let message = format!(
        "expected {format} in the {part}, found {delivered}, as the event's schema metadata says: take `{}`, or set LAMBDA_MSK_SCHEMA_FORMAT=json if the mapping's EventRecordFormat is JSON",
        extractor(delivered)
    );
    Rejection::new("reject.schema_format", message)
}

#[cold]
fn no_frame(part: Part, bytes: &[u8], framing: Framing, format: Format) -> Rejection {
    let expected = match framing {
        Framing::Auto | Framing::None => {
            "a schema registry's frame (byte 0 and an id; byte 3 and a UUID), a header with a schema id, or schema metadata from the mapping"
        }
        Framing::Confluent => "Confluent's frame (byte 0 and an id), or a header with a schema id",
        _ => "Glue's frame (byte 3, compression, a UUID)",
    };
    let found = match (bytes, form::of(bytes)) {
        ([], _) => "no bytes".to_owned(),
        _ if form::is_json(bytes) => {
            let cure = match (format, part) {
                (Format::Json, _) => "leave out `.validate(true)`",
                (_, Part::Value) => "take `Json<_>`",
                (_, Part::Key) => "take `Key<Json<_>>`",
            };
            format!("JSON without a frame: {cure}, or let the producer write by a schema")
        }
        ([0, _, _, _, _, ..], _) if framing == Framing::Glue => {
            "Confluent's frame: set LAMBDA_MSK_SCHEMA_FRAMING to auto or confluent".to_owned()
        }
        ([3, 0 | 5, ..], Some(_)) if framing == Framing::Confluent => {
            "AWS Glue's frame: set LAMBDA_MSK_SCHEMA_FRAMING to auto or glue".to_owned()
        }
        (_, Some(known)) => format!("other bytes ({known})"),
        (_, None) => {
            "other bytes: if they are the message itself, set LAMBDA_MSK_SCHEMA_FRAMING=none"
                .to_owned()
        }
    };
    let message = format!(
        "expected in the {part} ({} bytes) {expected}; found {found}",
        bytes.len()
    );
    Rejection::new(FRAMING, message)
}

/// Checks the value against the JSON Schema that its frame names. A tombstone has none.
#[cfg(feature = "json-schema")]
pub(crate) fn validate(delivery: &Delivery) -> Result<(), Rejection> {
    use msk_schemas::json_schema::{Misfit, Unfit};
    use serde_json::Value;

    use crate::extract::explain;
    use crate::extract::framed::unusable;
    use crate::extract::rejection::JsonRejection;

    let part = Part::Value;
    let Some(bytes) = bytes(delivery, part) else {
        return Ok(());
    };
    let Payload { bytes, writer, .. } = payload(delivery, part, bytes, Format::Json)?;
    let Some((id, schema)) = writer else {
        let message = "nothing names the schema of the value, so it cannot be validated: set LAMBDA_MSK_SCHEMA_FRAMING to what the producer writes";
        return Err(Rejection::new(FRAMING, message));
    };
    let validator = schema
        .json_schema()
        .map_err(|error| unusable(part, id, error))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        let explained: JsonRejection = explain::explain::<Value>(&bytes, &error, None);
        Rejection::from(explained)
    })?;
    validator.check(&value).map_err(|unfit| match unfit {
        Unfit::Misfit(Misfit { path, reason, .. }) => {
            let message = format!(
                "the value ({} bytes) does not fit schema {id} at {path}: {reason}",
                bytes.len()
            );
            Rejection::new("reject.json_schema", message)
        }
        // The schema's fault: of the value nobody knows.
        undecided => unusable(part, id, &undecided),
    })
}

//! The bytes of a key or value behind their frame, and the schemas that were fetched for them. Called by `json` and `payload`.

use std::borrow::Cow;

use msk_schemas::cache::Known;
use msk_schemas::frame::Kind;
use msk_schemas::id::{Format, SchemaId};
use msk_schemas::schema::Schema;

use crate::delivery::Delivery;
use crate::failure::Rejection;
use crate::part::Part;
use crate::schemas::unavailable;

/// Why there is nothing to read.
pub(super) fn absent(part: Part, extractor: &str) -> Rejection {
    match part {
        Part::Key => Rejection::new(
            "reject.no_key",
            format!("the record has no key: take `Option<Key<{extractor}<_>>>` if that is allowed"),
        ),
        Part::Value => Rejection::new(
            "reject.tombstone",
            format!(
                "the record is a tombstone (no value): take `Option<{extractor}<_>>` if that is allowed"
            ),
        ),
    }
}

/// JSON without the frame that may stand before it. If the frame's schema was fetched, it is one of JSON.
pub(super) fn unframed<'a>(
    delivery: &'a Delivery,
    part: Part,
    bytes: &'a [u8],
) -> Result<Cow<'a, [u8]>, Rejection> {
    let schemas = delivery.schemas();
    let framed = schemas.typed.framed(delivery, part, bytes, Format::Json);
    if let Some(framed) = framed
        && matches!(framed.kind, Kind::Confluent | Kind::Glue { .. })
        && let Some(id) = schemas.typed.id(&framed)
        // An extractor of the user's own may not have asked for it.
        && schemas.get(id).is_some()
    {
        schema(delivery, part, id, Format::Json)?;
    }
    let inflated = Some(&schemas.inflated);
    schemas.typed.unframed(delivery, part, bytes, inflated)
}

/// A schema that was asked for before the lane began.
pub(super) fn schema(
    delivery: &Delivery,
    part: Part,
    id: SchemaId,
    format: Format,
) -> Result<&Schema, Rejection> {
    match delivery.schemas().get(id) {
        Some(Known::Ready(schema)) if schema.format() == format => Ok(schema),
        known => Err(no_schema(delivery, part, id, (known, format))),
    }
}

#[cold]
fn no_schema(
    delivery: &Delivery,
    part: Part,
    id: SchemaId,
    (known, format): (Option<&Known>, Format),
) -> Rejection {
    let schemas = delivery.schemas();
    let place = || {
        let cache = schemas.typed.cache.as_ref();
        cache.map_or_else(String::new, |cache| cache.place().to_owned())
    };
    match known {
        Some(Known::Ready(schema)) => {
            let message = format!(
                "expected {format} in the {part}, found {} (schema {id} of {})",
                schema.format(),
                place()
            );
            Rejection::new("reject.schema_format", message)
        }
        Some(Known::NotFound) => {
            let message = format!(
                "the {part} names schema {id}, which the registry {} does not have",
                place()
            );
            Rejection::new("reject.schema_not_found", message)
        }
        Some(Known::Foreign(why)) => {
            let message = format!("schema {id} of the {part} is not in the registry: {why}");
            Rejection::new("reject.schema_not_found", message)
        }
        Some(Known::Unusable(why)) => unusable(part, id, why),
        Some(Known::Unavailable(why)) => unavailable(id, why),
        None => {
            let message = format!(
                "schema {id} of the {part} was not fetched: an extractor that calls another one returns that one's `FromRecord::schemas()` as its own"
            );
            Rejection::retry("schema.not_fetched", message)
        }
    }
}

/// The schema is there, and nothing can be read by it.
pub(super) fn unusable(part: Part, id: SchemaId, why: &dyn std::fmt::Display) -> Rejection {
    let message = format!("schema {id} of the {part} cannot be used: {why}");
    Rejection::new("reject.schema", message)
}

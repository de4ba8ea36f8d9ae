//! `Avro<T>`: the record's value, or its key, as Avro.

use std::ops::Deref;
use std::sync::Arc;

use msk_schemas::avro::{self, Plan};
use msk_schemas::id::{Format, SchemaId};
use msk_schemas::schema::Schema;
use serde::de::DeserializeOwned;

use crate::delivery::Delivery;
use crate::extract::framed::{absent, unusable};
use crate::extract::key::Key;
use crate::extract::payload::{bytes, common, payload};
use crate::extract::{FromRecord, OptionalFromRecord, form};
use crate::failure::Rejection;
use crate::part::Part;
use crate::schemas::{Reader, SchemaUse};

/// The record's value, read as Avro: any type that has serde's `Deserialize`. The key is [`Key<Avro<T>>`](super::Key).
///
/// The writer's schema comes from the registry ([`Schemas`](crate::schemas::Schemas)), by the id that the record's frame names. With
/// [`reader_schema`](crate::handler::Options::reader_schema) values of other, compatible schemas are resolved to it; without, fields that the type does not have are left out, and fields
/// that the value does not have take serde's defaults.
///
/// If the mapping delivers JSON (`LAMBDA_MSK_SCHEMA_FORMAT=json`), the value is read as JSON of the type, and no schema is asked for: the aliases and defaults of a reader's schema do not apply
/// (serde's do), logical types are what the mapping writes, and a union may be wrapped (`{"string": "x"}`) or not. The table is about Avro's own bytes.
///
/// | Avro | takes |
/// |---|---|
/// | record | a struct, a map |
/// | union with null | `Option<T>` |
/// | other unions | an enum whose variants are the branches' names, or the branch's own type if it is always the same |
/// | enum | an enum of unit variants, `String` |
/// | bytes, fixed | `Vec<u8>`, `bytes::Bytes`, `serde_bytes` |
/// | decimal | text (`"12.34"`), `f64`; an integer if its scale is 0 |
/// | date, times, timestamps | the integer, or ISO 8601 text: `jiff::Timestamp`, `jiff::civil::Date` |
/// | uuid | text |
///
/// A value that does not fit is rejected with `reject.avro`; the message gives path and kinds, never the bytes. The [rules](crate::schemas#rules) name the other codes. A tombstone is
/// rejected with `reject.tombstone`; `Option<Avro<T>>` is None only for a tombstone.
///
/// # Example
///
/// ```
/// use lambda_msk::extract::Avro;
/// use lambda_msk::{Consumer, each};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Order {
///     order_id: i64,
///     currency: String,
/// }
///
/// const ORDER: &str = r#"{"type": "record", "name": "Order", "fields": [
///     {"name": "order_id", "type": "long"},
///     {"name": "currency", "type": "string", "default": "EUR"}]}"#;
///
/// async fn ship(Avro(order): Avro<Order>) {
///     println!("{} in {}", order.order_id, order.currency);
/// }
/// # Consumer::builder().topic("orders", each(ship).reader_schema(ORDER)).build().unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Avro<T>(pub T);

impl<S, T: DeserializeOwned> FromRecord<S> for Avro<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Self, Rejection> {
        match bytes(delivery, Part::Value) {
            Some(bytes) => read(delivery, Part::Value, bytes).map(Self),
            None => Err(absent(Part::Value, "Avro")),
        }
    }

    fn schemas() -> SchemaUse {
        SchemaUse::of(Part::Value, Format::Avro)
    }
}

impl<S, T: DeserializeOwned> OptionalFromRecord<S> for Avro<T> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, Rejection> {
        let bytes = bytes(delivery, Part::Value);
        let value = bytes.map(|bytes| read(delivery, Part::Value, bytes).map(Self));
        value.transpose()
    }

    fn schemas() -> SchemaUse {
        SchemaUse::of(Part::Value, Format::Avro)
    }
}

impl<S, T: DeserializeOwned> FromRecord<S> for Key<Avro<T>> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Self, Rejection> {
        match bytes(delivery, Part::Key) {
            Some(bytes) => read(delivery, Part::Key, bytes).map(|key| Self(Avro(key))),
            None => Err(absent(Part::Key, "Avro")),
        }
    }

    fn schemas() -> SchemaUse {
        SchemaUse::of(Part::Key, Format::Avro)
    }
}

impl<S, T: DeserializeOwned> OptionalFromRecord<S> for Key<Avro<T>> {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Option<Self>, Rejection> {
        let bytes = bytes(delivery, Part::Key);
        let key = bytes.map(|bytes| read(delivery, Part::Key, bytes).map(|key| Self(Avro(key))));
        key.transpose()
    }

    fn schemas() -> SchemaUse {
        SchemaUse::of(Part::Key, Format::Avro)
    }
}

/// How the payload is read.
enum Reads<'a> {
    /// As one schema says, the writer's or the reader's.
    Alone(&'a Plan),
    /// The writer's, resolved to the reader's.
    Pair(Arc<Plan>),
}

impl Deref for Reads<'_> {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        match self {
            Self::Alone(plan) => plan,
            Self::Pair(plan) => plan,
        }
    }
}

const CURE_OF_JSON: &str =
    "if EventRecordFormat is JSON in the mapping, set LAMBDA_MSK_SCHEMA_FORMAT=json";

/// What is read is moved as little as can be: each move of a value costs as much as the search for its schema.
#[inline]
fn read<T: DeserializeOwned>(
    delivery: &Delivery,
    part: Part,
    bytes: &[u8],
) -> Result<T, Rejection> {
    let Some(common) = common(delivery, part, bytes, Format::Avro) else {
        return read_other(delivery, part, bytes);
    };
    let id = SchemaId::Number(common.number);
    match plan_at_hand(delivery, part, id, common.writer) {
        Some(plan) => avro::from_slice(plan, common.bytes)
            .map_err(|error| unfit(part, common.bytes.len(), &error)),
        None => read_other(delivery, part, bytes),
    }
}

/// *None: `reads` tells.*
#[inline]
fn plan_at_hand<'a>(
    delivery: &'a Delivery,
    part: Part,
    id: SchemaId,
    writer: &'a Schema,
) -> Option<&'a Plan> {
    match reader(delivery, part) {
        None => writer.avro().ok().map(avro::Schema::plan),
        Some(reader) => reader.first(id)?.as_deref().ok(),
    }
}

#[inline]
fn reader(delivery: &Delivery, part: Part) -> Option<&Reader> {
    let reading = delivery.reading()?;
    match part {
        Part::Key => reading.key.as_ref(),
        Part::Value => reading.value.as_ref(),
    }
}

/// JSON, and what is not behind Confluent's frame with a schema at hand.
#[inline(never)]
fn read_other<T: DeserializeOwned>(
    delivery: &Delivery,
    part: Part,
    bytes: &[u8],
) -> Result<T, Rejection> {
    if delivery.schemas().typed.is_json(delivery, part) {
        return avro::from_json(bytes).map_err(|error| unfit(part, bytes.len(), &error));
    }
    let payload = payload(delivery, part, bytes, Format::Avro)?;
    let plan = reads(delivery, part, payload.writer)?;
    let bytes = &*payload.bytes;
    avro::from_slice(&plan, bytes).map_err(|error| {
        let unread = payload.id.filter(|_| payload.writer.is_none());
        match form::misread(payload.kind, bytes, CURE_OF_JSON, unread) {
            None => unfit(part, bytes.len(), &error),
            Some(cure) => unfit(part, bytes.len(), &format!("{error}; {cure}")),
        }
    })
}

#[cold]
fn unfit(part: Part, length: usize, error: &dyn std::fmt::Display) -> Rejection {
    let message = format!("the {part} ({length} bytes) does not fit: {error}");
    Rejection::new("reject.avro", message)
}

fn reads<'a>(
    delivery: &'a Delivery,
    part: Part,
    writer: Option<(SchemaId, &'a Schema)>,
) -> Result<Reads<'a>, Rejection> {
    let reader = reader(delivery, part);
    let compiled = |(id, schema): (SchemaId, &'a Schema)| match schema.avro() {
        Ok(schema) => Ok((id, schema)),
        Err(error) => Err(unusable(part, id, error)),
    };
    match (writer.map(compiled).transpose()?, reader) {
        (Some((_, writer)), None) => Ok(Reads::Alone(writer.plan())),
        (Some((id, writer)), Some(reader)) => match reader.pair(id, writer) {
            Ok(plan) => Ok(Reads::Pair(plan)),
            Err(incompatible) => Err(Rejection::new(
                "reject.schema",
                format!(
                    "schema {id} of the {part} cannot be read as the reader's schema: {incompatible}"
                ),
            )),
        },
        (None, Some(reader)) => Ok(Reads::Alone(reader.plan())),
        (None, None) => Err(Rejection::new(
            "reject.schema",
            format!(
                "nothing names the schema of the {part}: give the handler one with `each(handler).reader_schema(…)`"
            ),
        )),
    }
}

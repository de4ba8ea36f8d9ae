//! The check of records by the schemas of a registry, as `SchemaRegistryConfig` asks for it. Made by drivers between polling and the
//! [machine](crate::machine).
//!
//! What names a schema is found as the framework finds it: a header `__value_schema_id` or `__key_schema_id`, Confluent's frame, or AWS Glue's. A schema is asked
//! for once. What fits its schema goes on in the form of `EventRecordFormat`, with the schema's metadata; what does not is
//! [given up](crate::machine::Condition::is_of_schema). If the registry cannot be asked, nothing is decided.

mod frame;
mod payload;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use msk_schemas::cache::{Cache, Known};
use msk_schemas::id::{Format, SchemaId};
pub use msk_schemas::registry::{FetchError, Fetching, Registry};

use self::frame::{Found, Part, Schemas};
use self::payload::{Form, Invalid, Payload};
use crate::limits::{SCHEMA_FETCH_MS, SCHEMA_FETCHES_MAX};
use crate::machine::{
    Configuration, EventRecordFormat, SchemaFault, Validated, ValidatedAttribute, Validity,
};
use crate::record::{DataFormat, Record, SchemaMetadata};

/// Checks the records of one mapping.
pub struct Validator {
    cache: Cache,
    key: bool,
    value: bool,
    form: Form,
}

/// A record that was checked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checked {
    /// The record, for the machine.
    pub validated: Validated,
    /// Why it is invalid, without a byte of it. None: it is valid.
    pub reason: Option<String>,
}

/// The registry could not be asked: nothing is known of the records.
#[derive(Debug)]
#[non_exhaustive]
pub struct Unavailable {
    /// The records as they came.
    pub records: Vec<Record>,
    /// The registry, its fault and the cure.
    pub reason: Arc<str>,
}

impl Validator {
    /// The check that a configuration asks for. None: it has no `SchemaRegistryConfig`. Asks the registry nothing yet.
    pub fn of(configuration: &Configuration, registry: Box<dyn Registry>) -> Option<Self> {
        let config = configuration.schema_registry_config.as_ref()?;
        Some(Self {
            cache: Cache::new(registry),
            key: config.validates(ValidatedAttribute::Key),
            value: config.validates(ValidatedAttribute::Value),
            form: Form {
                format: config
                    .event_record_format
                    .unwrap_or(EventRecordFormat::Source),
                indexes: configuration.readings.protobuf_indexes,
                filters: configuration.filter_criteria.is_some(),
            },
        })
    }

    /// Checks records, in their order. Schemas that are not known yet are asked for first.
    ///
    /// # Errors
    ///
    /// The registry cannot be asked for a schema: try again later.
    pub async fn check(&self, records: Vec<Record>) -> Result<Vec<Checked>, Unavailable> {
        let mut schemas = Schemas::new();
        loop {
            let wanted = self.wanted(&records, &schemas);
            if wanted.is_empty() {
                break;
            }
            if let Err(reason) = self.fetch(wanted, &mut schemas).await {
                return Err(Unavailable { records, reason });
            }
        }
        let checked = records
            .into_iter()
            .map(|record| self.read(record, &schemas));
        Ok(checked.collect())
    }

    fn parts(&self) -> impl Iterator<Item = Part> {
        let key = self.key.then_some(Part::Key);
        key.into_iter().chain(self.value.then_some(Part::Value))
    }

    /// The schemas that are to be asked for next.
    fn wanted(&self, records: &[Record], schemas: &Schemas) -> BTreeSet<SchemaId> {
        let parts = records.iter().flat_map(|record| {
            let found = move |part: Part| frame::find(part, record, schemas);
            self.parts().filter_map(found)
        });
        let wanted = parts.filter_map(|found| match found {
            Found::Wanted(id) => Some(id),
            _ => None,
        });
        wanted.collect()
    }

    async fn fetch(
        &self,
        wanted: BTreeSet<SchemaId>,
        schemas: &mut Schemas,
    ) -> Result<(), Arc<str>> {
        let limit = Duration::from_millis(SCHEMA_FETCH_MS);
        let ask = |id| async move { (id, self.cache.get(id, limit).await) };
        let mut answers = stream::iter(wanted)
            .map(ask)
            .buffer_unordered(SCHEMA_FETCHES_MAX);
        while let Some((id, known)) = answers.next().await {
            if let Known::Unavailable(reason) = known {
                return Err(reason);
            }
            schemas.insert(id, known);
        }
        Ok(())
    }

    fn read(&self, mut record: Record, schemas: &Schemas) -> Checked {
        let mut filtered = None;
        let mut valid = Vec::new();
        for part in self.parts() {
            let Some(bytes) = part.of(&record) else {
                continue;
            };
            match self.read_part(part, &record, schemas) {
                Ok(payload) => valid.push((part, payload)),
                Err(Invalid { fault, reason }) => {
                    let reason = format!("the {part} ({} bytes): {reason}", bytes.len());
                    return Checked {
                        validated: Validated {
                            record,
                            validity: Validity::Invalid(fault),
                        },
                        reason: Some(reason),
                    };
                }
            }
        }
        for (part, (payload, schema)) in valid {
            match part {
                Part::Key => (record.key, record.key_schema) = (Some(payload.delivered), schema),
                Part::Value => {
                    filtered = payload.filtered;
                    (record.value, record.value_schema) = (Some(payload.delivered), schema);
                }
            }
        }
        Checked {
            validated: Validated {
                record,
                validity: Validity::Valid { filtered },
            },
            reason: None,
        }
    }

    fn read_part(
        &self,
        part: Part,
        record: &Record,
        schemas: &Schemas,
    ) -> Result<(Payload, Option<SchemaMetadata>), Invalid> {
        let (framed, id) = match frame::find(part, record, schemas) {
            Some(Found::Framed(framed, id)) => (framed, id),
            // Asked for before.
            Some(Found::Wanted(id)) => return Err(self.not_found(id)),
            Some(Found::None) | None => {
                return Err(Invalid::misfit(
                    "expected the id of a schema (in Confluent's frame, in AWS Glue's, or in a header), found none",
                ));
            }
        };
        let schema = match schemas.get(&id) {
            Some(Known::Ready(schema)) => schema,
            Some(Known::Unusable(reason)) => return Err(Invalid::misfit(reason)),
            _ => return Err(self.not_found(id)),
        };
        let form = Form {
            filters: self.form.filters && part == Part::Value,
            ..self.form
        };
        let payload = payload::read(&framed, schema, form)?;
        let metadata = SchemaMetadata {
            data_format: data_format(schema.format()),
            schema_id: id.to_string().into(),
        };
        Ok((payload, Some(metadata)))
    }

    fn not_found(&self, id: SchemaId) -> Invalid {
        Invalid {
            fault: SchemaFault::NotFound,
            reason: format!("the registry {} has no schema {id}", self.cache.place()),
        }
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator")
            .field("registry", &self.cache.place())
            .field("key", &self.key)
            .field("value", &self.value)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

fn data_format(format: Format) -> DataFormat {
    match format {
        Format::Avro => DataFormat::Avro,
        Format::Protobuf => DataFormat::Protobuf,
        // One that is not known here could not have been read.
        _ => DataFormat::Json,
    }
}

#[cfg(test)]
mod tests;

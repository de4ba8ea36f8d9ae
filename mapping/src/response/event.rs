//! The event, as far as a response can name its parts.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// The records of a Kafka event, as far as a response can name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    partitions: Vec<(String, Vec<i64>)>,
}

impl Event {
    /// Reads the `records` of an event: the keys of the map verbatim and in their order, and the offsets.
    ///
    /// # Errors
    ///
    /// [`NotAnEvent`] if it is not JSON or has no such records. Absent, null and empty `records` are an event without
    /// records only if `eventSource` names Kafka.
    pub fn parse(json: &[u8]) -> Result<Self, NotAnEvent> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", expecting = "a JSON object")]
        struct Wire {
            event_source: Option<String>,
            records: Option<Partitions>,
        }

        let wire: Wire = serde_json::from_slice(json).map_err(|error| NotAnEvent::Shape {
            source: without_the_value(&error),
        })?;
        let partitions = wire.records.map(|records| records.0).unwrap_or_default();
        let event_source = wire.event_source.unwrap_or_default();
        if partitions.is_empty() && !event_source.to_ascii_lowercase().contains("kafka") {
            return Err(NotAnEvent::Source { event_source });
        }
        Ok(Self { partitions })
    }

    /// The event of these partitions and offsets, in this order.
    pub(crate) fn of(partitions: Vec<(String, Vec<i64>)>) -> Self {
        Self { partitions }
    }

    /// The number of records.
    pub fn records(&self) -> usize {
        self.partitions
            .iter()
            .map(|(_, offsets)| offsets.len())
            .sum()
    }

    pub(super) fn partitions(&self) -> &[(String, Vec<i64>)] {
        &self.partitions
    }

    pub(super) fn offsets(&self, partition: &str) -> Option<&[i64]> {
        self.partitions
            .iter()
            .find(|(key, _)| key == partition)
            .map(|(_, offsets)| offsets.as_slice())
    }
}

/// serde quotes the value that it did not expect, which is the document's, and may be all of it.
fn without_the_value(error: &serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    let kind = |text: &str| {
        let (found, expected) = text.rsplit_once(", expected ")?;
        let kind = found.split(['"', '`']).next()?.trim_end();
        Some(format!("{kind}, expected {expected}"))
    };
    let quotes = text.starts_with("invalid type: ") || text.starts_with("invalid value: ");
    let text = quotes.then(|| kind(&text)).flatten().unwrap_or(text);
    // serde_json takes line and column from the text's end.
    serde::de::Error::custom(text)
}

/// Why a body is not a Kafka event. Lambda's mapping would not send it, so there is nothing to commit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAnEvent {
    /// It is not JSON, or its records are not as Kafka's are.
    #[error("not a Kafka event")]
    Shape {
        /// Where and why.
        source: serde_json::Error,
    },
    /// It is of another event source, or of none.
    #[error("not a Kafka event: its `eventSource` is {event_source:?} and it has no `records`")]
    Source {
        /// The value of `eventSource`; empty if it has none.
        event_source: String,
    },
}

/// The `records` map, in the order of the event.
struct Partitions(Vec<(String, Vec<i64>)>);

impl<'de> Deserialize<'de> for Partitions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;

        #[derive(Deserialize)]
        #[serde(expecting = "a record as a JSON object")]
        struct Record {
            offset: i64,
        }

        impl<'de> Visitor<'de> for Map {
            type Value = Partitions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from partition to records")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Partitions, A::Error> {
                let mut partitions = Vec::new();
                while let Some((key, records)) = map.next_entry::<String, Option<Vec<Record>>>()? {
                    let offsets = records
                        .unwrap_or_default()
                        .iter()
                        .map(|record| record.offset)
                        .collect();
                    partitions.push((key, offsets));
                }
                Ok(Partitions(partitions))
            }
        }

        deserializer.deserialize_map(Map)
    }
}

//! A Kafka event as a file of `--produce`: its records as they are written. Read by `produce`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use msk_mapping::record::Header;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::wanted::{LeftOut, Wanted};
use crate::fault::Fault;

/// The records of an event. None: it is none, but may be lines.
///
/// # Errors
///
/// What has the form of an event, and a place that does not fit: as a value it would be produced whole.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Option<Vec<Wire>>, Fault> {
    #[derive(Deserialize)]
    struct Event {
        records: Option<BTreeMap<String, Vec<Wire>>>,
    }

    if !is_meant(bytes) {
        return Ok(None);
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let event: Event = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.inner());
        // Not the reader's own words: they quote what they found.
        Fault::new(format!("expected a Kafka event in {name}, found a field of another form"))
            .at(format!("line {}, column {}: {path}", error.line(), error.column()))
            .help(
                "a record has a topic; partition, offset and timestamp as numbers; key and value as base64; and in\n\
                 each header a list of numbers from -128 to 255; see the examples in events/",
            )
    })?;
    let records = event.records.unwrap_or_default();
    Ok(Some(records.into_values().flatten().collect()))
}

/// Whether a document is a Kafka event by its source, or by lists of objects for each partition.
fn is_meant(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Sourced {
        event_source: String,
    }

    #[derive(Deserialize)]
    struct Grouped {
        #[serde(rename = "records")]
        _records: BTreeMap<String, Vec<BTreeMap<String, IgnoredAny>>>,
    }

    let of_kafka = |sourced: Sourced| sourced.event_source.to_ascii_lowercase().ends_with("kafka");
    serde_json::from_slice(bytes).is_ok_and(of_kafka)
        || serde_json::from_slice::<Grouped>(bytes).is_ok()
}

/// A record as an event has it.
#[derive(Deserialize)]
pub(super) struct Wire {
    topic: String,
    partition: i32,
    #[serde(default)]
    offset: i64,
    timestamp: Option<i64>,
    key: Option<String>,
    value: Option<String>,
    headers: Option<Vec<BTreeMap<String, Option<Vec<Byte>>>>>,
}

impl Wire {
    /// Err: why it is left out.
    pub(super) fn wanted(self, topics: &[String]) -> Result<Wanted, LeftOut> {
        if !topics.contains(&self.topic) {
            return Err(LeftOut::OtherTopic(self.topic));
        }
        let place = format!("{}-{}@{}", self.topic, self.partition, self.offset);
        let decode = |text: Option<String>, field| match text.map(|text| STANDARD.decode(text)) {
            None => Ok(None),
            Some(Ok(bytes)) => Ok(Some(Bytes::from(bytes))),
            Some(Err(_)) => Err(LeftOut::NotBase64 {
                place: place.clone(),
                field,
            }),
        };
        let headers = self.headers.unwrap_or_default().into_iter().flatten();
        let header = |(name, value): (String, Option<Vec<Byte>>)| Header {
            name,
            value: value.map(|bytes| bytes.iter().map(|byte| byte.0).collect()),
        };
        Ok(Wanted {
            key: decode(self.key, "key")?,
            value: decode(self.value, "value")?,
            headers: headers.map(header).collect(),
            timestamp: self.timestamp.filter(|timestamp| *timestamp >= 0),
            topic: self.topic,
            partition: Some(self.partition),
        })
    }
}

/// Java's bytes are signed, emulators' are not.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "i16")]
struct Byte(u8);

impl TryFrom<i16> for Byte {
    type Error = &'static str;

    fn try_from(number: i16) -> Result<Self, Self::Error> {
        if (-128..=255).contains(&number) {
            Ok(Self(number.to_le_bytes()[0]))
        } else {
            Err("expected a number from -128 to 255")
        }
    }
}

//! Records into the text of an event, exactly as Lambda writes it. Without I/O.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::template::Context;

const BOOTSTRAP_SERVERS: &str = "b-1.sample.example:9098,b-2.sample.example:9098";
const CLUSTER_ARN: &str =
    "arn:aws:kafka:us-east-1:123456789012:cluster/sample/a1b2c3d4-5678-4abc-8def-1234567890ab-1";

/// One record before it is encoded.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) context: Context,
    /// None: the producer sent no key.
    pub(crate) key: Option<String>,
    /// None: a tombstone.
    pub(crate) value: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
}

/// What a record is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Good,
    Poison,
    Tombstone,
}

/// Which of the records are what, strewn by chance.
pub(crate) fn kinds(
    count: usize,
    poison: usize,
    tombstones: usize,
    rng: &mut fastrand::Rng,
) -> Vec<Kind> {
    let mut kinds = vec![Kind::Good; count];
    kinds[..poison].fill(Kind::Poison);
    kinds[poison..poison + tombstones].fill(Kind::Tombstone);
    rng.shuffle(&mut kinds);
    kinds
}

/// The value at the length asked for. Err: its length, which is more.
pub(crate) fn sized(value: String, bytes: Option<usize>) -> Result<String, usize> {
    let Some(bytes) = bytes else { return Ok(value) };
    let missing = bytes.checked_sub(value.len()).ok_or(value.len())?;
    // The shortest field that can be added to an object: a comma, the name and an empty string.
    let open = value
        .strip_suffix('}')
        .filter(|open| open.starts_with('{') && open.len() > 1);
    let frame = r#","padding":"""#.len();
    match (open, missing.checked_sub(frame)) {
        (Some(open), Some(padding)) => {
            Ok(format!(r#"{open},"padding":"{}"}}"#, "x".repeat(padding)))
        }
        // White space after a JSON value is JSON as well.
        _ => Ok(value + &" ".repeat(missing)),
    }
}

/// An event in the making.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventBuilder<'a> {
    event_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_arn: Option<&'static str>,
    bootstrap_servers: &'static str,
    records: Partitions<'a>,
}

impl<'a> EventBuilder<'a> {
    pub(crate) fn new(topic: &'a str, msk: bool) -> Self {
        Self {
            event_source: if msk { "aws:kafka" } else { "SelfManagedKafka" },
            event_source_arn: msk.then_some(CLUSTER_ARN),
            bootstrap_servers: BOOTSTRAP_SERVERS,
            records: Partitions {
                topic,
                partitions: Vec::new(),
            },
        }
    }

    /// Adds a record behind those of its partition. Partitions stand in the order of their first record.
    pub(crate) fn push(&mut self, record: Record) {
        let wire = Wire {
            topic: self.records.topic,
            partition: record.context.partition,
            offset: record.context.offset,
            timestamp: record.context.timestamp,
            timestamp_type: "CREATE_TIME",
            key: record.key.map(|key| STANDARD.encode(key)),
            value: record.value.map(|value| STANDARD.encode(value)),
            headers: record
                .headers
                .into_iter()
                .map(|(name, value)| Header { name, value })
                .collect(),
        };
        let partitions = &mut self.records.partitions;
        match partitions
            .iter_mut()
            .find(|(partition, _)| *partition == wire.partition)
        {
            Some((_, records)) => records.push(wire),
            None => partitions.push((wire.partition, vec![wire])),
        }
    }

    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always serialize")
    }
}

#[derive(Debug)]
struct Partitions<'a> {
    topic: &'a str,
    partitions: Vec<(usize, Vec<Wire<'a>>)>,
}

impl Serialize for Partitions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.partitions
                .iter()
                .map(|(partition, records)| (format!("{}-{partition}", self.topic), records)),
        )
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    topic: &'a str,
    partition: usize,
    offset: usize,
    timestamp: i64,
    timestamp_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    headers: Vec<Header>,
}

#[derive(Debug)]
struct Header {
    name: String,
    value: String,
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        // Lambda's mapping is written in Java, where bytes have a sign.
        let signed: Vec<i8> = self.value.bytes().map(u8::cast_signed).collect();
        map.serialize_entry(&self.name, &signed)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::sized;

    #[test]
    fn a_value_gets_the_length_asked_for_and_stays_json() {
        for value in [r#"{"a":1}"#, "{}", "[1]", "5"] {
            for bytes in [7, 8, 19, 20, 21, 100] {
                let sized = sized(value.to_owned(), Some(bytes)).unwrap();

                assert_eq!(sized.len(), bytes);
                serde_json::from_str::<serde_json::Value>(&sized).unwrap();
            }
        }
    }

    #[test]
    fn a_value_is_never_cut() {
        assert_eq!(sized("12345".to_owned(), Some(4)), Err(5));
    }
}

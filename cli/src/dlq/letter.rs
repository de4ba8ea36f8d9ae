//! A dead letter, whoever wrote it, and the event of its records. Made by `document` and `headers`, used by all commands of `dlq`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The header that counts how often a record was written back to its topic by `redrive --to topic`.
pub(crate) const REDRIVES: &str = "__lambda_msk.redrives";

/// The party that wrote a letter, and where it keeps the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    not(feature = "dev"),
    allow(dead_code, reason = "only topics have letters by headers")
)]
pub(crate) enum Shape {
    /// The envelope of lambda-msk.
    Envelope,
    /// The headers of lambda-msk in a Kafka topic.
    Headers,
    /// Lambda's document for SQS and SNS: coordinates only.
    LambdaCoordinates,
    /// Lambda's document for S3: the batch as text.
    LambdaBatch,
    /// Lambda's document for Kafka: one record.
    LambdaRecord,
    /// Spring Kafka.
    Spring,
    /// Kafka Connect.
    Connect,
    /// Kafka Streams.
    Streams,
    /// A share group of Kafka.
    ShareGroup,
}

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Envelope => "lambda-msk",
            Self::Headers => "lambda-msk-headers",
            Self::LambdaCoordinates => "lambda-coordinates",
            Self::LambdaBatch => "lambda-batch",
            Self::LambdaRecord => "lambda-record",
            Self::Spring => "spring",
            Self::Connect => "connect",
            Self::Streams => "streams",
            Self::ShareGroup => "share-group",
        }
    }
}

/// One dead letter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Letter {
    /// Sixteen hex digits: the same in each reading of the letter.
    pub(crate) id: String,
    pub(crate) shape: Shape,
    /// The reason as a code: that of the envelope, Lambda's condition, or the class of an exception.
    pub(crate) code: String,
    /// The reason in words. Empty: the letter has none.
    pub(crate) message: String,
    /// When the letter was written. None: the letter does not tell.
    pub(crate) written: Option<Timestamp>,
    /// None: no function wrote or caused the letter.
    pub(crate) function_arn: Option<String>,
    /// The consumer's namespace or group. None: the letter does not tell.
    pub(crate) group: Option<String>,
    /// None: the letter does not tell.
    pub(crate) attempts: Option<u32>,
    pub(crate) redrives: u32,
    /// None: the letter names no cluster by its ARN.
    pub(crate) arn: Option<String>,
    /// None: the letter names no brokers.
    pub(crate) brokers: Option<String>,
    /// Where its records stood, by topic and partition. Never empty.
    pub(crate) spans: Vec<Span>,
    pub(crate) content: Content,
}

/// Records of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// In milliseconds since 1970. None: the letter does not tell.
    pub(crate) first_ms: Option<i64>,
    pub(crate) last_ms: Option<i64>,
}

impl Span {
    /// `orders-0@41`, or `orders-0@41..50`.
    pub(crate) fn text(&self) -> String {
        let Self {
            topic,
            partition,
            first,
            last,
            ..
        } = self;
        if first == last {
            format!("{topic}-{partition}@{first}")
        } else {
            format!("{topic}-{partition}@{first}..{last}")
        }
    }
}

/// The records of a letter.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// The letter holds them.
    Event(Event),
    /// The letter holds their coordinates alone.
    Coordinates,
    /// Another object holds them: its address.
    Elsewhere(String),
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Event(one), Self::Event(other)) => one.json(None) == other.json(None),
            (Self::Coordinates, Self::Coordinates) => true,
            (Self::Elsewhere(one), Self::Elsewhere(other)) => one == other,
            _ => false,
        }
    }
}

impl Letter {
    /// `orders-0@41`; several are joined by commas.
    pub(crate) fn place(&self) -> String {
        let spans: Vec<String> = self.spans.iter().map(Span::text).collect();
        spans.join(",")
    }

    pub(crate) fn topic(&self) -> &str {
        self.spans.first().map_or("", |span| &span.topic)
    }
}

/// A Kafka event that keeps each record's JSON as it came.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) source: String,
    pub(crate) arn: Option<String>,
    pub(crate) brokers: Option<String>,
    pub(crate) partitions: Vec<Partition>,
}

/// The records of one partition of an event.
#[derive(Clone, Debug)]
pub(crate) struct Partition {
    /// The key of the event's map.
    pub(crate) key: String,
    pub(crate) records: Vec<Raw>,
}

/// One record as JSON, with its coordinates read.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// None: the event has no timestamp for it.
    pub(crate) timestamp: Option<i64>,
    pub(crate) json: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEvent<'a> {
    event_source: String,
    event_source_arn: Option<String>,
    bootstrap_servers: Option<String>,
    #[serde(borrow)]
    records: BTreeMap<String, Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct WireRecord {
    topic: String,
    partition: i32,
    offset: i64,
    timestamp: Option<i64>,
}

/// The mark of an event that is fed back.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mark {
    pub(crate) id: String,
    pub(crate) count: u32,
}

impl Event {
    /// None: not an event of Kafka with at least one record that has its coordinates.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let wire: WireEvent<'_> = serde_json::from_slice(json).ok()?;
        let known = ["aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"];
        if !known.contains(&&*wire.event_source) {
            return None;
        }
        let raw = |json: &RawValue| {
            let wire: WireRecord = serde_json::from_str(json.get()).ok()?;
            Some(Raw {
                topic: wire.topic,
                partition: wire.partition,
                offset: wire.offset,
                timestamp: wire.timestamp,
                json: json.to_owned(),
            })
        };
        let mut partitions = Vec::new();
        for (key, records) in wire.records {
            let mut records: Vec<Raw> = records.into_iter().map(raw).collect::<Option<_>>()?;
            records.sort_by_key(|record| record.offset);
            if !records.is_empty() {
                partitions.push(Partition { key, records });
            }
        }
        (!partitions.is_empty()).then_some(Self {
            source: wire.event_source,
            arn: wire.event_source_arn,
            brokers: wire.bootstrap_servers,
            partitions,
        })
    }

    /// The event as JSON, marked as fed back.
    pub(crate) fn json(&self, mark: Option<&Mark>) -> String {
        let partitions = self.partitions.iter();
        let partitions = partitions.map(|it| (it.key.as_str(), it.records.iter().collect()));
        event_json(self, partitions, mark)
    }

    /// The same with some records of one partition alone.
    pub(crate) fn part(&self, key: &str, records: &[Raw], mark: &Mark) -> String {
        let one = std::iter::once((key, records.iter().collect()));
        event_json(self, one, Some(mark))
    }

    /// The highest count of redrives that a record carries in its headers, since it was written back to its topic.
    pub(crate) fn redrives(&self) -> u32 {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(default)]
            headers: Option<Vec<BTreeMap<String, Option<Vec<i16>>>>>,
        }

        let all = self.partitions.iter().flat_map(|it| &it.records);
        let all = all.filter(|raw| raw.json.get().contains(REDRIVES));
        let wire = all.filter_map(|raw| serde_json::from_str::<Wire>(raw.json.get()).ok());
        let headers = wire.flat_map(|wire| wire.headers.unwrap_or_default());
        let counts = headers.filter_map(|mut header| {
            let bytes = header.remove(REDRIVES)??;
            let digit = |byte: &i16| u8::try_from(*byte).ok();
            let bytes: Vec<u8> = bytes.iter().map(digit).collect::<Option<_>>()?;
            std::str::from_utf8(&bytes).ok()?.parse().ok()
        });
        counts.max().unwrap_or(0)
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let span = |partition: &Partition| {
            let (first, last) = (partition.records.first()?, partition.records.last()?);
            Some(Span {
                topic: first.topic.clone(),
                partition: first.partition,
                first: first.offset,
                last: last.offset,
                first_ms: first.timestamp,
                last_ms: last.timestamp,
            })
        };
        self.partitions.iter().filter_map(span).collect()
    }
}

fn event_json<'a>(
    event: &Event,
    partitions: impl Iterator<Item = (&'a str, Vec<&'a Raw>)>,
    mark: Option<&Mark>,
) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire<'a> {
        event_source: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        event_source_arn: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        bootstrap_servers: Option<&'a str>,
        records: BTreeMap<&'a str, Vec<&'a RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        redrive: Option<&'a Mark>,
    }

    let json = |records: Vec<&'a Raw>| records.into_iter().map(|raw| &*raw.json).collect();
    let wire = Wire {
        event_source: &event.source,
        event_source_arn: event.arn.as_deref(),
        bootstrap_servers: event.brokers.as_deref(),
        records: partitions
            .map(|(key, records)| (key, json(records)))
            .collect(),
        redrive: mark,
    };
    serde_json::to_string(&wire).expect("text, numbers and JSON make JSON")
}

/// Sixteen hex digits of what tells a letter from others: FNV-1a, with its bits mixed so that prefixes differ.
pub(crate) fn id(parts: &[&[u8]]) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = BASIS;
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }
    // The finalizer of MurmurHash3.
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    format!("{:016x}", hash ^ (hash >> 33))
}

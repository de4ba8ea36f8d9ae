//! Letters that are JSON documents: the envelope of lambda-msk, its pointers, and Lambda's own documents. Called by every source.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::letter::{self, Content, Event, Letter, Shape, Span};

/// The version of Lambda's documents that is read here.
const VERSION: &str = "1.0";

/// Most offsets from the first to the last record of one partition of a letter: ten times the records of Lambda's largest batch, since offsets
/// may be missing between them. A letter that names more would read the whole partition.
const SPAN_OFFSETS_MAX: i64 = 100_000;

/// What is not a dead letter, in words that are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(
    not(feature = "aws"),
    allow(
        dead_code,
        reason = "only topics have letters by headers, only buckets objects"
    )
)]
pub(crate) enum Foreign {
    Empty,
    CutOff,
    NotJson,
    OtherSystem,
    NewerVersion,
    OtherSource,
    NoRecord,
    BadPayload,
    NoErrorHeaders,
    BadErrorHeaders,
    Unread,
}

impl Foreign {
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Empty => "an empty message",
            Self::CutOff => "a JSON document that is cut off",
            Self::NotJson => "a message that is not JSON",
            Self::OtherSystem => "a message of another system",
            Self::NewerVersion => "a document of another version than 1.0",
            Self::OtherSource => "a document about another source than Kafka",
            Self::NoRecord => "a letter without the coordinates of its record",
            Self::BadPayload => "a letter whose payload is not an event of Kafka",
            Self::NoErrorHeaders => "a record without error headers",
            Self::BadErrorHeaders => "a record whose error headers cannot be read",
            Self::Unread => "an object that could not be fetched",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    request_context: Option<RequestContext>,
    version: Option<String>,
    timestamp: Option<String>,
    #[serde(rename = "KafkaBatchInfo")]
    batch: Option<BatchInfo>,
    failure: Option<Failure>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    payload_encoding: Option<String>,
    overflow: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    function_arn: Option<String>,
    condition: Option<String>,
    approximate_invoke_count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo {
    event_source_arn: Option<String>,
    bootstrap_servers: Option<String>,
    #[serde(default)]
    records_info: BTreeMap<String, RecordsInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordsInfo {
    first_record_offset: Offset,
    last_record_offset: Offset,
    first_record_timestamp: Option<String>,
    last_record_timestamp: Option<String>,
}

/// Lambda writes offsets as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Offset {
    Text(String),
    Number(i64),
}

impl Offset {
    fn read(&self) -> Option<i64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    code: String,
    #[serde(default)]
    message: String,
    attempts: Option<u32>,
    redrives: Option<u32>,
    idempotency_key: Option<String>,
}

/// The document that a notification of SNS holds. Any other document is its own.
fn unwrapped(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Notification {
        r#type: String,
        topic_arn: String,
        message: String,
    }

    let wire: Notification = serde_json::from_slice(bytes).ok()?;
    (wire.r#type == "Notification" && wire.topic_arn.starts_with("arn:")).then_some(wire.message)
}

/// Reads a document. `beside` is a payload that lies beside its envelope, unpacked.
///
/// # Errors
///
/// The document is no dead letter, or one that cannot be read.
pub(crate) fn read(bytes: &[u8], beside: Option<&[u8]>) -> Result<Letter, Foreign> {
    match unwrapped(bytes) {
        Some(inner) => one(inner.as_bytes(), beside),
        None => one(bytes, beside),
    }
}

fn one(bytes: &[u8], beside: Option<&[u8]>) -> Result<Letter, Foreign> {
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() {
        return Err(Foreign::Empty);
    }
    let wire: Wire<'_> = serde_json::from_slice(bytes).map_err(|error| {
        if error.is_eof() {
            Foreign::CutOff
        } else if error.is_syntax() {
            Foreign::NotJson
        } else {
            Foreign::OtherSystem
        }
    })?;
    let (context, batch) = match (&wire.request_context, &wire.batch) {
        (Some(context), Some(batch)) => (context, batch),
        (Some(context), None) if context.condition.is_some() && wire.version.is_some() => {
            return Err(Foreign::OtherSource);
        }
        _ => return Err(Foreign::OtherSystem),
    };
    if wire.version.as_deref() != Some(VERSION) {
        return Err(Foreign::NewerVersion);
    }
    let (shape, content) = content(&wire, beside)?;
    let spans = match &content {
        Content::Event(event) => event.spans(),
        _ => spans(&wire, batch).ok_or(Foreign::NoRecord)?,
    };
    if spans.is_empty() {
        return Err(Foreign::NoRecord);
    }
    let failure = wire.failure.as_ref();
    let carried = match &content {
        Content::Event(event) => event.redrives(),
        _ => 0,
    };
    let redrives = failure.and_then(|failure| failure.redrives).unwrap_or(0);
    let condition = || context.condition.clone().unwrap_or_default();
    Ok(Letter {
        id: letter::id(&[bytes]),
        shape,
        code: failure.map_or_else(condition, |failure| failure.code.clone()),
        message: failure.map_or_else(String::new, |failure| failure.message.clone()),
        written: wire.timestamp.as_deref().and_then(|text| text.parse().ok()),
        function_arn: context.function_arn.clone(),
        group: None,
        attempts: failure.map_or(context.approximate_invoke_count, |failure| failure.attempts),
        redrives: redrives.max(carried),
        arn: batch.event_source_arn.clone(),
        brokers: batch.bootstrap_servers.clone(),
        spans,
        content,
    })
}

fn content(wire: &Wire<'_>, beside: Option<&[u8]>) -> Result<(Shape, Content), Foreign> {
    let ours = wire.failure.is_some();
    let event = |json: &[u8]| Event::parse(json).ok_or(Foreign::BadPayload);
    if let Some(url) = &wire.overflow {
        return Ok((Shape::Envelope, Content::Elsewhere(url.clone())));
    }
    if wire.payload_encoding.is_some() {
        let event = event(beside.ok_or(Foreign::BadPayload)?)?;
        return Ok((Shape::Envelope, Content::Event(event)));
    }
    let payload = wire.payload.map(RawValue::get);
    let Some(payload) = payload.filter(|text| *text != "null") else {
        return Ok((Shape::LambdaCoordinates, Content::Coordinates));
    };
    if let Ok(text) = serde_json::from_str::<String>(payload) {
        return Ok((Shape::LambdaBatch, Content::Event(event(text.as_bytes())?)));
    }
    let shape = if ours {
        Shape::Envelope
    } else {
        Shape::LambdaRecord
    };
    Ok((shape, Content::Event(event(payload.as_bytes())?)))
}

/// The coordinates that stand in the document. A pointer has those of its idempotency key, which ends in topic, partition, offset and timestamp.
fn spans(wire: &Wire<'_>, batch: &BatchInfo) -> Option<Vec<Span>> {
    if batch.records_info.is_empty() {
        let key = wire.failure.as_ref()?.idempotency_key.as_deref()?;
        return Some(vec![of_key(key)?]);
    }
    let span = |(key, info): (&String, &RecordsInfo)| {
        let (topic, partition) = key.rsplit_once('-')?;
        let (first, last) = (
            info.first_record_offset.read()?,
            info.last_record_offset.read()?,
        );
        (is_span(first, last) && !topic.is_empty()).then_some(())?;
        Some(Span {
            topic: topic.to_owned(),
            partition: partition.parse().ok()?,
            first,
            last,
            first_ms: info.first_record_timestamp.as_deref().and_then(millis),
            last_ms: info.last_record_timestamp.as_deref().and_then(millis),
        })
    };
    batch.records_info.iter().map(span).collect()
}

/// Whether a letter's records can stand at these offsets. The last possible offset has none behind it.
pub(super) fn is_span(first: i64, last: i64) -> bool {
    (0..=last).contains(&first) && last < i64::MAX && last - first < SPAN_OFFSETS_MAX
}

fn of_key(key: &str) -> Option<Span> {
    let mut parts = key.rsplit('/');
    let ms = parts.next()?.parse().ok();
    let offset = parts.next()?.parse().ok()?;
    let partition = parts.next()?.parse().ok()?;
    let topic = parts.next()?.to_owned();
    is_span(offset, offset).then_some(())?;
    Some(Span {
        topic,
        partition,
        first: offset,
        last: offset,
        first_ms: ms,
        last_ms: ms,
    })
}

fn millis(text: &str) -> Option<i64> {
    text.parse::<Timestamp>()
        .ok()
        .map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests;

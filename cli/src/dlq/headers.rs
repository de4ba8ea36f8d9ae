//! Letters that are records of a Kafka topic, with the reason in their headers: of lambda-msk, Spring, Connect, Streams and share groups. Called by `kafka`.

use bytes::Bytes;
use jiff::Timestamp;
use msk_mapping::event::{Envelope, Nulls, Source};
use msk_mapping::record::{Header, Record, TopicPartition};

use super::document::{self, Foreign};
use super::letter::{self, Content, Event, Letter, REDRIVES, Shape, Span};

/// The beginnings of names of error headers, with the family that each tells.
const FAMILIES: [(&str, Shape); 5] = [
    ("__lambda_msk.errors.", Shape::Headers),
    ("kafka_dlt-", Shape::Spring),
    ("__connect.errors.", Shape::Connect),
    ("__streams.errors.", Shape::Streams),
    ("__dlq.errors.", Shape::ShareGroup),
];
/// The class in which Spring wraps whatever a listener throws.
const SPRING_WRAPPER: &str = ".ListenerExecutionFailedException";
/// Headers that must not be replayed: MSK Replicator's, which stops the replication of its topic, and those of traces.
const NOT_REPLAYED: [&str; 5] = [
    "__mskmr",
    "traceparent",
    "tracestate",
    "baggage",
    "x-amzn-trace-id",
];

/// Whether a header says why its record failed.
pub(crate) fn is_of_error(name: &str) -> bool {
    FAMILIES.iter().any(|(start, _)| name.starts_with(start))
}

/// Whether a header goes back to the topic with its record.
pub(crate) fn is_replayed(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let trace = NOT_REPLAYED.contains(&&*lower) || lower == "b3" || lower.starts_with("x-b3-");
    !trace && !lower.starts_with("b3") && !is_of_error(name) && name != REDRIVES
}

/// Reads a record of a topic of dead letters.
///
/// # Errors
///
/// The record is no dead letter, or one that cannot be read.
pub(crate) fn read(record: &Record) -> Result<Letter, Foreign> {
    let has = |start: &str| record.headers.iter().any(|it| it.name.starts_with(start));
    let family = FAMILIES.iter().find(|(start, _)| has(start));
    let Some((start, shape)) = family else {
        // Lambda's documents, and whole envelopes, are the record's value.
        return match &record.value {
            Some(value) => document::read(value, None).map_err(|foreign| match foreign {
                Foreign::NotJson | Foreign::OtherSystem => Foreign::NoErrorHeaders,
                other => other,
            }),
            None => Err(Foreign::NoErrorHeaders),
        };
    };
    let fields = Fields {
        record,
        start,
        binary: *shape == Shape::Spring,
    };
    of_family(record, *shape, &fields).ok_or(Foreign::BadErrorHeaders)
}

/// The error headers of one family.
struct Fields<'r> {
    record: &'r Record,
    start: &'static str,
    /// Spring writes numbers as big-endian bytes.
    binary: bool,
}

impl Fields<'_> {
    /// The last one counts, as Kafka's own `lastHeader` has it.
    fn bytes(&self, name: &str) -> Option<&Bytes> {
        let is = |header: &&Header| header.name.strip_prefix(self.start) == Some(name);
        self.record
            .headers
            .iter()
            .rev()
            .find(is)
            .and_then(|header| header.value.as_ref())
    }

    fn text(&self, name: &str) -> Option<String> {
        let bytes = self.bytes(name)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    fn number(&self, name: &str) -> Option<i64> {
        let bytes = self.bytes(name)?;
        if !self.binary {
            return std::str::from_utf8(bytes).ok()?.trim().parse().ok();
        }
        match bytes.len() {
            4 => Some(i64::from(i32::from_be_bytes(bytes[..].try_into().ok()?))),
            8 => Some(i64::from_be_bytes(bytes[..].try_into().ok()?)),
            _ => None,
        }
    }

    fn count(&self, name: &str) -> Option<u32> {
        self.number(name)
            .and_then(|count| u32::try_from(count).ok())
    }
}

/// None: the coordinates are missing or no numbers.
fn of_family(record: &Record, shape: Shape, fields: &Fields<'_>) -> Option<Letter> {
    let named = |name: &str| {
        if fields.binary {
            format!("original-{name}")
        } else {
            name.to_owned()
        }
    };
    let topic = fields.text(&named("topic")).filter(|it| !it.is_empty())?;
    let partition = i32::try_from(fields.number(&named("partition"))?).ok()?;
    let offset = fields.number(&named("offset"))?;
    if partition < 0 || !document::is_span(offset, offset) {
        return None;
    }
    // Connect and Streams write the letter with the record's own timestamp, share groups with that of the letter.
    let told = fields.number(&named("timestamp"));
    let timestamp = told.unwrap_or(record.timestamp);
    let is_told = told.is_some() || shape != Shape::ShareGroup;
    let cluster = fields.text("cluster").filter(|_| shape == Shape::Headers);
    let (arn, brokers) = match cluster {
        Some(arn) if arn.starts_with("arn:") => (Some(arn), None),
        other => (None, other),
    };
    let (code, message) = reason(shape, fields);
    // A share group copies no record unless its `errors.deadletterqueue.copy.record.enable` is set, and not each one even then. It would read as a tombstone.
    let is_copied = shape != Shape::ShareGroup || record.key.is_some() || record.value.is_some();
    let content = match fields.text("overflow") {
        Some(url) if shape == Shape::Headers => Content::Elsewhere(url),
        _ if !is_copied => Content::Coordinates,
        _ => {
            let original = original(record, &topic, partition, offset, timestamp);
            Content::Event(event(&original, arn.as_deref(), brokers.as_deref())?)
        }
    };
    let known = |ms: i64| (ms >= 0 && is_told).then_some(ms);
    let own = record.partition.to_string();
    Some(Letter {
        id: letter::id(&[own.as_bytes(), &record.offset.to_be_bytes()]),
        shape,
        code,
        message,
        written: Timestamp::from_millisecond(record.timestamp)
            .ok()
            .filter(|_| record.timestamp >= 0),
        function_arn: None,
        group: group(shape, fields),
        attempts: fields.count(match shape {
            Shape::ShareGroup => "delivery.count",
            _ => "attempts",
        }),
        redrives: fields
            .count("redrives")
            .or_else(|| redrives(record))
            .unwrap_or(0),
        arn,
        brokers,
        spans: vec![Span {
            topic,
            partition,
            first: offset,
            last: offset,
            first_ms: known(timestamp),
            last_ms: known(timestamp),
        }],
        content,
    })
}

fn reason(shape: Shape, fields: &Fields<'_>) -> (String, String) {
    if shape == Shape::Spring {
        return of_spring(fields);
    }
    let (code, message) = match shape {
        Shape::Headers => ("code", "message"),
        Shape::Connect => ("exception.class.name", "exception.message"),
        Shape::Streams => ("exception", "message"),
        _ => ("", "message"),
    };
    let code = fields.text(code).unwrap_or_else(|| shape.name().to_owned());
    (code, fields.text(message).unwrap_or_default())
}

/// What a key could not be read by has headers of its own. Of the exception that wraps what a listener throws, the cause says more.
fn of_spring(fields: &Fields<'_>) -> (String, String) {
    let class = fields.text("exception-fqcn");
    let cause = fields.text("exception-cause-fqcn");
    let code = match class {
        Some(class) if class.ends_with(SPRING_WRAPPER) => cause.or(Some(class)),
        Some(class) => Some(class),
        None => fields.text("key-exception-fqcn"),
    };
    let message = fields.text("exception-message");
    let message = message.or_else(|| fields.text("key-exception-message"));
    let code = code.unwrap_or_else(|| Shape::Spring.name().to_owned());
    (code, message.unwrap_or_default())
}

fn group(shape: Shape, fields: &Fields<'_>) -> Option<String> {
    fields.text(match shape {
        Shape::Spring => "original-consumer-group",
        Shape::Connect => "connector.name",
        _ => "group",
    })
}

/// The count that `redrive --to topic` left with the record.
pub(crate) fn redrives(record: &Record) -> Option<u32> {
    let header = record.headers.iter().rev();
    let header = header.into_iter().find(|it| it.name == REDRIVES)?;
    std::str::from_utf8(header.value.as_deref()?)
        .ok()?
        .parse()
        .ok()
}

/// The record as it stood in its topic: without the error headers.
fn original(record: &Record, topic: &str, partition: i32, offset: i64, timestamp: i64) -> Record {
    let mut original = Record::new(TopicPartition::new(topic, partition), offset);
    original.timestamp = timestamp;
    original.key.clone_from(&record.key);
    original.value.clone_from(&record.value);
    let headers = record.headers.iter();
    original.headers = headers
        .filter(|it| !is_of_error(&it.name))
        .cloned()
        .collect();
    original
}

/// The event of one record. The cluster may be named later.
pub(crate) fn event(record: &Record, arn: Option<&str>, brokers: Option<&str>) -> Option<Event> {
    let bootstrap_servers = brokers.map(str::to_owned);
    let source = match arn {
        Some(arn) => Source::Msk {
            arn: arn.to_owned(),
            bootstrap_servers,
        },
        None => Source::SelfManaged { bootstrap_servers },
    };
    Event::parse(&Envelope::new(source, Nulls::Absent).event([record]))
}

#[cfg(test)]
mod tests;

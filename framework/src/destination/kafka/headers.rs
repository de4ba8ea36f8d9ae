//! The headers of a letter that is written to a topic: the record's own, and behind them the reason. Called by `kafka`.

use bytes::Bytes;

use crate::destination::DeadLetter;
use crate::record::TimestampType;

/// What ours begin with.
const OURS: &str = "__lambda_msk.errors.";

/// What Spring Kafka's begin with (`org.springframework.kafka.support.KafkaHeaders`).
const SPRINGS: &str = "kafka_dlt-";

/// A header's name, and its value. *None: null.*
type Header = (String, Option<Bytes>);

/// The record's headers in their order, null values and repeats included; then ours, and Spring's if asked for. Those of an earlier rejection are replaced.
pub(super) fn headers(letter: &DeadLetter, spring: bool) -> Vec<Header> {
    let record = letter.record();
    let is_former = |name: &str| name.starts_with(OURS) || spring && name.starts_with(SPRINGS);
    let came = record.headers();
    let came = came.iter().filter(|(name, _)| !is_former(name));
    let mut headers: Vec<Header> = came
        .map(|(name, value)| (name.to_owned(), value.map(Bytes::copy_from_slice)))
        .collect();
    headers.extend(ours(letter));
    if spring {
        headers.extend(springs(letter));
    }
    headers
}

/// Text, all of them.
fn ours(letter: &DeadLetter) -> impl Iterator<Item = Header> {
    let record = letter.record();
    let named = letter.named();
    let values = [
        ("topic", record.topic().to_owned()),
        ("partition", record.partition().to_string()),
        ("offset", record.offset().to_string()),
        ("timestamp", record.timestamp_millis().to_string()),
        ("cluster", named.cluster.to_string()),
        ("code", letter.code().to_owned()),
        ("message", letter.message().to_owned()),
        ("attempts", letter.attempts().to_string()),
        ("key", letter.idempotency_key().as_str().to_owned()),
        ("group", named.namespace.to_string()),
        ("id", letter.id()),
        ("redrives", letter.redrives().to_string()),
    ];
    let overflow = letter.overflow().map(|url| ("overflow", url.to_owned()));
    let header = |(name, value)| (format!("{OURS}{name}"), Some(Bytes::from(value)));
    values.into_iter().chain(overflow).map(header)
}

/// As `DeadLetterPublishingRecoverer` writes them: numbers in big-endian bytes, the rest text. Java's class of the exception is the code here, and there is no stack trace.
fn springs(letter: &DeadLetter) -> impl Iterator<Item = Header> {
    let record = letter.record();
    let kind = match record.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
        TimestampType::Unknown => "NoTimestampType",
    };
    let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let number = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
    [
        ("original-topic", text(record.topic())),
        (
            "original-partition",
            number(&record.partition().to_be_bytes()),
        ),
        ("original-offset", number(&record.offset().to_be_bytes())),
        (
            "original-timestamp",
            number(&record.timestamp_millis().to_be_bytes()),
        ),
        ("original-timestamp-type", text(kind)),
        ("original-consumer-group", text(&letter.named().namespace)),
        ("exception-fqcn", text(letter.code())),
        ("exception-message", text(letter.message())),
    ]
    .into_iter()
    .map(|(name, value)| (format!("{SPRINGS}{name}"), Some(value)))
}

//! From librdkafka's message to a record. Nothing is added or lost: null is not empty, headers keep order and
//! repeats.

use bytes::Bytes;
use rdkafka::Timestamp;
use rdkafka::message::{BorrowedMessage, Headers, Message};

use crate::record::{Header, Record, TimestampType, TopicPartition};

/// The record in a message. Its partition comes from the caller, who need not make the topic's name anew each time.
pub(super) fn record(message: &BorrowedMessage<'_>, partition: TopicPartition) -> Record {
    let mut record = Record::new(partition, message.offset());
    (record.timestamp, record.timestamp_type) = match message.timestamp() {
        Timestamp::NotAvailable => (-1, TimestampType::CreateTime),
        Timestamp::CreateTime(millis) => (millis, TimestampType::CreateTime),
        Timestamp::LogAppendTime(millis) => (millis, TimestampType::LogAppendTime),
    };
    record.key = message.key().map(Bytes::copy_from_slice);
    record.value = message.payload().map(Bytes::copy_from_slice);
    if let Some(headers) = message.headers() {
        record.headers = headers
            .iter()
            .map(|header| Header {
                name: header.key.to_owned(),
                value: header.value.map(Bytes::copy_from_slice),
            })
            .collect();
    }
    record
}

/// The record in what a share group delivered.
#[cfg(feature = "share")]
pub(super) fn shared(message: &krafka::ConsumerRecord, partition: TopicPartition) -> Record {
    let mut record = Record::new(partition, message.offset);
    record.timestamp = message.timestamp;
    record.timestamp_type = match message.timestamp_type {
        krafka::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
        _ => TimestampType::CreateTime,
    };
    record.key = message.key.clone();
    record.value = message.value.clone();
    let header = |(name, value): &(String, Option<Bytes>)| Header {
        name: name.clone(),
        value: value.clone(),
    };
    record.headers = message.headers.iter().map(header).collect();
    let deliveries = message
        .delivery_count
        .and_then(|count| count.try_into().ok());
    record.delivery_count = deliveries.unwrap_or(1);
    record
}

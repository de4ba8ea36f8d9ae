//! A Kafka record as a consumer polled it, with the schemas that a mapping has read it by. Made by the readers, batched by the mapping.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// A partition of a topic. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    topic: Arc<str>,
    partition: i32,
}

impl TopicPartition {
    /// Names a partition of a topic.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The partition's number in its topic.
    pub fn partition(&self) -> i32 {
        self.partition
    }
}

/// The key of the event's `records` map: `orders-0`. It cannot be taken apart again, since a topic's name may hold `-`.
impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// The party that set a record's timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TimestampType {
    /// The record's producer.
    #[default]
    CreateTime,
    /// The broker that appended it.
    LogAppendTime,
}

impl TimestampType {
    /// The name in an event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateTime => "CREATE_TIME",
            Self::LogAppendTime => "LOG_APPEND_TIME",
        }
    }
}

/// One header of a record. A record may have several headers with one name, and their order counts.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Header {
    /// The name: any text, also empty.
    pub name: String,
    /// The value. None: null, which differs from zero bytes.
    pub value: Option<Bytes>,
}

/// Without the value's bytes.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header")
            .field("name", &self.name)
            .field("value_bytes", &self.value.as_ref().map(Bytes::len))
            .finish()
    }
}

/// The format of a schema, as the event names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataFormat {
    /// Avro.
    Avro,
    /// Protocol Buffers.
    Protobuf,
    /// JSON Schema.
    Json,
}

impl DataFormat {
    /// The name in an event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Protobuf => "PROTOBUF",
            Self::Json => "JSON",
        }
    }
}

/// The schema by which a mapping has validated a key or a value: `keySchemaMetadata`, `valueSchemaMetadata`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchemaMetadata {
    /// The schema's format, also where the event has the key or value as JSON.
    pub data_format: DataFormat,
    /// The schema's id in its registry.
    pub schema_id: Arc<str>,
}

/// A record as polled.
///
/// # Example
///
/// ```
/// use msk_kafka::record::{Record, TopicPartition};
///
/// let record = Record::new(TopicPartition::new("orders", 0), 15)
///     .with_timestamp(1_545_084_650_987)
///     .with_key("c-7")
///     .with_value(r#"{"id":1}"#)
///     .with_header("traceparent", "00-4bf9");
/// assert_eq!(record.partition.to_string(), "orders-0");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The record's partition.
    pub partition: TopicPartition,
    /// The record's offset. The offsets of a partition ascend, with gaps.
    pub offset: i64,
    /// The timestamp in milliseconds since 1970. `-1`: the record has none (old message formats), and so no age.
    pub timestamp: i64,
    /// The party that set the timestamp.
    pub timestamp_type: TimestampType,
    /// The key. None: the producer sent none. Empty: it sent zero bytes.
    pub key: Option<Bytes>,
    /// The value. None: a tombstone. Empty: zero bytes.
    pub value: Option<Bytes>,
    /// The headers, in order and with repeated names.
    pub headers: Vec<Header>,
    /// Queue mode: the number of deliveries by the broker, including this one. Otherwise 1.
    pub delivery_count: u16,
    /// The schema by which a mapping has validated the key. None: the mapping validates no keys, or there is none.
    pub key_schema: Option<SchemaMetadata>,
    /// The schema by which a mapping has validated the value. None: the mapping validates no values, or there is none.
    pub value_schema: Option<SchemaMetadata>,
}

impl Record {
    /// Creates a record without timestamp, key, value and headers.
    pub fn new(partition: TopicPartition, offset: i64) -> Self {
        Self {
            partition,
            offset,
            timestamp: -1,
            timestamp_type: TimestampType::CreateTime,
            key: None,
            value: None,
            headers: Vec::new(),
            delivery_count: 1,
            key_schema: None,
            value_schema: None,
        }
    }

    /// Sets the timestamp, in milliseconds since 1970.
    #[must_use]
    pub fn with_timestamp(mut self, millis: i64) -> Self {
        self.timestamp = millis;
        self
    }

    /// Sets the key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the value.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<Bytes>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Appends a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.push(Header {
            name: name.into(),
            value: Some(value.into()),
        });
        self
    }
}

/// Coordinates and sizes: no byte of the record.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("partition", &self.partition)
            .field("offset", &self.offset)
            .field("timestamp", &self.timestamp)
            .field("key_bytes", &self.key.as_ref().map(Bytes::len))
            .field("value_bytes", &self.value.as_ref().map(Bytes::len))
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}

/// `orders-0@15`.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.partition, self.offset)
    }
}

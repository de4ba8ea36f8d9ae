//! A record as handlers see it: a handle into its batch, which lends bytes. Made by `event`, read by every module below.

mod build;
mod json;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use self::json::{Base64, Headers as WrittenHeaders, Written};

pub use self::build::{BatchBuilder, BatchError, NewRecord};
pub use crate::partition::{TopicPartition, check_topic_name};
use crate::spare::{Kept, Shelf};

/// A part of the arena or of the raw event. 32 bits: `EVENT_BYTES_MAX` is below that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    /// From `start` up to `end`, without it.
    pub(crate) fn between(start: usize, end: usize) -> Self {
        // `EVENT_BYTES_MAX` is below 2^32, and no part of a batch has more entries than the body has bytes.
        Self {
            start: start as u32,
            len: (end - start) as u32,
        }
    }

    pub(crate) fn end(self) -> usize {
        self.start as usize + self.len as usize
    }

    #[inline]
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &bytes[start..start + self.len as usize]
    }
}

/// Records that are processed together: one decoded event, or records given to [`Batch::builder`]. Their bytes share one buffer.
pub struct Batch {
    /// The event as it came. A dead letter's payload is cut out of it. *Empty: the batch did not come as an event.*
    pub(crate) body: Bytes,
    /// Keys, values, header names and header values, decoded, back to back.
    pub(crate) arena: Kept<u8>,
    pub(crate) source: EventSource,
    /// In the event's order.
    pub(crate) partitions: Vec<PartitionEntry>,
    /// In the event's order: partition after partition.
    pub(crate) records: Kept<RecordEntry>,
    pub(crate) headers: Vec<HeaderEntry>,
    pub(crate) schemas: Vec<SchemaMetadata>,
    pub(crate) faults: Vec<RecordFault>,
    /// *None: an event from Lambda. Some: the payload of a dead letter.*
    pub(crate) redrive: Option<Redrive>,
    /// *None: the offsets of each partition ascended as they came.*
    pub(crate) disorder: Option<Disorder>,
}

/// The mark of an event that is the payload of a dead letter. Its `id`, which is the letter's, is for readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Redrive {
    /// How often the record has been fed back, this time included.
    pub(crate) count: u32,
}

/// Where buffers of batches lie between two events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spare {
    pub(crate) bytes: Shelf<u8>,
    pub(crate) records: Shelf<RecordEntry>,
}

/// What was put right in an event whose offsets did not ascend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Disorder {
    /// The first partition that it was found in: index into `Batch::partitions`.
    pub(crate) partition: u32,
    /// Partitions whose records were put into the order of their offsets.
    pub(crate) sorted: usize,
    /// Records that were left out, since one with the same offset and content stands in the event too.
    pub(crate) repeats: usize,
}

impl Batch {
    /// The records of the batch, in the event's order.
    pub(crate) fn iter(self: &Arc<Self>) -> impl Iterator<Item = Record> + use<'_> {
        // The decoder refuses more than `EVENT_RECORDS_MAX` records.
        (0..self.records.len() as u32).map(|index| Record {
            batch: Arc::clone(self),
            index,
        })
    }
}

impl fmt::Debug for Batch {
    /// Counts only: the arena is payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("bytes", &self.body.len())
            .field("partitions", &self.partitions.len())
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(crate) struct PartitionEntry {
    /// The key of the `records` map, verbatim: the response must repeat it. Opaque, never split.
    pub(crate) identifier: Arc<str>,
    pub(crate) topic_partition: TopicPartition,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordEntry {
    /// Index into `Batch::partitions`.
    pub(crate) partition: u32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
    pub(crate) timestamp_type: TimestampType,
    /// In the arena.
    pub(crate) key: Option<Span>,
    /// In the arena.
    pub(crate) value: Option<Span>,
    /// The record's headers: this part of `Batch::headers`.
    pub(crate) headers: Span,
    /// Index into `Batch::schemas`.
    pub(crate) key_schema: Option<u32>,
    /// Index into `Batch::schemas`.
    pub(crate) value_schema: Option<u32>,
    /// The record's JSON object in the body. *Empty: the batch did not come as an event.*
    pub(crate) raw: Span,
    /// Index into `Batch::faults`.
    pub(crate) fault: Option<u32>,
}

impl RecordEntry {
    /// What Kafka itself writes where a record has no timestamp.
    pub(crate) const NO_TIMESTAMP: i64 = -1;
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderEntry {
    /// In the arena; UTF-8, checked by the decoder.
    pub(crate) name: Span,
    /// In the arena. *None: the header's value is null.*
    pub(crate) value: Option<Span>,
}

/// One record of the event: a handle, cheap to clone, `Send + Sync + 'static`.
///
/// All records of an event share one buffer, so a record that is kept holds the whole event (at most 6 MB) in memory.
#[derive(Clone)]
pub struct Record {
    batch: Arc<Batch>,
    index: u32,
}

impl Record {
    /// Becomes another record of the same batch. Thousands of handles cost more than one that moves.
    pub(crate) fn set(&mut self, other: &Self) {
        debug_assert!(Arc::ptr_eq(&self.batch, &other.batch), "of one batch");
        self.index = other.index;
    }

    /// Index into the batch's records.
    pub(crate) fn index(&self) -> usize {
        self.index as usize
    }

    /// The records of the same batch that have these indices.
    pub(crate) fn neighbours(&self, indices: Range<usize>) -> impl Iterator<Item = Self> {
        let end = indices.end.min(self.batch.records.len());
        (indices.start..end).map(|index| Self {
            batch: Arc::clone(&self.batch),
            // A batch's records are counted in 32 bits.
            index: index as u32,
        })
    }

    /// The record of the same batch that has this index.
    pub(crate) fn at(&self, index: u32) -> Self {
        Self {
            batch: Arc::clone(&self.batch),
            index,
        }
    }

    fn entry(&self) -> &RecordEntry {
        &self.batch.records[self.index as usize]
    }

    /// Index into the event's partitions.
    pub(crate) fn partition_index(&self) -> usize {
        self.entry().partition as usize
    }

    fn partition_entry(&self) -> &PartitionEntry {
        &self.batch.partitions[self.entry().partition as usize]
    }

    /// The topic's name.
    pub fn topic(&self) -> &str {
        &self.topic_partition().topic
    }

    /// The partition's number, from 0.
    pub fn partition(&self) -> i32 {
        self.topic_partition().partition
    }

    /// Topic and partition in one.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.partition_entry().topic_partition
    }

    /// The offset in the partition. Offsets ascend and have gaps (filters, compaction, transaction markers).
    pub fn offset(&self) -> i64 {
        self.entry().offset
    }

    /// The time at which the record was created or appended; [`timestamp_type`](Self::timestamp_type) tells which.
    ///
    /// *None: the record has none (`-1`, from message formats before Kafka 0.10), or it lies outside the range of [`jiff::Timestamp`].*
    pub fn timestamp(&self) -> Option<Timestamp> {
        match self.entry().timestamp_ms {
            RecordEntry::NO_TIMESTAMP => None,
            millis => Timestamp::from_millisecond(millis).ok(),
        }
    }

    /// The timestamp as received: milliseconds since 1970, or `-1`.
    pub fn timestamp_millis(&self) -> i64 {
        self.entry().timestamp_ms
    }

    /// The party that set the timestamp.
    pub fn timestamp_type(&self) -> TimestampType {
        self.entry().timestamp_type
    }

    /// The key's bytes.
    ///
    /// *None: the producer sent no key. Some(empty): it sent zero bytes.*
    pub fn key(&self) -> Option<&[u8]> {
        self.entry().key.map(|span| span.of(&self.batch.arena))
    }

    /// The value's bytes.
    ///
    /// *None: a tombstone. Some(empty): the producer sent zero bytes.*
    pub fn value(&self) -> Option<&[u8]> {
        self.entry().value.map(|span| span.of(&self.batch.arena))
    }

    /// Of key and value, as the producer sent them.
    pub(crate) fn payload_bytes(&self) -> u64 {
        let RecordEntry { key, value, .. } = self.entry();
        let bytes = |part: &Option<Span>| part.map_or(0, |span| u64::from(span.len));
        bytes(key) + bytes(value)
    }

    /// The headers, in order and with repeated names.
    pub fn headers(&self) -> Headers {
        Headers(self.clone())
    }

    /// The value of the last header with that name: Kafka's rule (`Headers.lastHeader`).
    ///
    /// *None: there is no header with that name, or the last one's value is null.* [`Headers::get_all`] distinguishes the two.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.header_entries()
            .iter()
            .rev()
            .find(|header| header.name.of(&self.batch.arena) == name.as_bytes())?
            .value
            .map(|span| span.of(&self.batch.arena))
    }

    fn header_entries(&self) -> &[HeaderEntry] {
        let Span { start, len } = self.entry().headers;
        &self.batch.headers[start as usize..(start + len) as usize]
    }

    /// Name and value of each header, as bytes.
    pub(crate) fn header_bytes(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let arena = &self.batch.arena;
        self.header_entries().iter().map(|header| {
            (
                header.name.of(arena),
                header.value.map(|span| span.of(arena)),
            )
        })
    }

    /// The schema of the key, as the mapping determined it.
    ///
    /// *None: the mapping has no schema registry, does not validate keys, or the event's schema metadata cannot be read.*
    pub fn key_schema(&self) -> Option<&SchemaMetadata> {
        let index = self.entry().key_schema?;
        Some(&self.batch.schemas[index as usize])
    }

    /// The schema of the value, as the mapping determined it.
    ///
    /// *None: the mapping has no schema registry, does not validate values, or the event's schema metadata cannot be read.*
    pub fn value_schema(&self) -> Option<&SchemaMetadata> {
        let index = self.entry().value_schema?;
        Some(&self.batch.schemas[index as usize])
    }

    /// The cluster that the record came from.
    pub fn event_source(&self) -> &EventSource {
        &self.batch.source
    }

    /// The reason why the record could not be decoded. A handler never sees a record with a fault: it is rejected before.
    ///
    /// *None: the record was decoded without fault.*
    pub fn fault(&self) -> Option<&RecordFault> {
        let index = self.entry().fault?;
        Some(&self.batch.faults[index as usize])
    }

    /// The record's JSON object as it stands in the event, with values in base64. For a record that did not come in an event: the object that Lambda would have sent.
    pub fn raw_json(&self) -> Cow<'_, [u8]> {
        match self.entry().raw.of(&self.batch.body) {
            [] => Cow::Owned(self.written()),
            raw => Cow::Borrowed(raw),
        }
    }

    /// As Lambda would have written it.
    fn written(&self) -> Vec<u8> {
        let headers = self.headers();
        let all: Vec<_> = headers.iter().collect();
        let written = serde_json::to_vec(&Written {
            topic: self.topic(),
            partition: self.partition(),
            offset: self.offset(),
            timestamp: self.timestamp_millis(),
            timestamp_type: match self.timestamp_type() {
                TimestampType::CreateTime => Some("CREATE_TIME"),
                TimestampType::LogAppendTime => Some("LOG_APPEND_TIME"),
                TimestampType::Unknown => None,
            },
            key: self.key().map(Base64),
            value: self.value().map(Base64),
            headers: WrittenHeaders(all),
        });
        written.expect("text and numbers make JSON")
    }

    /// The key of the `records` map that the record lay under.
    pub(crate) fn identifier(&self) -> &Arc<str> {
        &self.partition_entry().identifier
    }

    /// *None: Lambda delivers it. Some: it is fed back from a dead letter.*
    pub(crate) fn redrive(&self) -> Option<Redrive> {
        self.batch.redrive
    }

    /// Whether the record is fed back from a dead letter.
    pub(crate) fn is_redriven(&self) -> bool {
        self.redrive().is_some()
    }
}

impl fmt::Display for Record {
    /// Coordinates: `orders-0@15`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.topic_partition(), self.offset())
    }
}

impl fmt::Debug for Record {
    /// Coordinates and sizes; never bytes of the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("topic", &self.topic())
            .field("partition", &self.partition())
            .field("offset", &self.offset())
            .field("timestamp", &self.timestamp_millis())
            .field("key_bytes", &self.key().map(<[u8]>::len))
            .field("value_bytes", &self.value().map(<[u8]>::len))
            .field("headers", &self.header_entries().len())
            .finish_non_exhaustive()
    }
}

/// The party that set a record's timestamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimestampType {
    /// The producer (`CREATE_TIME`).
    CreateTime,
    /// The broker (`LOG_APPEND_TIME`).
    LogAppendTime,
    /// The event names neither of the two.
    #[default]
    Unknown,
}

/// The headers of one record, in order and with repeated names. A handle, cheap to clone.
#[derive(Clone)]
pub struct Headers(Record);

impl Headers {
    /// The number of headers; repeated names count each time.
    pub fn len(&self) -> usize {
        self.0.header_entries().len()
    }

    /// Returns true if the record has no headers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of the last header with that name, as in [`Record::header`].
    ///
    /// *None: there is no header with that name, or the last one's value is null.*
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.header(name)
    }

    /// The values of all headers with that name, in order; a null value is None.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a [u8]>> {
        self.iter()
            .filter(move |(other, _)| *other == name)
            .map(|(_, value)| value)
    }

    /// The name and value of each header, in order; a null value is None.
    pub fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&str, Option<&[u8]>)> + ExactSizeIterator {
        let arena = &self.0.batch.arena;
        self.0.header_entries().iter().map(move |header| {
            let name = std::str::from_utf8(header.name.of(arena));
            let name = name.expect("the decoder takes headers' names of UTF-8 alone");
            (name, header.value.map(|span| span.of(arena)))
        })
    }
}

impl fmt::Debug for Headers {
    /// Names and sizes; never values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|(name, value)| (name, value.map(<[u8]>::len))),
            )
            .finish()
    }
}

/// The schema that the mapping's registry has for a key or value. Extractors that read by a schema ([`schemas`](crate::schemas)) take it for the name of the schema; for all others
/// unexpected metadata rejects no record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SchemaMetadata {
    /// `AVRO`, `PROTOBUF` or `JSON`: the format in the topic. The bytes in the event may differ: a mapping whose `EventRecordFormat` is `JSON` always sends JSON.
    ///
    /// *None: the event has no such field, or it is not text.*
    pub data_format: Option<String>,
    /// The schema's id. Glue: a 36-character UUID. Confluent: a short integer as text, even if the event holds a number.
    ///
    /// *None: the event has no such field, or it is neither text nor a number.*
    pub schema_id: Option<String>,
}

/// The cluster from which an event came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EventSource {
    /// The kind of cluster: Amazon MSK or self-managed.
    pub kind: EventSourceKind,
    /// The MSK cluster's ARN. *None: the cluster is self-managed, or the event holds no ARN.*
    pub arn: Option<String>,
    /// The brokers, separated by commas, as received. *None: the event names no broker.*
    pub bootstrap_servers: Option<String>,
}

impl EventSource {
    /// Describes an Amazon MSK cluster by its ARN.
    pub fn msk(arn: impl Into<String>) -> Self {
        Self {
            kind: EventSourceKind::Msk,
            arn: Some(arn.into()),
            bootstrap_servers: None,
        }
    }

    /// Describes a self-managed cluster by its brokers, separated by commas.
    pub fn self_managed(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            kind: EventSourceKind::SelfManaged,
            arn: None,
            bootstrap_servers: Some(bootstrap_servers.into()),
        }
    }
}

/// The operator of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventSourceKind {
    /// Amazon MSK (`aws:kafka`).
    Msk,
    /// Any other operator (`SelfManagedKafka`).
    SelfManaged,
}

/// The reason why one record of an event could not be decoded. The other records are not affected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (at `{path}`, byte {byte} of the event)")]
#[non_exhaustive]
pub struct RecordFault {
    /// The kind of fault: `reject.value_not_base64`.
    pub code: &'static str,
    /// The fault in words, without any byte of the payload.
    pub reason: &'static str,
    /// The path in the event: `records["orders-0"][3].value`.
    pub path: String,
    /// The byte position in the event, counted from 0.
    pub byte: usize,
}

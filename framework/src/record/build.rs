//! A batch without an event: records that the caller has read from Kafka. Built by services that embed a consumer outside Lambda.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{Batch, EventSource, HeaderEntry, PartitionEntry, RecordEntry, Span, TimestampType};
use crate::limits::{EVENT_BYTES_MAX, EVENT_RECORDS_MAX};
use crate::partition::{TopicPartition, check_topic_name};

/// A record for [`BatchBuilder::record`]. Unless they are set, it has no key, no headers and no timestamp, and its value is null.
#[derive(Clone, Debug)]
#[must_use = "a record does nothing until a batch holds it"]
pub struct NewRecord<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp_ms: i64,
    timestamp_type: TimestampType,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

impl<'a> NewRecord<'a> {
    /// Creates a record at `offset` of that partition.
    pub fn new(topic: &'a str, partition: i32, offset: i64) -> Self {
        Self {
            topic,
            partition,
            offset,
            timestamp_ms: RecordEntry::NO_TIMESTAMP,
            timestamp_type: TimestampType::Unknown,
            key: None,
            value: None,
            headers: Vec::new(),
        }
    }

    /// Sets the timestamp, in milliseconds since 1970 (`-1`: none), and the party that set it.
    pub fn timestamp(mut self, millis: i64, set_by: TimestampType) -> Self {
        self.timestamp_ms = millis;
        self.timestamp_type = set_by;
        self
    }

    /// Sets the key's bytes. None means no key, which differs from an empty key.
    pub fn key(mut self, key: impl Into<Option<&'a [u8]>>) -> Self {
        self.key = key.into();
        self
    }

    /// Sets the value's bytes. None means a tombstone, which differs from an empty value.
    pub fn value(mut self, value: impl Into<Option<&'a [u8]>>) -> Self {
        self.value = value.into();
        self
    }

    /// Appends a header; names may repeat, and a value may be null.
    pub fn header(mut self, name: &'a str, value: impl Into<Option<&'a [u8]>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The reason why records cannot form a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The coordinates are invalid: a topic's name against Kafka's rules, or a negative partition or offset.
    #[error(
        "the place {topic:?}, partition {partition}, offset {offset} cannot hold a record: {reason}"
    )]
    #[non_exhaustive]
    Place {
        /// The given topic name.
        topic: String,
        /// The given partition number.
        partition: i32,
        /// The given offset.
        offset: i64,
        /// The expected value.
        reason: String,
    },
    /// The offsets of a partition do not ascend.
    #[error(
        "{partition}: expected an offset above {before}, which the record before has, found {offset}"
    )]
    #[non_exhaustive]
    Order {
        /// The partition.
        partition: TopicPartition,
        /// The offset of the record before.
        before: i64,
        /// The offset of the record.
        offset: i64,
    },
    /// The records exceed the limits of a batch.
    #[error(
        "expected at most {EVENT_RECORDS_MAX} records and {EVENT_BYTES_MAX} bytes of keys, values and headers, found more: make several batches"
    )]
    TooLarge,
}

/// A builder of a batch: see [`Batch::builder`].
#[derive(Debug)]
#[must_use = "a batch is made by `build`"]
pub struct BatchBuilder {
    source: EventSource,
    arena: Vec<u8>,
    headers: Vec<HeaderEntry>,
    places: BTreeMap<(String, i32), usize>,
    partitions: Vec<(PartitionEntry, Vec<RecordEntry>)>,
    records: usize,
}

impl Batch {
    /// Starts a batch of records that the caller has read from a cluster, without Lambda's event. Give it to
    /// [`Invocation::of`](crate::Invocation::of).
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_msk::record::{Batch, BatchError, EventSource, NewRecord};
    /// use lambda_msk::{Consumer, Invocation, Key, Outcome, Value};
    ///
    /// async fn ship(Key(customer): Key<String>, Value(order): Value<String>) {
    ///     println!("{customer}: {order}");
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let consumer = Consumer::builder().topic("orders", ship).build()?;
    /// let batch = Batch::builder(EventSource::self_managed("kafka-1:9092"))
    ///     .record(NewRecord::new("orders", 0, 15).key(&b"c-1"[..]).value(&b"a book"[..]))?
    ///     .build();
    /// let invoked = consumer.invoke(Invocation::of(batch)).await;
    /// assert_eq!(invoked.outcomes(), [Outcome::Done]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(source: EventSource) -> BatchBuilder {
        BatchBuilder {
            source,
            arena: Vec::new(),
            headers: Vec::new(),
            places: BTreeMap::new(),
            partitions: Vec::new(),
            records: 0,
        }
    }
}

impl BatchBuilder {
    /// Appends a record to its partition. Its bytes are copied.
    ///
    /// # Errors
    ///
    /// The record's coordinates are invalid, or the batch is full: see [`BatchError`].
    pub fn record(mut self, record: NewRecord<'_>) -> Result<Self, BatchError> {
        let partition = self.partition(&record)?;
        let (_, records) = &self.partitions[partition];
        if let Some(last) = records.last()
            && record.offset <= last.offset
        {
            return Err(BatchError::Order {
                partition: TopicPartition::new(record.topic, record.partition),
                before: last.offset,
                offset: record.offset,
            });
        }
        let parts = [record.key, record.value].into_iter().flatten();
        let headers = record.headers.iter();
        let headers = headers.map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len));
        let bytes: usize = parts.map(<[u8]>::len).chain(headers).sum();
        // As an event's would be: an offset into the arena has 32 bits.
        if self.records >= EVENT_RECORDS_MAX || self.arena.len() + bytes > EVENT_BYTES_MAX {
            return Err(BatchError::TooLarge);
        }
        self.records += 1;
        let first_header = self.headers.len();
        for (name, value) in record.headers {
            let header = HeaderEntry {
                name: self.put(name.as_bytes()),
                value: value.map(|value| self.put(value)),
            };
            self.headers.push(header);
        }
        let entry = RecordEntry {
            partition: 0,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            timestamp_type: record.timestamp_type,
            key: record.key.map(|key| self.put(key)),
            value: record.value.map(|value| self.put(value)),
            headers: Span::between(first_header, self.headers.len()),
            key_schema: None,
            value_schema: None,
            raw: Span::between(0, 0),
            fault: None,
        };
        self.partitions[partition].1.push(entry);
        Ok(self)
    }

    /// Builds the batch: partition by partition, in the order in which each was first named.
    pub fn build(self) -> Batch {
        let mut partitions = Vec::with_capacity(self.partitions.len());
        let mut records = Vec::with_capacity(self.records);
        for (partition, of_it) in self.partitions {
            // There are no more partitions than records.
            let number = partitions.len() as u32;
            partitions.push(partition);
            records.extend(of_it.into_iter().map(|entry| RecordEntry {
                partition: number,
                ..entry
            }));
        }
        Batch {
            body: Bytes::new(),
            arena: self.arena.into(),
            source: self.source,
            partitions,
            records: records.into(),
            headers: self.headers,
            schemas: Vec::new(),
            faults: Vec::new(),
            redrives: 0,
            disorder: None,
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Span {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        Span::between(start, self.arena.len())
    }

    /// Where the record's partition stands.
    fn partition(&mut self, record: &NewRecord<'_>) -> Result<usize, BatchError> {
        let NewRecord {
            topic,
            partition,
            offset,
            ..
        } = *record;
        let refused = |reason: String| BatchError::Place {
            topic: topic.to_owned(),
            partition,
            offset,
            reason,
        };
        if partition < 0 || offset < 0 {
            let reason = "expected a partition and an offset from 0 up";
            return Err(refused(reason.to_owned()));
        }
        let key = (topic.to_owned(), partition);
        if let Some(place) = self.places.get(&key) {
            return Ok(*place);
        }
        check_topic_name(topic).map_err(refused)?;
        let place = self.partitions.len();
        self.places.insert(key, place);
        let entry = PartitionEntry {
            identifier: Arc::from(format!("{topic}-{partition}")),
            topic_partition: TopicPartition::new(topic, partition),
        };
        self.partitions.push((entry, Vec::new()));
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, BatchError, EventSource, NewRecord};

    fn builder() -> super::BatchBuilder {
        Batch::builder(EventSource::self_managed("kafka-1:9092"))
    }

    fn refused(records: &[(&str, i32, i64)]) -> BatchError {
        let add = |builder: super::BatchBuilder, (topic, partition, offset): &(&str, i32, i64)| {
            builder.record(NewRecord::new(topic, *partition, *offset))
        };
        records.iter().try_fold(builder(), add).unwrap_err()
    }

    #[test]
    fn what_is_no_records_place_is_refused_by_its_name() {
        let said = [
            refused(&[("or ders", 0, 0)]),
            refused(&[("orders", -1, 0)]),
            refused(&[("orders", 0, -1)]),
            refused(&[("orders", 0, 7), ("orders", 1, 7), ("orders", 0, 7)]),
        ]
        .map(|error| error.to_string());

        let place = r#"the place "orders", partition"#;
        assert_eq!(
            said,
            [
                r#"the place "or ders", partition 0, offset 0 cannot hold a record: expected a topic name of 1 to 249 letters, digits, `-`, `_` and `.`, other than `.` and `..`"#.to_owned(),
                format!("{place} -1, offset 0 cannot hold a record: expected a partition and an offset from 0 up"),
                format!("{place} 0, offset -1 cannot hold a record: expected a partition and an offset from 0 up"),
                "orders-0: expected an offset above 7, which the record before has, found 7".to_owned(),
            ]
        );
    }

    #[test]
    fn a_batch_has_at_most_the_bytes_of_an_event() {
        let large = vec![0; crate::limits::EVENT_BYTES_MAX];

        let full = builder()
            .record(NewRecord::new("orders", 0, 0).value(&*large))
            .unwrap();
        let error = full
            .record(NewRecord::new("orders", 0, 1).key(&[0][..]))
            .unwrap_err();

        assert_eq!(error, BatchError::TooLarge);
    }
}

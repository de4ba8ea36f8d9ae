//! One record: its fields in whatever order, then its coordinates against those of its array.

use std::sync::Arc;

use super::error::{self, EventError};
use super::fields::{Field, Stop};
use super::read::{EventReader, Progress};
use super::scan::{Number, Scan};
use super::text::Text;
use crate::limits::{EVENT_RECORDS_MAX, TOPIC_BYTES_MAX};
use crate::partition::TopicPartition;
use crate::record::{Disorder, PartitionEntry, RecordEntry, RecordFault, Span, TimestampType};

/// Containers open around a field of a record.
pub(super) const RECORD_DEPTH: usize = 4;

/// Records that room is made for once the first is read: the rest of the body in records of its length.
const RECORDS_RESERVED_MAX: usize = 65_536;

/// What the fields of one record say, in whatever order they come.
struct Draft<'a> {
    start: usize,
    seen: u16,
    topic: Option<Text<'a>>,
    partition: Option<i32>,
    offset: Option<i64>,
    entry: RecordEntry,
    fault: Option<RecordFault>,
}

impl<'a> EventReader<'a> {
    pub(super) fn record(&mut self, identifier: &Arc<str>, progress: &mut Progress) -> Scan<()> {
        let start = self.cursor.at();
        if self.cursor.token()? != b'{' {
            let what = "an object with topic, partition and offset";
            return Err(self.wrong_type(start, self.cursor.kind(), what));
        }
        if self.batch.records.len() == EVENT_RECORDS_MAX {
            let message = format!(
                "expected at most {EVENT_RECORDS_MAX} records in the event, found more: split it"
            );
            return Err(EventError::at(error::TOO_LARGE, start, message));
        }
        self.cursor.step();
        let mut draft = Draft::new(start);
        let mut first = true;
        while let Some(name) = self.cursor.member(first)? {
            first = false;
            match Field::named(name) {
                Some(field) => self.field(field, &mut draft)?,
                None => self.cursor.skip_value(RECORD_DEPTH)?,
            }
        }
        self.settle(draft, identifier, progress)
    }

    /// Reads one field of a record, or notes why it cannot be read and steps over it.
    #[inline]
    fn field(&mut self, field: Field, draft: &mut Draft<'a>) -> Scan<()> {
        self.path.field = Some(field.name());
        let at = self.cursor.at();
        let (arena, headers) = (self.batch.arena.len(), self.batch.headers.len());
        let read = if draft.seen & field.bit() == 0 || field.is_beside() {
            draft.seen |= field.bit();
            self.value_of(field, draft)
        } else if field.is_coordinate() {
            return Err(self.duplicate(field.name()));
        } else {
            let reason = "the record has a field twice";
            Err(Stop::record("reject.duplicate_field", reason, at))
        };
        match read {
            Ok(()) => {}
            Err(Stop::Event(error)) => return Err(error),
            Err(Stop::Record(stopped)) => {
                if draft.fault.is_none() {
                    draft.fault = Some(RecordFault {
                        code: stopped.code,
                        reason: stopped.reason,
                        path: self.path.to_string(),
                        byte: stopped.byte,
                    });
                }
                self.path.header = None;
                self.batch.arena.truncate(arena);
                self.batch.headers.truncate(headers);
                self.cursor.rewind(at);
                self.cursor.skip_value(RECORD_DEPTH)?;
            }
        }
        self.path.field = None;
        Ok(())
    }

    #[inline]
    fn value_of(&mut self, field: Field, draft: &mut Draft<'a>) -> Result<(), Stop> {
        let entry = &mut draft.entry;
        match field {
            Field::Topic => draft.topic = Some(self.topic()?),
            Field::Partition => {
                let partition =
                    self.coordinate("a whole number from 0 to 2147483647", i32::MAX.into())?;
                draft.partition = i32::try_from(partition).ok();
            }
            Field::Offset => {
                draft.offset = Some(self.coordinate("a whole number from 0", i64::MAX)?);
            }
            Field::Timestamp => entry.timestamp_ms = self.timestamp()?,
            Field::TimestampType => entry.timestamp_type = self.timestamp_type()?,
            Field::Key => entry.key = self.base64(field)?,
            Field::Value => entry.value = self.base64(field)?,
            Field::Headers => entry.headers = self.headers()?,
            Field::KeySchema => entry.key_schema = self.schema()?,
            Field::ValueSchema => entry.value_schema = self.schema()?,
        }
        Ok(())
    }

    fn topic(&mut self) -> Scan<Text<'a>> {
        match self.cursor.token()? {
            b'"' => self.cursor.string(),
            _ => Err(self.wrong_type(self.cursor.at(), self.cursor.kind(), "a string")),
        }
    }

    /// A partition or an offset.
    #[inline]
    fn coordinate(&mut self, what: &'static str, max: i64) -> Scan<i64> {
        let at = self.cursor.at();
        if !matches!(self.cursor.token()?, b'-' | b'0'..=b'9') {
            return Err(self.wrong_type(at, self.cursor.kind(), what));
        }
        match self.cursor.number()? {
            Number::Integer(value) if (0..=max).contains(&value) => Ok(value),
            Number::Fraction => {
                Err(self.wrong_type(at, "a number with a fraction or an exponent", what))
            }
            Number::Integer(_) | Number::Huge => {
                let name = self.path.field.unwrap_or_default();
                let message =
                    format!("expected `{name}` to be {what}, found a number out of range");
                Err(EventError::at(error::OUT_OF_RANGE, at, message))
            }
        }
    }

    /// The record is over: check its coordinates against those of its array and keep it.
    fn settle(
        &mut self,
        draft: Draft<'a>,
        identifier: &Arc<str>,
        progress: &mut Progress,
    ) -> Scan<()> {
        let Draft {
            start,
            topic: Some(topic),
            partition: Some(partition),
            offset: Some(offset),
            ..
        } = draft
        else {
            return Err(self.no_coordinate(&draft));
        };
        let mut entry = draft.entry;
        entry.partition = match progress.partition {
            Some(index) => {
                let expected = &self.batch.partitions[index as usize].topic_partition;
                if partition != expected.partition || !topic.is(expected.topic.as_bytes()) {
                    let message = "expected the topic and partition of the first record in this array, found others: put the record into an array of its own partition";
                    return Err(EventError::at(error::PARTITION_MISMATCH, start, message));
                }
                index
            }
            None => self.new_partition(start, identifier, topic, partition)?,
        };
        if progress.offset.is_some_and(|before| offset <= before) {
            progress.shuffled = true;
        }
        progress.partition = Some(entry.partition);
        progress.offset = Some(offset);
        entry.offset = offset;
        entry.raw = Span::between(start, self.cursor.at());
        if let Some(fault) = draft.fault {
            entry.fault = Some(self.batch.faults.len() as u32);
            self.batch.faults.push(fault);
        }
        let records = &mut self.batch.records;
        if records.is_empty() {
            let more = self.cursor.bytes_left() / entry.raw.len as usize;
            records.reserve(1 + more.min(RECORDS_RESERVED_MAX));
        }
        records.push(entry);
        Ok(())
    }

    /// Puts right an array whose offsets did not ascend: its records into the order of their offsets, and of those that are the same record, one. `from` is the first of them.
    ///
    /// A share group delivers again what was released, behind what it delivered first. From any other cluster such an event is odd, but a refusal would bring the same one again, for
    /// ever.
    #[cold]
    pub(super) fn put_in_order(&mut self, from: usize) -> Scan<()> {
        let mut records = self.batch.records.split_off(from);
        let partition = records[0].partition;
        let sorted = !records.is_sorted_by_key(|entry| entry.offset);
        records.sort_by_key(|entry| entry.offset);
        for pair in records.windows(2) {
            if pair[0].offset == pair[1].offset && !self.is_same(&pair[0], &pair[1]) {
                // Sorting has left the two in the order in which they came.
                return Err(self.duplicate_offset(&records, pair[1].raw.start));
            }
        }
        let came = records.len();
        records.dedup_by_key(|entry| entry.offset);
        let before = self.batch.disorder;
        self.batch.disorder = Some(Disorder {
            partition: before.map_or(partition, |before| before.partition),
            sorted: before.map_or(0, |before| before.sorted) + usize::from(sorted),
            repeats: before.map_or(0, |before| before.repeats) + came - records.len(),
        });
        self.batch.records.append(&mut records);
        Ok(())
    }

    /// Whether two records of one offset are one: equal in timestamp, key, value and headers. What could not be decoded is known by how it came.
    fn is_same(&self, one: &RecordEntry, other: &RecordEntry) -> bool {
        if one.fault.is_some() || other.fault.is_some() {
            let document = self.cursor.document();
            return one.raw.of(document) == other.raw.of(document);
        }
        let arena = &self.batch.arena;
        let bytes = |span: Option<Span>| span.map(|span| span.of(arena));
        let headers = |entry: &RecordEntry| {
            let Span { start, len } = entry.headers;
            let headers = &self.batch.headers[start as usize..(start + len) as usize];
            headers
                .iter()
                .map(|header| (header.name.of(arena), bytes(header.value)))
        };
        (one.timestamp_ms, one.timestamp_type) == (other.timestamp_ms, other.timestamp_type)
            && bytes(one.key) == bytes(other.key)
            && bytes(one.value) == bytes(other.value)
            && headers(one).eq(headers(other))
    }

    /// Two records have this offset, the second of which starts there.
    fn duplicate_offset(&mut self, records: &[RecordEntry], start: u32) -> Box<EventError> {
        let before = records.iter().filter(|entry| entry.raw.start < start);
        self.path.record = Some(before.count());
        self.path.field = Some(Field::Offset.name());
        let message = "expected this offset once in the partition, found two different records with it: one response cannot identify both";
        EventError::at(error::DUPLICATE_OFFSET, start as usize, message)
    }

    fn new_partition(
        &mut self,
        start: usize,
        identifier: &Arc<str>,
        topic: Text<'a>,
        partition: i32,
    ) -> Scan<u32> {
        let topic: Arc<str> = self.event_text(topic, start)?.into();
        if topic.is_empty() || topic.len() > TOPIC_BYTES_MAX {
            self.path.field = Some(Field::Topic.name());
            let message = format!(
                "expected `topic` to be a name of 1 to {TOPIC_BYTES_MAX} bytes, found another length"
            );
            return Err(EventError::at(error::OUT_OF_RANGE, start, message));
        }
        if !self.partitions.insert((Arc::clone(&topic), partition)) {
            let message = "expected the records of one partition in one array, found them in two: merge the arrays, since the order between them is unknown";
            return Err(EventError::at(error::DUPLICATE_PARTITION, start, message));
        }
        let index = self.batch.partitions.len() as u32;
        self.batch.partitions.push(PartitionEntry {
            identifier: Arc::clone(identifier),
            topic_partition: TopicPartition::new(topic, partition),
        });
        Ok(index)
    }

    #[cold]
    fn no_coordinate(&self, draft: &Draft<'a>) -> Box<EventError> {
        let field = match draft {
            Draft { topic: None, .. } => Field::Topic,
            Draft {
                partition: None, ..
            } => Field::Partition,
            _ => Field::Offset,
        };
        let message = format!(
            "expected `{}` in the record, found no such field: the response needs topic, partition and offset",
            field.name()
        );
        EventError::at(error::MISSING_FIELD, draft.start, message)
    }
}

impl Draft<'_> {
    fn new(start: usize) -> Self {
        Self {
            start,
            seen: 0,
            topic: None,
            partition: None,
            offset: None,
            entry: RecordEntry {
                partition: 0,
                offset: 0,
                timestamp_ms: RecordEntry::NO_TIMESTAMP,
                timestamp_type: TimestampType::Unknown,
                key: None,
                value: None,
                headers: Span { start: 0, len: 0 },
                key_schema: None,
                value_schema: None,
                raw: Span { start: 0, len: 0 },
                fault: None,
            },
            fault: None,
        }
    }
}

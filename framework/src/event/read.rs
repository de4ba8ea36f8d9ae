//! A Kafka event, read from the cursor into a batch: one pass, one arena, whatever the order of the fields.
//!
//! Two kinds of fault leave a reader: what makes the event unanswerable is an [`EventError`]; what spoils one record stops the reading of one field, which is then
//! stepped over as any JSON would be.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use super::error::{self, EventError};
use super::fields::{Field, Stop, TopField};
use super::place::Place;
use super::scan::{Cursor, Number, Scan};
use super::text::Text;
use crate::limits::{EVENT_RECORDS_MAX, TOPIC_BYTES_MAX};
use crate::partition::TopicPartition;
use crate::record::{
    Batch, EventSource, EventSourceKind, PartitionEntry, RecordEntry, RecordFault, Span,
    TimestampType,
};

/// Containers open around a field of the event, of a record.
const EVENT_DEPTH: usize = 1;
pub(super) const RECORD_DEPTH: usize = 4;

/// Records that room is made for once the first is read: the rest of the body in records of its length.
const RECORDS_RESERVED_MAX: usize = 65_536;

/// Reads `body`. The batch comes without it.
pub(super) fn batch(body: &[u8]) -> Scan<Batch> {
    let mut reader = Reader::new(body);
    match reader.event() {
        Ok(()) => Ok(reader.batch),
        Err(mut error) => {
            error.path = reader.place.to_string();
            Err(error)
        }
    }
}

pub(super) struct Reader<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) batch: Batch,
    /// Where the cursor is, for errors: kept up to date on the way, as finding it again would be quadratic when many records have a fault.
    pub(super) place: Place,
    source: Option<EventSourceKind>,
    identifiers: HashSet<Arc<str>>,
    partitions: HashSet<(Arc<str>, i32)>,
}

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

/// How far one array of records has come.
#[derive(Default)]
struct Progress {
    partition: Option<u32>,
    offset: Option<i64>,
}

impl<'a> Reader<'a> {
    fn new(body: &'a [u8]) -> Self {
        Self {
            cursor: Cursor::new(body),
            batch: Batch {
                body: Bytes::new(),
                // Base64 and header numbers shrink by a quarter at least; a body that is mostly header names grows the arena once.
                arena: Vec::with_capacity(body.len() / 4 * 3),
                source: EventSource {
                    kind: EventSourceKind::Msk,
                    arn: None,
                    bootstrap_servers: None,
                },
                partitions: Vec::new(),
                records: Vec::new(),
                headers: Vec::new(),
                schemas: Vec::new(),
                faults: Vec::new(),
                redrive: None,
            },
            place: Place::default(),
            source: None,
            identifiers: HashSet::new(),
            partitions: HashSet::new(),
        }
    }

    fn event(&mut self) -> Scan<()> {
        self.open_event()?;
        let mut seen = 0_u8;
        let mut first = true;
        while let Some(name) = self.cursor.member(first)? {
            first = false;
            let Some(field) = TopField::named(name) else {
                self.cursor.skip_value(EVENT_DEPTH)?;
                continue;
            };
            self.place.field = Some(field.name());
            if seen & field.bit() != 0 {
                return Err(self.duplicate(field.name()));
            }
            seen |= field.bit();
            match field {
                TopField::EventSource => self.event_source()?,
                TopField::Arn => self.batch.source.arn = self.optional_string()?,
                TopField::Bootstrap => {
                    self.batch.source.bootstrap_servers = self.optional_string()?
                }
                TopField::Redrive => self.batch.redrive = self.optional_string()?,
                TopField::Records => self.records()?,
            }
            self.place.field = None;
        }
        self.cursor.end()?;
        match self.source {
            Some(kind) => self.batch.source.kind = kind,
            None => return Err(no_source(seen & TopField::Records.bit() != 0)),
        }
        Ok(())
    }

    fn open_event(&mut self) -> Scan<()> {
        match self.cursor.token() {
            Err(_) => Err(EventError::at(
                error::NOT_JSON,
                0,
                "the body is not JSON: it is empty",
            )),
            Ok(b'{') => {
                self.cursor.step();
                Ok(())
            }
            Ok(_) => {
                let (at, kind) = (self.cursor.at(), self.cursor.kind());
                self.cursor.skip_value(0)?;
                self.cursor.end()?;
                let message = format!(
                    "this is {kind}, not a Kafka event: Lambda sends an object with `eventSource` and `records`"
                );
                Err(EventError::at(error::NOT_KAFKA, at, message))
            }
        }
    }

    fn event_source(&mut self) -> Scan<()> {
        let at = self.cursor.at();
        let Some(text) = self.optional_string()? else {
            return Err(self.wrong_type(at, "null", "`aws:kafka` or `SelfManagedKafka`"));
        };
        self.source = Some(match text.as_str() {
            "aws:kafka" => EventSourceKind::Msk,
            // The second form stands in fixtures of other libraries.
            "SelfManagedKafka" | "aws:SelfManagedKafka" => EventSourceKind::SelfManaged,
            _ => {
                let message = "`eventSource` names no Kafka: it must be `aws:kafka` or `SelfManagedKafka`, so look at which trigger calls this function";
                return Err(EventError::at(error::NOT_KAFKA, at, message));
            }
        });
        Ok(())
    }

    /// A string, or None for null.
    fn optional_string(&mut self) -> Scan<Option<String>> {
        let at = self.cursor.at();
        match self.cursor.token()? {
            b'"' => {
                let text = self.cursor.string()?;
                Ok(Some(self.event_text(text, at)?.into_owned()))
            }
            b'n' => self.cursor.word("null").map(|()| None),
            _ => Err(self.wrong_type(at, self.cursor.kind(), "a string")),
        }
    }

    fn records(&mut self) -> Scan<()> {
        let at = self.cursor.at();
        match self.cursor.token()? {
            b'{' => self.cursor.step(),
            b'n' => return self.cursor.word("null"),
            _ => {
                let what = "an object of arrays, one for each partition";
                return Err(self.wrong_type(at, self.cursor.kind(), what));
            }
        }
        let mut first = true;
        loop {
            self.cursor.token()?;
            let comma = usize::from(!first);
            let at = self.cursor.at() + comma;
            let Some(name) = self.cursor.member(first)? else {
                return Ok(());
            };
            first = false;
            let identifier: Arc<str> = self.event_text(name, at)?.into();
            self.place.identifier = Some(Arc::clone(&identifier));
            if !self.identifiers.insert(Arc::clone(&identifier)) {
                let message = "`records` holds this partition twice: one answer cannot speak of both, so merge them";
                return Err(EventError::at(error::DUPLICATE_PARTITION, at, message));
            }
            self.partition(&identifier)?;
            self.place.identifier = None;
        }
    }

    fn partition(&mut self, identifier: &Arc<str>) -> Scan<()> {
        let at = self.cursor.at();
        match self.cursor.token()? {
            b'[' => self.cursor.step(),
            b'n' => return self.cursor.word("null"),
            _ => return Err(self.wrong_type(at, self.cursor.kind(), "an array of records")),
        }
        let mut progress = Progress::default();
        let mut index = 0;
        while self.cursor.element(index == 0)? {
            self.place.record = Some(index);
            self.record(identifier, &mut progress)?;
            index += 1;
        }
        self.place.record = None;
        Ok(())
    }

    fn record(&mut self, identifier: &Arc<str>, progress: &mut Progress) -> Scan<()> {
        let start = self.cursor.at();
        if self.cursor.token()? != b'{' {
            let what = "an object: without coordinates it could not be answered for";
            return Err(self.wrong_type(start, self.cursor.kind(), what));
        }
        if self.batch.records.len() == EVENT_RECORDS_MAX {
            let message =
                format!("the event holds more than {EVENT_RECORDS_MAX} records: split it");
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
        self.place.field = Some(field.name());
        let at = self.cursor.at();
        let (arena, headers) = (self.batch.arena.len(), self.batch.headers.len());
        let read = if draft.seen & field.bit() == 0 {
            draft.seen |= field.bit();
            self.value_of(field, draft)
        } else if field.is_coordinate() {
            return Err(self.duplicate(field.name()));
        } else {
            let reason = "a field stands in the record twice";
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
                        path: self.place.to_string(),
                        byte: stopped.byte,
                    });
                }
                self.place.header = None;
                self.batch.arena.truncate(arena);
                self.batch.headers.truncate(headers);
                self.cursor.rewind(at);
                self.cursor.skip_value(RECORD_DEPTH)?;
            }
        }
        self.place.field = None;
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
                draft.offset = Some(self.coordinate("a whole number from 0", i64::MAX)?)
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
                let name = self.place.field.unwrap_or_default();
                let message = format!("`{name}` is out of range: it must be {what}");
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
                    let message = "the record is of another topic or partition than the first one of its array: an answer for it would be read as one for that partition";
                    return Err(EventError::at(error::PARTITION_MISMATCH, start, message));
                }
                index
            }
            None => self.new_partition(start, identifier, topic, partition)?,
        };
        if progress.offset.is_some_and(|before| offset <= before) {
            self.place.field = Some(Field::Offset.name());
            let message = "the offset is not above the one before it: the records of a partition must come in order, each once";
            return Err(EventError::at(error::OFFSET_NOT_ASCENDING, start, message));
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

    fn new_partition(
        &mut self,
        start: usize,
        identifier: &Arc<str>,
        topic: Text<'a>,
        partition: i32,
    ) -> Scan<u32> {
        let topic: Arc<str> = self.event_text(topic, start)?.into();
        if topic.is_empty() || topic.len() > TOPIC_BYTES_MAX {
            self.place.field = Some(Field::Topic.name());
            let message =
                format!("`topic` is out of range: a topic's name has 1 to {TOPIC_BYTES_MAX} bytes");
            return Err(EventError::at(error::OUT_OF_RANGE, start, message));
        }
        if !self.partitions.insert((Arc::clone(&topic), partition)) {
            let message = "the records of one partition stand in two arrays: their order is lost, so merge them";
            return Err(EventError::at(error::DUPLICATE_PARTITION, start, message));
        }
        let index = self.batch.partitions.len() as u32;
        self.batch.partitions.push(PartitionEntry {
            identifier: Arc::clone(identifier),
            topic_partition: TopicPartition::new(topic, partition),
        });
        Ok(index)
    }

    fn event_text(&self, text: Text<'a>, at: usize) -> Scan<std::borrow::Cow<'a, str>> {
        text.unescaped().map_err(|_| {
            let message = "a string holds half of a surrogate pair, which is no character";
            EventError::at(error::NOT_UTF8, at, message)
        })
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
            "the record has no `{}`: without topic, partition and offset it cannot be answered for",
            field.name()
        );
        EventError::at(error::MISSING_FIELD, draft.start, message)
    }

    #[cold]
    fn duplicate(&self, name: &str) -> Box<EventError> {
        let message = format!("`{name}` stands here twice, and no one can say which counts");
        EventError::at(error::DUPLICATE_FIELD, self.cursor.at(), message)
    }

    #[cold]
    fn wrong_type(&self, at: usize, is: &str, must: &str) -> Box<EventError> {
        let what = self.place.what();
        let message = format!("{what} is {is}; it must be {must}");
        EventError::at(error::WRONG_TYPE, at, message)
    }
}

#[cold]
fn no_source(has_records: bool) -> Box<EventError> {
    if has_records {
        let message =
            "the event has no `eventSource`: it must say `aws:kafka` or `SelfManagedKafka`";
        EventError::at(error::MISSING_FIELD, 0, message)
    } else {
        let message = "this is not a Kafka event: it has neither `eventSource` nor `records`, so look at who calls this function";
        EventError::at(error::NOT_KAFKA, 0, message)
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

//! A Kafka event, read from the cursor into a batch: one pass, one arena, whatever the order of the fields. `record` reads its records.
//!
//! Two kinds of fault leave a reader: what makes the event unanswerable is an [`EventError`]; what spoils one record stops the reading of one field, which is then
//! stepped over as any JSON would be.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use super::error::{self, EventError};
use super::fields::TopField;
use super::form::{Form, Marks};
use super::path::EventPath;
use super::scan::{Cursor, Number, Scan};
use super::text::Text;
use crate::record::{Batch, EventSource, EventSourceKind, HeaderEntry, Redrive, Span, Spare};

/// Containers open around a field of the event.
const EVENT_DEPTH: usize = 1;

/// Reads `body`. The batch comes without it.
pub(super) fn batch(body: &[u8], spare: &Spare) -> Scan<Batch> {
    EventReader::new(body, spare).read()
}

/// As [`batch`], each record by the general way: what the quick one is compared with.
#[cfg(test)]
pub(super) fn batch_by_names(body: &[u8]) -> Scan<Batch> {
    let mut reader = EventReader::new(body, &Spare::default());
    reader.learns = false;
    reader.read()
}

pub(super) struct EventReader<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) batch: Batch,
    /// Where the cursor is, for errors: kept up to date on the way, as finding it again would be quadratic when many records have a fault.
    pub(super) path: EventPath,
    source: Option<EventSourceKind>,
    identifiers: HashSet<Arc<str>>,
    pub(super) partitions: HashSet<(Arc<str>, i32)>,
    /// Whether a record is compared with the one before it.
    pub(super) learns: bool,
    /// Of the record that was read last.
    pub(super) marks: Marks,
    /// The headers of the record before, each with how it is written.
    pub(super) headers_before: Vec<(Span, HeaderEntry)>,
}

/// How far one array of records has come.
#[derive(Default)]
pub(super) struct Progress {
    /// *None: it had no record yet.*
    pub(super) partition: Option<u32>,
    pub(super) offset: Option<i64>,
    /// An offset was not above the one before it.
    pub(super) shuffled: bool,
    pub(super) form: Form,
}

impl Progress {
    /// A record has come.
    #[inline]
    pub(super) fn came(&mut self, offset: i64) {
        if self.offset.is_some_and(|before| offset <= before) {
            self.shuffled = true;
        }
        self.offset = Some(offset);
    }
}

impl<'a> EventReader<'a> {
    fn new(body: &'a [u8], spare: &Spare) -> Self {
        let mut arena = spare.bytes.take();
        // Base64 and header numbers shrink by a quarter at least; a body that is mostly header names grows the arena once.
        arena.reserve(body.len() / 4 * 3);
        Self {
            cursor: Cursor::new(body),
            batch: Batch {
                body: Bytes::new(),
                arena,
                source: EventSource {
                    kind: EventSourceKind::Msk,
                    arn: None,
                    bootstrap_servers: None,
                },
                partitions: Vec::new(),
                records: spare.records.take(),
                headers: Vec::new(),
                schemas: Vec::new(),
                faults: Vec::new(),
                redrive: None,
                disorder: None,
            },
            path: EventPath::default(),
            source: None,
            identifiers: HashSet::new(),
            partitions: HashSet::new(),
            learns: true,
            marks: Marks::default(),
            headers_before: Vec::new(),
        }
    }

    fn read(mut self) -> Scan<Batch> {
        match self.event() {
            Ok(()) => Ok(self.batch),
            Err(mut error) => {
                error.path = self.path.to_string();
                Err(error)
            }
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
            self.path.field = Some(field.name());
            if seen & field.bit() != 0 {
                return Err(self.duplicate(field.name()));
            }
            seen |= field.bit();
            match field {
                TopField::EventSource => self.event_source()?,
                TopField::Arn => self.batch.source.arn = self.optional_string()?,
                TopField::Bootstrap => {
                    self.batch.source.bootstrap_servers = self.brokers()?;
                }
                TopField::Redrive => self.batch.redrive = self.redrive()?,
                TopField::Records => self.records()?,
            }
            self.path.field = None;
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
                    "this is {kind}, not a Kafka event: expected an object with `eventSource` and `records`"
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
                let message = "expected `eventSource` to be `aws:kafka` or `SelfManagedKafka`, found another source: check which trigger invokes this function";
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

    /// The mark of a dead letter that is fed back: its id alone, or an object with the id and the count of redrives. *None: there is no mark.*
    fn redrive(&mut self) -> Scan<Option<Redrive>> {
        let at = self.cursor.at();
        match self.cursor.token()? {
            b'{' => self.cursor.step(),
            b'"' | b'n' => return Ok(self.optional_string()?.map(|_| Redrive { count: 1 })),
            _ => {
                let what = "a string, or an object with `id` and `count`";
                return Err(self.wrong_type(at, self.cursor.kind(), what));
            }
        }
        let mut count = 1;
        let mut first = true;
        while let Some(name) = self.cursor.member(first)? {
            first = false;
            if name.is(b"count") {
                count = self.redrives()?;
            } else {
                self.cursor.skip_value(EVENT_DEPTH + 1)?;
            }
        }
        Ok(Some(Redrive { count }))
    }

    /// At least 1: the event that is read is a redrive.
    fn redrives(&mut self) -> Scan<u32> {
        let at = self.cursor.at();
        let token = self.cursor.token()?;
        if !matches!(token, b'-' | b'0'..=b'9') {
            return Err(self.wrong_type(at, self.cursor.kind(), "a whole number"));
        }
        match self.cursor.number()? {
            Number::Integer(count) => Ok(u32::try_from(count.max(1)).unwrap_or(u32::MAX)),
            Number::Huge => Ok(u32::MAX),
            Number::Fraction => Err(self.wrong_type(at, "a fraction", "a whole number")),
        }
    }

    /// Not needed to answer for a record: anything but text is as if nothing stood there.
    fn brokers(&mut self) -> Scan<Option<String>> {
        if self.cursor.token()? != b'"' {
            self.cursor.skip_value(EVENT_DEPTH)?;
            return Ok(None);
        }
        let text = self.cursor.string()?;
        Ok(text.unescaped().ok().map(std::borrow::Cow::into_owned))
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
        while let Some(name) = self.cursor.member(first)? {
            first = false;
            let at = self.cursor.name_at();
            let identifier: Arc<str> = self.event_text(name, at)?.into();
            self.path.identifier = Some(Arc::clone(&identifier));
            if !self.identifiers.insert(Arc::clone(&identifier)) {
                let message = "expected this partition once in `records`, found it twice: merge the two, since one response cannot identify records of both";
                return Err(EventError::at(error::DUPLICATE_PARTITION, at, message));
            }
            self.partition(&identifier)?;
            self.path.identifier = None;
        }
        Ok(())
    }

    fn partition(&mut self, identifier: &Arc<str>) -> Scan<()> {
        let at = self.cursor.at();
        match self.cursor.token()? {
            b'[' => self.cursor.step(),
            b'n' => return self.cursor.word("null"),
            _ => return Err(self.wrong_type(at, self.cursor.kind(), "an array of records")),
        }
        let mut progress = Progress::default();
        let from = self.batch.records.len();
        let mut index = 0;
        while self.cursor.element(index == 0)? {
            self.path.record = Some(index);
            if !self.record_alike(&mut progress) {
                self.record(identifier, &mut progress)?;
            }
            index += 1;
        }
        self.path.record = None;
        if progress.shuffled {
            self.put_in_order(from)?;
        }
        Ok(())
    }

    pub(super) fn event_text(&self, text: Text<'a>, at: usize) -> Scan<std::borrow::Cow<'a, str>> {
        text.unescaped().map_err(|_| {
            let message = "expected Unicode text in a string, found half of a surrogate pair";
            EventError::at(error::NOT_UTF8, at, message)
        })
    }

    #[cold]
    pub(super) fn duplicate(&self, name: &str) -> Box<EventError> {
        let message = format!("expected `{name}` once, found it twice: remove one");
        EventError::at(error::DUPLICATE_FIELD, self.cursor.name_at(), message)
    }

    #[cold]
    pub(super) fn wrong_type(&self, at: usize, is: &str, must: &str) -> Box<EventError> {
        let what = self.path.what();
        let message = format!("expected {what} to be {must}, found {is}");
        EventError::at(error::WRONG_TYPE, at, message)
    }
}

#[cold]
fn no_source(has_records: bool) -> Box<EventError> {
    if has_records {
        let message =
            "expected `eventSource` to be `aws:kafka` or `SelfManagedKafka`, found no such field";
        EventError::at(error::MISSING_FIELD, 0, message)
    } else {
        let message = "this is not a Kafka event: it has neither `eventSource` nor `records`, so check which trigger invokes this function";
        EventError::at(error::NOT_KAFKA, 0, message)
    }
}

//! The fields of a record: timestamp, key, value, headers, schemas. A fault in one of them spoils its record and no other; in a side field not even that.

use std::borrow::Cow;

use super::base64;
use super::fields::{Field, Stop};
use super::read::EventReader;
use super::record::RECORD_DEPTH;
use super::scan::{Number, Scan};
use crate::record::{HeaderEntry, RecordEntry, SchemaMetadata, Span, TimestampType};

/// Schemas that a new one is compared with before it is kept: a mapping has one topic, so a batch has few.
const SCHEMAS_COMPARED_MAX: usize = 8;

impl<'a> EventReader<'a> {
    #[inline]
    pub(super) fn timestamp(&mut self) -> Result<i64, Stop> {
        let at = self.cursor.at();
        match self.cursor.token()? {
            b'n' => {
                self.cursor.word("null")?;
                return Ok(RecordEntry::NO_TIMESTAMP);
            }
            b'-' | b'0'..=b'9' => {
                if let Number::Integer(millis) = self.cursor.number()? {
                    return Ok(millis);
                }
            }
            _ => {}
        }
        let reason = "the timestamp is not a 64-bit whole number of milliseconds";
        Err(Stop::record("reject.timestamp", reason, at))
    }

    /// Anything but the two names that Kafka has is Unknown: no reason to lose a record.
    #[inline]
    pub(super) fn timestamp_type(&mut self) -> Scan<TimestampType> {
        if self.cursor.token()? != b'"' {
            self.cursor.skip_value(RECORD_DEPTH)?;
            return Ok(TimestampType::Unknown);
        }
        let text = self.cursor.string()?;
        Ok(if text.is(b"CREATE_TIME") {
            TimestampType::CreateTime
        } else if text.is(b"LOG_APPEND_TIME") {
            TimestampType::LogAppendTime
        } else {
            TimestampType::Unknown
        })
    }

    /// A key or a value.
    #[inline]
    pub(super) fn base64(&mut self, field: Field) -> Result<Option<Span>, Stop> {
        let at = self.cursor.at();
        match self.cursor.token()? {
            b'"' => {}
            b'n' => {
                self.cursor.word("null")?;
                return Ok(None);
            }
            _ => {
                let reason = "a key or value is neither a string nor null";
                return Err(Stop::record("reject.wrong_type", reason, at));
            }
        }
        let start = self.batch.arena.len();
        // What decodes is of the alphabet, and so holds no escape, no control character and nothing but ASCII: it needs no other check.
        if let Some(text) = self.cursor.guess_string()
            && base64::append(text, &mut self.batch.arena)
        {
            return Ok(Some(Span::between(start, self.batch.arena.len())));
        }
        self.cursor.rewind(at);
        let text = self.cursor.string()?;
        if text.escaped
            && let Ok(text) = text.unescaped()
            && base64::append(text.as_bytes(), &mut self.batch.arena)
        {
            return Ok(Some(Span::between(start, self.batch.arena.len())));
        }
        let (code, reason) = match field {
            Field::Key => ("reject.key_not_base64", "the key is not base64"),
            _ => ("reject.value_not_base64", "the value is not base64"),
        };
        Err(Stop::record(code, reason, at))
    }

    pub(super) fn headers(&mut self) -> Result<Span, Stop> {
        let start = self.batch.headers.len();
        let at = self.cursor.at();
        match self.cursor.token()? {
            b'[' => self.cursor.step(),
            b'n' => {
                self.cursor.word("null")?;
                return Ok(Span::between(start, start));
            }
            _ => return Err(bad_header("the headers are neither an array nor null", at)),
        }
        let mut index = 0;
        while self.cursor.element(index == 0)? {
            self.path.header = Some(index);
            self.header()?;
            index += 1;
        }
        self.path.header = None;
        Ok(Span::between(start, self.batch.headers.len()))
    }

    #[inline]
    fn header(&mut self) -> Result<(), Stop> {
        let at = self.cursor.at();
        if self.cursor.token()? != b'{' {
            return Err(bad_header("a header is not an object", at));
        }
        self.cursor.step();
        let Some(name) = self.cursor.member(true)? else {
            return Err(bad_header("a header has no name", at));
        };
        let start = self.batch.arena.len();
        if name.append_to(&mut self.batch.arena).is_err() {
            return Err(bad_header("a header's name is not Unicode text", at));
        }
        let name = Span::between(start, self.batch.arena.len());
        let value = self.header_value()?;
        if self.cursor.member(false)?.is_some() {
            return Err(bad_header("a header's object has more than one entry", at));
        }
        self.batch.headers.push(HeaderEntry { name, value });
        Ok(())
    }

    /// Numbers, each a byte: Java's are signed, emulators' are not, and the low eight bits are the same.
    #[inline]
    fn header_value(&mut self) -> Result<Option<Span>, Stop> {
        let at = self.cursor.at();
        match self.cursor.token()? {
            b'[' => self.cursor.step(),
            b'n' => {
                self.cursor.word("null")?;
                return Ok(None);
            }
            _ => {
                return Err(bad_header(
                    "a header's value is neither an array of bytes nor null",
                    at,
                ));
            }
        }
        let start = self.batch.arena.len();
        let mut first = true;
        while self.cursor.element(first)? {
            first = false;
            let at = self.cursor.at();
            let byte = match self.cursor.plain_byte() {
                Some(byte) => i64::from(byte),
                None => self.header_byte(at)?,
            };
            if !(-128..=255).contains(&byte) {
                return Err(bad_header(
                    "a header's value contains a number that is not a byte (-128 to 255)",
                    at,
                ));
            }
            self.batch.arena.push(byte as u8);
        }
        Ok(Some(Span::between(start, self.batch.arena.len())))
    }

    /// A byte in any other form than digits with a comma or bracket right behind.
    #[cold]
    fn header_byte(&mut self, at: usize) -> Result<i64, Stop> {
        if matches!(self.cursor.token()?, b'-' | b'0'..=b'9')
            && let Number::Integer(byte) = self.cursor.number()?
        {
            return Ok(byte);
        }
        Err(bad_header(
            "a header's value contains something other than whole numbers",
            at,
        ))
    }

    /// The schema of a key or value: what can be read of it. Few handlers ask for it, so no shape of it spoils the record.
    pub(super) fn schema(&mut self) -> Scan<Option<u32>> {
        if self.cursor.token()? != b'{' {
            self.cursor.skip_value(RECORD_DEPTH)?;
            return Ok(None);
        }
        self.cursor.step();
        let (mut format, mut id) = (None, None);
        let mut first = true;
        while let Some(name) = self.cursor.member(first)? {
            first = false;
            if name.is(b"dataFormat") {
                format = self.side_text(false)?;
            } else if name.is(b"schemaId") {
                id = self.side_text(true)?;
            } else {
                self.cursor.skip_value(RECORD_DEPTH + 1)?;
            }
        }
        if format.is_none() && id.is_none() {
            return Ok(None);
        }
        let schemas = &mut self.batch.schemas;
        let same = |schema: &SchemaMetadata| {
            schema.data_format.as_deref() == format.as_deref()
                && schema.schema_id.as_deref() == id.as_deref()
        };
        let last = schemas.len().saturating_sub(SCHEMAS_COMPARED_MAX);
        if let Some(index) = schemas[last..].iter().position(same) {
            return Ok(Some((last + index) as u32));
        }
        schemas.push(SchemaMetadata {
            data_format: format.map(Cow::into_owned),
            schema_id: id.map(Cow::into_owned),
        });
        Ok(Some((schemas.len() - 1) as u32))
    }

    /// A text inside a schema's metadata, or the digits of a number where one may stand for it. *None: something else.*
    fn side_text(&mut self, or_number: bool) -> Scan<Option<Cow<'a, str>>> {
        let start = self.cursor.at();
        match self.cursor.token()? {
            b'"' => Ok(self.cursor.string()?.unescaped().ok()),
            b'-' | b'0'..=b'9' if or_number => {
                self.cursor.number()?;
                let digits = std::str::from_utf8(self.cursor.since(start));
                Ok(digits.ok().map(Cow::Borrowed))
            }
            _ => {
                self.cursor.skip_value(RECORD_DEPTH + 1)?;
                Ok(None)
            }
        }
    }
}

#[cold]
fn bad_header(reason: &'static str, at: usize) -> Stop {
    Stop::record("reject.headers", reason, at)
}

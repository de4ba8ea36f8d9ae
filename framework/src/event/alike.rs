//! Records that are written as the one before them: the same fields in the same order, with the same bytes between what differs. Lambda writes all records of a partition so. Such a
//! record is read without a look at the names of its fields; any other one is left to `record`, which is told nothing.
//!
//! What is compared byte for byte was read by `record` in the record before, at the same place of the same grammar: so it is JSON here as it was there.

use super::fields::Field;
use super::read::{EventReader, Progress};
use super::scan::Number;
use crate::limits::EVENT_RECORDS_MAX;
use crate::record::{RecordEntry, Span};

/// Fields that differ from record to record; the others are a part of what is compared.
const VARIABLE_MAX: usize = 5;

/// Records in a row that were not alike, after which no more is tried in an array: a try costs little, but not nothing.
const MISSES_MAX: u32 = 8;

/// Where the fields of the last record stood.
#[derive(Default)]
pub(super) struct Marks {
    fields: [Option<Mark>; VARIABLE_MAX],
    len: usize,
}

#[derive(Clone, Copy)]
struct Mark {
    field: Field,
    start: usize,
    end: usize,
}

/// How the records of an array are written.
#[derive(Default)]
pub(super) struct Form {
    steps: [Option<Step>; VARIABLE_MAX],
    /// Behind the last field, up to the record's end.
    rest: Span,
    /// With what is the same in all.
    entry: Option<RecordEntry>,
    misses: u32,
}

/// What stands before a field, and the field.
#[derive(Clone, Copy)]
struct Step {
    before: Span,
    field: Field,
}

impl Marks {
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Notes where a field that differs from record to record has its value.
    #[inline]
    pub(super) fn note(&mut self, field: Field, start: usize, end: usize) {
        if field.is_variable()
            && let Some(place) = self.fields.get_mut(self.len)
        {
            *place = Some(Mark { field, start, end });
            self.len += 1;
        }
    }
}

impl Form {
    /// Learns how the record `entry`, which has just been read whole, is written.
    pub(super) fn learn(&mut self, marks: &Marks, entry: &RecordEntry) {
        self.entry = None;
        if entry.fault.is_some() || self.misses >= MISSES_MAX {
            return;
        }
        let mut at = entry.raw.start as usize;
        self.steps = [None; VARIABLE_MAX];
        let marks = marks.fields.iter().take(marks.len).flatten();
        for (step, mark) in self.steps.iter_mut().zip(marks) {
            *step = Some(Step {
                before: Span::between(at, mark.start),
                field: mark.field,
            });
            at = mark.end;
        }
        self.rest = Span::between(at, entry.raw.end());
        self.entry = Some(*entry);
    }
}

impl EventReader<'_> {
    /// Reads a record that is written as the one before it. False: it is not, and nothing has happened.
    #[inline]
    pub(super) fn record_alike(&mut self, progress: &mut Progress) -> bool {
        let Some(entry) = progress.form.entry else {
            return false;
        };
        let start = self.cursor.at();
        let (arena, headers) = (self.batch.arena.len(), self.batch.headers.len());
        let entry = self.alike(&progress.form, entry);
        let room = self.batch.records.len() < EVENT_RECORDS_MAX;
        let Some(mut entry) = entry.filter(|_| room) else {
            self.cursor.rewind(start);
            self.batch.arena.truncate(arena);
            self.batch.headers.truncate(headers);
            self.path.header = None;
            self.headers_before.clear();
            progress.form.misses += 1;
            return false;
        };
        progress.form.misses = 0;
        entry.raw = Span::between(start, self.cursor.at());
        progress.came(entry.offset);
        self.batch.records.push(entry);
        true
    }

    /// *None: it is written otherwise, or has a fault.*
    #[inline]
    fn alike(&mut self, form: &Form, mut entry: RecordEntry) -> Option<RecordEntry> {
        for step in form.steps.iter().map_while(Option::as_ref) {
            self.cursor.step_over(step.before)?;
            match step.field {
                Field::Offset => {
                    entry.offset = self.whole_number().filter(|offset| *offset >= 0)?
                }
                Field::Timestamp => entry.timestamp_ms = self.whole_number()?,
                Field::Key | Field::Value => {
                    let bytes = self.base64(step.field).ok()?;
                    match step.field {
                        Field::Key => entry.key = bytes,
                        _ => entry.value = bytes,
                    }
                }
                Field::Headers => entry.headers = self.headers().ok()?,
                _ => return None,
            }
        }
        self.cursor.step_over(form.rest)?;
        Some(entry)
    }

    #[inline]
    fn whole_number(&mut self) -> Option<i64> {
        if !matches!(self.cursor.peek()?, b'-' | b'0'..=b'9') {
            return None;
        }
        match self.cursor.number().ok()? {
            Number::Integer(number) => Some(number),
            Number::Huge | Number::Fraction => None,
        }
    }
}

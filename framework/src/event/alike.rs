//! Records that are written as the one before them: the same fields in the same order, with the same bytes between what differs. Lambda writes all records of a partition so. Such a
//! record is read without a look at the names of its fields; any other one is left to `record`, which is told nothing.
//!
//! What is compared byte for byte was read by `record` in the record before, at the same place of the same grammar: so it is JSON here as it was there.

use super::fields::Field;
use super::form::Form;
use super::read::{EventReader, Progress};
use super::scan::Number;
use crate::limits::EVENT_RECORDS_MAX;
use crate::record::{RecordEntry, Span};

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
                    entry.offset = self.whole_number().filter(|offset| *offset >= 0)?;
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

//! How the records of an array are written: where the fields stand that differ from record to record, and what stands between them. Learned from a record that was read whole, by `record`;
//! read by `alike`.

use super::fields::Field;
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
    pub(super) steps: [Option<Step>; VARIABLE_MAX],
    /// Behind the last field, up to the record's end.
    pub(super) rest: Span,
    /// With what is the same in all.
    pub(super) entry: Option<RecordEntry>,
    pub(super) misses: u32,
}

/// What stands before a field, and the field.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) before: Span,
    pub(super) field: Field,
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

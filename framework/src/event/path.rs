//! Where in the event the reader stands, and how an error says it. Only the event's own names are shown, never a user's.

use std::fmt;
use std::sync::Arc;

/// Longest part of a partition's identifier that a path shows. Kafka's longest topic name is 249 bytes; anything beyond is not Kafka's.
const IDENTIFIER_CHARS_MAX: usize = 64;

/// None everywhere: the event as a whole.
#[derive(Default)]
pub(super) struct EventPath {
    /// A key of `records`.
    pub(super) identifier: Option<Arc<str>>,
    /// The place in that array.
    pub(super) record: Option<usize>,
    /// A field of the record, or of the event while no record is being read.
    pub(super) field: Option<&'static str>,
    /// The place in `headers`.
    pub(super) header: Option<usize>,
}

impl EventPath {
    /// What stands here, for the start of a sentence.
    pub(super) fn what(&self) -> String {
        match self {
            EventPath {
                record: Some(_),
                field: None,
                ..
            } => "the record".to_owned(),
            EventPath {
                identifier: Some(_),
                record: None,
                ..
            } => "the partition".to_owned(),
            EventPath {
                field: Some(field), ..
            } => format!("`{field}`"),
            EventPath { .. } => "the event".to_owned(),
        }
    }
}

impl fmt::Display for EventPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(identifier) = &self.identifier else {
            return f.write_str(self.field.unwrap_or_default());
        };
        let mut shown = identifier.chars();
        write!(
            f,
            "records[\"{}",
            shown
                .by_ref()
                .take(IDENTIFIER_CHARS_MAX)
                .collect::<String>()
                .escape_debug()
        )?;
        f.write_str(if shown.next().is_some() {
            "…\"]"
        } else {
            "\"]"
        })?;
        if let Some(record) = self.record {
            write!(f, "[{record}]")?;
            if let Some(field) = self.field {
                write!(f, ".{field}")?;
            }
        }
        if let Some(header) = self.header {
            write!(f, "[{header}]")?;
        }
        Ok(())
    }
}

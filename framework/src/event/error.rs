//! The error of a refused event: a code, a place, and a message with the cure.

use std::borrow::Cow;
use std::fmt;

use crate::limits::EVENT_BYTES_MAX;

/// The reason why a whole event cannot be read. The error ends the invocation, so Lambda redelivers the batch, or gives it up by the mapping's own rules.
///
/// A fault in one record only is a [`RecordFault`](crate::record::RecordFault) and does not affect the others.
/// The error contains no payload, only names of the event's own fields and partitions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", Ending(path, *byte))]
pub struct EventError {
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
    pub(super) path: String,
    pub(super) byte: usize,
}

impl EventError {
    /// The kind of fault: `event.truncated`. Codes are stable: filter logs by them.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The path in the event: `records["orders-0"][3].offset`. Empty: the event as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The byte position in the event, counted from 0.
    pub fn byte(&self) -> usize {
        self.byte
    }
}

/// The end of the message.
struct Ending<'a>(&'a str, usize);

impl fmt::Display for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending("", byte) => write!(f, " (at byte {byte} of the event)"),
            Ending(path, byte) => write!(f, " (at `{path}`, byte {byte} of the event)"),
        }
    }
}

pub(super) const NOT_JSON: &str = "event.not_json";
pub(super) const NOT_UTF8: &str = "event.not_utf8";
pub(super) const TRUNCATED: &str = "event.truncated";
pub(super) const TOO_DEEP: &str = "event.too_deep";
pub(super) const TOO_LARGE: &str = "event.too_large";
pub(super) const NOT_KAFKA: &str = "event.not_kafka";
pub(super) const WRONG_TYPE: &str = "event.wrong_type";
pub(super) const OUT_OF_RANGE: &str = "event.out_of_range";
pub(super) const MISSING_FIELD: &str = "event.missing_field";
pub(super) const DUPLICATE_FIELD: &str = "event.duplicate_field";
pub(super) const DUPLICATE_PARTITION: &str = "event.duplicate_partition";
pub(super) const PARTITION_MISMATCH: &str = "event.partition_mismatch";
pub(super) const DUPLICATE_OFFSET: &str = "event.duplicate_offset";

impl EventError {
    /// The path is filled in by `read`, which knows where it stands. Boxed, so that the way without errors moves one word.
    #[cold]
    #[inline(never)]
    pub(super) fn at(
        code: &'static str,
        byte: usize,
        message: impl Into<Cow<'static, str>>,
    ) -> Box<Self> {
        Box::new(Self {
            code,
            message: message.into(),
            path: String::new(),
            byte,
        })
    }

    pub(super) fn too_many_bytes(len: usize) -> Self {
        *Self::at(
            TOO_LARGE,
            0,
            format!(
                "expected an event of at most {EVENT_BYTES_MAX} bytes, found {len}: split it (Lambda itself sends at most 6 MB)"
            ),
        )
    }

    pub(super) fn other_source(name: &str, cure: &str) -> Self {
        *Self::at(
            NOT_KAFKA,
            0,
            format!("this is {name}, not a Kafka event: {cure}"),
        )
    }

    /// Whether the body is not even JSON, so that nothing can be said about what it was meant to be.
    pub(super) fn is_about_json(&self) -> bool {
        [NOT_JSON, NOT_UTF8, TRUNCATED, TOO_DEEP].contains(&self.code)
    }
}

//! The fields of the event and of a record, by name.

use super::error::EventError;
use super::text::Text;

/// Why a field was not read to its end.
pub(super) enum Stop {
    /// The event is lost.
    Event(Box<EventError>),
    /// The record is, and only it.
    Record(Box<Stopped>),
}

pub(super) struct Stopped {
    pub(super) code: &'static str,
    pub(super) reason: &'static str,
    pub(super) byte: usize,
}

impl Stop {
    #[cold]
    #[inline(never)]
    pub(super) fn record(code: &'static str, reason: &'static str, byte: usize) -> Self {
        Self::Record(Box::new(Stopped { code, reason, byte }))
    }
}

impl From<Box<EventError>> for Stop {
    fn from(error: Box<EventError>) -> Self {
        Self::Event(error)
    }
}

/// A field of the event itself.
#[derive(Clone, Copy)]
pub(super) enum TopField {
    EventSource,
    Arn,
    Bootstrap,
    Records,
    Redrive,
}

impl TopField {
    const ALL: [Self; 5] = [
        Self::EventSource,
        Self::Arn,
        Self::Bootstrap,
        Self::Records,
        Self::Redrive,
    ];

    pub(super) fn named(name: Text<'_>) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|field| name.is(field.name().as_bytes()))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::EventSource => "eventSource",
            Self::Arn => "eventSourceArn",
            Self::Bootstrap => "bootstrapServers",
            Self::Records => "records",
            Self::Redrive => "redrive",
        }
    }

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A field of a record.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Topic,
    Partition,
    Offset,
    Timestamp,
    TimestampType,
    Key,
    Value,
    Headers,
    KeySchema,
    ValueSchema,
}

impl Field {
    const ALL: [Self; 10] = [
        Self::Topic,
        Self::Partition,
        Self::Offset,
        Self::Timestamp,
        Self::TimestampType,
        Self::Key,
        Self::Value,
        Self::Headers,
        Self::KeySchema,
        Self::ValueSchema,
    ];

    #[inline]
    pub(super) fn named(name: Text<'_>) -> Option<Self> {
        Some(match name.raw {
            b"topic" => Self::Topic,
            b"partition" => Self::Partition,
            b"offset" => Self::Offset,
            b"timestamp" => Self::Timestamp,
            b"timestampType" => Self::TimestampType,
            b"key" => Self::Key,
            b"value" => Self::Value,
            b"headers" => Self::Headers,
            b"keySchemaMetadata" => Self::KeySchema,
            b"valueSchemaMetadata" => Self::ValueSchema,
            _ if name.escaped => {
                return Self::ALL
                    .into_iter()
                    .find(|field| name.is(field.name().as_bytes()));
            }
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Partition => "partition",
            Self::Offset => "offset",
            Self::Timestamp => "timestamp",
            Self::TimestampType => "timestampType",
            Self::Key => "key",
            Self::Value => "value",
            Self::Headers => "headers",
            Self::KeySchema => "keySchemaMetadata",
            Self::ValueSchema => "valueSchemaMetadata",
        }
    }

    pub(super) fn bit(self) -> u16 {
        1 << self as u16
    }

    /// Whether it differs from record to record of a partition.
    #[inline]
    pub(super) fn is_variable(self) -> bool {
        matches!(
            self,
            Self::Offset | Self::Timestamp | Self::Key | Self::Value | Self::Headers
        )
    }

    /// Without these three a record cannot be named in the answer, so a fault in one is a fault of the event.
    pub(super) fn is_coordinate(self) -> bool {
        matches!(self, Self::Topic | Self::Partition | Self::Offset)
    }

    /// What stands beside a record and few handlers ask for: nothing in it, not even a second one, costs the record. The last one counts.
    pub(super) fn is_beside(self) -> bool {
        matches!(
            self,
            Self::TimestampType | Self::KeySchema | Self::ValueSchema
        )
    }
}

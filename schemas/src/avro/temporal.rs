//! The logical types of dates and times, by name. A word of `schema` and of `plan`.

/// The logical types of dates and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temporal {
    Date,
    TimeMillis,
    TimeMicros,
    TimestampMillis,
    TimestampMicros,
    TimestampNanos,
    LocalTimestampMillis,
    LocalTimestampMicros,
    LocalTimestampNanos,
}

impl Temporal {
    /// The same numbers mean the same, but for the time zone.
    pub(super) fn counts_as(self, other: Self) -> bool {
        self.zoned() == other.zoned()
    }

    fn zoned(self) -> Self {
        match self {
            Self::LocalTimestampMillis => Self::TimestampMillis,
            Self::LocalTimestampMicros => Self::TimestampMicros,
            Self::LocalTimestampNanos => Self::TimestampNanos,
            other => other,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::TimeMillis => "time-millis",
            Self::TimeMicros => "time-micros",
            Self::TimestampMillis => "timestamp-millis",
            Self::TimestampMicros => "timestamp-micros",
            Self::TimestampNanos => "timestamp-nanos",
            Self::LocalTimestampMillis => "local-timestamp-millis",
            Self::LocalTimestampMicros => "local-timestamp-micros",
            Self::LocalTimestampNanos => "local-timestamp-nanos",
        }
    }
}

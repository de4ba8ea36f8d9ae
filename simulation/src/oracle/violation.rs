//! What a run may break, and one promise that was broken.

use std::fmt;

/// The promises that a run may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// A committed record was done, is at the destination, or was given up under the mapping's rules.
    NothingLost,
    /// A record of a lane starts only after the records before it were settled.
    Order,
    /// A record that is recorded as settled is not started by a later owner of its partition.
    Once,
    /// An invocation starts no record of a partition that another one has taken.
    OneOwner,
    /// The response lists exactly the records that are neither settled nor skipped, in time.
    Answer,
    /// Without faults all records are done in the end, and a partition is released as soon as it is settled.
    Live,
    /// A handler starts at most once a record.
    AtMostOnce,
    /// A done record is recorded soon, and before the response.
    Recorded,
    /// No other invocation takes a partition or claim from an invocation that met no fault.
    Held,
    /// The first record of an opened partition gets its turn.
    Reached,
    /// A write that lost a race is retried at once, and an invocation ends with its last record.
    Prompt,
    /// A letter does not say that a handler was started, unless it was.
    Truth,
    /// A record that fails its calls costs few of them until it stands alone, and its neighbours end as they would without it.
    Halved,
    /// The outcomes in an invocation's metrics add up to its records, and its retries to the tries beyond the first.
    Counted,
    /// A registry's outage neither rejects a record nor is remembered, a schema is there before its record's turn, and each is asked for once a process.
    Schemas,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingLost => "nothing lost",
            Self::Order => "order",
            Self::Once => "once",
            Self::OneOwner => "one owner",
            Self::Answer => "answer",
            Self::Live => "live",
            Self::AtMostOnce => "at most once",
            Self::Recorded => "recorded",
            Self::Held => "held",
            Self::Reached => "reached",
            Self::Prompt => "prompt",
            Self::Truth => "truth",
            Self::Halved => "halved",
            Self::Counted => "counted",
            Self::Schemas => "schemas",
        })
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The time at which it was found, milliseconds since the run began.
    pub at_ms: u64,
    /// The promise.
    pub invariant: Invariant,
    /// The violation in words.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at_ms,
            invariant,
            text,
        } = self;
        write!(f, "{at_ms} ms: {invariant}: {text}")
    }
}

//! What a run may break, and one promise that was broken.

use std::fmt;

/// What a run may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// A committed record was done, is at the destination, or was given up under the mapping's rules.
    NothingLost,
    /// A record of a lane first starts when those before it were settled.
    Order,
    /// What is recorded as settled is not started by whoever takes the partition later.
    Once,
    /// Nobody starts anything of a partition that another one has taken.
    OneOwner,
    /// The answer names exactly what is neither settled nor skipped, in time.
    Answer,
    /// Without faults everything is done in the end, and a partition is given back as soon as it is settled.
    Live,
    /// A handler starts at most once a record.
    AtMostOnce,
    /// What is done is recorded soon, and before the answer.
    Recorded,
    /// Nobody takes what an invocation holds that has met no fault.
    Held,
    /// A partition that is opened has its turn.
    Reached,
    /// A write that lost a race is tried again at once, and an invocation ends with its last record.
    Prompt,
    /// A letter says of no handler that it was started, unless it was.
    Truth,
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
        })
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When it showed, milliseconds since the run began.
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

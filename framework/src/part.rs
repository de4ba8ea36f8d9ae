//! The parts of a record that have bytes: key and value. Read by `schemas` and `extract`.

use std::fmt;

/// The part of the record whose bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The key, for [`Key`](crate::Key).
    Key,
    /// The value, for [`Value`](crate::Value).
    Value,
}

impl Part {
    /// The code of the rejection if these bytes cannot be read: `reject.key`, `reject.value`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Key => "reject.key",
            Self::Value => "reject.value",
        }
    }

    /// The extractor that reads them.
    pub(crate) fn extractor(self) -> &'static str {
        match self {
            Self::Key => "Key",
            Self::Value => "Value",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key",
            Self::Value => "value",
        })
    }
}

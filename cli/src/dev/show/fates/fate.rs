//! How a record ended that was not done. Told by `fates`.

use crate::function::said::{Place, Reason};

/// How a record ended that was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Rejected,
    GivenUp,
    /// The mapping gave it up, and it is nowhere.
    Dropped,
    /// The function skipped it without a letter, or listed it to a mapping that does not read the list.
    Lost,
    /// It was tried, and is not settled.
    Failed,
}

impl Fate {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::GivenUp => "given up",
            Self::Dropped => "dropped",
            Self::Lost => "lost",
            Self::Failed => "failed",
        }
    }
}

/// A record that was not done, for a table or a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) place: Place,
    pub(crate) fate: Fate,
    pub(crate) reason: Reason,
}

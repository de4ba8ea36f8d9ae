//! Why a handler's arguments could not be taken. Made by `handler` and `batch`, read by `process`.

use crate::failure::{Failure, Next, Rejection};

/// Why a handler's arguments could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// The record cannot be read so.
    Rejected(Rejection),
    /// The extractor of this type panicked. The text of its panic is left out: it may quote what was being read.
    Panicked(&'static str),
}

impl NotTaken {
    /// An extractor has panicked.
    pub(crate) const PANICKED: &'static str = "extractor.panicked";
}

impl From<NotTaken> for Failure {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Rejected(rejection) => {
                let Rejection { code, next, .. } = rejection;
                match next {
                    Next::Reject => Self::reject(rejection).code(code),
                    Next::Retry => Self::retry(rejection).code(code),
                }
            }
            NotTaken::Panicked(argument) => {
                let why = format!(
                    "the extractor `{argument}` panicked: see standard error for the place in the code"
                );
                Self::retry(why).code(NotTaken::PANICKED)
            }
        }
    }
}

//! What a build that checks no records has in the place of `checks`.

use std::convert::Infallible;

use crate::driver::setup::Setup;

/// There is none.
pub(super) struct Validation;

/// No check ever ends.
pub(super) type Outcome = Infallible;

impl Validation {
    pub(super) fn of(_: &mut Setup) -> Option<Self> {
        None
    }
}

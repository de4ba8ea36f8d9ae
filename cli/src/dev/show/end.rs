//! How a run ended, as it is shown.

use super::nothing::Why;
use crate::verdict::Verdict;

/// How a run ended.
pub(crate) struct End<'a> {
    pub(crate) verdict: Verdict,
    /// Why a mapping read nothing, if one did.
    pub(crate) nothing: &'a [Why],
}

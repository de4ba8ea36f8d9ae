//! All faults of a filter at once.

use std::error::Error;
use std::fmt;

/// Every fault in the patterns of a filter, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    faults: Vec<FilterFault>,
}

/// One fault in a pattern, or in what holds the patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterFault {
    /// The place: a path from the `FilterCriteria` into the pattern, `Filters[0].Pattern: value.kind[1].prefix`.
    pub place: String,
    /// The fault, and what to write instead.
    pub reason: String,
}

impl FilterFault {
    pub(super) fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            reason: reason.into(),
        }
    }
}

impl FilterError {
    /// `Err` if there are any.
    pub(super) fn of(faults: Vec<FilterFault>) -> Result<(), Self> {
        if faults.is_empty() {
            return Ok(());
        }
        Err(Self { faults })
    }

    pub(super) fn one(fault: FilterFault) -> Self {
        Self {
            faults: vec![fault],
        }
    }

    /// Each fault, in the order of the patterns.
    pub fn faults(&self) -> &[FilterFault] {
        &self.faults
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.faults.len() {
            1 => f.write_str("1 fault in the filter: ")?,
            count => write!(f, "{count} faults in the filter: ")?,
        }
        for (index, FilterFault { place, reason }) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{place}: {reason}")?;
        }
        Ok(())
    }
}

impl Error for FilterError {}

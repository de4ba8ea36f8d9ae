//! What is the same for all claims of an invocation. Made by `claims`, read by each `claim`.

use std::time::Duration;

use crate::idempotency::lease::now_ms;
use crate::idempotency::per_record::PerRecord;
use crate::idempotency::terms::Terms;
use crate::idempotency::words::Guarantee;
use crate::limits::AT_MOST_ONCE_MARK_MS;

#[derive(Debug)]
pub(super) struct ClaimTerms<'a> {
    pub(super) terms: &'a Terms,
    pub(super) per_record: &'a PerRecord,
    pub(super) guarantee: Guarantee,
}

impl ClaimTerms<'_> {
    pub(super) fn is_at_most_once(&self) -> bool {
        self.guarantee == Guarantee::AtMostOnce
    }

    /// Until when an item is kept that is written now, seconds since 1970.
    pub(super) fn expires_s(&self) -> u64 {
        let given = self.per_record.expiry().unwrap_or(self.terms.age);
        let least = match self.guarantee {
            // What has expired is free: not before it is given back.
            Guarantee::AtLeastOnce => self.terms.times.lease * 2,
            Guarantee::AtMostOnce => Duration::from_millis(AT_MOST_ONCE_MARK_MS),
        };
        now_ms(&self.terms.clock) / 1000 + given.max(least).as_secs()
    }
}

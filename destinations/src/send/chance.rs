//! Random numbers, to spread waits.

use std::hash::{BuildHasher, RandomState};
#[cfg(any(feature = "sqs", feature = "sns", feature = "s3", feature = "krafka"))]
use std::time::Duration;

#[cfg(any(feature = "sqs", feature = "sns", feature = "s3", feature = "krafka"))]
use crate::limits::{SEND_BACKOFF_BASE_MS, SEND_BACKOFF_MAX_MS};

/// A number from one to the bound. The standard library seeds each of its hashers anew.
pub(super) fn up_to(bound: u64) -> u64 {
    RandomState::new().hash_one(bound) % bound.max(1) + 1
}

/// Between half and the whole of a bound that doubles.
#[cfg(any(feature = "sqs", feature = "sns", feature = "s3", feature = "krafka"))]
pub(super) fn back_off(tried: u32) -> Duration {
    let doubled = SEND_BACKOFF_BASE_MS.saturating_mul(1 << tried.min(16));
    let bound = doubled.min(SEND_BACKOFF_MAX_MS);
    Duration::from_millis(bound / 2 + up_to(bound / 2))
}

//! Random numbers, to spread waits.

use std::hash::{BuildHasher, RandomState};

/// A number from one to the bound. The standard library seeds each of its hashers anew.
pub(super) fn up_to(bound: u64) -> u64 {
    RandomState::new().hash_one(bound) % bound.max(1) + 1
}

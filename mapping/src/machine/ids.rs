//! Names of what goes out of the machine and is answered later.

use std::fmt;

/// One of the mapping's pollers: a member of the consumer group. Whoever drives the machine numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PollerId(pub u32);

/// An invocation. No two of one machine have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvocationId(pub(super) u64);

/// Discarded records on their way to the destination. No two of one machine have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub(super) u64);

impl InvocationId {
    /// The number behind it: the first is 0.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl DeliveryId {
    /// The number behind it: the first is 0.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for PollerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "poller {}", self.0)
    }
}

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invocation {}", self.0)
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delivery {}", self.0)
    }
}

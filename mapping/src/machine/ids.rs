//! Identifiers of outputs that are answered later.

use std::fmt;

/// One of the mapping's pollers: a member of the consumer group. The driver numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PollerId(pub u32);

/// The identifier of an invocation, unique within one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvocationId(pub(super) u64);

/// The identifier of a delivery of discarded records to the destination, unique within one machine.
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

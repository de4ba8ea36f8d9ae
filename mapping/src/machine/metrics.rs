//! The machine's counts and status: for views and tests.

use super::ids::PollerId;
use crate::record::TopicPartition;

/// Counts of records since the start, named as the mapping's metrics in CloudWatch, and of invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// `PolledEventCount`.
    pub polled: u64,
    /// `FilteredOutEventCount`.
    pub filtered_out: u64,
    /// `SchemaRegistryErrorCount`: records that failed the check by their schemas. Each is also among the dropped or the delivered ones, once that is known.
    pub invalid: u64,
    /// `InvokedEventCount`: each attempt of a record counts.
    pub invoked: u64,
    /// `FailedInvokeEventCount`: records of invocations that ended in an error, a crash, a time-out or a throttle, and
    /// records that a response listed.
    pub failed_invoke: u64,
    /// `DroppedEventCount`.
    pub dropped: u64,
    /// `OnFailureDestinationDeliveredEventCount`.
    pub delivered: u64,
    /// `CommittedEventCount`: settled records below a committed position, filtered ones included. Queue mode: accepted
    /// and rejected ones.
    pub committed: u64,
    /// Invocations, repeated ones included.
    pub invocations: u64,
    /// Invocations that ended in an error, a crash, a time-out or a throttle.
    pub failed_invocations: u64,
}

/// The status of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionStatus {
    /// The poller.
    pub poller: PollerId,
    /// The partition.
    pub partition: TopicPartition,
    /// Records that wait for their first batch.
    pub waiting: usize,
    /// Records in an invocation that is under way.
    pub in_flight: usize,
    /// Records that wait for their next attempt.
    pub retrying: usize,
    /// Records on their way to the destination.
    pub delivering: usize,
    /// Whether its polling is paused.
    pub paused: bool,
    /// The next offset to poll. None: not known yet.
    pub position: Option<i64>,
    /// The committed offset. None: nothing is committed.
    pub committed: Option<i64>,
}

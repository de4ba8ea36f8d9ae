//! What ends a driver, or keeps it from starting.

use std::error::Error as StdError;

use super::destination::Undelivered;
use crate::error::Error as InvokeError;
use crate::machine::Faults;

/// Why the mapping does not run. What passes is tried again and told as a [`Notice::Trouble`](super::Notice::Trouble).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Lambda would refuse these settings.
    #[error("Lambda would refuse the mapping")]
    Configuration(#[from] Faults),
    /// The cluster is not read: a setting, a broker that does not answer or refuses us, a topic that is missing.
    #[error(transparent)]
    Kafka(#[from] msk_kafka::Error),
    /// A run that was to end once everything is settled cannot settle it: nothing was read or committed for a while.
    #[error(
        "{left} records of `{topic}` are not done, and nothing was read or committed for {seconds} s; this run has {owned} of {partitions} partitions, other members of the group `{group}` may have the others"
    )]
    Stalled {
        /// The topic.
        topic: String,
        /// The consumer group.
        group: String,
        /// How many offsets the group has not committed.
        left: i64,
        /// How many partitions the topic has.
        partitions: usize,
        /// How many of them this run has.
        owned: usize,
        /// For how long.
        seconds: u64,
    },
    /// What would be given up has nowhere to go.
    #[error("the destination {name} does not take records")]
    Destination {
        /// Its name, as it [describes](super::Destination::describe) itself.
        name: String,
        /// Its reason.
        source: Undelivered,
    },
    /// The function never started.
    #[error("the function does not start")]
    Function {
        /// The system's reason.
        source: InvokeError,
    },
    /// This build cannot read a share group.
    #[error("Queue mode needs a share group: build msk-mapping with the feature `share`")]
    QueueMode,
    /// The share group cannot be joined.
    #[error("the share group cannot be joined")]
    Share {
        /// The client's reason.
        source: Box<dyn StdError + Send + Sync>,
    },
}

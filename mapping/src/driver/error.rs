//! Errors that end a driver, or keep it from starting.

use std::error::Error as StdError;

use super::destination::Undelivered;
use crate::error::Error as InvokeError;
use crate::machine::Faults;

/// Why the mapping does not run. A transient fault is retried, and reported as a [`Notice::Trouble`](super::Notice::Trouble).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Lambda would refuse these settings.
    #[error("Lambda would refuse the mapping")]
    Configuration(#[from] Faults),
    /// The cluster cannot be read: a wrong setting, a broker that does not answer or refuses access, a missing topic.
    #[error(transparent)]
    Kafka(#[from] msk_kafka::Error),
    /// A run until it is caught up does not come to its end: nothing was read or committed for a while.
    #[error(
        "{left} records of `{topic}` are not done, and nothing was read or committed for {seconds} s; this run has {owned} of {partitions} partitions, other members of the group `{group}` may have the others"
    )]
    Stalled {
        /// The topic.
        topic: String,
        /// The consumer group.
        group: String,
        /// The number of offsets that the group has not committed.
        left: i64,
        /// The number of partitions of the topic.
        partitions: usize,
        /// The number of them that this run has.
        owned: usize,
        /// The time without progress, in seconds.
        seconds: u64,
    },
    /// The destination for given-up records does not accept any.
    #[error("the destination {name} does not accept records")]
    Destination {
        /// The destination's name, as it [describes](super::Destination::describe) itself.
        name: String,
        /// The reason.
        source: Undelivered,
    },
    /// The function never started.
    #[error("the function does not start")]
    Function {
        /// The system's reason.
        source: InvokeError,
    },
    /// The schema registry cannot be asked, so records wait that nobody can check.
    #[error("records of `{topic}` wait for their schemas, and for {seconds} s none could be had")]
    SchemaRegistry {
        /// The topic.
        topic: String,
        /// The time since the registry answered last, in seconds.
        seconds: u64,
        /// The registry, its fault and the cure.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The configuration has a `SchemaRegistryConfig`, and the driver has no registry to ask.
    #[error(
        "the mapping checks records by schemas, but has no registry to ask: build msk-mapping with the feature `schemas`, and give the driver a registry"
    )]
    NoSchemaRegistry,
    /// This build cannot read a share group.
    #[error("this build cannot read a share group: build msk-mapping with the feature `share`")]
    QueueMode,
    /// The share group cannot be joined.
    #[error("cannot join the share group")]
    Share {
        /// The client's reason.
        source: Box<dyn StdError + Send + Sync>,
    },
}

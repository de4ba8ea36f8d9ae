//! What ends a driver, or keeps it from starting.

use std::error::Error as StdError;

use rdkafka::error::KafkaError;

use super::{Refusal, SecurityFault};
use crate::machine::Faults;

/// Why the mapping does not run. What passes is tried again and told as a [`Notice::Trouble`](super::Notice::Trouble).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Lambda would refuse these settings.
    #[error("Lambda would refuse the mapping")]
    Configuration(#[from] Faults),
    /// librdkafka does not start with these settings.
    #[error("the Kafka client does not start")]
    Client {
        /// Its reason.
        source: KafkaError,
    },
    /// A setting is not one of librdkafka's, or its value is none that it takes.
    #[error("the setting `{name}` is refused: {reason}")]
    Setting {
        /// Its name.
        name: String,
        /// librdkafka's or the system's reason, without the value, which may be a secret.
        reason: String,
    },
    /// A setting that the driver makes itself: another value would have no effect.
    #[error("the driver sets `{name}` itself: {instead}")]
    Owned {
        /// Its name.
        name: &'static str,
        /// What there is in its place.
        instead: &'static str,
    },
    /// A setting of TLS or SASL cannot be meant, or this build cannot do it.
    #[error("the setting `{name}`: {fault}")]
    Security {
        /// librdkafka's name of it.
        name: String,
        /// What is wrong with it.
        fault: SecurityFault,
    },
    /// No broker answered.
    #[error("no broker answers at {bootstrap}")]
    Unreachable {
        /// The brokers that were asked.
        bootstrap: String,
        /// The client's reason.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A broker answered, and says that the brokers are where none can be reached.
    #[error(
        "the cluster at {bootstrap} answers, and says that its broker is at {address} (`advertised.listeners`), which cannot be reached"
    )]
    Advertised {
        /// The brokers that were asked.
        bootstrap: String,
        /// Where the first broker of the cluster is, as the cluster says.
        address: String,
        /// The system's reason: the name is unknown, or nobody answers there.
        source: std::io::Error,
    },
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
    /// A broker answered, and does not let the client in.
    #[error("the cluster at {bootstrap} refuses this client")]
    Refused {
        /// The brokers that were asked.
        bootstrap: String,
        /// What it does not take.
        refusal: Refusal,
        /// The client's reason.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The cluster has no such topic.
    #[error("the cluster has no topic `{topic}`")]
    UnknownTopic {
        /// Its name.
        topic: String,
    },
    /// A record was not written.
    #[error("cannot write to the topic `{topic}`")]
    Produce {
        /// The topic.
        topic: String,
        /// The client's reason.
        source: KafkaError,
    },
    /// What would be given up has nowhere to go.
    #[error("the destination {name} does not take records")]
    Destination {
        /// Its name, as it [describes](super::Destination::describe) itself.
        name: String,
        /// Its reason.
        source: super::Undelivered,
    },
    /// The function never started.
    #[error("the function does not start")]
    Function {
        /// The system's reason.
        source: crate::error::Error,
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
    /// A share group's client is not librdkafka, and has less of TLS and SASL.
    #[error("in Queue mode the setting `{name}` is not supported")]
    ShareSetting {
        /// librdkafka's name of the setting.
        name: String,
    },
}

impl Error {
    /// Whether a record was not written because it is larger than the client's `message.max.bytes`, or than the broker
    /// takes.
    pub fn is_too_large(&self) -> bool {
        let too_large = rdkafka::types::RDKafkaErrorCode::MessageSizeTooLarge;
        matches!(self, Self::Produce { source, .. } if source.rdkafka_error_code() == Some(too_large))
    }
}

/// A client that does not start. What librdkafka says of a setting may repeat its value: that stays here.
pub(super) fn client(source: KafkaError) -> Error {
    match source {
        KafkaError::ClientConfig(_, reason, name, value) => {
            let reason = if value.is_empty() || name.contains(&value) {
                reason
            } else {
                reason.replace(&value, "…")
            };
            Error::Setting { name, reason }
        }
        source => Error::Client { source },
    }
}

#[cfg(test)]
mod tests {
    use crate::driver::Cluster;

    #[test]
    fn a_setting_that_is_refused_is_named_without_its_value() {
        for name in ["nonsense", "broker.address.family"] {
            let cluster = Cluster::new("127.0.0.1:9").set(name, "s3cret");

            let refused = cluster.check().unwrap_err();

            let text = format!("{refused} {refused:?}");
            assert!(text.contains(name) && !text.contains("s3cret"), "{text}");
        }
    }
}

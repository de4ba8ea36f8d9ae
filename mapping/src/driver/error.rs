//! What ends a driver, or keeps it from starting.

use rdkafka::error::KafkaError;

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
    /// No broker answered.
    #[error("no broker answers at {bootstrap}")]
    Unreachable {
        /// The brokers that were asked.
        bootstrap: String,
        /// The client's reason.
        source: KafkaError,
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
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A share group's client is not librdkafka, and speaks to the broker in the clear.
    #[error(
        "in Queue mode a broker is reached without TLS and SASL: the setting `{name}` does not apply"
    )]
    ShareSetting {
        /// librdkafka's name of the setting.
        name: String,
    },
}

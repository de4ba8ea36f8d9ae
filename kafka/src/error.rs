//! What keeps a client from its work.

use std::error::Error as StdError;

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use crate::fault::SecurityFault;
use crate::refusal::Refusal;

/// Why a cluster is not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// librdkafka does not start with these settings.
    #[error("the Kafka client does not start")]
    Client {
        /// Its reason.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A setting is not one of librdkafka's, or its value is none that it takes.
    #[error("the setting `{name}` is refused: {reason}")]
    Setting {
        /// Its name.
        name: String,
        /// librdkafka's or the system's reason, without the value, which may be a secret.
        reason: String,
    },
    /// A setting that its reader makes itself: another value would have no effect.
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
    /// A client that does not start. What librdkafka says of a setting may repeat its value: that stays here.
    pub fn client(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source = source.into();
        match source.downcast_ref::<KafkaError>() {
            Some(KafkaError::ClientConfig(_, reason, name, value)) => {
                let reason = if value.is_empty() || name.contains(value) {
                    reason.clone()
                } else {
                    reason.replace(value, "…")
                };
                let name = name.clone();
                Self::Setting { name, reason }
            }
            _ => Self::Client { source },
        }
    }

    /// Whether a record was not written because it is larger than the client's `message.max.bytes`, or than the broker
    /// takes.
    pub fn is_too_large(&self) -> bool {
        let Self::Produce { source, .. } = self else {
            return false;
        };
        let of_client = source.downcast_ref::<KafkaError>();
        let code = of_client.and_then(KafkaError::rdkafka_error_code);
        code == Some(RDKafkaErrorCode::MessageSizeTooLarge)
    }
}

#[cfg(test)]
mod tests {
    use crate::cluster::Cluster;

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

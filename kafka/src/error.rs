//! Errors of the Kafka clients.

use std::error::Error as StdError;

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use crate::fault::SecurityFault;
use crate::refusal::Refusal;

/// The reason why a cluster cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// librdkafka does not start with these settings.
    #[error("cannot start the Kafka client")]
    Client {
        /// librdkafka's reason.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// librdkafka does not know the setting, or does not accept its value.
    #[error("the setting `{name}` is refused: {reason}")]
    Setting {
        /// Its name.
        name: String,
        /// The reason of librdkafka or the system, without the value, which may be a secret.
        reason: String,
    },
    /// A setting that the driver sets itself: another value would have no effect.
    #[error("the driver sets `{name}` itself: {instead}")]
    Owned {
        /// Its name.
        name: &'static str,
        /// The reason, or the setting to use instead.
        instead: &'static str,
    },
    /// A setting of TLS or SASL is invalid, or this build does not support it.
    #[error("the setting `{name}`: {fault}")]
    Security {
        /// librdkafka's name of the setting.
        name: String,
        /// The fault.
        fault: SecurityFault,
    },
    /// No broker responded.
    #[error("no broker responds at {bootstrap}")]
    Unreachable {
        /// The brokers that were asked.
        bootstrap: String,
        /// The client's reason.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A broker responded, but the advertised addresses of the cluster's brokers cannot be reached.
    #[error(
        "the cluster at {bootstrap} responds, but its broker's advertised address {address} cannot be reached: correct `advertised.listeners`"
    )]
    Advertised {
        /// The brokers that were asked.
        bootstrap: String,
        /// The advertised address of the cluster's first broker.
        address: String,
        /// The system's reason: the name is unknown, or the connection fails.
        source: std::io::Error,
    },
    /// A broker responded, but refuses the client.
    #[error("the cluster at {bootstrap} refuses this client")]
    Refused {
        /// The brokers that were asked.
        bootstrap: String,
        /// The kind of refusal.
        refusal: Refusal,
        /// What to check ([`Cluster::cure`](crate::Cluster::cure)).
        cure: String,
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
    /// The client of share groups is not librdkafka, and supports fewer settings of TLS and SASL.
    #[error("in Queue mode the setting `{name}` is not supported")]
    ShareSetting {
        /// librdkafka's name of the setting.
        name: String,
    },
}

impl Error {
    /// Creates the error of a client that does not start. librdkafka's text may repeat a setting's value, so it is left out.
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

    /// Returns true if the record is larger than the client's `message.max.bytes`, or than the broker
    /// accepts.
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

//! The reasons why no broker has confirmed a record, with their cures. Made by `record`; its text goes to logs.

use krafka::KrafkaError;
use krafka::error::ErrorCode;

use crate::address::Security;

/// The reason why no broker has confirmed a record.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It was not sent: the time was up before.
    #[error("no time was left to send the letter to `kafka://{topic}`")]
    NotSent {
        /// The topic.
        topic: String,
    },
    /// No broker confirmed it in time.
    #[error(
        "no broker confirmed the letter for `kafka://{topic}` in the time left; the topic may have it{advice}"
    )]
    NoAnswer {
        /// The topic.
        topic: String,
        /// The cure; may be empty.
        advice: String,
    },
    /// The topic does not exist.
    #[error(
        "the topic `{topic}` does not exist on its cluster: create it, or check the name and the brokers"
    )]
    NoTopic {
        /// The topic.
        topic: String,
    },
    /// The record is larger than the topic takes.
    #[error(
        "expected a record of at most `max.message.bytes` of the topic `{topic}` (Kafka's default: 1048588), found {bytes} bytes: raise it, or set LAMBDA_MSK_ON_FAILURE_LARGE=s3://BUCKET/PREFIX, which takes such letters"
    )]
    TooLarge {
        /// The topic.
        topic: String,
        /// Its key, value and headers.
        bytes: usize,
    },
    /// No try will succeed.
    #[error("the cluster of `kafka://{topic}` refused the letter: {why}{advice}")]
    Refused {
        /// The topic.
        topic: String,
        /// The client's words.
        why: String,
        /// The cure; may be empty.
        advice: &'static str,
    },
    /// A later try may succeed.
    #[error(
        "the cluster of `kafka://{topic}` could not confirm the letter, and the time for retries is up: {why}{advice}"
    )]
    Unable {
        /// The topic.
        topic: String,
        /// The client's words.
        why: String,
        /// The cure; may be empty.
        advice: String,
    },
}

impl RecordError {
    pub(super) fn not_sent(topic: &str) -> Self {
        let topic = topic.to_owned();
        Self::NotSent { topic }
    }

    pub(super) fn no_answer(topic: &str) -> Self {
        let topic = topic.to_owned();
        let advice = String::new();
        Self::NoAnswer { topic, advice }
    }

    /// With the cure for brokers that speak otherwise than was guessed.
    pub(super) fn after_a_guess(mut self, security: Security) -> Self {
        if let Self::NoAnswer { advice, .. } | Self::Unable { advice, .. } = &mut self {
            *advice = format!(
                "; the brokers' port suggests `security={}`: if they speak otherwise, name it in the address, `?security=plaintext`, `ssl` or `iam`",
                security.name()
            );
        }
        self
    }

    /// A retry would not help.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Self::Unable { .. })
    }

    pub(super) fn of(topic: &str, bytes: usize, error: &KrafkaError) -> Self {
        let topic = topic.to_owned();
        let why = error.to_string();
        let advice = String::new();
        let refused = |advice| Self::Refused {
            topic: topic.clone(),
            why: why.clone(),
            advice,
        };
        match error {
            KrafkaError::UnknownTopic { .. } => Self::NoTopic { topic },
            KrafkaError::Auth { .. } => refused(
                "; check the cluster's authentication: `?security=iam` needs `kafka-cluster:Connect`, and credentials in the environment",
            ),
            KrafkaError::Config { .. } | KrafkaError::Serialization { .. } => refused(""),
            KrafkaError::Broker { code, .. } => match code {
                // krafka has asked for half of the delivery time: a broker that has just started knows its topics by then.
                ErrorCode::UnknownTopicOrPartition => Self::NoTopic { topic },
                ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => {
                    Self::TooLarge { topic, bytes }
                }
                ErrorCode::TopicAuthorizationFailed => refused(
                    "; the function's identity needs `kafka-cluster:WriteData` and `kafka-cluster:DescribeTopic` on the topic, or Kafka's ACLs Write and Describe",
                ),
                ErrorCode::ClusterAuthorizationFailed => refused(
                    "; the function's identity needs `kafka-cluster:Connect` and `kafka-cluster:WriteDataIdempotently` on the cluster, or Kafka's ACL IdempotentWrite",
                ),
                ErrorCode::SaslAuthenticationFailed => {
                    refused("; the function's role needs `kafka-cluster:Connect` on the cluster")
                }
                ErrorCode::PolicyViolation | ErrorCode::InvalidRecord => refused(""),
                _ => Self::Unable { topic, why, advice },
            },
            _ => Self::Unable { topic, why, advice },
        }
    }
}

#[cfg(test)]
mod tests {
    use krafka::KrafkaError;

    use super::{ErrorCode, RecordError, Security};

    fn of(error: &KrafkaError) -> RecordError {
        RecordError::of("dead", 1_500_000, error)
    }

    #[test]
    fn a_write_that_may_have_happened_is_no_confirmation_and_is_tried_again() {
        let error = of(&KrafkaError::DeliveryTimeout {
            possibly_written: true,
            message: "gone".to_owned(),
        });

        assert!(!error.is_final());
    }

    #[test]
    fn only_a_guessed_security_is_named_by_who_could_not_be_reached() {
        let error = of(&KrafkaError::timeout("a connection"));
        let final_one = of(&KrafkaError::config("no"));

        assert!(!error.to_string().contains("security="), "{error}");
        let guessed = error.after_a_guess(Security::Plaintext);
        let text = guessed.to_string();
        assert!(text.contains("`security=plaintext`"), "{text}");
        assert!(
            text.contains("`?security=plaintext`, `ssl` or `iam`"),
            "{text}"
        );
        assert!(!guessed.is_final());
        let text = final_one.after_a_guess(Security::Ssl).to_string();
        assert!(!text.contains("security="), "{text}");
    }

    #[test]
    fn a_refusal_names_the_permission_that_is_missing() {
        for (code, permission) in [
            (
                ErrorCode::TopicAuthorizationFailed,
                "`kafka-cluster:WriteData`",
            ),
            (
                ErrorCode::ClusterAuthorizationFailed,
                "`kafka-cluster:WriteDataIdempotently`",
            ),
            (
                ErrorCode::SaslAuthenticationFailed,
                "`kafka-cluster:Connect`",
            ),
        ] {
            let message = String::new();
            let error = of(&KrafkaError::Broker { code, message });

            assert!(error.is_final());
            assert!(error.to_string().contains(permission), "{error}");
        }
    }

    #[test]
    fn a_record_that_is_too_large_says_its_size_and_what_limits_it() {
        let code = ErrorCode::MessageTooLarge;
        let message = String::new();
        let error = of(&KrafkaError::Broker { code, message }).to_string();

        assert!(
            error.contains("1500000 bytes") && error.contains("`max.message.bytes`"),
            "{error}"
        );
    }
}

//! The reason why a cluster refuses a client, read from librdkafka's errors.

use std::error::Error as StdError;

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

/// The reason why a cluster refuses a client, for its operator or the owner of the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The broker does not accept the credentials or the mechanism.
    Authentication,
    /// The TLS handshake fails: a certificate is not trusted, is missing, or has expired.
    Tls,
    /// The user is known, but lacks the permission.
    Authorization,
}

impl Refusal {
    /// The settings to check, by librdkafka's names.
    pub fn check(self) -> &'static str {
        match self {
            Self::Authentication => {
                "check sasl.mechanism, sasl.username and sasl.password (or the client's certificate)"
            }
            Self::Tls => {
                "check ssl.ca.location, and for mutual TLS ssl.certificate.location and ssl.key.location"
            }
            Self::Authorization => "check the user's permissions for the topic and the group",
        }
    }

    /// The permissions that an identity of AWS may lack. None: no identity is refused.
    #[cfg(feature = "iam")]
    pub(crate) fn iam_permissions(self) -> Option<&'static str> {
        match self {
            Self::Authentication => {
                Some("kafka-cluster:Connect on the cluster, and the cluster's region must be right")
            }
            Self::Authorization => Some(
                "kafka-cluster:DescribeTopic and kafka-cluster:ReadData on the topic, kafka-cluster:DescribeGroup and kafka-cluster:AlterGroup on the group, and to write kafka-cluster:WriteData",
            ),
            Self::Tls => None,
        }
    }

    /// Reads the refusal from a call-back of librdkafka. None: an error of another kind, which may pass by itself.
    pub fn heard(error: &(dyn StdError + 'static), reason: &str) -> Option<Self> {
        // With TLS 1.3 a broker looks at the client's certificate once the client takes the connection to be there.
        if reason.contains("SSL alert number") {
            return Some(Self::Tls);
        }
        Self::of(error)
    }

    /// Reads the refusal from librdkafka's error alone. None: an error of another kind, or not librdkafka's.
    pub fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let error = error.downcast_ref::<KafkaError>()?;
        error.rdkafka_error_code().and_then(Self::of_code)
    }

    pub(crate) fn of_code(code: RDKafkaErrorCode) -> Option<Self> {
        match code {
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => {
                Some(Self::Authentication)
            }
            RDKafkaErrorCode::SSL => Some(Self::Tls),
            RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed => Some(Self::Authorization),
            _ => None,
        }
    }
}

/// librdkafka's reason without the duration of its state, which differs each time: so the same problem is
/// reported once.
pub fn reason(said: &str) -> String {
    let lasting = said.ends_with(')').then(|| said.rfind(" (after "));
    said[..lasting.flatten().unwrap_or(said.len())].to_owned()
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn the_same_trouble_has_the_same_words() {
        let said = [
            "b:9: Disconnected (after 302ms in state AUTH_REQ)",
            "b:9: Disconnected (after 9ms in state UP, 3 identical error(s) suppressed)",
            "b:9: Disconnected",
        ];

        assert_eq!(said.map(reason), ["b:9: Disconnected"; 3]);
    }
}

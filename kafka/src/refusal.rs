//! Why a cluster does not let a client in, read from librdkafka's errors.

use std::error::Error as StdError;

use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

/// Why a cluster does not let a client in: what its operator, or the owner of the credentials, has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The broker does not take the credentials, or the mechanism.
    Authentication,
    /// TLS does not come about: a certificate is not trusted, is missing, or is past its time.
    Tls,
    /// The user is known, and may not do this.
    Authorization,
}

impl Refusal {
    /// What to check, by librdkafka's names.
    pub fn check(self) -> &'static str {
        match self {
            Self::Authentication => {
                "check sasl.mechanism, sasl.username and sasl.password (or the client's certificate)"
            }
            Self::Tls => {
                "check ssl.ca.location, and for mutual TLS ssl.certificate.location and ssl.key.location"
            }
            Self::Authorization => "check what the user may do with the topic and the group",
        }
    }

    /// What librdkafka calls back with. None: an error of another kind, which may pass by itself.
    pub fn heard(error: &(dyn StdError + 'static), reason: &str) -> Option<Self> {
        // With TLS 1.3 a broker looks at the client's certificate once the client takes the connection to be there.
        if reason.contains("SSL alert number") {
            return Some(Self::Tls);
        }
        Self::of(error)
    }

    /// By librdkafka's error alone. None: an error of another kind, or not librdkafka's.
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

/// What librdkafka says, without how long it was in which state: that is another time each time, and the same trouble is
/// told once.
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

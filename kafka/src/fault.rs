//! What is wrong with a setting of TLS or SASL. Said by `security`, before anything connects.

/// What is wrong with a setting of TLS or SASL. None shows its value, which may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityFault {
    /// It needs OpenSSL, which is not in this build: the feature `tls`.
    #[error("it needs TLS, which this build does not have")]
    NoTls,
    /// `security.protocol` is none that Kafka has.
    #[error("it is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")]
    UnknownProtocol,
    /// A mechanism that neither this driver nor librdkafka has.
    #[error("it is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512")]
    UnknownMechanism,
    /// Amazon MSK's IAM authentication, whose tokens nothing here signs.
    #[error("IAM authentication and OAUTHBEARER's tokens are not supported")]
    Iam,
    /// SASL is asked for, and not which.
    #[error("it is missing, and security.protocol asks for SASL")]
    MissingMechanism,
    /// The protocol has no SASL.
    #[error("it has no effect: security.protocol asks for no SASL")]
    NoSasl,
    /// The protocol has no TLS.
    #[error("it has no effect: security.protocol asks for no TLS")]
    NoEncryption,
}

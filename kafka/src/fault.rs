//! Faults in settings of TLS or SASL. Found by `security`, before anything connects.

/// A fault in a setting of TLS or SASL. Its text never shows the value, which may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityFault {
    /// The setting needs OpenSSL, which only a build with the feature `tls` contains.
    #[error("it needs TLS, which this build does not have")]
    NoTls,
    /// `security.protocol` is not one of Kafka's.
    #[error("expected one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")]
    UnknownProtocol,
    /// An unsupported mechanism.
    #[error("expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512")]
    UnknownMechanism,
    /// IAM authentication of Amazon MSK, which needs signed tokens: `Cluster::iam`, with the feature `iam`.
    #[error("IAM authentication needs an identity of AWS")]
    Iam,
    /// SASL without a mechanism.
    #[error("it is missing, but security.protocol requires SASL: set it")]
    MissingMechanism,
    /// A setting of SASL, with a protocol without SASL.
    #[error(
        "it has no effect without SASL: remove it, or set security.protocol to a protocol with SASL"
    )]
    NoSasl,
    /// A setting of TLS, with a protocol without TLS.
    #[error(
        "it has no effect without TLS: remove it, or set security.protocol to a protocol with TLS"
    )]
    NoEncryption,
}

//! What keeps a client from a token.

/// The reason why no token can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IamError {
    /// Neither the brokers' names nor the environment tell the cluster's region.
    #[error("the cluster's region is not known")]
    NoRegion,
    /// AWS's chain of providers has no credentials.
    #[error("no AWS credentials were found: {reason}")]
    NoCredentials {
        /// The reasons of the providers that were tried, without secrets.
        reason: String,
    },
    /// The last token has expired, and no new one was made yet: a computer that slept makes one within seconds.
    #[error("the last token has expired, and no new one was made yet")]
    Expired,
    /// The credentials do not sign.
    #[error("the token could not be signed: {reason}")]
    NotSigned {
        /// The signer's reason.
        reason: String,
    },
}

//! What a client shows a broker beside its settings: a token that is made anew while the client lives, if the cluster wants one. librdkafka asks for it in a call-back.

use std::error::Error as StdError;
use std::fmt;

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::consumer::ConsumerContext;

#[cfg(feature = "iam")]
type Held = Option<crate::iam::Identity>;
#[cfg(not(feature = "iam"))]
type Held = ();

/// The identity of a cluster's clients, for their call-backs.
#[derive(Clone, Debug, Default)]
pub struct ClientIdentity(Held);

/// A token of SASL's OAUTHBEARER.
#[derive(Clone)]
pub struct BearerToken {
    /// The token, a secret until it expires.
    pub text: String,
    /// The name of whom it stands for.
    pub principal: String,
    /// The time at which it expires, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// Without the token.
impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerToken")
            .field("principal", &self.principal)
            .field("expires_at_ms", &self.expires_at_ms)
            .finish_non_exhaustive()
    }
}

impl ClientIdentity {
    #[cfg(feature = "iam")]
    pub(crate) fn of(identity: Option<crate::iam::Identity>) -> Self {
        Self(identity)
    }

    /// The current token. Does not wait.
    ///
    /// # Errors
    ///
    /// There is none: the cluster has no identity, or its last token has expired and no new one could be made.
    pub fn token(&self) -> Result<BearerToken, Box<dyn StdError>> {
        self.current()
    }

    #[cfg(feature = "iam")]
    fn current(&self) -> Result<BearerToken, Box<dyn StdError>> {
        let identity = self.0.as_ref().ok_or(NONE)?;
        let token = identity.token()?;
        Ok(BearerToken {
            text: token.as_str().to_owned(),
            principal: token.access_key_id().to_owned(),
            expires_at_ms: i64::try_from(token.expires_at_ms()).unwrap_or(i64::MAX),
        })
    }

    #[cfg(not(feature = "iam"))]
    #[expect(clippy::unused_self, reason = "with the feature it is used")]
    fn current(&self) -> Result<BearerToken, Box<dyn StdError>> {
        Err(NONE.into())
    }
}

const NONE: &str = "no token for this cluster: give it an identity";

/// The context of a client that hears nothing else.
#[derive(Clone, Default)]
pub(crate) struct Identified(pub(crate) ClientIdentity);

impl ClientContext for Identified {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn StdError>> {
        oauth_token(&self.0)
    }
}

impl ConsumerContext for Identified {}

/// The current token as librdkafka takes it.
pub(crate) fn oauth_token(identity: &ClientIdentity) -> Result<OAuthToken, Box<dyn StdError>> {
    let token = identity.token()?;
    Ok(OAuthToken {
        token: token.text,
        principal_name: token.principal,
        lifetime_ms: token.expires_at_ms,
    })
}

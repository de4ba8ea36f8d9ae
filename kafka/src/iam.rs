//! IAM authentication of Amazon MSK: SASL's OAUTHBEARER with a token that AWS's credentials sign. A token is made before any client starts, and again before it expires.

// Why there is none.
mod error;
// The token itself.
mod token;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use tokio::task::AbortHandle;

use self::token::sign;
use crate::limits::{IAM_CREDENTIALS_MS, IAM_RENEW_AT_PERCENT, IAM_TOKEN_S, IAM_TRY_AGAIN_MS};
use crate::region::region_of;

pub use self::error::IamError;
pub use self::token::Token;

/// The name of a session of `role_arn`, as CloudTrail shows it.
const SESSION: &str = "cargo-msk";

/// Whose AWS credentials sign: those of the environment, unless said otherwise.
///
/// # Example
///
/// ```no_run
/// use msk_kafka::{Cluster, Iam};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let identity = Iam::new().profile("dev").start("b-1.shop.abc.c2.kafka.eu-central-1.amazonaws.com:9098").await?;
/// let cluster = Cluster::new("b-1.shop.abc.c2.kafka.eu-central-1.amazonaws.com:9098").iam(identity);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Iam {
    region: Option<String>,
    profile: Option<String>,
    role_arn: Option<String>,
}

impl Iam {
    /// Takes the credentials that the environment has, as AWS's command line does.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the cluster's region. Without one it is that in the brokers' names, else the environment's.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Takes the credentials of a profile in AWS's configuration files.
    #[must_use]
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// Assumes a role with these credentials, and signs as this role.
    #[must_use]
    pub fn role_arn(mut self, role: impl Into<String>) -> Self {
        self.role_arn = Some(role.into());
        self
    }

    /// Makes the first token, and begins to renew it: for as long as the identity or a cluster with it lives. `bootstrap`: the brokers, whose names tell the region.
    ///
    /// # Errors
    ///
    /// [`IamError`] if the region or the credentials are not known.
    ///
    /// # Panics
    ///
    /// There is no tokio runtime.
    pub async fn start(self, bootstrap: &str) -> Result<Identity, IamError> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        let told = self.region.clone().or_else(|| region_of(bootstrap));
        if let Some(region) = &told {
            loader = loader.region(Region::new(region.clone()));
        }
        let config = loader.load().await;
        let of_environment = || config.region().map(ToString::to_string);
        let region = told.or_else(of_environment).ok_or(IamError::NoRegion)?;
        let none = || IamError::NoCredentials {
            reason: "no provider is configured".to_owned(),
        };
        let credentials = match &self.role_arn {
            Some(role) => {
                let role = AssumeRoleProvider::builder(role).session_name(SESSION);
                SharedCredentialsProvider::new(role.configure(&config).build().await)
            }
            None => config.credentials_provider().ok_or_else(none)?,
        };
        self.start_with(region, credentials, now).await
    }

    async fn start_with(
        self,
        region: String,
        credentials: SharedCredentialsProvider,
        now: fn() -> SystemTime,
    ) -> Result<Identity, IamError> {
        let source = Source {
            region,
            credentials,
            now,
        };
        let token = source.token().await?;
        let held = Arc::new(RwLock::new(Ok(token)));
        let renewing = tokio::spawn(source.renew(Arc::clone(&held)));
        Ok(Identity(Arc::new(Held {
            of: self,
            token: held,
            now,
            renewing: renewing.abort_handle(),
        })))
    }
}

/// Where tokens come from.
struct Source {
    region: String,
    credentials: SharedCredentialsProvider,
    now: fn() -> SystemTime,
}

impl Source {
    async fn token(&self) -> Result<Token, IamError> {
        let given = self.credentials.provide_credentials();
        let limit = Duration::from_millis(IAM_CREDENTIALS_MS);
        let none = |reason| IamError::NoCredentials { reason };
        let given = tokio::time::timeout(limit, given).await;
        let given = given.map_err(|_| none(format!("no answer within {limit:?}")))?;
        let given = given.map_err(|error| none(causes(&error)))?;
        sign(&self.region, &given, (self.now)())
    }

    /// Puts a new token in the place of the old one, again and again. One that cannot be had is tried again soon: until the old one expires, that one stands.
    ///
    /// In short steps, by the wall clock: a computer that slept has not counted that time as waited.
    async fn renew(self, held: Arc<RwLock<Result<Token, IamError>>>) {
        loop {
            tokio::time::sleep(Duration::from_millis(IAM_TRY_AGAIN_MS)).await;
            if !self.is_due(&held.read().unwrap_or_else(PoisonError::into_inner)) {
                continue;
            }
            let token = self.token().await;
            let mut held = held.write().unwrap_or_else(PoisonError::into_inner);
            match token {
                Ok(token) => *held = Ok(token),
                Err(error) => {
                    let now = (self.now)();
                    if held.as_ref().is_ok_and(|token| token.has_expired(now)) {
                        *held = Err(error);
                    }
                }
            }
        }
    }

    fn is_due(&self, held: &Result<Token, IamError>) -> bool {
        let left = Duration::from_secs(IAM_TOKEN_S) * (100 - IAM_RENEW_AT_PERCENT) / 100;
        let then = (self.now)() + left;
        held.as_ref().map_or(true, |token| token.has_expired(then))
    }
}

/// An identity of AWS with its current token. Clones share it.
#[derive(Clone)]
pub struct Identity(Arc<Held>);

struct Held {
    of: Iam,
    token: Arc<RwLock<Result<Token, IamError>>>,
    now: fn() -> SystemTime,
    renewing: AbortHandle,
}

impl Identity {
    /// The current token. Does not wait: librdkafka asks from its own threads.
    ///
    /// # Errors
    ///
    /// The last token has expired, and no new one could be made, or was made yet.
    pub fn token(&self) -> Result<Token, IamError> {
        let held = self.0.token.read();
        let token = held.unwrap_or_else(PoisonError::into_inner).clone()?;
        match token.has_expired((self.0.now)()) {
            true => Err(IamError::Expired),
            false => Ok(token),
        }
    }
}

/// Who signs: the access key's id, which is no secret, and where it comes from.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.token() {
            Ok(token) => write!(f, "the access key {}", token.access_key_id())?,
            Err(_) => write!(f, "an access key that is gone")?,
        }
        match (&self.0.of.role_arn, &self.0.of.profile) {
            (Some(role), _) => write!(f, " of the role {role}"),
            (None, Some(profile)) => write!(f, " of the profile {profile}"),
            (None, None) => write!(f, " of the environment"),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// An error with its causes: the text of AWS's own is its outermost layer.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "a signature holds for AWS's time, whichever clock a test has"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_credential_types::Credentials;
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::future::ProvideCredentials as Provided;

    use super::*;

    /// Gives keys that are counted, or an error once it is told to.
    #[derive(Debug, Default)]
    struct Keys {
        asked: AtomicUsize,
        broken: Mutex<bool>,
    }

    impl ProvideCredentials for &'static Keys {
        fn provide_credentials<'a>(&'a self) -> Provided<'a>
        where
            Self: 'a,
        {
            let number = self.asked.fetch_add(1, Ordering::Relaxed);
            Provided::ready(match *self.broken.lock().unwrap() {
                true => Err(CredentialsError::not_loaded("gone")),
                false => Ok(Credentials::new(
                    format!("AKID{number}"),
                    "s3cret",
                    None,
                    None,
                    "test",
                )),
            })
        }
    }

    thread_local! {
        /// The wall clock of a test, in milliseconds since its start: it follows tokio's clock, and is ahead of it by the time that was slept through.
        static BEGAN: tokio::time::Instant = tokio::time::Instant::now();
        static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    fn wall_clock() -> SystemTime {
        let began = BEGAN.with(|began| *began);
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_770_487) + began.elapsed() + SLEPT.get()
    }

    async fn start(keys: &'static Keys) -> Identity {
        let credentials = SharedCredentialsProvider::new(keys);
        let region = "eu-central-1".to_owned();
        let started = Iam::new().start_with(region, credentials, wall_clock);
        started.await.unwrap()
    }

    fn keys() -> &'static Keys {
        Box::leak(Box::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_before_it_expires_and_clients_only_read_it() {
        let keys = keys();
        let identity = start(keys).await;
        assert_eq!(identity.token().unwrap().access_key_id(), "AKID0");

        let life = Duration::from_secs(IAM_TOKEN_S);
        tokio::time::sleep(life * IAM_RENEW_AT_PERCENT / 100 - Duration::from_secs(1)).await;
        assert_eq!(identity.token().unwrap().access_key_id(), "AKID0");
        tokio::time::sleep(Duration::from_millis(IAM_TRY_AGAIN_MS + 1_000)).await;

        assert_eq!(identity.token().unwrap().access_key_id(), "AKID1");
        assert_eq!(keys.asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_old_token_stands_while_a_new_one_cannot_be_had() {
        let keys = keys();
        let identity = start(keys).await;
        *keys.broken.lock().unwrap() = true;

        tokio::time::sleep(Duration::from_secs(IAM_TOKEN_S - 1)).await;
        assert_eq!(identity.token().unwrap().access_key_id(), "AKID0");
        *keys.broken.lock().unwrap() = false;
        tokio::time::sleep(Duration::from_millis(2 * IAM_TRY_AGAIN_MS)).await;

        assert_ne!(identity.token().unwrap().access_key_id(), "AKID0");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_has_expired_is_given_to_nobody() {
        let keys = keys();
        let identity = start(keys).await;
        *keys.broken.lock().unwrap() = true;

        SLEPT.set(Duration::from_secs(IAM_TOKEN_S));
        assert_eq!(identity.token(), Err(IamError::Expired));
        tokio::time::sleep(Duration::from_millis(IAM_TRY_AGAIN_MS + 1_000)).await;

        let error = identity.token().unwrap_err();
        assert!(matches!(error, IamError::NoCredentials { .. }), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_computer_that_slept_has_a_new_token_soon_after() {
        let identity = start(keys()).await;

        SLEPT.set(Duration::from_secs(8 * 3_600));
        tokio::time::sleep(Duration::from_millis(IAM_TRY_AGAIN_MS + 1_000)).await;

        assert_eq!(identity.token().unwrap().access_key_id(), "AKID1");
    }

    #[tokio::test]
    async fn an_identity_names_its_key_and_shows_no_secret() {
        let identity = start(keys()).await;

        let text = format!("{identity} {identity:?} {:?}", identity.token());

        assert!(
            text.starts_with("the access key AKID0 of the environment"),
            "{text}"
        );
        assert!(
            !text.contains("s3cret") && !text.contains("Signature"),
            "{text}"
        );
    }
}

//! A registry from code or from the text of `LAMBDA_MSK_SCHEMA_REGISTRY`, and its credentials. Called by `settings` and `builder`.

use std::fmt;
use std::sync::Arc;

use msk_schemas::cache::Cache;

const ALLOWED: &str = "expected `http(s)://HOST[:PORT][/PATH]`, `arn:aws:glue:REGION:ACCOUNT:registry/NAME` or `none`";

/// A registry that was chosen. Not looked at before the consumer is built.
#[derive(Clone)]
pub(crate) enum Choice {
    None,
    Confluent(String),
    Glue(String),
    Own(Arc<Cache>),
}

/// Credentials for a registry of Confluent's API.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "schema-registry"),
    expect(dead_code, reason = "there is no client for them")
)]
pub(crate) enum Auth {
    Basic {
        user: String,
        password: String,
    },
    Bearer(String),
    /// The ARN of a secret of AWS Secrets Manager.
    #[cfg_attr(
        all(feature = "schema-registry", not(feature = "secrets")),
        expect(dead_code, reason = "nothing reads secrets")
    )]
    Secret(String),
}

/// The registry that the text names.
pub(crate) fn registry(text: &str) -> Result<Choice, String> {
    let choice = match text {
        "none" => Choice::None,
        _ if text.starts_with("http://") || text.starts_with("https://") => {
            Choice::Confluent(text.to_owned())
        }
        _ if text.starts_with("arn:") => Choice::Glue(text.to_owned()),
        // What is wrong is never shown: it may hold a password.
        _ => return Err(format!("is not a schema registry; {ALLOWED}")),
    };
    choice.open(None).map(|_| choice)
}

/// The credentials that the text names: user and password around its first colon, or else a token; behind `@secretsmanager:` a secret that holds either.
pub(crate) fn auth(text: &str) -> Result<Option<Auth>, String> {
    if let Some(arn) = text.strip_prefix("@secretsmanager:") {
        check_secret(arn)?;
        return Ok(Some(Auth::Secret(arn.to_owned())));
    }
    match text.split_once(':') {
        // As the flag of `cargo msk` takes them: a user of that name would get the path as its password.
        Some((place @ ("@env" | "@file"), _)) => Err(format!(
            "`{place}:` is read by `cargo msk` alone; expected `USER:PASSWORD`, `@secretsmanager:ARN`, or a bearer token"
        )),
        Some((user, password)) => Ok(Some(Auth::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        })),
        None if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(Auth::Bearer(text.to_owned())))
        }
        // What is wrong is never shown: it is a secret.
        None => Err("expected `USER:PASSWORD`, `@secretsmanager:ARN`, or a bearer token of visible ASCII characters".to_owned()),
    }
}

impl Choice {
    /// Opens the registry, without a request. *None: there is none.*
    pub(crate) fn open(&self, auth: Option<&Auth>) -> Result<Option<Arc<Cache>>, String> {
        match self {
            Self::None => Ok(None),
            Self::Own(cache) => Ok(Some(Arc::clone(cache))),
            Self::Confluent(url) => confluent(url, auth).map(Some),
            Self::Glue(arn) => glue(arn).map(Some),
        }
    }

    /// Of a registry that takes credentials. *None: it takes none, or there is none.*
    pub(crate) fn url(&self) -> Option<String> {
        match self {
            Self::Confluent(url) => Some(url.trim_end_matches('/').to_owned()),
            _ => None,
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Confluent(url) => without_user(url),
            Self::Glue(arn) => arn.clone(),
            Self::Own(cache) => cache.place().to_owned(),
        }
    }
}

/// A URL without what may be credentials: all before its last `@`, and a query or fragment.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = &rest[rest.rfind('@').map_or(0, |at| at + 1)..];
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    format!("{scheme}://{}", &rest[..end])
}

#[cfg(feature = "secrets")]
fn check_secret(arn: &str) -> Result<(), String> {
    let secret = msk_schemas::secret::Secret::new(arn);
    secret
        .map(drop)
        .map_err(|error| format!("{error}, after `@secretsmanager:`"))
}

#[cfg(not(feature = "secrets"))]
const NO_SECRETS: &str = "names a secret, but this program was built without what reads it: add the feature `secrets` of lambda-msk";

#[cfg(not(feature = "secrets"))]
fn check_secret(_: &str) -> Result<(), String> {
    Err(NO_SECRETS.to_owned())
}

#[cfg(feature = "schema-registry")]
fn confluent(url: &str, auth: Option<&Auth>) -> Result<Arc<Cache>, String> {
    use msk_schemas::confluent::Confluent;

    let registry = Confluent::new(url).map_err(|error| error.to_string())?;
    let registry = match auth {
        None => registry,
        Some(Auth::Basic { user, password }) => registry.basic_auth(user, password),
        Some(Auth::Bearer(token)) => registry.bearer(token),
        #[cfg(feature = "secrets")]
        Some(Auth::Secret(arn)) => {
            let secret = msk_schemas::secret::Secret::new(arn);
            registry.secret(secret.map_err(|error| error.to_string())?)
        }
        #[cfg(not(feature = "secrets"))]
        Some(Auth::Secret(_)) => return Err(NO_SECRETS.to_owned()),
    };
    Ok(Arc::new(Cache::new(Box::new(registry))))
}

#[cfg(not(feature = "schema-registry"))]
fn confluent(_: &str, _: Option<&Auth>) -> Result<Arc<Cache>, String> {
    Err("names a schema registry, but this program was built without a client for it: add the feature `schema-registry` of lambda-msk".to_owned())
}

#[cfg(feature = "glue")]
fn glue(arn: &str) -> Result<Arc<Cache>, String> {
    use msk_schemas::glue::Glue;

    let registry = Glue::new(arn).map_err(|error| error.to_string())?;
    Ok(Arc::new(Cache::new(Box::new(registry))))
}

#[cfg(not(feature = "glue"))]
fn glue(_: &str) -> Result<Arc<Cache>, String> {
    Err("names a registry of AWS Glue, but this program was built without a client for it: add the feature `glue` of lambda-msk".to_owned())
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic",
            Self::Bearer(_) => "Bearer",
            Self::Secret(_) => "Secret",
        })
    }
}

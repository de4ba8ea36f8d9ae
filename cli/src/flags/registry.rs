//! The registry whose schemas payloads are shown by. A flag of `invoke`; `dev` has its mapping's.

use super::secret::Secret;
use crate::fault::Fault;

/// How credentials are given.
pub(crate) const AUTH: &str = "--schema-registry-auth";
/// A registry's text for none.
#[cfg_attr(
    not(any(feature = "dev", feature = "schemas")),
    expect(dead_code, reason = "nothing asks a registry")
)]
pub(crate) const NONE: &str = "none";

/// The flags.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Registry {
    /// The registry whose schemas --payloads reads typed keys and values by: the URL of one with Confluent's API, or in a build with the feature aws the ARN of one of AWS Glue. Needs a build with the
    /// feature schemas. Default: the function's LAMBDA_MSK_SCHEMA_REGISTRY. none: typed payloads are shown by their size.
    #[arg(
        long = "schema-registry-uri",
        value_name = "URI",
        requires = "payloads"
    )]
    uri: Option<String>,
    /// Credentials for the registry, USER:PASSWORD or a bearer token, in a variable or a file: @env:NAME or @file:PATH.
    #[arg(long = "schema-registry-auth", value_name = "SECRET", value_parser = auth, requires = "uri")]
    auth: Option<Secret>,
}

/// A registry that a flag or a template names, with its credentials.
#[cfg_attr(
    not(feature = "schemas"),
    expect(dead_code, reason = "there is no client for it")
)]
pub(crate) struct Named {
    pub(crate) uri: String,
    pub(crate) auth: Option<String>,
}

impl Registry {
    /// The registry that was given. None: nothing was.
    pub(crate) fn named(&self) -> Result<Option<Named>, Fault> {
        named(self.uri.as_deref(), self.auth.as_ref())
    }
}

/// For clap, which shows what it refuses: a secret is refused later.
#[expect(clippy::unnecessary_wraps, reason = "clap asks for a result")]
pub(crate) fn auth(text: &str) -> Result<Secret, String> {
    Ok(Secret::named(text).unwrap_or(Secret::Bare))
}

/// The registry of flags that name it and its credentials.
pub(crate) fn named(uri: Option<&str>, auth: Option<&Secret>) -> Result<Option<Named>, Fault> {
    let auth = auth.map(|secret| secret.read("", AUTH)).transpose()?;
    Ok(uri.map(|uri| Named {
        uri: uri.to_owned(),
        auth,
    }))
}

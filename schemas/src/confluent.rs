//! Registries that speak Confluent's API: Confluent's own, Apicurio, Karapace, Redpanda. Asked through `cache`.

mod api;
mod references;

use std::fmt;

use reqwest::Url;

use self::api::{Api, Auth, GUIDS};
use self::references::Versions;
use crate::http::Http;
use crate::id::SchemaId;
use crate::registry::{FetchError, Fetching, Registry};

/// Largest id: the registry's ids are Java's `int`.
const ID_MAX: u32 = i32::MAX as u32;

/// What a function's credentials for the registry stand in.
const AUTH_SETTING: &str = "LAMBDA_MSK_SCHEMA_REGISTRY_AUTH";

/// A registry with Confluent's API. Connects at the first fetch, and keeps its connections.
pub struct Confluent {
    api: Api,
    versions: Versions,
}

/// The fault of a registry's URL. Shows no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The text is no URL of HTTP.
    #[error("expected http(s)://HOST[:PORT][/PATH] as the schema registry's URL, found {0}")]
    NoUrl(String),
    /// The URL has a user or a password.
    #[error(
        "expected a schema registry's URL without `user:password@`: put the credentials into LAMBDA_MSK_SCHEMA_REGISTRY_AUTH"
    )]
    Credentials,
    /// The URL has a query or a fragment.
    #[error("expected a schema registry's URL that ends with its path, found a `{0}` in the URL")]
    Rest(char),
}

impl Confluent {
    /// Creates the client of a registry at `http(s)://HOST[:PORT][/PATH]`. The path is kept: Apicurio's is `/apis/ccompat/v7`.
    ///
    /// # Errors
    ///
    /// The text is no such URL.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        let parsed = Url::parse(url.trim());
        let parsed = parsed.map_err(|error| UrlError::NoUrl(format!("no URL: {error}")))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(UrlError::Credentials);
        }
        if !matches!(parsed.scheme(), "http" | "https") {
            let found = format!("the scheme `{}`", parsed.scheme());
            return Err(UrlError::NoUrl(found));
        }
        if parsed.query().is_some() {
            return Err(UrlError::Rest('?'));
        }
        if parsed.fragment().is_some() {
            return Err(UrlError::Rest('#'));
        }
        let api = Api {
            url: parsed.as_str().trim_end_matches('/').to_owned(),
            auth: Auth::None,
            auth_setting: AUTH_SETTING,
            http: Http::default(),
        };
        Ok(Self {
            api,
            versions: Versions::default(),
        })
    }

    /// Sets the name of the setting that has the credentials, as messages are to name it. Default: `LAMBDA_MSK_SCHEMA_REGISTRY_AUTH`.
    #[must_use]
    pub fn auth_setting(mut self, name: &'static str) -> Self {
        self.api.auth_setting = name;
        self
    }

    /// Sends a user's name and password with each request.
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        let (user, password) = (user.to_owned(), password.to_owned());
        self.api.auth = Auth::Basic { user, password };
        self
    }

    /// Sends a bearer token with each request.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.api.auth = Auth::bearer(token);
        self
    }

    /// Sends the credentials of a secret with each request.
    #[cfg(feature = "secrets")]
    #[must_use]
    pub fn secret(mut self, secret: crate::secret::Secret) -> Self {
        self.api.auth = Auth::Secret(Box::new(secret));
        self
    }
}

impl Registry for Confluent {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        Box::pin(async move {
            let path = match id {
                SchemaId::Number(number) if number > ID_MAX => {
                    return Err(FetchError::NotFound(id));
                }
                SchemaId::Number(number) => format!("schemas/ids/{number}"),
                SchemaId::Guid(_) => format!("{GUIDS}{id}"),
                // It stands in AWS Glue's frame. Not every registry has GUIDs, so its answer would tell nothing.
                SchemaId::Version(_) => {
                    return Err(FetchError::Foreign(format!(
                        "the schema registry {} speaks Confluent's API, but the id {id} stands in AWS Glue's frame: name the registry that the producers use",
                        self.api.url
                    )));
                }
            };
            let schema = self.api.schema(&path).await?;
            let schema = schema.ok_or(FetchError::NotFound(id))?;
            references::gathered(&self.api, &self.versions, schema).await
        })
    }

    fn has_guids(&self) -> bool {
        true
    }

    fn place(&self) -> &str {
        &self.api.url
    }
}

impl fmt::Debug for Confluent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confluent")
            .field("url", &self.api.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Registries that speak Confluent's API: Confluent's own, Apicurio, Karapace, Redpanda. Asked through `cache`.

mod references;

use std::fmt;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::Deserialize;

use crate::http::{Answer, Http};
use crate::id::{Format, SchemaId};
use crate::registry::{FetchError, Fetching, Registry};

/// Largest id: the registry's ids are Java's `int`.
const ID_MAX: u32 = i32::MAX as u32;

/// What a function's credentials for the registry stand in.
const AUTH_SETTING: &str = "LAMBDA_MSK_SCHEMA_REGISTRY_AUTH";

/// `error_code` of a subject, a version and a schema that the registry does not have.
const NOT_FOUND_CODES: std::ops::RangeInclusive<u32> = 40401..=40403;

/// A registry with Confluent's API. Connects at the first fetch, and keeps its connections.
pub struct Confluent {
    /// Without a slash at its end.
    url: String,
    auth: Auth,
    /// What sets the credentials, for messages.
    auth_setting: &'static str,
    http: Http,
}

enum Auth {
    None,
    Basic {
        user: String,
        password: String,
    },
    Bearer(HeaderValue),
    /// The token has bytes that no header may have.
    NoHeader,
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
        Ok(Self {
            url: parsed.as_str().trim_end_matches('/').to_owned(),
            auth: Auth::None,
            auth_setting: AUTH_SETTING,
            http: Http::default(),
        })
    }

    /// Sets the name of the setting that has the credentials, as messages are to name it. Default: `LAMBDA_MSK_SCHEMA_REGISTRY_AUTH`.
    #[must_use]
    pub fn auth_setting(mut self, name: &'static str) -> Self {
        self.auth_setting = name;
        self
    }

    /// Sends a user's name and password with each request.
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        let (user, password) = (user.to_owned(), password.to_owned());
        self.auth = Auth::Basic { user, password };
        self
    }

    /// Sends a bearer token with each request.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.auth = match HeaderValue::from_str(&format!("Bearer {token}")) {
            Ok(mut value) => {
                value.set_sensitive(true);
                Auth::Bearer(value)
            }
            Err(_) => Auth::NoHeader,
        };
        self
    }

    /// One schema, without what it refers to. None: the registry says that it has none.
    async fn schema(&self, path: &str) -> Result<Option<Answered>, FetchError> {
        if let Auth::NoHeader = self.auth {
            let setting = self.auth_setting;
            return Err(self.unavailable(format_args!(
                "cannot be asked: the bearer token has a line end or another character that no header may have; check {setting}"
            )));
        }
        let url = format!("{}/{path}", self.url);
        let answer = self.http.ask(|client| {
            let request = client.get(&url).header(
                ACCEPT,
                "application/vnd.schemaregistry.v1+json, application/json;q=0.9",
            );
            self.authorized(request)
        });
        let answer = answer.await.map_err(|said| self.unavailable(said))?;
        self.read(&answer)
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.auth {
            Auth::None | Auth::NoHeader => request,
            Auth::Basic { user, password } => request.basic_auth(user, Some(password)),
            Auth::Bearer(value) => request.header(AUTHORIZATION, value.clone()),
        }
    }

    fn read(&self, answer: &Answer) -> Result<Option<Answered>, FetchError> {
        let status = answer.status;
        let cure = match status {
            StatusCode::OK => match serde_json::from_slice(&answer.body) {
                Ok(answered) => return Ok(Some(answered)),
                Err(_) => {
                    " with what is no registry's JSON: is the path right? Apicurio's is /apis/ccompat/v7"
                }
            },
            StatusCode::NOT_FOUND => match serde_json::from_slice(&answer.body) {
                Ok(Refusal { error_code }) if NOT_FOUND_CODES.contains(&error_code) => {
                    return Ok(None);
                }
                _ => {
                    " without a registry's error code: is the path right? Apicurio's is /apis/ccompat/v7"
                }
            },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let setting = self.auth_setting;
                return Err(self.unavailable(format_args!(
                    "answered {status}: check the credentials in {setting}, and that they may read schemas"
                )));
            }
            StatusCode::TOO_MANY_REQUESTS => ": too many requests; raise the registry's limit",
            status if status.is_redirection() => {
                ", a redirect, which is not followed: name the address that the registry redirects to"
            }
            status if status.is_server_error() => ": look into the registry's log",
            _ => ": is the address right, and is a registry there?",
        };
        Err(self.unavailable(format_args!("answered {status}{cure}")))
    }

    fn unavailable(&self, said: impl fmt::Display) -> FetchError {
        FetchError::Unavailable(format!("the schema registry {} {said}", self.url))
    }
}

/// A registry's schema, as far as is needed.
#[derive(Debug, Deserialize)]
struct Answered {
    schema: String,
    /// None: Avro.
    #[serde(rename = "schemaType")]
    schema_type: Option<String>,
    /// None: no references.
    references: Option<Vec<Named>>,
}

/// What a schema refers to, and the name that it has there.
#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    subject: String,
    version: i64,
}

#[derive(Deserialize)]
struct Refusal {
    error_code: u32,
}

impl Answered {
    fn format(&self) -> Result<Format, FetchError> {
        match self.schema_type.as_deref() {
            None | Some("AVRO") => Ok(Format::Avro),
            Some("PROTOBUF") => Ok(Format::Protobuf),
            Some("JSON") => Ok(Format::Json),
            Some(other) => Err(FetchError::Unusable(format!(
                "expected a schema of type AVRO, PROTOBUF or JSON, found {other:?}"
            ))),
        }
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
                SchemaId::Guid(_) => format!("schemas/guids/{id}"),
                SchemaId::Version(_) => {
                    return Err(FetchError::Unusable(format!(
                        "the id {id} is one of AWS Glue's, but the registry has Confluent's API: {}",
                        self.url
                    )));
                }
            };
            let schema = self.schema(&path).await?;
            let schema = schema.ok_or(FetchError::NotFound(id))?;
            references::gathered(self, schema).await
        })
    }

    fn place(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Confluent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confluent")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

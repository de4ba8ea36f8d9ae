//! One request to a registry, and what its answer means. Called by `confluent` and its `references`.

use std::fmt;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;

use crate::http::{Answer, Http};
use crate::id::Format;
use crate::registry::FetchError;

/// `error_code` of a subject, a version and a schema that the registry does not have.
const NOT_FOUND_CODES: std::ops::RangeInclusive<u32> = 40401..=40403;

/// Where schemas are found by their GUIDs.
pub(super) const GUIDS: &str = "schemas/guids/";

/// A registry's address, and how it is asked.
pub(super) struct Api {
    /// Without a slash at its end.
    pub(super) url: String,
    pub(super) auth: Auth,
    /// What sets the credentials, for messages.
    pub(super) auth_setting: &'static str,
    pub(super) http: Http,
}

pub(super) enum Auth {
    None,
    Basic {
        user: String,
        password: String,
    },
    Bearer(HeaderValue),
    /// The token has bytes that no header may have.
    NoHeader,
    #[cfg(feature = "secrets")]
    Secret(Box<crate::secret::Secret>),
}

impl Auth {
    pub(super) fn bearer(token: &str) -> Self {
        match HeaderValue::from_str(&format!("Bearer {token}")) {
            Ok(mut value) => {
                value.set_sensitive(true);
                Self::Bearer(value)
            }
            Err(_) => Self::NoHeader,
        }
    }
}

impl Api {
    /// One schema, without what it refers to. None: the registry says that it has none.
    pub(super) async fn schema(&self, path: &str) -> Result<Option<Answered>, FetchError> {
        #[cfg(feature = "secrets")]
        if let Auth::Secret(secret) = &self.auth {
            return self.schema_with(path, secret).await;
        }
        let answer = self.ask(path, &self.auth).await?;
        self.read(path, &answer)
    }

    /// With credentials from a secret. If they are refused, the secret may have changed since it was read: it is read once more.
    #[cfg(feature = "secrets")]
    async fn schema_with(
        &self,
        path: &str,
        secret: &crate::secret::Secret,
    ) -> Result<Option<Answered>, FetchError> {
        use crate::secret::Given;

        let auth = |given: &Given| match given {
            Given::Basic { user, password } => Auth::Basic {
                user: user.clone(),
                password: password.clone(),
            },
            Given::Bearer(token) => Auth::bearer(token),
        };
        let given = secret.given().await;
        let given = given.map_err(|said| self.unavailable(said))?;
        let answer = self.ask(path, &auth(&given)).await?;
        if ![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer.status) {
            return self.read(path, &answer);
        }
        let other = secret.instead_of(&given).await;
        match other.map_err(|said| self.unavailable(said))? {
            Some(given) => self.read(path, &self.ask(path, &auth(&given)).await?),
            None => self.read(path, &answer),
        }
    }

    async fn ask(&self, path: &str, auth: &Auth) -> Result<Answer, FetchError> {
        if let Auth::NoHeader = auth {
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
            authorized(request, auth)
        });
        answer.await.map_err(|said| self.unavailable(said))
    }

    fn read(&self, path: &str, answer: &Answer) -> Result<Option<Answered>, FetchError> {
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
                _ if path.starts_with(GUIDS) => {
                    " without a registry's error code: the producers' headers name schemas by GUID, and not every registry finds them so (Apicurio 2 does not): let the producers write ids, or use a registry that has /schemas/guids"
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

fn authorized(request: RequestBuilder, auth: &Auth) -> RequestBuilder {
    match auth {
        Auth::Basic { user, password } => request.basic_auth(user, Some(password)),
        Auth::Bearer(value) => request.header(AUTHORIZATION, value.clone()),
        _ => request,
    }
}

/// A registry's schema, as far as is needed.
#[derive(Debug, Deserialize)]
pub(super) struct Answered {
    pub(super) schema: String,
    /// None: Avro.
    #[serde(rename = "schemaType")]
    schema_type: Option<String>,
    /// None: no references.
    pub(super) references: Option<Vec<Named>>,
}

/// What a schema refers to, and the name that it has there.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) version: i64,
}

#[derive(Deserialize)]
struct Refusal {
    error_code: u32,
}

impl Answered {
    pub(super) fn format(&self) -> Result<Format, FetchError> {
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

//! AWS Glue's schema registry: one signed call a schema. Asked through `cache`.

use std::fmt;
use std::time::SystemTime;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::http::{Answer, Http};
use crate::id::{Format, SchemaId, Source};
use crate::registry::{FetchError, Fetching, Registry};

const TARGET: &str = "AWSGlue.GetSchemaVersion";
const JSON: &str = "application/x-amz-json-1.1";

/// The schema registry of AWS Glue. Needs the permission `glue:GetSchemaVersion`. Connects at the first fetch, with the environment's credentials, and keeps its connections.
///
/// Glue's ids are the whole account's: a schema of another registry of the same region is found, too.
pub struct Glue {
    arn: String,
    region: String,
    endpoint: String,
    /// The chain that finds credentials, made at the first fetch.
    credentials: OnceCell<Option<SharedCredentialsProvider>>,
    http: Http,
}

/// A text is no ARN of a schema registry of AWS Glue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArnError {
    /// The text is another ARN, or none.
    #[error("expected arn:aws:glue:REGION:ACCOUNT:registry/NAME, found {0:?}")]
    NoRegistry(String),
    /// An ARN of an AWS partition whose domain is unknown.
    #[error(
        "expected a schema registry in the AWS partition aws, aws-cn or aws-us-gov, found {0:?}; for another set AWS_ENDPOINT_URL_GLUE"
    )]
    Partition(String),
}

impl Glue {
    /// Creates the client of the registry `arn:aws:glue:REGION:ACCOUNT:registry/NAME`. The region is the ARN's. The endpoint is AWS's own, unless `AWS_ENDPOINT_URL_GLUE`
    /// or `AWS_ENDPOINT_URL` is set.
    ///
    /// # Errors
    ///
    /// The text is no such ARN.
    pub fn new(arn: &str) -> Result<Self, ArnError> {
        let set = ["AWS_ENDPOINT_URL_GLUE", "AWS_ENDPOINT_URL"].into_iter();
        let set = set.filter_map(|name| std::env::var(name).ok());
        Self::at(arn, set.into_iter().find(|url| !url.is_empty()))
    }

    fn at(arn: &str, endpoint: Option<String>) -> Result<Self, ArnError> {
        let other = || ArnError::NoRegistry(arn.to_owned());
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "glue", region, account, registry] = parts[..] else {
            return Err(other());
        };
        let name = registry.strip_prefix("registry/").ok_or_else(other)?;
        let region_fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let name_fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_$#.".contains(&byte);
        if region.is_empty()
            || !region.bytes().all(region_fits)
            || account.is_empty()
            || !account.bytes().all(|byte| byte.is_ascii_digit())
            || name.is_empty()
            || !name.bytes().all(name_fits)
        {
            return Err(other());
        }
        let endpoint = match (endpoint, partition) {
            (Some(endpoint), _) => endpoint.trim_end_matches('/').to_owned(),
            (None, "aws" | "aws-us-gov") => format!("https://glue.{region}.amazonaws.com"),
            (None, "aws-cn") => format!("https://glue.{region}.amazonaws.com.cn"),
            (None, other) => return Err(ArnError::Partition(other.to_owned())),
        };
        Ok(Self {
            arn: arn.to_owned(),
            region: region.to_owned(),
            endpoint,
            credentials: OnceCell::new(),
            http: Http::default(),
        })
    }

    /// The schema of an id, in the registry's own words.
    async fn version(&self, id: SchemaId) -> Result<Source, FetchError> {
        let body = format!(r#"{{"SchemaVersionId":"{id}"}}"#);
        let url = format!("{}/", self.endpoint);
        let headers = self.signed(&url, &body).await?;
        let answer = self.http.ask(|client| {
            let request = client.post(&url).body(body.clone());
            let request = request
                .header("content-type", JSON)
                .header("x-amz-target", TARGET);
            headers.iter().fold(request, |request, (name, value)| {
                request.header(name, value)
            })
        });
        let answer = answer.await.map_err(|said| self.unavailable(said))?;
        self.read(id, &answer)
    }

    /// The headers that sign a request.
    async fn signed(&self, url: &str, body: &str) -> Result<Vec<(String, String)>, FetchError> {
        let identity = self.credentials().await?.into();
        let cannot = |error: &dyn fmt::Display| {
            self.unavailable(format_args!(
                "cannot be asked: the request could not be signed: {error}"
            ))
        };
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("glue")
            .time(now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| cannot(&error))?
            .into();
        let headers = [("content-type", JSON), ("x-amz-target", TARGET)].into_iter();
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new("POST", url, headers, body);
        let request = request.map_err(|error| cannot(&error))?;
        let signed = sign(request, &params).map_err(|error| cannot(&error))?;
        let (instructions, _) = signed.into_parts();
        let headers = instructions.headers();
        Ok(headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    async fn credentials(&self) -> Result<Credentials, FetchError> {
        let chain = self.credentials.get_or_init(|| async {
            let config = aws_config::defaults(BehaviorVersion::latest());
            let config = config.region(Region::new(self.region.clone())).load().await;
            config.credentials_provider()
        });
        let none = || self.unavailable("cannot be asked: no AWS credentials were found");
        let provider = chain.await.as_ref().ok_or_else(none)?;
        // The error's text names the providers that were tried, and no secret.
        provider.provide_credentials().await.map_err(|error| {
            self.unavailable(format_args!("cannot be asked: no AWS credentials: {error}"))
        })
    }

    fn read(&self, id: SchemaId, answer: &Answer) -> Result<Source, FetchError> {
        if !answer.status.is_success() {
            return Err(self.refused(id, answer));
        }
        let Ok(version) = serde_json::from_slice::<Version>(&answer.body) else {
            return Err(self.unavailable(format_args!(
                "answered {} with what is no answer of Glue's: is the endpoint {} right?",
                answer.status, self.endpoint
            )));
        };
        match version.status.as_deref() {
            Some("AVAILABLE") | None => {}
            Some("PENDING") => {
                return Err(self.unavailable(format_args!(
                    "still checks the schema version {id} (its status is PENDING): look at the schema in Glue's console"
                )));
            }
            Some(other) => {
                return Err(FetchError::Unusable(format!(
                    "expected the schema version {id} with the status AVAILABLE, found {other:?}: {}",
                    self.arn
                )));
            }
        }
        let format = match version.data_format.as_str() {
            "AVRO" => Format::Avro,
            "PROTOBUF" => Format::Protobuf,
            "JSON" => Format::Json,
            other => {
                return Err(FetchError::Unusable(format!(
                    "expected a schema of the data format AVRO, PROTOBUF or JSON, found {other:?}"
                )));
            }
        };
        Ok(Source::new(format, version.schema_definition))
    }

    fn refused(&self, id: SchemaId, answer: &Answer) -> FetchError {
        let status = answer.status;
        let Ok(Refusal { kind }) = serde_json::from_slice(&answer.body) else {
            return self.unavailable(format_args!(
                "answered {status} with what is no error of Glue's: is the endpoint {} right?",
                self.endpoint
            ));
        };
        // With or without a namespace before it: `com.amazonaws.glue#EntityNotFoundException`.
        let kind = kind.rsplit('#').next().unwrap_or_default();
        let cure = match kind {
            "EntityNotFoundException" => return FetchError::NotFound(id),
            "AccessDeniedException" => {
                ": allow the function's role glue:GetSchemaVersion on the registry and its schemas"
            }
            "ExpiredTokenException"
            | "InvalidSignatureException"
            | "UnrecognizedClientException" => ": check the AWS credentials, and the clock",
            "ThrottlingException" => ": too many requests; raise the quota of GetSchemaVersion",
            _ => "",
        };
        let kind: String = kind
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(64)
            .collect();
        self.unavailable(format_args!("answered {status}, {kind}{cure}"))
    }

    fn unavailable(&self, said: impl fmt::Display) -> FetchError {
        FetchError::Unavailable(format!("the schema registry {} {said}", self.arn))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a signature holds for AWS's time, whichever clock an invocation has"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    schema_definition: String,
    data_format: String,
    /// None: moto does not say.
    status: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: String,
}

impl Registry for Glue {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        Box::pin(async move {
            match id {
                SchemaId::Version(_) => self.version(id).await,
                SchemaId::Number(_) | SchemaId::Guid(_) => Err(FetchError::Unusable(format!(
                    "the id {id} is one of Confluent's, but the registry is AWS Glue's: {}",
                    self.arn
                ))),
            }
        })
    }

    fn place(&self) -> &str {
        &self.arn
    }
}

impl fmt::Debug for Glue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Glue")
            .field("arn", &self.arn)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

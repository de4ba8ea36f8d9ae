//! AWS Glue's schema registry: one signed call a schema. Asked through `cache`.

use std::fmt;

use serde::Deserialize;

use crate::aws::{Service, UnknownPartition, refusal};
use crate::http::Answer;
use crate::id::{Format, SchemaId, Source};
use crate::registry::{FetchError, Fetching, Registry};

const TARGET: &str = "AWSGlue.GetSchemaVersion";

/// The schema registry of AWS Glue. Needs the permission `glue:GetSchemaVersion`. Connects at the first fetch, with the environment's credentials, and keeps its connections.
///
/// Glue's ids are the whole account's: a schema of another registry of the same region is found, too.
pub struct Glue {
    arn: String,
    service: Service,
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
        Self::with(arn, |partition, region| {
            Service::of("glue", partition, region, "GLUE")
        })
    }

    fn with(
        arn: &str,
        service: impl FnOnce(&str, &str) -> Result<Service, UnknownPartition>,
    ) -> Result<Self, ArnError> {
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
        let unknown = |_| ArnError::Partition(partition.to_owned());
        Ok(Self {
            arn: arn.to_owned(),
            service: service(partition, region).map_err(unknown)?,
        })
    }

    /// The schema of an id, in the registry's own words.
    async fn version(&self, id: SchemaId) -> Result<Source, FetchError> {
        let body = format!(r#"{{"SchemaVersionId":"{id}"}}"#);
        let answer = self.service.call(TARGET, &body).await;
        let answer = answer.map_err(|said| self.unavailable(said))?;
        self.read(id, &answer)
    }

    fn read(&self, id: SchemaId, answer: &Answer) -> Result<Source, FetchError> {
        if !answer.status.is_success() {
            return Err(self.refused(id, answer));
        }
        let Ok(version) = serde_json::from_slice::<Version>(&answer.body) else {
            return Err(self.unavailable(format_args!(
                "answered {} with what is no answer of Glue's: is the endpoint {} right?",
                answer.status, self.service.endpoint
            )));
        };
        match version.status.as_str() {
            "AVAILABLE" => {}
            "PENDING" => {
                return Err(self.unavailable(format_args!(
                    "still checks the schema version {id} (its status is PENDING): look at the schema in Glue's console"
                )));
            }
            other => {
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
        let Some(kind) = refusal(answer) else {
            return self.unavailable(format_args!(
                "answered {status} with what is no error of Glue's: is the endpoint {} right?",
                self.service.endpoint
            ));
        };
        let cure = match kind.as_str() {
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
        self.unavailable(format_args!("answered {status}, {kind}{cure}"))
    }

    fn unavailable(&self, said: impl fmt::Display) -> FetchError {
        FetchError::Unavailable(format!("the schema registry {} {said}", self.arn))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    schema_definition: String,
    data_format: String,
    status: String,
}

impl Registry for Glue {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        Box::pin(async move {
            match id {
                SchemaId::Version(_) => self.version(id).await,
                // A setting that names the wrong registry must not reject a topic.
                SchemaId::Number(_) | SchemaId::Guid(_) => Err(FetchError::Foreign(format!(
                    "the schema registry {} is AWS Glue's, but the id {id} is one of Confluent's: name the registry that the producers use",
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
            .field("endpoint", &self.service.endpoint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

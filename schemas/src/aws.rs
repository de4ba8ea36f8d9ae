//! Signed requests to services of AWS that speak JSON: one call, one answer. Called by `glue` and `secret`, which need one operation each.

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

const JSON: &str = "application/x-amz-json-1.1";

/// A service of AWS in one region.
pub(crate) struct Service {
    /// `glue`, as signatures and hosts have it.
    name: &'static str,
    region: String,
    pub(crate) endpoint: String,
    /// The chain that finds credentials, made at the first call.
    pub(crate) credentials: OnceCell<Option<SharedCredentialsProvider>>,
    http: Http,
}

/// The AWS partition is unknown, and no variable sets the endpoint.
pub(crate) struct UnknownPartition;

impl Service {
    /// The service of an ARN's partition and region. The endpoint is AWS's own, unless a variable sets another: `AWS_ENDPOINT_URL_` with the given ending, or `AWS_ENDPOINT_URL`.
    pub(crate) fn of(
        name: &'static str,
        partition: &str,
        region: &str,
        variable: &str,
    ) -> Result<Self, UnknownPartition> {
        let of_service = format!("AWS_ENDPOINT_URL_{variable}");
        let set = [of_service.as_str(), "AWS_ENDPOINT_URL"].into_iter();
        let mut set = set.filter_map(|name| std::env::var(name).ok());
        let endpoint = set.find(|url| !url.is_empty());
        Self::at(name, partition, region, endpoint)
    }

    pub(crate) fn at(
        name: &'static str,
        partition: &str,
        region: &str,
        endpoint: Option<String>,
    ) -> Result<Self, UnknownPartition> {
        let endpoint = match (endpoint, partition) {
            (Some(endpoint), _) => endpoint.trim_end_matches('/').to_owned(),
            (None, "aws" | "aws-us-gov") => format!("https://{name}.{region}.amazonaws.com"),
            (None, "aws-cn") => format!("https://{name}.{region}.amazonaws.com.cn"),
            (None, _) => return Err(UnknownPartition),
        };
        Ok(Self {
            name,
            region: region.to_owned(),
            endpoint,
            credentials: OnceCell::new(),
            http: Http::default(),
        })
    }

    /// Calls an operation.
    ///
    /// # Errors
    ///
    /// There is no answer, in words that follow the service's name.
    pub(crate) async fn call(&self, target: &str, body: &str) -> Result<Answer, String> {
        let url = format!("{}/", self.endpoint);
        let headers = self.signed(&url, target, body).await?;
        let asked = self.http.ask(|client| {
            let request = client.post(&url).body(body.to_owned());
            let request = request
                .header("content-type", JSON)
                .header("x-amz-target", target);
            headers.iter().fold(request, |request, (name, value)| {
                request.header(name, value)
            })
        });
        asked.await
    }

    /// The headers that sign a request.
    async fn signed(
        &self,
        url: &str,
        target: &str,
        body: &str,
    ) -> Result<Vec<(String, String)>, String> {
        let identity = self.credentials().await?.into();
        let cannot = |error: &dyn fmt::Display| {
            format!("cannot be asked: the request could not be signed: {error}")
        };
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.name)
            .time(now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| cannot(&error))?
            .into();
        let headers = [("content-type", JSON), ("x-amz-target", target)].into_iter();
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

    async fn credentials(&self) -> Result<Credentials, String> {
        let chain = self.credentials.get_or_init(|| async {
            let config = aws_config::defaults(BehaviorVersion::latest());
            let config = config.region(Region::new(self.region.clone())).load().await;
            config.credentials_provider()
        });
        let none = || "cannot be asked: no AWS credentials were found".to_owned();
        let provider = chain.await.as_ref().ok_or_else(none)?;
        // The error's text names the providers that were tried, and no secret.
        let given = provider.provide_credentials().await;
        given.map_err(|error| format!("cannot be asked: no AWS credentials: {error}"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a signature holds for AWS's time, whichever clock an invocation has"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// The kind of an error that a service has answered with. None: the answer is no error of a service of AWS.
pub(crate) fn refusal(answer: &Answer) -> Option<String> {
    let Refusal { kind } = serde_json::from_slice(&answer.body).ok()?;
    // With or without a namespace before it: `com.amazonaws.glue#EntityNotFoundException`.
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let letters = kind.chars().filter(char::is_ascii_alphanumeric);
    Some(letters.take(64).collect())
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: String,
}

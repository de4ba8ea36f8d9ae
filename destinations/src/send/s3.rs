//! Objects to an S3 bucket, through the AWS SDK.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_sdk_s3::primitives::ByteStream;
use tokio::sync::OnceCell;

use super::Progress;
use super::error::ServiceError;
use super::put::{NewObject, Put, Putting};
use super::sdk::{self, SdkSaid};
use crate::limits::UPLOAD_MS_MAX;

/// An S3 bucket into which objects are put.
pub struct S3 {
    bucket: String,
    prefix: String,
    /// Made at the first object.
    client: OnceCell<Client>,
}

impl S3 {
    /// Creates a sender for the bucket of that name. Object names begin with the prefix, which may be empty. A bucket's address names no region:
    /// the region comes from the environment or the profile.
    pub fn new(bucket: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            prefix: prefix.into(),
            client: OnceCell::new(),
        }
    }

    /// Creates a sender for the bucket with the given client: its region, endpoint, credentials, time-outs and retries.
    pub fn with_client(
        client: Client,
        bucket: impl Into<String>,
        prefix: impl Into<String>,
    ) -> Self {
        Self {
            bucket: bucket.into(),
            prefix: prefix.into(),
            client: OnceCell::new_with(Some(client)),
        }
    }

    /// The client, created at the first call.
    pub async fn client(&self) -> &Client {
        self.client.get_or_init(connect).await
    }

    /// Puts an object into the bucket and replaces an object of the same name. Ok: S3 has confirmed it.
    ///
    /// # Errors
    ///
    /// The service's error. The SDK has made three attempts if a retry could help.
    pub async fn put(
        &self,
        name: &str,
        content_type: &str,
        body: impl Into<Vec<u8>>,
    ) -> Result<(), SdkSaid> {
        let key = self.key(name);
        let request = self.client().await.put_object();
        let request = request
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .body(ByteStream::from(body.into()));
        request.send().await.map(drop).map_err(sdk::said)
    }

    /// Puts an object of JSON into the bucket, and replaces none. Returns its URL: S3 has confirmed it.
    ///
    /// An object that stands there already is taken for this one if it bears the same fingerprint: a response was lost, or the same thing was put before. Else
    /// the object gets a second name, `NAME-FINGERPRINT.json`. Retries until the time of `progress`, which objects that are put
    /// at once share, is up.
    ///
    /// # Errors
    ///
    /// [`ServiceError`]: no object holds the text, as far as is known.
    pub async fn put_new(
        &self,
        object: NewObject<'_>,
        progress: &Progress,
    ) -> Result<String, ServiceError> {
        let first = self.key(&format!("{}.json", object.name));
        let Some(client) = progress.in_time(Box::pin(self.client())).await else {
            return Err(ServiceError::not_sent(&self.url(&first)));
        };
        let putting = Putting {
            client,
            bucket: &self.bucket,
            object,
            progress,
        };
        match putting.put(&first).await? {
            Put::Stands => return Ok(self.url(&first)),
            Put::Another => {}
        }
        let second = self.key(&format!("{}-{}.json", object.name, object.fingerprint));
        match putting.put(&second).await? {
            Put::Stands => Ok(self.url(&second)),
            Put::Another => Err(ServiceError::Refused {
                place: self.url(&second),
                why: "objects of other content have both of its names: use another prefix"
                    .to_owned(),
            }),
        }
    }

    fn key(&self, name: &str) -> String {
        match &*self.prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// Checks that the bucket exists. A missing permission to ask is not an error, since it says nothing about the permission to put objects.
    ///
    /// # Errors
    ///
    /// [`SdkSaid`]: the bucket does not exist, or the service cannot be reached.
    pub async fn check(&self) -> Result<(), SdkSaid> {
        let asked = self.client().await.head_bucket();
        let asked = asked.bucket(&self.bucket).send().await;
        sdk::there(asked, HeadBucketError::is_not_found)
    }
}

/// `s3://BUCKET/PREFIX`.
impl fmt::Display for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.prefix {
            "" => write!(f, "s3://{}", self.bucket),
            prefix => write!(f, "s3://{}/{prefix}", self.bucket),
        }
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

async fn connect() -> Client {
    let elsewhere = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    let config = match elsewhere {
        true => sdk::config().region(sdk::any_region()),
        false => sdk::config(),
    };
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_millis(UPLOAD_MS_MAX))
        .build();
    let builder = Builder::from(&config.load().await)
        .timeout_config(timeouts)
        // What is not AWS's own has no host name for each bucket.
        .force_path_style(elsewhere);
    Client::from_conf(builder.build())
}

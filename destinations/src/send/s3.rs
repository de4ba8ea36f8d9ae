//! Objects to an S3 bucket, through the AWS SDK.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_sdk_s3::primitives::ByteStream;
use tokio::sync::OnceCell;

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
        let key = match &*self.prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        let request = self.client().await.put_object();
        let request = request
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .body(ByteStream::from(body.into()));
        request.send().await.map(drop).map_err(sdk::said)
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

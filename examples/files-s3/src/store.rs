//! The bucket that takes the files. Called by the handler.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::meta::region::ProvideRegion;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use lambda_msk::Failure;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

use crate::endpoint::ENDPOINTS;
use crate::file::File;
use crate::settings::Place;

/// The entry of an object's metadata that tells what it holds: `x-amz-meta-lines-sha256`.
pub const LINES_SHA256: &str = "lines-sha256";

/// Longest time of one try of a request; the SDK makes three. The framework ends a call sooner if the invocation ends sooner.
const TRY_TIMEOUT: Duration = Duration::from_secs(20);

/// Longest time until a connection is made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Files of one call that are sent at once.
const FILES_AT_ONCE_MAX: usize = 16;

/// Names that are tried for a file before it fails. One object of the name is of a topic that was made anew; the others are nobody's but a stranger's.
const NAMES_MAX: usize = 10;

/// The bucket. A clone is the same bucket.
#[derive(Clone, Debug)]
pub struct Store {
    place: Arc<Place>,
    /// *None: that of the profile.*
    region: Option<Region>,
    /// Made with the first file.
    client: Arc<OnceCell<Client>>,
}

impl Store {
    /// The bucket at that place and in that region, with credentials and endpoint from the environment. Without a region, with that of the profile.
    pub fn new(place: Place, region: Option<String>) -> Self {
        Self {
            place: Arc::new(place),
            region: region.map(Region::new),
            client: Arc::default(),
        }
    }

    /// The same with a client of one's own.
    pub fn with_client(place: Place, client: Client) -> Self {
        Self {
            client: Arc::new(OnceCell::new_with(Some(client))),
            ..Self::new(place, None)
        }
    }

    /// Writes the files. Ok: each of them stands in the bucket.
    ///
    /// # Errors
    ///
    /// One of them does not stand there, as far as is known. No record is at fault. What was written stays, and is known again when the same files come once more.
    pub async fn write(&self, files: Vec<File>) -> Result<(), Failure> {
        let mut writes = JoinSet::new();
        for file in files {
            if writes.len() == FILES_AT_ONCE_MAX {
                ended(writes.join_next().await)?;
            }
            let store = self.clone();
            writes.spawn(async move { store.write_one(&file).await });
        }
        while !writes.is_empty() {
            ended(writes.join_next().await)?;
        }
        Ok(())
    }

    /// An object of that name is this file if it has the same lines. Else another one has it, and the file gets the next name.
    async fn write_one(&self, file: &File) -> Result<(), Failure> {
        let (name, lines_sha256) = (&file.name, &file.lines_sha256);
        let mut key = String::new();
        for number in 0..NAMES_MAX {
            key = self.key(&match number {
                0 => format!("{name}.ndjson.gz"),
                1 => format!("{name}-{lines_sha256}.ndjson.gz"),
                _ => format!("{name}-{lines_sha256}-{number}.ndjson.gz"),
            });
            if self.stands(&key, file).await? {
                return Ok(());
            }
        }
        let url = self.url(&key);
        Err(failed(
            "files.name_taken",
            format!("an object of other lines has the name {url}: move it elsewhere"),
        ))
    }

    /// Puts the file under that key if the key is free. Answers with whether the object that has the key is this file.
    async fn stands(&self, key: &str, file: &File) -> Result<bool, Failure> {
        let client = self.client.get_or_init(|| connect(&self.region)).await;
        let put = client.put_object().bucket(&self.place.bucket).key(key);
        let put = put
            .if_none_match("*")
            .content_type("application/gzip")
            .metadata(LINES_SHA256, &file.lines_sha256)
            .body(ByteStream::from(file.gzip.clone()));
        // On the heap: the SDK's future takes kilobytes.
        let Err(error) = Box::pin(put.send()).await else {
            return Ok(true);
        };
        if status(&error) != Some(412) {
            return Err(self.refused(key, error, "s3:PutObject"));
        }
        let head = client.head_object().bucket(&self.place.bucket).key(key);
        match Box::pin(head.send()).await {
            Ok(head) => {
                let known = head.metadata().and_then(|all| all.get(LINES_SHA256));
                Ok(known == Some(&file.lines_sha256))
            }
            Err(error) => Err(self.refused(key, error, "s3:GetObject")),
        }
    }

    fn key(&self, name: &str) -> String {
        match &*self.place.prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.place.bucket)
    }

    /// What S3 has said, and what to do about it. The records wait: nothing that S3 refuses is a record's fault.
    fn refused<E>(&self, key: &str, error: SdkError<E>, action: &str) -> Failure
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let url = self.url(key);
        let Some(status) = status(&error) else {
            return unanswered(&url, error);
        };
        let (code, message) = (error.code(), error.message());
        let advice = match (status, code.unwrap_or_default()) {
            (_, "NoSuchBucket") => "; check the bucket's name in FILES_S3".to_owned(),
            (301, _) | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed") => {
                "; the bucket is in another region: use one in the function's".to_owned()
            }
            (_, code) if code.to_ascii_lowercase().contains("kms") => {
                "; the function's role needs kms:GenerateDataKey and kms:Decrypt on the bucket's key".to_owned()
            }
            (_, code) if ["Token", "Signature", "AccessKey"].iter().any(|it| code.contains(it)) => {
                "; check the function's credentials".to_owned()
            }
            (403, _) => format!("; the function's role needs {action} on the objects of FILES_S3"),
            _ => String::new(),
        };
        let why = match (code, message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(text), None) | (None, Some(text)) => text.to_owned(),
            // An answer to HEAD has no body.
            (None, None) => format!("status {status}"),
        };
        failed("files.refused", format!("S3 refuses {url}: {why}{advice}"))
    }
}

/// There is no answer. What the SDK says of an address or of credentials that it cannot use may show them, so it is not taken over; nor is its errors' `Debug`.
fn unanswered<E: Error + Send + Sync + 'static>(url: &str, error: SdkError<E>) -> Failure {
    let was_sent = match &error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
        _ => true,
    };
    let error = DisplayChain(&error);
    if error.links().any(|link| link.is::<CredentialsError>()) {
        let cure = "check the function's role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE";
        let what = format!("{url} was not sent, for want of credentials: {cure}");
        return failed("files.no_credentials", what);
    }
    if !was_sent {
        let cure = "check AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and the profile";
        let what = format!("{url} was not sent, for the request to S3 could not be made: {cure}");
        return failed("files.not_sent", what);
    }
    failed(
        "files.unavailable",
        format!("no answer of S3 about {url}: {error}"),
    )
}

/// An error, and what has caused it.
struct DisplayChain<'e>(&'e (dyn Error + 'static));

impl<'e> DisplayChain<'e> {
    fn links(&self) -> impl Iterator<Item = &'e (dyn Error + 'static)> + use<'e> {
        std::iter::successors(Some(self.0), |&link| link.source())
    }
}

impl fmt::Display for DisplayChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, link) in self.links().enumerate() {
            let before = if at == 0 { "" } else { ": " };
            write!(f, "{before}{link}")?;
        }
        Ok(())
    }
}

/// Nothing was wrong with a record: the whole call is tried again, and makes the same files.
fn failed(code: &'static str, why: String) -> Failure {
    Failure::retry(why).code(code).whole()
}

fn ended(
    write: Option<Result<Result<(), Failure>, tokio::task::JoinError>>,
) -> Result<(), Failure> {
    match write {
        None => Ok(()),
        Some(Ok(written)) => written,
        Some(Err(error)) => Err(failed("files.unavailable", error.to_string())),
    }
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// The region of the profile: `AWS_PROFILE`, or the default.
pub(crate) async fn region_of_profile() -> Option<String> {
    let region = ProfileFileRegionProvider::new().region().await;
    Some(region?.to_string()).filter(|region| !region.is_empty())
}

async fn connect(region: &Option<Region>) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(TRY_TIMEOUT)
        .build();
    let mut config = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = region {
        config = config.region(region.clone());
    }
    let config = config.load().await;
    let is_elsewhere = ENDPOINTS
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|url| !url.is_empty()));
    let builder = Builder::from(&config)
        .timeout_config(timeouts)
        // What is not AWS's own has no host name for each bucket.
        .force_path_style(is_elsewhere);
    Client::from_conf(builder.build())
}

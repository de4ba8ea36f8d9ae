//! An S3 bucket for records that are given up: an object each time, with what Lambda tells of them and the event whole. Made by `destination`.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_sdk_s3::primitives::ByteStream;
use jiff::Timestamp;
use msk_destinations::address::Address;
use msk_mapping::document::Documents;
use msk_mapping::driver::{Destination, SendFuture, Undelivered};
use msk_mapping::machine::{Configuration, Discarded};
use tokio::sync::OnceCell;

use super::sdk::{self, there, undelivered};
use crate::dev::GROUP;

/// Longest try of one upload: it carries the whole event.
const UPLOAD_MAX: Duration = Duration::from_secs(25);

/// A bucket by its ARN, or by `s3://BUCKET/PREFIX`.
pub(super) struct BucketDestination {
    bucket: String,
    prefix: String,
    /// Stands for the mapping's UUID, which is what Lambda calls a consumer group that nobody named.
    group: String,
    /// Of this run, so that no other run's object is written over.
    run: u64,
    documents: Documents,
    /// Made with the first record that is given up.
    client: OnceCell<Client>,
}

impl BucketDestination {
    pub(super) fn new(text: &str, configuration: &Configuration) -> Self {
        let (bucket, prefix) = match Address::parse(text) {
            Ok(Address::Bucket { name, prefix }) => (name, prefix),
            _ => (text.to_owned(), String::new()),
        };
        Self {
            bucket,
            prefix,
            group: configuration
                .consumer_group_id
                .clone()
                .unwrap_or_else(|| GROUP.to_owned()),
            run: fastrand::u64(..),
            documents: Documents::of(configuration),
            client: OnceCell::new(),
        }
    }

    /// As Lambda names the objects of a stream, with the first record's partition for the shard: documented for streams, not for Kafka.
    /// A delivery that is tried again has the same name, so its object replaces the one of a try whose answer was lost.
    fn key(&self, discarded: &Discarded) -> String {
        let millis = i64::try_from(discarded.at.as_millis()).unwrap_or(i64::MAX);
        let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        let first = discarded.records.first();
        let partition = first.map(|record| record.partition.to_string());
        let key = format!(
            "aws/lambda/{}/{}/{}-{:016x}-{}",
            self.group,
            partition.unwrap_or_default(),
            at.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S"),
            self.run,
            discarded.id.number(),
        );
        match &*self.prefix {
            "" => key,
            prefix => format!("{prefix}/{key}"),
        }
    }

    async fn send(&self, discarded: &Discarded) -> Result<(), Undelivered> {
        let client = self.client.get_or_init(client).await;
        let document = self.documents.with_payload(discarded);
        let request = client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(discarded))
            .content_type("application/json")
            .body(ByteStream::from(document.into_bytes()));
        request.send().await.map(drop).map_err(undelivered)
    }
}

impl Destination for BucketDestination {
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a> {
        Box::pin(self.send(discarded))
    }

    fn check(&self) -> SendFuture<'_> {
        Box::pin(async {
            let client = self.client.get_or_init(client).await;
            let asked = client.head_bucket().bucket(&self.bucket).send().await;
            there(asked, HeadBucketError::is_not_found)
        })
    }

    fn describe(&self) -> String {
        match &*self.prefix {
            "" => format!("s3://{}", self.bucket),
            prefix => format!("s3://{}/{prefix}", self.bucket),
        }
    }
}

/// A bucket's ARN names no region: the environment's or the profile's it is.
async fn client() -> Client {
    let elsewhere = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    let config = match elsewhere {
        true => sdk::config().region(sdk::any_region()),
        false => sdk::config(),
    };
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(UPLOAD_MAX)
        .build();
    let builder = Builder::from(&config.load().await)
        .timeout_config(timeouts)
        // What is not AWS's own has no host name for each bucket.
        .force_path_style(elsewhere);
    Client::from_conf(builder.build())
}

#[cfg(test)]
mod tests {
    use msk_mapping::driver::Destination;
    use msk_mapping::machine::OnFailure;
    use serde_json::Value;

    use super::super::tests::{assert_given_up, given_up};
    use super::{BucketDestination, client};

    #[tokio::test]
    #[ignore = "needs a bucket: make test-services"]
    async fn a_real_bucket_gets_what_lambda_tells_with_the_event_once_a_delivery() {
        let client = client().await;
        let bucket = format!("given-up-{}", std::process::id());
        let region = "eu-central-1".into();
        let made = client
            .create_bucket()
            .bucket(&bucket)
            .create_bucket_configuration(
                aws_sdk_s3::types::CreateBucketConfiguration::builder()
                    .location_constraint(region)
                    .build(),
            );
        made.send().await.unwrap();
        let text = format!("s3://{bucket}/desk/");
        let (settings, discarded) = given_up(OnFailure::S3(text.clone()));
        let destination = BucketDestination::new(&text, &settings);

        destination.check().await.unwrap();
        destination.deliver(&discarded).await.unwrap();
        destination.deliver(&discarded).await.unwrap();

        assert_eq!(destination.describe(), format!("s3://{bucket}/desk"));
        let listed = client.list_objects_v2().bucket(&bucket).send().await;
        let objects = listed.unwrap().contents.unwrap();
        let [object] = &objects[..] else {
            panic!("{objects:?}")
        };
        let key = object.key().unwrap();
        assert!(key.starts_with("desk/aws/lambda/desk/orders-0/1970/01/01/1970-01-01T00.00.00-"));
        let got = client.get_object().bucket(&bucket).key(key).send().await;
        let body = got.unwrap().body.collect().await.unwrap().into_bytes();
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_given_up(&document);
        let event: Value = serde_json::from_str(document["payload"].as_str().unwrap()).unwrap();
        assert_eq!(event["records"]["orders-0"][0]["offset"], 7);
    }

    #[tokio::test]
    #[ignore = "needs an S3 server: make test-services"]
    async fn a_real_server_without_the_bucket_says_so() {
        let (settings, discarded) = given_up(OnFailure::S3("s3://missing".to_owned()));

        let destination = BucketDestination::new("s3://missing", &settings);
        let asked = destination.check().await;
        let error = destination.deliver(&discarded).await.unwrap_err();

        assert!(asked.is_err());
        assert!(error.to_string().contains("NoSuchBucket"), "{error}");
    }
}

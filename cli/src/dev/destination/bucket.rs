//! An S3 bucket for records that are given up: an object each time, with what Lambda tells of them and the event whole. Made by `destination`.

use jiff::Timestamp;
use msk_destinations::send::S3;
use msk_mapping::document::Documents;
use msk_mapping::driver::{Destination, SendFuture, Undelivered};
use msk_mapping::machine::{Configuration, Discarded};

use super::delivery::undelivered;
use crate::dev::args::GROUP;

/// A bucket, and how its objects are made.
pub(super) struct BucketDestination {
    bucket: S3,
    /// Stands for the mapping's UUID, which is what Lambda calls a consumer group that nobody named.
    group: String,
    /// Of this run, so that no other run's object is written over.
    run: u64,
    documents: Documents,
}

impl BucketDestination {
    pub(super) fn new(bucket: S3, configuration: &Configuration) -> Self {
        Self {
            bucket,
            group: configuration
                .consumer_group_id
                .clone()
                .unwrap_or_else(|| GROUP.to_owned()),
            run: fastrand::u64(..),
            documents: Documents::of(configuration),
        }
    }

    /// As Lambda names the objects of a stream, with the first record's partition for the shard: documented for streams, not for Kafka.
    /// A delivery that is tried again has the same name, so its object replaces the one of a try whose answer was lost.
    fn name(&self, discarded: &Discarded) -> String {
        let millis = i64::try_from(discarded.at.as_millis()).unwrap_or(i64::MAX);
        let at = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        let first = discarded.records.first();
        let partition = first.map(|record| record.partition.to_string());
        format!(
            "aws/lambda/{}/{}/{}-{:016x}-{}",
            self.group,
            partition.unwrap_or_default(),
            at.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S"),
            self.run,
            discarded.id.number(),
        )
    }

    async fn send(&self, discarded: &Discarded) -> Result<(), Undelivered> {
        let document = self.documents.with_payload(discarded);
        let name = self.name(discarded);
        let put = self.bucket.put(&name, "application/json", document);
        put.await.map_err(undelivered)
    }
}

impl Destination for BucketDestination {
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a> {
        Box::pin(self.send(discarded))
    }

    fn check(&self) -> SendFuture<'_> {
        Box::pin(async { self.bucket.check().await.map_err(undelivered) })
    }

    fn describe(&self) -> String {
        self.bucket.to_string()
    }
}

#[cfg(test)]
mod tests {
    use msk_destinations::send::aws_sdk_s3::types::CreateBucketConfiguration;
    use msk_mapping::driver::Destination;
    use msk_mapping::machine::OnFailure;
    use serde_json::Value;

    use super::super::tests::{assert_given_up, given_up};
    use super::{BucketDestination, S3};

    #[tokio::test]
    #[ignore = "needs a bucket: make test-services"]
    async fn a_real_bucket_gets_what_lambda_tells_with_the_event_once_a_delivery() {
        let bucket = format!("given-up-{}", std::process::id());
        let s3 = S3::new(&bucket, "desk");
        let client = s3.client().await;
        let region = "eu-central-1".into();
        let made = client
            .create_bucket()
            .bucket(&bucket)
            .create_bucket_configuration(
                CreateBucketConfiguration::builder()
                    .location_constraint(region)
                    .build(),
            );
        made.send().await.unwrap();
        let text = format!("s3://{bucket}/desk/");
        let (settings, discarded) = given_up(OnFailure::S3(text));
        let destination = BucketDestination::new(S3::new(&bucket, "desk"), &settings);

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

        let destination = BucketDestination::new(S3::new("missing", ""), &settings);
        let asked = destination.check().await;
        let error = destination.deliver(&discarded).await.unwrap_err();

        assert!(asked.is_err());
        assert!(error.to_string().contains("NoSuchBucket"), "{error}");
    }
}

//! Letters to real S3 servers, which `tests/services/run` starts: moto, which is in memory, and versitygw, which keeps objects on disk and has users.

use msk_destinations::send::aws_sdk_s3::Client;
use msk_destinations::send::aws_sdk_s3::config::{
    BehaviorVersion, Config, Credentials, Region, SharedAsyncSleep,
};
use msk_destinations::send::aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration,
};

use super::S3Destination;
use super::tests::TokioSleep;
use crate::deadline::Deadline;
use crate::destination::Destination;
use crate::destination::fixture::{invocation, letter_of, letters};
use crate::destination::http_stub::outcomes;

/// The address of each server.
fn servers() -> [String; 2] {
    let names = ["AWS_ENDPOINT_URL_S3", "LAMBDA_MSK_VERSITYGW"];
    names.map(|name| std::env::var(name).expect("run by tests/services/run"))
}

/// A client of a server, with these keys.
pub(super) fn client(server: &str, key: &str, secret: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new(key, secret, None, None, "test"))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep))
        .endpoint_url(server)
        .force_path_style(true);
    Client::from_conf(config.build())
}

/// A bucket of the test's own.
pub(super) struct Bucket {
    pub(super) server: String,
    pub(super) name: String,
    pub(super) client: Client,
}

impl Bucket {
    pub(super) async fn at(server: &str) -> Self {
        let client = client(server, "test", "test");
        let name = format!("dead-{}-{}", std::process::id(), fastrand::u32(..));
        let place = BucketLocationConstraint::EuCentral1;
        let place = CreateBucketConfiguration::builder().location_constraint(place);
        let request = client.create_bucket().bucket(&name);
        let request = request.create_bucket_configuration(place.build());
        request.send().await.unwrap();
        Self {
            server: server.to_owned(),
            name,
            client,
        }
    }

    /// A destination in it.
    pub(super) fn destination(&self, prefix: &str) -> S3Destination {
        let url = format!("s3://{}/{prefix}", self.name);
        S3Destination::with_client(self.client.clone(), &url).unwrap()
    }

    /// The same as somebody else.
    fn destination_of(&self, key: &str, secret: &str) -> S3Destination {
        let client = client(&self.server, key, secret);
        S3Destination::with_client(client, &format!("s3://{}", self.name)).unwrap()
    }

    /// The keys of all objects.
    pub(super) async fn keys(&self) -> Vec<String> {
        let request = self.client.list_objects_v2().bucket(&self.name);
        let mut pages = request.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            keys.extend(
                page.contents()
                    .iter()
                    .map(|it| it.key().unwrap().to_owned()),
            );
        }
        keys
    }

    pub(super) async fn text(&self, key: &str) -> String {
        let request = self.client.get_object().bucket(&self.name).key(key);
        let body = request.send().await.unwrap().body.collect().await;
        String::from_utf8(body.unwrap().to_vec()).unwrap()
    }
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn letters_sent_twice_to_a_real_bucket_are_there_once() {
    for server in servers() {
        let bucket = Bucket::at(&server).await;
        let (destination, letters) = (bucket.destination("desk"), letters(3));

        let first = destination.send(&letters).await;
        let second = destination.send(&letters).await;

        assert_eq!(outcomes(first), ["confirmed"; 3], "{server}");
        assert_eq!(outcomes(second), ["confirmed"; 3], "{server}");
        let expected = [15, 16, 17].map(|at| format!("desk/orders/0/{at}-1545084650987.json"));
        assert_eq!(bucket.keys().await, expected, "{server}");
        assert_eq!(bucket.text(&expected[1]).await, letters[1].envelope());
    }
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn the_destinations_own_client_reaches_the_server_of_the_environment() {
    let bucket = Bucket::at(&servers()[0]).await;
    let destination = S3Destination::new(&format!("arn:aws:s3:::{}", bucket.name)).unwrap();

    let results = destination.send(&letters(1)).await;

    assert_eq!(outcomes(results), ["confirmed"]);
    assert_eq!(bucket.keys().await, ["orders/0/15-1545084650987.json"]);
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn another_record_of_the_same_place_and_time_gets_an_object_of_its_own() {
    for server in servers() {
        let bucket = Bucket::at(&server).await;
        let invocation = invocation(Deadline::UNKNOWN);
        let letter = |value: &str| letter_of(&invocation, 15, &format!(r#"{{"value":"{value}"}}"#));

        let both = [letter("YQ=="), letter("Yg==")];
        let results = bucket.destination("").send(&both).await;
        let again = bucket.destination("").send(&both).await;

        assert_eq!(outcomes(results), ["confirmed"; 2], "{server}");
        assert_eq!(outcomes(again), ["confirmed"; 2], "{server}");
        let mut keys = bucket.keys().await;
        keys.sort_by_key(String::len);
        assert_eq!(keys.len(), 2, "{server}: {keys:?}");
        assert_eq!(keys[0], "orders/0/15-1545084650987.json");
        let begins = "orders/0/15-1545084650987-";
        assert!(keys[1].starts_with(begins), "{server}: {keys:?}");
    }
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn an_object_without_our_fingerprint_confirms_no_letter() {
    for server in servers() {
        let bucket = Bucket::at(&server).await;
        let letter = letters(1);
        let key = "orders/0/15-1545084650987.json";
        // The very text, copied there by somebody who left the metadata out.
        let request = bucket.client.put_object().bucket(&bucket.name).key(key);
        let request = request.body(letter[0].envelope().into_bytes().into());
        request.send().await.unwrap();

        let results = bucket.destination("").send(&letter).await;

        assert_eq!(outcomes(results), ["confirmed"], "{server}");
        assert_eq!(bucket.keys().await.len(), 2, "{server}");
    }
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn a_real_server_without_the_bucket_says_what_to_check() {
    for server in servers() {
        let client = client(&server, "test", "test");
        let destination = S3Destination::with_client(client, "s3://no-such-bucket").unwrap();

        let results = outcomes(destination.send(&letters(1)).await);

        let advice = "; check the bucket's name";
        assert!(results[0].ends_with(advice), "{server}: {results:?}");
    }
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn keys_that_a_real_server_does_not_know_are_told_from_a_missing_permission() {
    let [_, server] = servers();
    let bucket = Bucket::at(&server).await;

    for (key, secret) in [("test", "another"), ("nobody", "test")] {
        let results = bucket.destination_of(key, secret).send(&letters(1)).await;

        let said = outcomes(results).remove(0);
        let advice = "; check that the function has credentials and a region";
        assert!(said.ends_with(advice), "{said}");
        assert!(!said.contains("another"), "{said}");
    }
    assert_eq!(bucket.keys().await, [""; 0]);
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn a_permission_that_a_real_server_misses_is_named_for_putting_and_comparing() {
    let [_, server] = servers();
    let bucket = Bucket::at(&server).await;
    let guest = bucket.destination_of("guest", "guestguest");

    let put = outcomes(guest.send(&letters(1)).await);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":["guest"]}},"Action":["s3:PutObject"],"Resource":["arn:aws:s3:::{}/*"]}}]}}"#,
        bucket.name
    );
    let allowed = bucket.client.put_bucket_policy().bucket(&bucket.name);
    allowed.policy(policy).send().await.unwrap();
    let first = outcomes(guest.send(&letters(1)).await);
    let compare = outcomes(guest.send(&letters(1)).await);

    assert!(put[0].contains("needs `s3:PutObject`"), "{put:?}");
    assert_eq!(first, ["confirmed"]);
    assert!(compare[0].contains("needs `s3:GetObject`"), "{compare:?}");
    assert_eq!(bucket.keys().await, ["orders/0/15-1545084650987.json"]);
}

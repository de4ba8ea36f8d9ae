//! Letters to a real S3 server, through the client that the destination makes itself. `tests/services/run` starts one.

use msk_destinations::send::S3;
use msk_destinations::send::aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration,
};

use super::S3Destination;
use crate::deadline::Deadline;
use crate::destination::Destination;
use crate::destination::fixture::{invocation, letter_of, letters};
use crate::destination::http_stub::outcomes;

/// A bucket of the test's own, at the server that `tests/services/run` has started.
async fn real_bucket() -> (String, S3) {
    let name = format!("dead-{}-{}", std::process::id(), fastrand::u32(..));
    let bucket = S3::new(&name, "");
    let place = BucketLocationConstraint::EuCentral1;
    let place = CreateBucketConfiguration::builder().location_constraint(place);
    let request = bucket.client().await.create_bucket().bucket(&name);
    let request = request.create_bucket_configuration(place.build());
    request.send().await.unwrap();
    (name, bucket)
}

async fn keys(bucket: &S3, name: &str) -> Vec<String> {
    let request = bucket.client().await.list_objects_v2().bucket(name);
    let listed = request.send().await.unwrap();
    let keys = listed
        .contents()
        .iter()
        .map(|it| it.key().unwrap().to_owned());
    keys.collect()
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn letters_sent_twice_to_a_real_bucket_are_there_once() {
    let (name, bucket) = real_bucket().await;
    let destination = S3Destination::new(&format!("s3://{name}/desk")).unwrap();

    let first = destination.send(&letters(3)).await;
    let second = destination.send(&letters(3)).await;

    assert_eq!(outcomes(first), ["confirmed"; 3]);
    assert_eq!(outcomes(second), ["confirmed"; 3]);
    let expected = [15, 16, 17].map(|at| format!("desk/orders/0/{at}-1545084650987.json"));
    assert_eq!(keys(&bucket, &name).await, expected);
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn another_record_of_the_same_place_and_time_gets_an_object_of_its_own() {
    let (name, bucket) = real_bucket().await;
    let destination = S3Destination::new(&format!("arn:aws:s3:::{name}")).unwrap();
    let invocation = invocation(Deadline::UNKNOWN);
    let letter = |value: &str| letter_of(&invocation, 15, &format!(r#"{{"value":"{value}"}}"#));

    let both = [letter("YQ=="), letter("Yg==")];
    let results = destination.send(&both).await;

    assert_eq!(outcomes(results), ["confirmed"; 2]);
    let mut keys = keys(&bucket, &name).await;
    keys.sort_by_key(String::len);
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], "orders/0/15-1545084650987.json");
    assert!(
        keys[1].starts_with("orders/0/15-1545084650987-"),
        "{keys:?}"
    );
}

#[tokio::test]
#[ignore = "needs buckets: make services"]
async fn a_real_server_without_the_bucket_says_what_to_check() {
    let (name, _) = real_bucket().await;

    let destination = S3Destination::new(&format!("s3://{name}-missing")).unwrap();
    let results = outcomes(destination.send(&letters(1)).await);

    assert!(
        results[0].ends_with("; check the bucket's name"),
        "{results:?}"
    );
}

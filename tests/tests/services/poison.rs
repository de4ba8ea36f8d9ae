//! Ten thousand poison records through the sample function into an S3 store that is killed and started again: each is in the bucket, or listed in the answer and redelivered.

use std::collections::BTreeSet;
use std::time::Duration;

use lambda_msk::testing::{Event, Sample};
use msk_mapping::{Ending, Environment, Function, Invocation, Logs};
use serde_json::Value;
use tokio::time::sleep;

use crate::support::binary;
use crate::support::bucket::Bucket;
use crate::support::store::Store;

const RECORDS: i64 = 10_000;
const DELIVERY: i64 = 1_000;
/// Of one delivery. The store takes a few seconds for it.
const TIME_GIVEN: Duration = Duration::from_secs(120);
/// Deliveries of the same records, at most: in some of them the store is down.
const DELIVERIES_MAX: usize = 5;
/// The store is killed once it has so many letters.
const KILLS: [usize; 2] = [1_500, 6_300];

/// Records of `orders` that are no orders.
fn event(offsets: impl IntoIterator<Item = i64>) -> String {
    let sample = |offset| {
        let sample = Sample::new("orders", 0).offset(offset).timestamp(7);
        sample.value(format!("no order {offset}"))
    };
    let event = Event::msk()
        .records(offsets.into_iter().map(sample))
        .build();
    String::from_utf8(event.as_bytes().to_vec()).unwrap()
}

/// Delivers records until the answer lists none of them, as the mapping does. Answers with how many were redelivered.
async fn deliver(environment: &mut Environment, offsets: impl Iterator<Item = i64>) -> usize {
    let (mut offsets, mut redelivered) = (offsets.collect::<Vec<_>>(), 0);
    for _ in 0..DELIVERIES_MAX {
        let invocation = Invocation::new(event(offsets.iter().copied()), TIME_GIVEN);
        let report = environment.invoke(&invocation).await.unwrap();
        let Ending::Response(answer) = &report.ending else {
            panic!("{report:?}");
        };
        let answer: Value = serde_json::from_slice(answer).unwrap();
        let listed = answer["batchItemFailures"].as_array().unwrap().iter();
        let listed = listed.map(|it| it["itemIdentifier"]["offset"].as_i64().unwrap());
        offsets = listed.collect();
        if offsets.is_empty() {
            return redelivered;
        }
        redelivered += offsets.len();
    }
    panic!(
        "not done after {DELIVERIES_MAX} deliveries: {}",
        offsets.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a bucket: make services"]
async fn each_poison_record_is_in_the_bucket_once_though_the_store_was_killed_twice() {
    let mut store = Store::start().await;
    let bucket = Bucket::at(&store.address()).await;
    let function = Function::new(binary())
        .env("AWS_ENDPOINT_URL_S3", store.address())
        .env("AWS_LAMBDA_LOG_LEVEL", "ERROR")
        .env("LAMBDA_MSK_FAILURE_REPORTING", "partial")
        .env("LAMBDA_MSK_IDEMPOTENCY", "memory")
        .env(
            "LAMBDA_MSK_ON_FAILURE",
            format!("s3://{}/dead", bucket.name()),
        )
        .logs(Logs::lines(|_| {}));
    let mut environment = Environment::new(function);

    let deliveries = async {
        let mut redelivered = 0;
        for first in (0..RECORDS).step_by(usize::try_from(DELIVERY).unwrap()) {
            redelivered += deliver(&mut environment, first..first + DELIVERY).await;
        }
        redelivered
    };
    let kills = async {
        for kill in KILLS {
            while bucket.keys().await.len() < kill {
                sleep(Duration::from_millis(50)).await;
            }
            store.kill();
            sleep(Duration::from_secs(1)).await;
            store.start_again().await;
        }
    };
    let (redelivered, ()) = tokio::join!(deliveries, kills);
    environment.stop().await;

    let keys: BTreeSet<_> = bucket.keys().await.into_iter().collect();
    println!("{} letters, {redelivered} records redelivered", keys.len());
    let expected = (0..RECORDS).map(|offset| format!("dead/orders/0/{offset}-7.json"));
    let missing: Vec<_> = expected.clone().filter(|key| !keys.contains(key)).collect();
    assert_eq!(missing, [""; 0]);
    // No letter has a second name.
    assert_eq!(keys.len(), expected.count());
}

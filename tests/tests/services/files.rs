//! The example `files-s3` as a process, with a real S3 store: what stands in its files, what it says of a store that refuses, and a store that is killed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_msk::testing::{Event, Sample};
use msk_mapping::{Ending, Environment, Function, Invocation, Logs};
use serde_json::{Value, json};

use crate::support::bucket::{Bucket, server};
use crate::support::files_s3;
use crate::support::store::Store;

/// Longer than a delivery takes on a busy machine.
const TIME_GIVEN: Duration = Duration::from_secs(60);

/// A process of the function, and what it logs.
struct Process {
    environment: Environment,
    logged: Arc<Mutex<String>>,
}

impl Process {
    fn with(server: &str, bucket: &Bucket, more: &[(&str, &str)]) -> Self {
        let logged: Arc<Mutex<String>> = Arc::default();
        let lines = Arc::clone(&logged);
        let mut function = Function::new(files_s3())
            .env("AWS_ENDPOINT_URL_S3", server)
            .env("FILES_S3", format!("s3://{}/a/b", bucket.name()))
            .env("LAMBDA_MSK_FAILURE_REPORTING", "partial")
            .env("LAMBDA_MSK_IDEMPOTENCY", "memory")
            .logs(Logs::lines(move |line| {
                lines.lock().unwrap().push_str(&format!("{}\n", line.text));
            }));
        for (name, value) in more {
            function = function.env(*name, *value);
        }
        Self {
            environment: Environment::new(function),
            logged,
        }
    }

    /// The records that the answer lists as not done.
    async fn deliver(&mut self, event: &Event) -> Vec<Value> {
        let body = String::from_utf8(event.as_bytes().to_vec()).unwrap();
        let invocation = Invocation::new(body, TIME_GIVEN);
        let report = self.environment.invoke(&invocation).await.unwrap();
        let Ending::Response(answer) = &report.ending else {
            panic!("{report:?}\n{}", self.logged());
        };
        let answer: Value = serde_json::from_slice(answer).unwrap();
        answer["batchItemFailures"].as_array().unwrap().clone()
    }

    fn logged(&self) -> String {
        self.logged.lock().unwrap().clone()
    }

    /// Ends it. Answers with what it has logged.
    async fn stop(self) -> String {
        self.environment.stop().await;
        self.logged.lock().unwrap().clone()
    }
}

/// Records of a partition from an offset on.
fn samples(partition: i32, first: i64, count: i64, mark: &str) -> Vec<Sample> {
    let sample = |offset| {
        let sample = Sample::new("orders", partition).offset(offset);
        let value = format!(r#"{{"order_id":{offset},"mark":"{mark}"}}"#);
        sample.timestamp(1_767_225_600_000).key("k").value(value)
    };
    (first..first + count).map(sample).collect()
}

fn event(samples: impl IntoIterator<Item = Sample>) -> Event {
    Event::msk().records(samples).build()
}

fn key(partition: i32, first: i64, last: i64) -> String {
    format!("a/b/orders/2026-01-01/orders+{partition}+{first:019}+{last:019}.ndjson.gz")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a bucket: make services"]
async fn a_delivery_that_comes_to_two_processes_is_in_the_bucket_once() {
    let bucket = Bucket::at(&server()).await;
    let records = samples(0, 7, 5, "a")
        .into_iter()
        .chain(samples(3, 0, 2, "a"));
    let event = event(records);
    let keys = [key(0, 7, 9), key(0, 10, 11), key(3, 0, 1)];

    for _ in 0..2 {
        let mut process = Process::with(&server(), &bucket, &[("BULK_RECORDS", "3")]);
        let failed = process.deliver(&event).await;
        let logged = process.stop().await;

        assert_eq!(failed, [Value::Null; 0], "{logged}");
        assert_eq!(bucket.keys().await, keys);
    }
    let (records, doubles) = bucket.records("a/b", "orders").await;
    assert_eq!((records.len(), doubles), (7, 0));
    let expected = json!({"topic": "orders", "partition": 3, "offset": 1, "timestamp": 1_767_225_600_000_i64, "key": "k", "value": r#"{"order_id":1,"mark":"a"}"#});
    assert_eq!(records[&(3, 1)], expected);
    let head = bucket.client.head_object().bucket(bucket.name());
    let head = head.key(&keys[0]).send().await.unwrap();
    assert_eq!(head.metadata().unwrap()["lines-sha256"].len(), 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a bucket: make services"]
async fn records_of_a_topic_made_anew_stand_beside_those_of_the_old_one() {
    let bucket = Bucket::at(&server()).await;

    for mark in ["old", "new", "old", "new"] {
        let mut process = Process::with(&server(), &bucket, &[]);
        let failed = process.deliver(&event(samples(0, 0, 3, mark))).await;
        let logged = process.stop().await;

        assert_eq!(failed, [Value::Null; 0], "{logged}");
    }

    let keys = bucket.keys().await;
    assert_eq!(keys.len(), 2, "{keys:?}");
    let mut marks = Vec::new();
    for key in &keys {
        let lines = bucket.lines(key).await;
        assert_eq!(lines.len(), 3, "{key}");
        marks.push(lines[0].contains(r#"\"mark\":\"new\""#));
    }
    marks.sort_unstable();
    assert_eq!(marks, [false, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a bucket: make services"]
async fn a_store_that_refuses_is_named_with_its_cure_and_no_record_is_done() {
    let bucket = Bucket::at(&server()).await;
    let guest = [
        ("AWS_ACCESS_KEY_ID", "guest"),
        ("AWS_SECRET_ACCESS_KEY", "guestguest"),
    ];
    let unknown = [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret"),
    ];
    let nowhere = [("FILES_S3", "s3://no-such-bucket/a")];
    for (more, cure) in [
        (&guest[..], "the function's role needs s3:PutObject"),
        (&unknown, "check the function's credentials"),
        (&nowhere, "check the bucket's name in FILES_S3"),
    ] {
        let mut process = Process::with(&server(), &bucket, more);

        let failed = process.deliver(&event(samples(0, 7, 3, "a"))).await;
        let logged = process.stop().await;

        let first = json!({"itemIdentifier": {"partition": "orders-0", "offset": 7}});
        assert_eq!(failed[0], first, "{cure}");
        assert!(logged.contains(cure), "{logged}");
        for secret in ["guestguest", "a-secret", "order_id"] {
            assert!(!logged.contains(secret), "{logged}");
        }
    }
    assert_eq!(bucket.keys().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a bucket: make services"]
async fn what_a_store_that_was_killed_has_not_taken_is_not_done_and_comes_again() {
    let mut store = Store::start().await;
    let address = store.address();
    let bucket = Bucket::at(&address).await;
    let limit = [("BULK_RECORDS", "10"), ("LAMBDA_MSK_ATTEMPTS", "2")];
    let mut process = Process::with(&address, &bucket, &limit);
    let warm = process.deliver(&event(samples(0, 0, 30, "a"))).await;
    assert_eq!(warm, [Value::Null; 0], "{}", process.logged());

    store.kill();
    let down = process.deliver(&event(samples(0, 30, 30, "a"))).await;
    store.start_again().await;
    // The same process, whose connections are dead, and which knows what it has done.
    let again = process.deliver(&event(samples(0, 0, 60, "a"))).await;
    let logged = process.stop().await;

    let listed: Vec<_> = down
        .iter()
        .map(|it| &it["itemIdentifier"]["offset"])
        .collect();
    assert_eq!(listed, Vec::from_iter(30..60));
    assert_eq!(again, [Value::Null; 0], "{logged}");
    let (records, doubles) = bucket.records("a/b", "orders").await;
    assert_eq!((records.len(), doubles), (60, 0));
}

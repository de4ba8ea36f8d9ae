//! Letters in real stores, which `tests/services/run` starts: a bucket in memory and one on disk, a queue; and what Lambda itself writes there, fed back to a function over its API.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use msk_destinations::send::aws_sdk_s3::config::Builder;
use msk_destinations::send::aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration,
};
use msk_destinations::send::{aws_sdk_s3, aws_sdk_sqs};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::services::{Request, service};
use super::{batch, coordinates, ours};
use crate::support::{consumer_command, file, start_with, stderr, stdout};

const REGION: &str = "eu-central-1";

fn variable(name: &str) -> String {
    std::env::var(name).expect("run by tests/services/run")
}

/// The address of each S3 server.
fn servers() -> [String; 2] {
    ["AWS_ENDPOINT_URL_S3", "LAMBDA_MSK_VERSITYGW"].map(variable)
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread();
    { runtime }.enable_all().build().unwrap()
}

/// The keys are those of the environment.
fn config(runtime: &Runtime, endpoint: &str) -> SdkConfig {
    let config = aws_config::defaults(BehaviorVersion::latest());
    let config = config.region(Region::new(REGION)).endpoint_url(endpoint);
    runtime.block_on(config.load())
}

/// A run of `dlq` that finds its services there.
fn dlq(services: &[(&str, &str)], args: &[&str]) -> Output {
    let env = [&[("AWS_REGION", REGION)], services].concat();
    let run = start_with(&env, &[&["dlq"], args].concat(), "");
    run.wait_with_output().unwrap()
}

fn listed(services: &[(&str, &str)], from: &str) -> Value {
    let output = dlq(services, &["list", "--from", from, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// The command of a function that does what each record says.
fn command() -> String {
    format!("command:{}", consumer_command())
}

/// A bucket of the test's own.
struct Bucket {
    runtime: Runtime,
    client: aws_sdk_s3::Client,
    server: String,
    name: String,
}

impl Bucket {
    fn at(server: &str) -> Self {
        let runtime = runtime();
        let config = Builder::from(&config(&runtime, server)).force_path_style(true);
        let client = aws_sdk_s3::Client::from_conf(config.build());
        let name = format!("dlq-{}-{}", std::process::id(), fastrand::u32(..));
        let place = BucketLocationConstraint::EuCentral1;
        let place = CreateBucketConfiguration::builder().location_constraint(place);
        let request = client.create_bucket().bucket(&name);
        let request = request.create_bucket_configuration(place.build());
        runtime.block_on(request.send()).unwrap();
        Self {
            runtime,
            client,
            server: server.to_owned(),
            name,
        }
    }

    fn put(&self, key: &str, text: &str) {
        let request = self.client.put_object().bucket(&self.name).key(key);
        let request = request.body(text.as_bytes().to_vec().into());
        self.runtime.block_on(request.send()).unwrap();
    }

    fn keys(&self) -> Vec<String> {
        let request = self.client.list_objects_v2().bucket(&self.name);
        let listed = self.runtime.block_on(request.send()).unwrap();
        let keys = listed.contents().iter().map(|it| it.key().unwrap());
        keys.map(str::to_owned).collect()
    }

    fn url(&self, prefix: &str) -> String {
        format!("s3://{}/{prefix}", self.name)
    }

    /// For the command.
    fn env(&self) -> [(&str, &str); 1] {
        [("AWS_ENDPOINT_URL_S3", &self.server)]
    }
}

/// Takes the letters of a store, of which the first of partition 1 is not done, and what lies beside them stays.
const LETTERS: [(i32, i64, &str); 4] = [
    (0, 1, "done"),
    (0, 2, "done"),
    (1, 1, "fail"),
    (1, 2, "done"),
];

#[test]
#[ignore = "needs buckets: make test-services"]
fn letters_of_a_real_bucket_are_listed_shown_and_taken_out_once_they_are_settled() {
    for server in servers() {
        let bucket = Bucket::at(&server);
        for (partition, offset, become_of) in LETTERS {
            let key = format!("dead/orders/{partition}/{offset}-7.json");
            bucket.put(&key, &ours(partition, offset, become_of, 0));
        }
        bucket.put("dead/orders/readme.txt", "no letter");
        bucket.put("dead-too/orders/0/9-7.json", &ours(0, 9, "done", 0));
        let (env, from) = (bucket.env(), bucket.url("dead"));

        let list = listed(&env, &from);
        let id = list["letters"][0]["id"].as_str().unwrap();
        let show = dlq(&env, &["show", "--from", &from, id]);
        let dry = dlq(
            &env,
            &["redrive", "--from", &from, "--to", &command(), "--dry-run"],
        );
        let before = bucket.keys().len();
        let redrive = dlq(&env, &["redrive", "--from", &from, "--to", &command()]);

        assert_eq!((&list["count"], before), (&json!(4), 6), "{server}");
        assert_eq!(
            list["others"][0]["at"],
            json!(["object dead/orders/readme.txt"])
        );
        assert!(stdout(&show).contains(id), "{server}: {}", stdout(&show));
        // What is no letter would be left.
        assert_eq!(dry.status.code(), Some(1), "{}", stderr(&dry));
        assert_eq!(redrive.status.code(), Some(1), "{}", stderr(&redrive));
        let said = stdout(&redrive);
        assert!(
            said.contains("2 letters settled, 2 left"),
            "{server}: {said}"
        );
        let left = [
            "dead-too/orders/0/9-7.json",
            "dead/orders/1/1-7.json",
            "dead/orders/1/2-7.json",
            "dead/orders/readme.txt",
        ];
        assert_eq!(bucket.keys(), left, "{server}");
    }
}

#[test]
#[ignore = "needs buckets: make test-services"]
fn a_bucket_that_is_missing_or_refuses_ends_with_what_to_do() {
    let [_, server] = servers();
    let bucket = Bucket::at(&server);
    bucket.put("dead/orders/0/1-7.json", &ours(0, 1, "done", 0));
    let as_of = |key, secret| {
        let [endpoint] = bucket.env();
        let keys = [
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ];
        dlq(
            &[&[endpoint], &keys[..]].concat(),
            &["list", "--from", &bucket.url("dead")],
        )
    };
    let from = ["list", "--from", "s3://no-such-bucket/dead"];
    for (output, cure) in [
        (dlq(&bucket.env(), &from), "check the name"),
        (as_of("test", "a-secret"), "no valid credentials were found"),
        (as_of("guest", "guestguest"), "allow s3:ListBucket"),
    ] {
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(cure), "{said}");
        assert!(!said.contains("a-secret"), "{said}");
    }
}

#[test]
#[ignore = "needs buckets: make test-services"]
fn a_letter_that_may_be_read_and_not_deleted_is_said_to_be_settled_and_left() {
    let [_, server] = servers();
    let bucket = Bucket::at(&server);
    bucket.put("dead/orders/0/1-7.json", &ours(0, 1, "done", 0));
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": ["guest"]}, "Action": ["s3:ListBucket", "s3:GetObject"],
        "Resource": [format!("arn:aws:s3:::{}", bucket.name), format!("arn:aws:s3:::{}/*", bucket.name)],
    }]});
    let request = bucket.client.put_bucket_policy().bucket(&bucket.name);
    let request = request.policy(policy.to_string());
    bucket.runtime.block_on(request.send()).unwrap();
    let [endpoint] = bucket.env();
    let env = [
        endpoint,
        ("AWS_ACCESS_KEY_ID", "guest"),
        ("AWS_SECRET_ACCESS_KEY", "guestguest"),
    ];

    let output = dlq(
        &env,
        &["redrive", "--from", &bucket.url("dead"), "--to", &command()],
    );

    assert_ne!(output.status.code(), Some(0));
    let said = stderr(&output) + &stdout(&output);
    assert!(said.contains("s3:DeleteObject"), "{said}");
    assert_eq!(bucket.keys().len(), 1);
}

/// A queue of the test's own.
struct Queue {
    runtime: Runtime,
    client: aws_sdk_sqs::Client,
    url: String,
}

impl Queue {
    fn new() -> Self {
        let runtime = runtime();
        let config = config(&runtime, &variable("AWS_ENDPOINT_URL_SQS"));
        let client = aws_sdk_sqs::Client::new(&config);
        let name = format!("dlq-{}-{}", std::process::id(), fastrand::u32(..));
        let made = client.create_queue().queue_name(name).send();
        let url = runtime.block_on(made).unwrap().queue_url.unwrap();
        Self {
            runtime,
            client,
            url,
        }
    }

    fn send(&self, body: &str) {
        let request = self.client.send_message().queue_url(&self.url);
        let request = request.message_body(body);
        self.runtime.block_on(request.send()).unwrap();
    }

    /// The bodies of the messages that a reader sees now.
    fn bodies(&self) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let request = self.client.receive_message().queue_url(&self.url);
            let request = request.max_number_of_messages(10);
            let messages = self.runtime.block_on(request.send()).unwrap().messages;
            let messages = messages.unwrap_or_default();
            if messages.is_empty() {
                bodies.sort();
                return bodies;
            }
            bodies.extend(messages.into_iter().map(|it| it.body.unwrap()));
        }
    }
}

#[test]
#[ignore = "needs a queue: make test-services"]
fn letters_of_a_real_queue_are_given_back_at_once_and_deleted_once_settled() {
    let queue = Queue::new();
    for (partition, offset, become_of) in LETTERS {
        queue.send(&ours(partition, offset, become_of, 0));
    }
    // As SNS hands it on, and what is no letter.
    let message = ours(2, 1, "done", 0);
    let notification =
        json!({"Type": "Notification", "TopicArn": "arn:aws:sns:r:1:dead", "Message": message});
    queue.send(&notification.to_string());
    queue.send("no letter");

    let first = listed(&[], &queue.url);
    let second = listed(&[], &queue.url);
    let id = second["letters"][0]["id"].as_str().unwrap();
    let show = dlq(&[], &["show", "--from", &queue.url, id]);
    let dry = dlq(
        &[],
        &[
            "redrive",
            "--from",
            &queue.url,
            "--to",
            &command(),
            "--dry-run",
        ],
    );
    let redrive = dlq(&[], &["redrive", "--from", &queue.url, "--to", &command()]);

    assert_eq!((&first["count"], &second["count"]), (&json!(5), &json!(5)));
    assert_eq!(first["complete"], true);
    assert!(stdout(&show).contains(id), "{}", stdout(&show));
    // What is no letter would be left.
    assert_eq!(dry.status.code(), Some(1), "{}", stderr(&dry));
    assert_eq!(redrive.status.code(), Some(1), "{}", stderr(&redrive));
    let said = stdout(&redrive);
    assert!(said.contains("3 letters settled, 2 left"), "{said}");
    // Visible again, though nobody has waited.
    let mut left = [
        ours(1, 1, "fail", 0),
        ours(1, 2, "done", 0),
        "no letter".to_owned(),
    ];
    left.sort();
    assert_eq!(queue.bodies(), left);
}

#[test]
#[ignore = "needs a queue: make test-services"]
fn a_queue_that_does_not_exist_ends_with_what_to_do() {
    let missing = format!("{}-missing", Queue::new().url);

    let output = dlq(&[], &["list", "--from", &missing]);

    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("it does not exist: check the name"), "{said}");
}

/// Lambda's API, on which the function `orders` has all records done but those at these offsets. Each event that it was given comes out of the receiver.
fn lambda(fails: &'static [i64]) -> (String, Receiver<(String, Value)>) {
    let (sender, invoked) = channel();
    let sender = Mutex::new(sender);
    let (url, _) = service(move |request: &Request| {
        let event: Value = serde_json::from_str(&request.body).unwrap();
        let answer = json!({"batchItemFailures": failures(&event, fails)});
        let sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
        sender.send((request.head.clone(), event)).unwrap();
        Some((200, answer.to_string()))
    });
    (url, invoked)
}

fn failures(event: &Value, fails: &[i64]) -> Vec<Value> {
    let mut failures = Vec::new();
    for (partition, records) in event["records"].as_object().unwrap() {
        for record in records.as_array().unwrap() {
            let offset = record["offset"].as_i64().unwrap();
            if fails.contains(&offset) {
                let item = json!({"partition": partition, "offset": offset});
                failures.push(json!({ "itemIdentifier": item }));
            }
        }
    }
    failures
}

#[test]
#[ignore = "needs buckets: make test-services"]
fn letters_of_a_bucket_reach_a_function_over_lambdas_api_in_order_and_signed() {
    let [_, server] = servers();
    let bucket = Bucket::at(&server);
    for (partition, offset, redrives) in [(3, 12, 0), (3, 9, 2), (1, 5, 0), (1, 6, 0)] {
        let key = format!("dead/orders/{partition}/{offset}-7.json");
        bucket.put(&key, &ours(partition, offset, "any", redrives));
    }
    // Lambda's own, with two records; and one without them.
    bucket.put("dead/aws/1", &batch(2, &[(1, "any"), (3, "any")]));
    bucket.put("dead/aws/2", &coordinates());
    let (lambda, invoked) = lambda(&[5]);
    let [endpoint] = bucket.env();
    let env = [endpoint, ("AWS_ENDPOINT_URL_LAMBDA", &lambda)];

    let output = dlq(
        &env,
        &[
            "redrive",
            "--from",
            &bucket.url("dead"),
            "--to",
            "function:orders",
        ],
    );

    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let mut came: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (head, event) in invoked.try_iter() {
        assert!(
            head.starts_with("POST /2015-03-31/functions/orders/invocations "),
            "{head}"
        );
        let signed = format!("/{REGION}/lambda/aws4_request, SignedHeaders=");
        assert!(head.contains(&signed), "{head}");
        assert!(event["redrive"]["id"].is_string(), "{event}");
        for (partition, records) in event["records"].as_object().unwrap() {
            let offsets = records.as_array().unwrap().iter();
            let offsets = offsets.map(|record| record["offset"].as_i64().unwrap());
            came.entry(partition.clone()).or_default().extend(offsets);
            let expected = if came[partition] == [9] { 3 } else { 1 };
            assert_eq!(event["redrive"]["count"], expected, "{event}");
        }
    }
    let expected = [
        ("orders-1".to_owned(), vec![5]),
        ("orders-2".to_owned(), vec![1, 3]),
        ("orders-3".to_owned(), vec![9, 12]),
    ];
    assert_eq!(came, BTreeMap::from(expected));
    let left = [
        "dead/aws/2",
        "dead/orders/1/5-7.json",
        "dead/orders/1/6-7.json",
    ];
    assert_eq!(bucket.keys(), left);
}

/// A run of `dev` that gives up what its function does not do, into that place.
fn give_up(env: &[(&str, &str)], event: &Path, on_failure: &str) {
    let function = consumer_command();
    let args = [
        "dev",
        "--topic",
        "orders",
        "--produce",
        event.to_str().unwrap(),
        "--function",
        &function,
        "--function-response-types",
        "ReportBatchItemFailures",
        "--maximum-retry-attempts",
        "0",
        "--on-failure",
        on_failure,
        "--env",
        "LAMBDA_MSK_FAILURE_REPORTING=partial",
        "--once",
    ];
    let env = [&[("AWS_REGION", REGION)], env].concat();
    let output = start_with(&env, &args, "").wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
}

#[test]
#[ignore = "needs buckets: make test-services"]
fn what_dev_gives_up_into_a_bucket_as_lambda_does_is_fed_back_to_a_function() {
    let [_, server] = servers();
    let bucket = Bucket::at(&server);
    let event = file("given-up-event");
    let records = [(0, "done"), (1, "fail"), (2, "done"), (3, "done")];
    std::fs::write(&event, super::event(0, &records).to_string()).unwrap();
    give_up(&bucket.env(), &event, &bucket.url("given-up"));
    let (lambda, invoked) = lambda(&[]);
    let [endpoint] = bucket.env();
    let env = [endpoint, ("AWS_ENDPOINT_URL_LAMBDA", &lambda)];

    let list = listed(&env, &bucket.url("given-up"));
    let output = dlq(
        &env,
        &[
            "redrive",
            "--from",
            &bucket.url("given-up"),
            "--to",
            "function:shop",
        ],
    );

    assert_eq!(list["letters"][0]["shape"], "lambda-batch", "{list}");
    assert_eq!(list["letters"][0]["payload"], "here", "{list}");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(bucket.keys(), [""; 0]);
    let mut values = Vec::new();
    for (_, event) in invoked.try_iter() {
        assert_eq!(event["eventSource"], "aws:kafka", "{event}");
        for record in event["records"]["orders-0"].as_array().unwrap() {
            values.push((record["offset"].clone(), record["value"].clone()));
        }
    }
    let produced = super::event(0, &records);
    let produced = &produced["records"]["orders-0"];
    // The one that failed, and with it those behind it that were never done.
    assert_eq!(
        values[0],
        (json!(1), produced[1]["value"].clone()),
        "{values:?}"
    );
    std::fs::remove_file(event).unwrap();
}

//! A record that is never done, from a real topic through the whole command to each kind of destination that Lambda has in AWS.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::spawn_blocking;

use crate::poison::{POISON, RECORDS, service};
use crate::support::broker::{bootstrap, produce, topic};
use crate::support::build::{cargo_msk, forward};
use crate::support::ends;
use crate::support::function::request_with;
use crate::support::group::committed_and_end;

/// One call of a server that stands for AWS, as the SDKs sign theirs: what they sign for tells moto which service is meant.
async fn call(
    service: &str,
    method: &'static str,
    path: &str,
    more: String,
    body: String,
) -> String {
    let server = match service {
        "queues" => "AWS_ENDPOINT_URL_SQS",
        "sns" => "AWS_ENDPOINT_URL_SNS",
        // moto's queues, which its topics send to.
        _ => "AWS_ENDPOINT_URL_S3",
    };
    let endpoint =
        std::env::var(server).unwrap_or_else(|_| panic!("{server}: make test-services sets it"));
    let scope = format!("test/20260101/eu-central-1/{service}/aws4_request");
    let headers = format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n{more}"
    );
    let path = path.to_owned();
    let called = spawn_blocking(move || {
        let address = endpoint.strip_prefix("http://").unwrap();
        request_with(address, method, &path, &headers, &body).unwrap()
    });
    let reply = called.await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

/// One call of a queue server: ElasticMQ's (`queues`), or moto's (`sqs`).
async fn sqs(server: &str, operation: &str, body: Value) -> Value {
    let headers = format!(
        "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{operation}\r\n"
    );
    let reply = call(server, "POST", "/", headers, body.to_string()).await;
    serde_json::from_str(&reply).unwrap()
}

/// The only message of a queue.
async fn message(server: &str, queue: &str) -> Value {
    let asked = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10});
    let received = sqs(server, "ReceiveMessage", asked).await;
    let messages = received["Messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1, "{received}");
    serde_json::from_str(messages[0]["Body"].as_str().unwrap()).unwrap()
}

async fn sns(parameters: &[(&str, &str)]) {
    let encoded = parameters.iter().map(|(name, value)| {
        let value = value.replace(':', "%3A");
        format!("{name}={value}&")
    });
    let body: String = encoded.collect();
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n".to_owned();
    call("sns", "POST", "/", headers, body + "Version=2010-03-31").await;
}

/// The lines that a run of the command wrote, until all was settled; and its exit code.
async fn dev(topic: &str, on_failure: &str, fulfilment: &str) -> (Vec<Value>, Option<i32>) {
    let run = Command::new(cargo_msk())
        .args(["dev", "--bootstrap", &bootstrap(), "--topic", topic])
        .args(["--group", topic, "--self-managed", "--once", "--json"])
        // Each record in a batch of its own, so that no other is given up with the poisoned one.
        .args(["--batch-size", "1"])
        .args(["--maximum-batching-window-in-seconds", "0"])
        .args(["--function-response-types", "ReportBatchItemFailures"])
        .args(["--maximum-retry-attempts", "1", "--on-failure", on_failure])
        .arg("--function")
        .arg(forward())
        .args(["--env", "LAMBDA_MSK_FAILURE_REPORTING=partial"])
        .args(["--env", "LAMBDA_MSK_ATTEMPTS=1"])
        .args(["--env", "AWS_LAMBDA_LOG_LEVEL=FATAL"])
        .args(["--env", &format!("FULFILMENT_URL={fulfilment}")])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = ends(run).await.unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (lines.collect(), output.status.code())
}

/// Gives up one record of a new topic, and asserts that all others were done, and that the offset behind it was committed once
/// the destination had it.
async fn give_up(topic: &str, on_failure: &str) {
    produce(&bootstrap(), topic, 1, RECORDS, 0).await;
    let service = service().await;

    let (lines, code) = dev(topic, on_failure, service.url()).await;

    let (firsts, again) = service.first_comings();
    let poison = i64::try_from(POISON).unwrap();
    let done: Vec<i64> = (0..20).filter(|offset| *offset != poison).collect();
    assert_eq!((&firsts[&0], again), (&done, 0));
    let at = |wanted: &dyn Fn(&Value) -> bool| lines.iter().position(wanted).unwrap();
    let delivered = at(&|line| line["event"] == "delivered");
    let passed =
        |line: &Value| line["event"] == "committed" && line["position"].as_i64() > Some(poison);
    assert!(delivered < at(&passed), "{lines:?}");
    let stands = committed_and_end(topic, topic).await;
    assert_eq!((stands, code), ((Some(20), 20), Some(4)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a queue: make test-services"]
async fn a_record_that_is_never_done_lies_in_the_queue_before_its_offset_is_committed() {
    let topic = topic(&bootstrap(), "to-a-queue", 1).await;
    let made = sqs("queues", "CreateQueue", json!({"QueueName": topic})).await;
    let queue = made["QueueUrl"].as_str().unwrap();

    give_up(&topic, queue).await;

    let document = message("queues", queue).await;
    assert_document(&document, &topic);
    assert!(document.get("payload").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and an SNS topic: make test-services"]
async fn a_record_that_is_never_done_is_published_before_its_offset_is_committed() {
    let topic = topic(&bootstrap(), "to-a-topic-of-sns", 1).await;
    let made = sqs("sqs", "CreateQueue", json!({"QueueName": topic})).await;
    let queue = made["QueueUrl"].as_str().unwrap();
    let arn = |service: &str| format!("arn:aws:{service}:eu-central-1:123456789012:{topic}");
    sns(&[("Action", "CreateTopic"), ("Name", &topic)]).await;
    sns(&[
        ("Action", "Subscribe"),
        ("TopicArn", &arn("sns")),
        ("Protocol", "sqs"),
        ("Endpoint", &arn("sqs")),
        ("Attributes.entry.1.key", "RawMessageDelivery"),
        ("Attributes.entry.1.value", "true"),
    ])
    .await;

    give_up(&topic, &arn("sns")).await;

    let document = message("sqs", queue).await;
    assert_document(&document, &topic);
    assert!(document.get("payload").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a bucket: make test-services"]
async fn a_record_that_is_never_done_is_in_the_bucket_before_its_offset_is_committed() {
    let topic = topic(&bootstrap(), "to-a-bucket", 1).await;
    let s3 = async |method, path: String, body: &str| {
        call("s3", method, &path, String::new(), body.to_owned()).await
    };
    let there = "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
    s3("PUT", format!("/{topic}"), there).await;

    give_up(&topic, &format!("s3://{topic}/desk")).await;

    let listed = s3("GET", format!("/{topic}?list-type=2"), "").await;
    let keys: Vec<&str> = listed
        .split("<Key>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    assert_eq!(keys.len(), 1, "{listed}");
    let prefix = format!("desk/aws/lambda/{topic}/{topic}-0/");
    assert!(keys[0].starts_with(&prefix), "{keys:?}");
    let document = s3("GET", format!("/{topic}/{}", keys[0]), "").await;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_document(&document, &topic);
    let event: Value = serde_json::from_str(document["payload"].as_str().unwrap()).unwrap();
    let record = &event["records"][format!("{topic}-0")][0];
    assert_eq!(record["offset"], POISON);
}

/// Lambda's shape for Kafka: where the record stands.
fn assert_document(document: &Value, topic: &str) {
    let context = &document["requestContext"];
    assert_eq!(context["condition"], "RetryAttemptsExhausted");
    assert_eq!(context["approximateInvokeCount"], 2);
    assert!(context["requestId"].is_string() && context["functionArn"].is_string());
    // Its answer listed the record: that is no function error.
    let response = json!({"statusCode": 200, "executedVersion": "$LATEST"});
    assert_eq!(document["responseContext"], response);
    assert_eq!(document["version"], "1.0");
    assert!(document["timestamp"].is_string());
    let info = &document["KafkaBatchInfo"];
    assert_eq!(info["batchSize"], 1);
    assert_eq!(info["bootstrapServers"], bootstrap());
    assert!(info["payloadSize"].as_u64() > Some(0));
    let records = &info["recordsInfo"][format!("{topic}-0")];
    let offset = POISON.to_string();
    assert_eq!(records["firstRecordOffset"], *offset);
    assert_eq!(records["lastRecordOffset"], *offset);
    let time = &records["firstRecordTimestamp"];
    assert!(time.is_string() && *time == records["lastRecordTimestamp"]);
    assert!(info.get("eventSourceArn").is_none(), "{document}");
}

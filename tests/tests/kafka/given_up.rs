//! A record that is never done, from a real topic through the whole command to each kind of destination that Lambda has in AWS.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::poison::{POISON, RECORDS, service};
use crate::support::aws::Aws;
use crate::support::broker::{bootstrap, produce, topic};
use crate::support::build::{cargo_msk, forward};
use crate::support::ends;
use crate::support::group::committed_and_end;

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
pub(crate) async fn give_up(topic: &str, on_failure: &str) {
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
    let queue = Aws::queues().queue(&topic, json!({})).await;

    give_up(&topic, &queue).await;

    assert_coordinates(&Aws::queues().messages(&queue).await, &topic);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and an SNS topic: make test-services"]
async fn a_record_that_is_never_done_is_published_before_its_offset_is_committed() {
    let topic = topic(&bootstrap(), "to-a-topic-of-sns", 1).await;
    let (arn, queue) = Aws::moto().topic(&topic, true).await;

    give_up(&topic, &arn).await;

    assert_coordinates(&Aws::moto().messages(&queue).await, &topic);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a bucket: make test-services"]
async fn a_record_that_is_never_done_is_in_the_bucket_before_its_offset_is_committed() {
    let topic = topic(&bootstrap(), "to-a-bucket", 1).await;
    let moto = Aws::moto();
    moto.bucket(&topic).await;

    give_up(&topic, &format!("s3://{topic}/desk")).await;

    let keys = moto.keys(&topic).await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let prefix = format!("desk/aws/lambda/{topic}/{topic}-0/");
    assert!(keys[0].starts_with(&prefix), "{keys:?}");
    let document = moto.object(&topic, &keys[0]).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_document(&document, &topic);
    let event: Value = serde_json::from_str(document["payload"].as_str().unwrap()).unwrap();
    let record = &event["records"][format!("{topic}-0")][0];
    assert_eq!(record["offset"], POISON);
}

/// The only message of a queue, which holds no payload.
fn assert_coordinates(messages: &[Value], topic: &str) {
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_document(&messages[0], topic);
    assert!(messages[0].get("payload").is_none());
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

//! A record that is never done, from a real topic through the whole command to a real queue.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::poison::{POISON, RECORDS, service};
use crate::support::broker::{bootstrap, produce, topic};
use crate::support::build::{cargo_msk, forward};
use crate::support::function::request_with;
use crate::support::group::committed_and_end;

/// Far longer than it takes.
const ENDS: Duration = Duration::from_secs(60);

/// One call of the queue server, in AWS's own words.
async fn sqs(operation: &'static str, body: Value) -> Value {
    let called = spawn_blocking(move || {
        let endpoint = std::env::var("AWS_ENDPOINT_URL_SQS")
            .expect("AWS_ENDPOINT_URL_SQS: make test-services sets it");
        let address = endpoint.strip_prefix("http://").unwrap();
        let headers = format!(
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{operation}\r\n"
        );
        request_with(address, "POST", "/", &headers, &body.to_string()).unwrap()
    });
    let reply = called.await.unwrap();
    assert_eq!(reply.status, 200, "{operation}: {}", reply.body);
    serde_json::from_str(&reply.body).unwrap()
}

/// The lines that a run of the command wrote, until all was settled; and its exit code.
async fn dev(topic: &str, queue: &str, fulfilment: &str) -> (Vec<Value>, Option<i32>) {
    let run = Command::new(cargo_msk())
        .args(["dev", "--bootstrap", &bootstrap(), "--topic", topic])
        .args(["--group", topic, "--self-managed", "--once", "--json"])
        // Each record in a batch of its own, so that no other is given up with the poisoned one.
        .args(["--batch-size", "1"])
        .args(["--maximum-batching-window-in-seconds", "0"])
        .args(["--function-response-types", "ReportBatchItemFailures"])
        .args(["--maximum-retry-attempts", "1", "--on-failure", queue])
        .arg("--function")
        .arg(forward())
        .args(["--env", "LAMBDA_MSK_FAILURE_REPORTING=partial"])
        .args(["--env", "LAMBDA_MSK_ATTEMPTS=1"])
        .args(["--env", "AWS_LAMBDA_LOG_LEVEL=FATAL"])
        .args(["--env", &format!("FULFILMENT_URL={fulfilment}")])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(ENDS, run).await.expect("it does not end").unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (lines.collect(), output.status.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and a queue: make test-services"]
async fn a_record_that_is_never_done_lies_in_the_queue_before_its_offset_is_committed() {
    let topic = topic(&bootstrap(), "given-up", 1).await;
    produce(&bootstrap(), &topic, 1, RECORDS, 0).await;
    let service = service().await;
    let made = sqs("CreateQueue", json!({"QueueName": topic})).await;
    let queue = made["QueueUrl"].as_str().unwrap();

    let (lines, code) = dev(&topic, queue, service.url()).await;

    let asked = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10});
    let received = sqs("ReceiveMessage", asked).await;
    let messages = received["Messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1, "{received}");
    let document: Value = serde_json::from_str(messages[0]["Body"].as_str().unwrap()).unwrap();
    assert_document(&document, &topic);
    // Everything else was done, and the offset behind the poisoned record is committed once the queue has it.
    let (firsts, again) = service.first_comings();
    let poison = i64::try_from(POISON).unwrap();
    let done: Vec<i64> = (0..20).filter(|offset| *offset != poison).collect();
    assert_eq!((&firsts[&0], again), (&done, 0));
    let at = |wanted: &dyn Fn(&Value) -> bool| lines.iter().position(wanted).unwrap();
    let delivered = at(&|line| line["event"] == "delivered");
    let passed =
        |line: &Value| line["event"] == "committed" && line["position"].as_i64() > Some(poison);
    assert!(delivered < at(&passed), "{lines:?}");
    let stands = committed_and_end(&topic, &topic).await;
    assert_eq!((stands, code), ((Some(20), 20), Some(1)));
}

/// Lambda's shape for Kafka: where the record stands, and nothing of what is in it.
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
    let absent = [&info["eventSourceArn"], &document["payload"]];
    assert!(absent.iter().all(|field| field.is_null()), "{document}");
}

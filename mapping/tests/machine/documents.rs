//! What Lambda's on-failure destinations get.

use std::time::Duration;

use msk_mapping::document::Documents;
use msk_mapping::limits::EVENT_BYTES_MAX;
use msk_mapping::machine::{Configuration, Discarded, OnFailure};
use msk_mapping::record::{Header, Record};
use msk_mapping::{Ending, Function, Invocation};

use crate::desk::{Desk, orders, settings};

fn with_destination() -> Configuration {
    let mut settings = settings();
    settings.function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:ship".to_owned();
    settings.maximum_retry_attempts = Some(0);
    settings.on_failure = Some(OnFailure::S3("arn:aws:s3:::failed".to_owned()));
    settings
}

/// Three records of two partitions whose invocation failed.
fn discarded() -> Discarded {
    let mut desk = Desk::new(with_destination());
    let record = |partition, offset| {
        Record::new(orders(partition), offset).with_timestamp(1_545_084_650_987 + offset)
    };
    desk.poll_records(vec![
        record(0, 15).with_key("c-7").with_value(r#"{"id":1}"#),
        record(0, 17).with_key("c-8").with_header("h", "x"),
        record(1, 9).with_value("a\"b"),
    ]);
    let batch = desk.next_batch();
    desk.fail(&batch);
    desk.deliver()
}

/// One field a line.
fn lines(document: &str) -> String {
    document.replace(",\"", ",\n\"")
}

#[test]
fn sqs_and_sns_get_metadata_only() {
    let document = Documents::of(&with_destination()).metadata(&discarded());

    insta::assert_snapshot!(lines(&document), @r#"
    {"requestContext":{"requestId":"request-0",
    "functionArn":"arn:aws:lambda:eu-central-1:123456789012:function:ship",
    "condition":"RetryAttemptsExhausted",
    "approximateInvokeCount":1},
    "responseContext":{"statusCode":200,
    "executedVersion":"$LATEST",
    "functionError":"Unhandled"},
    "version":"1.0",
    "timestamp":"2026-11-22T08:00:00.500Z",
    "KafkaBatchInfo":{"batchSize":3,
    "eventSourceArn":"arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1",
    "bootstrapServers":"b-1:9098,b-2:9098",
    "payloadSize":597,
    "recordsInfo":{"orders-0":{"firstRecordOffset":"15",
    "lastRecordOffset":"17",
    "firstRecordTimestamp":"2018-12-17T22:10:51.002Z",
    "lastRecordTimestamp":"2018-12-17T22:10:51.004Z"},
    "orders-1":{"firstRecordOffset":"9",
    "lastRecordOffset":"9",
    "firstRecordTimestamp":"2018-12-17T22:10:50.996Z",
    "lastRecordTimestamp":"2018-12-17T22:10:50.996Z"}}}}
    "#);
}

#[test]
fn s3_gets_the_event_as_text() {
    let documents = Documents::of(&with_destination());
    let discarded = discarded();

    let document: serde_json::Value =
        serde_json::from_str(&documents.with_payload(&discarded)).unwrap();

    let payload = document["payload"].as_str().unwrap();
    assert_eq!(document["KafkaBatchInfo"]["payloadSize"], payload.len());
    insta::assert_snapshot!(lines(payload), @r#"
    {"eventSource":"aws:kafka",
    "eventSourceArn":"arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1",
    "bootstrapServers":"b-1:9098,b-2:9098",
    "records":{"orders-0":[{"topic":"orders",
    "partition":0,
    "offset":15,
    "timestamp":1545084651002,
    "timestampType":"CREATE_TIME",
    "key":"Yy03",
    "value":"eyJpZCI6MX0=",
    "headers":[]},{"topic":"orders",
    "partition":0,
    "offset":17,
    "timestamp":1545084651004,
    "timestampType":"CREATE_TIME",
    "key":"Yy04",
    "headers":[{"h":[120]}]}],
    "orders-1":[{"topic":"orders",
    "partition":1,
    "offset":9,
    "timestamp":1545084650996,
    "timestampType":"CREATE_TIME",
    "value":"YSJi",
    "headers":[]}]}}
    "#);
    let mut without = document.clone();
    without.as_object_mut().unwrap().remove("payload");
    let metadata: serde_json::Value =
        serde_json::from_str(&documents.metadata(&discarded)).unwrap();
    assert_eq!(without, metadata);
}

#[test]
fn a_kafka_topic_gets_a_message_a_record_with_its_key_and_an_event_of_its_own() {
    let messages = Documents::of(&with_destination()).messages(&discarded());

    let keys: Vec<_> = messages
        .iter()
        .map(|message| message.key.as_deref())
        .collect();
    assert_eq!(keys, [Some(&b"c-7"[..]), Some(b"c-8"), None]);
    insta::assert_snapshot!(lines(&messages[0].value), @r#"
    {"requestContext":{"requestId":"request-0",
    "functionArn":"arn:aws:lambda:eu-central-1:123456789012:function:ship",
    "condition":"RetriesExhausted",
    "approximateInvokeCount":1},
    "responseContext":{"statusCode":200,
    "executedVersion":"$LATEST",
    "functionError":"Unhandled"},
    "version":"1.0",
    "timestamp":"2026-11-22T08:00:00.500Z",
    "KafkaBatchInfo":{"batchSize":1,
    "eventSourceArn":"arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1",
    "bootstrapServers":"b-1:9098,b-2:9098",
    "payloadSize":318,
    "recordInfo":{"offset":"15",
    "timestamp":"2018-12-17T22:10:51.002Z"}},
    "payload":{"eventSource":"aws:kafka",
    "eventSourceArn":"arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1",
    "bootstrapServers":"b-1:9098,b-2:9098",
    "records":{"orders-0":[{"topic":"orders",
    "partition":0,
    "offset":15,
    "timestamp":1545084651002,
    "timestampType":"CREATE_TIME",
    "key":"Yy03",
    "value":"eyJpZCI6MX0=",
    "headers":[]}]}}}
    "#);
}

#[test]
fn a_record_that_was_never_sent_has_no_response() {
    let mut desk = Desk::new(with_destination());
    desk.poll_records(vec![
        Record::new(orders(0), 3).with_value(vec![0; EVENT_BYTES_MAX]),
    ]);

    let document = Documents::of(&with_destination()).metadata(&desk.deliver());

    insta::assert_snapshot!(lines(&document), @r#"
    {"requestContext":{"requestId":null,
    "functionArn":"arn:aws:lambda:eu-central-1:123456789012:function:ship",
    "condition":"MaximumPayloadSizeExceeded",
    "approximateInvokeCount":0},
    "responseContext":null,
    "version":"1.0",
    "timestamp":"2026-11-22T08:00:00.000Z",
    "KafkaBatchInfo":{"batchSize":1,
    "eventSourceArn":"arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1",
    "bootstrapServers":"b-1:9098,b-2:9098",
    "payloadSize":8388889,
    "recordsInfo":{"orders-0":{"firstRecordOffset":"3",
    "lastRecordOffset":"3",
    "firstRecordTimestamp":null,
    "lastRecordTimestamp":null}}}}
    "#);
}

#[test]
fn records_that_an_answer_listed_have_a_response_without_an_error() {
    let mut desk = Desk::new(with_destination());
    desk.poll(0, [3]);
    let batch = desk.next_batch();
    desk.list(&batch, &[(0, 3)]);

    let document = Documents::of(&with_destination()).metadata(&desk.deliver());

    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let expected = serde_json::json!({"statusCode": 200, "executedVersion": "$LATEST"});
    assert_eq!(document["responseContext"], expected);
}

#[test]
fn neither_documents_nor_records_show_payloads_when_they_are_logged() {
    let mut discarded = discarded();
    let messages = Documents::of(&with_destination()).messages(&discarded);
    discarded.records.truncate(1);

    let record = &discarded.records[0];
    let invocation = Invocation::new("hunter2", Duration::ZERO);
    let ending = Ending::Response("hunter2".into());
    let function = Function::new("f").env("TOKEN", "hunter2");
    let header = Header {
        name: "token".to_owned(),
        value: Some("hunter2".into()),
    };

    let logged = format!("{discarded:?} {messages:?} {record:?}")
        + &format!("{invocation:?} {ending:?} {function:?} {header:?}");

    for payload in ["c-7", "Yy03", r#"{"id":1}"#, "eyJpZCI6MX0=", "hunter2"] {
        assert!(!logged.contains(payload), "{logged}");
    }
}

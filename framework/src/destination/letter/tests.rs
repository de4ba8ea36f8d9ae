//! The envelope as it leaves: a superset of Lambda's own on-failure record.

use serde_json::Value;

use crate::deadline::Deadline;
use crate::destination::fixture::{invocation, letter_of, letters};

#[tokio::test(start_paused = true)]
async fn the_envelope_is_lambdas_own_record_with_failure_and_payload() {
    let letter = letters(1).remove(0);

    let envelope = letter.envelope();

    assert!(serde_json::from_str::<Value>(&envelope).is_ok());
    insta::assert_snapshot!(envelope.replace(",\"", ",\n\""), @r#"
    {"requestContext":{"requestId":"8f2c1d3e-0000-4000-8000-000000000001",
    "functionArn":"arn:aws:lambda:eu-central-1:123456789012:function:orders",
    "condition":"RecordRejected",
    "approximateInvokeCount":1},
    "responseContext":null,
    "version":"1.0",
    "timestamp":"2026-11-22T08:00:00.123Z",
    "KafkaBatchInfo":{"batchSize":1,
    "eventSourceArn":"arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1",
    "bootstrapServers":"b-1.orders:9098,b-2.orders:9098",
    "payloadSize":380,
    "recordInfo":{"offset":"15",
    "timestamp":"2018-12-17T22:10:50.987Z"}},
    "failure":{"code":"reject.json",
    "message":"expected ident at line 1 column 2",
    "attempts":0,
    "redrives":0,
    "idempotencyKey":"orders/orders-cluster/orders/0/15/1545084650987"},
    "payload":{"eventSource":"aws:kafka",
    "eventSourceArn":"arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1",
    "bootstrapServers":"b-1.orders:9098,b-2.orders:9098",
    "records":{"orders-0":[{"topic":"orders",
    "partition":0,
    "offset":15,
    "timestamp":1545084650987,
    "timestampType":"CREATE_TIME",
    "value":"bm90IGpzb24=",
    "headers":[]}]},
    "redrive":"8f2c1d3e-0000-4000-8000-000000000001:orders-0@15"}}
    "#);
}

#[tokio::test(start_paused = true)]
async fn the_payload_holds_the_record_exactly_as_it_came() {
    let raw = r#"{"offset": 9007199254740993,  "later_field":{"a":[1.0,1e400,"\ud800\u0001"]},"value":null}"#;
    let letter = letter_of(&invocation(Deadline::UNKNOWN), 9_007_199_254_740_993, raw);

    let envelope = letter.envelope();

    assert!(envelope.contains(&format!(r#""records":{{"orders-0":[{raw}]}}"#)));
}

#[tokio::test(start_paused = true)]
async fn a_record_laid_out_over_lines_makes_an_envelope_of_one_line() {
    let raw = "{\r\n  \"value\": \"YQ==\\n\"\n}";
    let letter = letter_of(&invocation(Deadline::UNKNOWN), 15, raw);

    let envelope = letter.envelope();

    assert!(!envelope.contains(['\n', '\r']));
    assert!(envelope.contains(r#"{    "value": "YQ==\n" }"#));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the decoder takes JSON alone")]
async fn a_record_that_was_no_json_makes_no_letter_rather_than_one_of_null() {
    let letter = letter_of(&invocation(Deadline::UNKNOWN), 15, r#"{"value":"#);

    let envelope = letter.envelope();

    unreachable!("{envelope}");
}

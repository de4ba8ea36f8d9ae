//! Letters whose records have typed values, shown by the schemas of a registry whose answers are made here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::services::service;
use super::{document, from, written};
use crate::support::{msk, stderr, stdout};

/// An order of Avro in Confluent's frame, with the schema 1: a long, which Avro writes as 2 n.
const ORDER: [u8; 6] = [0, 0, 0, 0, 1, 82];
/// The same with a schema that the registry does not have.
const UNKNOWN: [u8; 6] = [0, 0, 0, 0, 2, 82];

fn letter(name: &str, value: &[u8]) -> String {
    let record = json!({
        "topic": "orders", "partition": 0, "offset": 1, "timestamp": 7, "timestampType": "CREATE_TIME",
        "key": STANDARD.encode("c-1"), "value": STANDARD.encode(value),
    });
    let event = json!({"eventSource": "aws:kafka", "eventSourceArn": "arn:aws:kafka:c", "records": {"orders-0": [record]}});
    let path = written(name, &[document(&json!({"payload": event})).to_string()]);
    from(&path)
}

/// The record that `show --payload` shows, and what it said beside it.
fn shown(from: &str, more: &[&str]) -> (Value, String) {
    let args = ["dlq", "show", "--from", from, "--payload", ""];
    let output = msk(&[&args[..], more].concat(), "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    (document["payload"]["records"][0].clone(), stderr(&output))
}

#[test]
fn typed_values_are_shown_as_json_where_their_schema_can_be_had() {
    let (url, _) = service(|request| {
        let avro =
            r#"{"type":"record","name":"Order","fields":[{"name":"order_id","type":"long"}]}"#;
        Some(match request.line.contains("/schemas/ids/1") {
            true => (200, json!({"schema": avro}).to_string()),
            false => (
                404,
                json!({"error_code": 40403, "message": "no schema"}).to_string(),
            ),
        })
    });
    let registry = format!("LAMBDA_MSK_SCHEMA_REGISTRY={url}");
    let order = letter("typed-order", &ORDER);

    let (read, quiet) = shown(&order, &["--env", &registry]);
    let (without, remark) = shown(&order, &[]);
    let (unknown, why) = shown(&letter("typed-unknown", &UNKNOWN), &["--env", &registry]);

    assert_eq!(
        (&read["key"], &read["value"]),
        (&json!("c-1"), &json!({"order_id": 41}))
    );
    assert_eq!(quiet, "");
    assert_eq!(without["value"], json!({"base64": STANDARD.encode(ORDER)}));
    assert!(remark.contains("LAMBDA_MSK_SCHEMA_REGISTRY"), "{remark}");
    assert_eq!(
        unknown["value"],
        json!({"base64": STANDARD.encode(UNKNOWN)})
    );
    assert!(why.contains("typed payloads are shown as base64"), "{why}");
}

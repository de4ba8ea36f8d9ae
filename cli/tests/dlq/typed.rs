//! Letters whose records have typed values, shown by the schemas of a registry whose answers are made here.

use std::process::Output;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::services::service;
use super::{document, from, written};
use crate::support::{msk, start_with, stderr, stdout};

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
    assert!(
        remark.contains("as base64: no registry is named\n"),
        "{remark}"
    );
    assert!(
        remark.contains("--env LAMBDA_MSK_SCHEMA_REGISTRY=…"),
        "{remark}"
    );
    // This command has no such flag, and shows no sizes.
    assert!(
        !remark.contains("--schema-registry-uri") && !remark.contains("by their size"),
        "{remark}"
    );
    assert_eq!(
        unknown["value"],
        json!({"base64": STANDARD.encode(UNKNOWN)})
    );
    assert!(
        why.contains("typed payloads are shown as base64: orders-0@1: "),
        "{why}"
    );
    // A registry is named, and it has answered.
    assert!(!why.contains("help"), "{why}");
}

/// A registry that refuses everybody, and the credentials that it is given.
fn refusing() -> (String, Receiver<Option<String>>) {
    let (sender, given) = channel();
    let sender = Mutex::new(sender);
    let (url, _) = service(move |request| {
        let mut lines = request.head.lines();
        let auth = lines.find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
        let sent = sender.lock().unwrap().send(auth.map(str::to_owned));
        sent.ok()?;
        Some((401, json!({"error_code": 401, "message": "no"}).to_string()))
    });
    (url, given)
}

#[test]
fn the_shells_credentials_go_to_the_shells_registry_alone() {
    let from = letter("typed-shell", &ORDER);
    let shown = |shell: &[(&str, &str)], env: &[&str]| -> Output {
        let args = ["dlq", "show", "--from", &from, "--payload", ""];
        let run = start_with(shell, &[&args[..], env].concat(), "");
        run.wait_with_output().unwrap()
    };
    let (registry, auth) = (
        "LAMBDA_MSK_SCHEMA_REGISTRY",
        "LAMBDA_MSK_SCHEMA_REGISTRY_AUTH",
    );
    let ((own, of_own), (other, of_other)) = (refusing(), refusing());
    let shell = [(registry, &*own), (auth, "u:p4ssw0rd")];
    let own_again = format!("{registry}={own}");
    let another = format!("{registry}={other}");
    let secret = format!("{auth}=v:s3cret");

    let same = [shown(&shell, &[]), shown(&shell, &["--env", &own_again])];
    let foreign = shown(&shell, &["--env", &another]);
    let without_credentials = of_other.try_iter().collect::<Vec<_>>();
    let given = shown(&shell, &["--env", &another, "--env", &secret]);

    let of_own: Vec<_> = of_own.try_iter().collect();
    assert!(!of_own.is_empty() && of_own.iter().all(Option::is_some));
    assert!(!without_credentials.is_empty());
    assert_eq!(without_credentials.iter().flatten().count(), 0);
    assert!(of_other.try_iter().all(|auth| auth.is_some()));
    let named = |output: &Output, setting: &str| {
        let said = stderr(output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let cure = format!("check the credentials in {setting}");
        assert!(said.contains(&cure), "{said}");
        assert!(
            !said.contains("p4ssw0rd") && !said.contains("s3cret"),
            "{said}"
        );
    };
    for output in same.iter().chain([&given]) {
        named(output, "LAMBDA_MSK_SCHEMA_REGISTRY_AUTH, and");
    }
    named(
        &foreign,
        "--env LAMBDA_MSK_SCHEMA_REGISTRY_AUTH=… (those of the shell",
    );
}

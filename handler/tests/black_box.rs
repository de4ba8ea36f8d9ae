//! The real binary over the real Lambda Runtime API, with the events that Lambda sends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use msk_mapping::{Ending, Environment, Function, Invocation, Logs, Report};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(20);

fn event(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../events")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn function(variables: &[(&str, &str)]) -> Environment {
    let function = Function::new(env!("CARGO_BIN_EXE_handler")).logs(Logs::Discard);
    let set = |function: Function, (name, value): &(&str, &str)| function.env(*name, *value);
    Environment::new(variables.iter().fold(function, set))
}

async fn deliver(function: &mut Environment, body: Vec<u8>) -> Report {
    function
        .invoke(&Invocation::new(body, TIMEOUT))
        .await
        .unwrap()
}

fn answer(report: &Report) -> Value {
    match &report.ending {
        Ending::Response(body) => serde_json::from_slice(body).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Error type and message.
fn refusal(report: &Report) -> (String, String) {
    match &report.ending {
        Ending::FunctionError(error) | Ending::InitError(error) => {
            (error.error_type.clone(), error.message.clone())
        }
        other => panic!("{other:?}"),
    }
}

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("lambda-msk-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[tokio::test]
async fn a_batch_of_good_orders_is_all_done() {
    let mut function = function(&[]);

    for name in [
        "one-order.json",
        "orders.json",
        "self-managed.json",
        "empty.json",
        "headers.json",
    ] {
        let report = deliver(&mut function, event(name)).await;
        assert_eq!(
            answer(&report),
            serde_json::json!({"batchItemFailures": []}),
            "{name}"
        );
    }
    function.stop().await;
}

#[tokio::test]
async fn poison_lands_in_the_dead_letter_file_and_the_rest_is_done() {
    let dead_letters = scratch("poison.ndjson");
    let mut function = function(&[
        (
            "LAMBDA_MSK_ON_FAILURE",
            &format!("file:{}", dead_letters.display()),
        ),
        ("LAMBDA_MSK_FAILURE_REPORTING", "partial"),
    ]);

    let report = deliver(&mut function, event("poison.json")).await;
    function.stop().await;

    assert_eq!(
        answer(&report),
        serde_json::json!({"batchItemFailures": []})
    );
    let text = std::fs::read_to_string(&dead_letters).unwrap();
    std::fs::remove_file(&dead_letters).unwrap();
    let letters: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let codes: Vec<_> = letters
        .iter()
        .map(|letter| letter["failure"]["code"].as_str().unwrap())
        .collect();
    assert_eq!(letters.len(), 2, "{text}");
    assert!(
        codes.contains(&"reject.json") && codes.contains(&"reject.value_not_base64"),
        "{codes:?}"
    );
}

#[tokio::test]
async fn a_dead_letters_payload_can_be_fed_back_as_it_is() {
    let dead_letters = scratch("fed-back.ndjson");
    let file = format!("file:{}", dead_letters.display());
    let variables = [
        ("LAMBDA_MSK_ON_FAILURE", file.as_str()),
        ("LAMBDA_MSK_FAILURE_REPORTING", "partial"),
    ];
    let mut function = function(&variables);

    deliver(&mut function, event("poison.json")).await;
    let first = std::fs::read_to_string(&dead_letters).unwrap();
    let letter: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    let report = deliver(&mut function, letter["payload"].to_string().into_bytes()).await;
    function.stop().await;

    // It is as bad as before: rejected once more, with the same key.
    assert_eq!(
        answer(&report),
        serde_json::json!({"batchItemFailures": []})
    );
    let text = std::fs::read_to_string(&dead_letters).unwrap();
    std::fs::remove_file(&dead_letters).unwrap();
    let again: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert_eq!(
        again["failure"]["idempotencyKey"],
        letter["failure"]["idempotencyKey"]
    );
}

#[tokio::test]
async fn without_a_destination_poison_is_listed_with_all_behind_it() {
    let mut function = function(&[("LAMBDA_MSK_FAILURE_REPORTING", "partial")]);

    let report = deliver(&mut function, event("poison.json")).await;
    function.stop().await;

    let answer = answer(&report);
    let failures = answer["batchItemFailures"].as_array().unwrap();
    assert!(failures.len() >= 2, "{answer}");
    let first = &failures[0]["itemIdentifier"];
    assert!(
        first["partition"].is_string() && first["offset"].is_u64(),
        "{answer}"
    );
}

#[tokio::test]
async fn whole_batch_reporting_makes_poison_a_function_error() {
    let mut function = function(&[]);

    let (kind, message) = refusal(&deliver(&mut function, event("poison.json")).await);
    function.stop().await;

    assert_eq!(kind, "batch.incomplete");
    assert!(
        message.contains("Lambda sends the whole batch again"),
        "{message}"
    );
}

#[tokio::test]
async fn another_sources_event_is_an_error_that_names_it_and_the_process_goes_on() {
    let mut function = function(&[]);

    let (kind, message) = refusal(&deliver(&mut function, event("sqs-by-mistake.json")).await);
    let next = deliver(&mut function, event("one-order.json")).await;
    function.stop().await;

    assert_eq!(kind, "event.not_kafka");
    assert!(message.contains("SQS"), "{message}");
    assert_eq!(answer(&next), serde_json::json!({"batchItemFailures": []}));
    assert!(next.init.is_none(), "the process was started anew");
}

#[tokio::test]
async fn a_body_that_is_not_json_reaches_us_and_gets_our_error() {
    let mut function = function(&[]);

    let (kind, _) = refusal(&deliver(&mut function, b"{\"eventSource\": nonsense".to_vec()).await);
    function.stop().await;

    assert_eq!(kind, "event.not_json");
}

#[tokio::test]
async fn an_event_nested_200_000_deep_is_an_error_and_the_process_goes_on() {
    let mut function = function(&[]);
    let deep = format!(r#"{{"eventSource":"aws:kafka","x":{}"#, "[".repeat(200_000));

    let (kind, _) = refusal(&deliver(&mut function, deep.into_bytes()).await);
    let next = deliver(&mut function, event("one-order.json")).await;
    function.stop().await;

    assert_eq!(kind, "event.too_deep");
    assert!(next.init.is_none());
}

#[tokio::test]
async fn a_fault_in_the_environment_is_an_init_error_that_names_all() {
    let mut function = function(&[
        ("LAMBDA_MSK_CONCURRENCY", "0"),
        ("FULFILMENT_URL", "ftp://x"),
    ]);

    let report = deliver(&mut function, event("one-order.json")).await;
    function.stop().await;

    assert!(matches!(report.ending, Ending::InitError(_)), "{report:?}");
    let (kind, message) = refusal(&report);
    assert_eq!(kind, "configuration.invalid");
    assert!(message.contains("2 faults"), "{message}");
    assert!(
        message.contains("LAMBDA_MSK_CONCURRENCY") && message.contains("FULFILMENT_URL"),
        "{message}"
    );
}

#[tokio::test]
async fn outside_lambda_it_says_how_to_start_it() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_handler"))
        .env_remove("AWS_LAMBDA_RUNTIME_API")
        .output()
        .unwrap();

    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("AWS_LAMBDA_RUNTIME_API") && text.contains("cargo msk invoke"),
        "{text}"
    );
}

//! The real binary over the real Lambda Runtime API, with the events that Lambda sends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::{Path, PathBuf};

use lambda_msk::testing::{Event, Sample};
use msk_mapping::{Ending, Environment};
use serde_json::Value;

use crate::support::{all_done, answer, deliver, event, function, refusal, scratch};

/// The function with partial answers, and the file that its dead letters go to.
fn with_dead_letters(name: &str) -> (Environment, PathBuf) {
    let path = scratch(name);
    let file = format!("file:{}", path.display());
    let variables = [
        ("LAMBDA_MSK_ON_FAILURE", file.as_str()),
        ("LAMBDA_MSK_FAILURE_REPORTING", "partial"),
    ];
    (function(&variables), path)
}

/// The dead letters; the file is removed.
fn letters(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::remove_file(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
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
        assert_eq!(answer(&report), all_done(), "{name}");
    }
    function.stop().await;
}

#[tokio::test]
async fn poison_lands_in_the_dead_letter_file_and_the_rest_is_done() {
    let (mut function, dead_letters) = with_dead_letters("poison.ndjson");

    let report = deliver(&mut function, event("poison.json")).await;
    function.stop().await;

    assert_eq!(answer(&report), all_done());
    let letters = letters(&dead_letters);
    let mut codes: Vec<_> = letters
        .iter()
        .map(|letter| letter["failure"]["code"].as_str().unwrap())
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, ["reject.json", "reject.value_not_base64"]);
}

#[tokio::test]
async fn a_dead_letters_payload_can_be_fed_back_as_it_is() {
    let (mut function, dead_letters) = with_dead_letters("fed-back.ndjson");

    deliver(&mut function, event("poison.json")).await;
    let first = std::fs::read_to_string(&dead_letters).unwrap();
    let letter: Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    let report = deliver(&mut function, letter["payload"].to_string()).await;
    function.stop().await;

    // It is as bad as before: rejected once more, with the same key.
    assert_eq!(answer(&report), all_done());
    let letters = letters(&dead_letters);
    assert_eq!(letters.len(), 3);
    assert_eq!(
        letters[2]["failure"]["idempotencyKey"],
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
    // The first cause first; `cargo msk invoke` reads its advice from these words.
    assert!(
        message.contains(
            " (reject.json, and no destination is set): Lambda redelivers the whole batch"
        ),
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
    assert_eq!(answer(&next), all_done());
    assert!(next.init.is_none(), "the process was started anew");
}

#[tokio::test]
async fn a_body_that_is_not_json_reaches_us_and_gets_our_error() {
    let mut function = function(&[]);

    let (kind, _) = refusal(&deliver(&mut function, "{\"eventSource\": nonsense").await);
    function.stop().await;

    assert_eq!(kind, "event.not_json");
}

#[tokio::test]
async fn an_event_nested_200_000_deep_is_an_error_and_the_process_goes_on() {
    let mut function = function(&[]);
    let deep = format!(r#"{{"eventSource":"aws:kafka","x":{}"#, "[".repeat(200_000));

    let (kind, _) = refusal(&deliver(&mut function, deep).await);
    let next = deliver(&mut function, event("one-order.json")).await;
    function.stop().await;

    assert_eq!(kind, "event.too_deep");
    assert!(next.init.is_none());
}

#[tokio::test]
async fn an_event_as_long_as_lambda_sends_is_done() {
    let mut function = function(&[]);
    let order = format!(
        r#"{{"order_id":7,"customer_id":"c-1","amount_cents":1250,"note":"{}"}}"#,
        "x".repeat(1_000)
    );
    let samples = (0..3_950).map(|number| Sample::new("orders", number % 3).value(&order));
    let event = Event::msk().records(samples).build();

    let report = deliver(&mut function, event.as_bytes()).await;
    function.stop().await;

    assert!((5_900_000..6_291_456).contains(&event.as_bytes().len()));
    assert_eq!(answer(&report), all_done());
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

//! Metrics of the real binary: lines on its standard output, in every level and format of its log.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::process::Stdio;

use lambda_msk::testing::{Event, Sample};
use msk_mapping::{Identity, Invocation, Readiness, RuntimeApi};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::TIMEOUT;

/// What the function writes to standard output for a good order and one that is none, up to its response.
async fn written(variables: &[(&str, &str)]) -> Vec<String> {
    let identity = Identity::new("orders", "eu-central-1");
    let api = RuntimeApi::bind(identity).await.unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_handler"))
        .env("AWS_LAMBDA_RUNTIME_API", api.address().to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "orders")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .env("LAMBDA_MSK_FAILURE_REPORTING", "partial")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    assert_eq!(api.ready(TIMEOUT).await, Readiness::Ready);
    let order = json!({"order_id": 1, "customer_id": "c-1", "amount_cents": 1});
    let event = Event::msk()
        .record(Sample::new("orders", 0).json(&order))
        .record(Sample::new("orders", 0).value("?"));
    let invocation = Invocation::new(event.to_json(), TIMEOUT);
    api.invoke(&invocation).await.unwrap();
    // Killed the moment that its answer has come: what is written later is lost.
    child.start_kill().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut written = Vec::new();
    while let Some(line) = timeout(TIMEOUT, lines.next_line()).await.unwrap().unwrap() {
        written.push(line);
    }
    written
}

/// The lines of metrics among these.
fn metrics(written: &[String]) -> Vec<Value> {
    let lines = written.iter().filter(|line| line.contains("\"_aws\""));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const IN_LAMBDA: (&str, &str) = ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");

#[tokio::test]
async fn a_function_in_lambda_writes_its_metrics_before_it_answers() {
    let lines = metrics(&written(&[IN_LAMBDA]).await);

    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "lambda-msk");
    assert_eq!(directive["Dimensions"], json!([["Consumer", "Topic"]]));
    assert_eq!(
        (&line["Consumer"], &line["Topic"]),
        (&json!("orders"), &json!("orders"))
    );
    assert_eq!((&line["Done"], &line["Failed"]), (&json!(1), &json!(1)));
    assert_eq!(line["HandlerMs"]["Counts"], json!([1]));
    assert!(line["TimeLagMs"].as_u64().unwrap() > 1_000);
    assert!(line["MemoryMB"].as_f64().unwrap() > 1.0);
    assert_eq!(line["level"], "INFO");
}

#[tokio::test]
async fn no_level_of_the_log_silences_metrics() {
    for (variable, value, level) in [
        ("RUST_LOG", "off", "INFO"),
        ("AWS_LAMBDA_LOG_LEVEL", "ERROR", "ERROR"),
    ] {
        let written = written(&[IN_LAMBDA, (variable, value)]).await;

        let lines = metrics(&written);
        assert_eq!(lines.len(), 1, "{variable}: {written:?}");
        assert_eq!(lines[0]["level"], level);
    }
}

#[tokio::test]
async fn outside_lambda_a_function_writes_none_unless_it_is_asked() {
    let asked = written(&[("LAMBDA_MSK_METRICS", "emf:desk")]).await;

    assert!(metrics(&written(&[]).await).is_empty());
    let directive = &metrics(&asked)[0]["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "desk");
}

#[tokio::test]
async fn a_line_of_the_log_has_each_field_once() {
    let written = written(&[]).await;

    let lines = written.iter().filter(|line| line.contains("request_id"));
    let lines: Vec<&String> = lines.collect();
    assert!(lines.len() >= 2, "{written:?}");
    for line in lines {
        let parsed: Value = serde_json::from_str(line).unwrap();
        let id = parsed["request_id"].as_str().unwrap();
        assert_eq!(line.matches(id).count(), 1, "{line}");
        for name in parsed.as_object().unwrap().keys() {
            let name = format!("\"{name}\":");
            assert_eq!(line.matches(&name).count(), 1, "{line}");
        }
    }
}

//! Log lines as `logging::init` writes them: each names its invocation and its record, at any level, with any filter, from any thread.

#![cfg(feature = "logging")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write;
use std::process::Command;

use lambda_msk::logging::{self, LogScope};
use lambda_msk::metrics::Emf;
use lambda_msk::testing::{Event, Sample};
use lambda_msk::{Consumer, Failure, Invocation};
use serde_json::Value;
use tracing::{error, info, warn};

const REQUEST: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

async fn handler() -> Result<(), Failure> {
    info!("at info");
    warn!("at warn");
    error!("at error");
    let scope = LogScope::current();
    let blocking = tokio::task::spawn_blocking(move || scope.in_scope(|| error!("of a thread")));
    blocking.await?;
    let task = LogScope::current().around(async {
        tokio::task::yield_now().await;
        error!("of a task");
    });
    tokio::spawn(task).await?;
    let nameless = tokio::task::spawn_blocking(|| error!("of nobody"));
    nameless.await?;
    // Not ended: what comes next is no part of this line.
    std::io::stdout().write_all(b"printed")?;
    Ok(())
}

/// Is run by the tests, as a process of its own: logging is set up once a process.
#[test]
#[ignore = "the function under test: the other tests run it"]
fn the_function() {
    logging::init();
    let event = Event::msk().record(Sample::new("orders", 3).offset(7).value("1"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let consumer = Consumer::builder().topic("orders", handler);
    let consumer = consumer.metrics(Emf::namespace("tests")).build();
    let invocation = Invocation::new(event.to_json()).request_id(REQUEST);
    let invoked = runtime.block_on(consumer.unwrap().invoke(invocation));
    assert!(invoked.response().is_ok());
}

/// What it writes, with these variables.
fn said(variables: &[(&str, &str)]) -> Vec<String> {
    let mut function = Command::new(std::env::current_exe().unwrap());
    function.args(["--exact", "the_function", "--ignored", "--nocapture"]);
    for unset in ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL", "AWS_LAMBDA_LOG_FORMAT"] {
        function.env_remove(unset);
    }
    let output = function.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The JSON line of that message.
fn line(lines: &[String], message: &str) -> Value {
    let json = lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut found = json.filter(|line: &Value| line["message"] == message);
    found
        .next()
        .unwrap_or_else(|| panic!("{message}: {lines:#?}"))
}

fn has_names(line: &Value) -> bool {
    line["request_id"] == REQUEST
        && line["topic"] == "orders"
        && line["partition"] == 3
        && line["offset"] == 7
        && line["attempt"] == 1
}

#[test]
fn a_json_line_names_its_invocation_and_record_at_any_level_and_with_any_filter() {
    for variable in [
        ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
        ("AWS_LAMBDA_LOG_LEVEL", "WARN"),
        ("AWS_LAMBDA_LOG_LEVEL", "ERROR"),
        ("RUST_LOG", "logging=info"),
        ("RUST_LOG", "off,logging=error"),
    ] {
        let lines = said(&[variable]);

        for message in ["at error", "of a thread", "of a task"] {
            let line = line(&lines, message);
            assert!(has_names(&line), "{variable:?}: {line}");
        }
        let nobodys = line(&lines, "of nobody");
        assert!(!has_names(&nobodys), "{variable:?}: {nobodys}");
    }
}

#[test]
fn what_a_handler_printed_without_a_newline_is_no_part_of_the_metrics() {
    let lines = said(&[("RUST_LOG", "off")]);

    let metrics = lines
        .iter()
        .filter(|line| line.contains("CloudWatchMetrics"));
    let metrics: Vec<Value> = metrics
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    assert_eq!(metrics.len(), 1);
    assert_eq!(metrics[0]["Done"], 1);
}

#[test]
fn a_line_of_text_names_its_invocation_and_record_with_any_filter() {
    for directives in ["info", "logging=info", "off,logging=error", "error"] {
        let lines = said(&[("AWS_LAMBDA_LOG_FORMAT", "Text"), ("RUST_LOG", directives)]);

        for message in ["at error", "of a thread", "of a task"] {
            let line = lines.iter().find(|line| line.contains(message)).unwrap();
            for name in [REQUEST, "orders", "partition=3", "offset=7", "attempt=1"] {
                assert!(line.contains(name), "{directives}: {line}");
            }
        }
    }
}

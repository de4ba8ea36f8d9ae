//! The built command, from outside. The function is this test binary itself.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "../../mapping/tests/support/function.rs"]
mod function;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const EVENT: &str = r#"{"eventSource":"aws:kafka","records":{
    "orders-0":[{"topic":"orders","partition":0,"offset":10},{"topic":"orders","partition":0,"offset":11},
                {"topic":"orders","partition":0,"offset":15}],
    "orders-1":[{"topic":"orders","partition":1,"offset":7}]}}"#;

#[test]
#[ignore = "the function that the other tests start"]
fn the_function() {
    function::run();
}

/// A run of the command with this standard input.
fn msk(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-msk"));
    // What the shell of the one who runs the tests says must not change them.
    command
        .env_remove("AWS_REGION")
        .env_remove("AWS_DEFAULT_REGION")
        .env_remove("CLICOLOR_FORCE");
    let mut child = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Those that fail early do not read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn invoke_event(behaviour: &str, event: &str, more: &[&str]) -> Output {
    let exe = std::env::current_exe().unwrap();
    let command = format!("'{}' {}", exe.display(), function::ARGS.join(" "));
    let behaviour = format!("BEHAVIOUR={behaviour}");
    let args = [
        "invoke",
        "--event",
        "-",
        "--function",
        &command,
        "--env",
        &behaviour,
    ];
    msk(&[&args, more].concat(), event)
}

fn invoke(behaviour: &str, more: &[&str]) -> Output {
    invoke_event(behaviour, EVENT, more)
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The text without what was measured.
fn masked(text: &str) -> String {
    let mask = |line: &str| {
        let line = match line.split_once(" ms") {
            _ if line.starts_with("init ") => "init …".to_owned(),
            _ if line.starts_with("  total") => line.rsplit_once(' ').unwrap().0.to_owned(),
            _ => line.strip_suffix("MS").unwrap_or(line).to_owned(),
        };
        format!("{}\n", line.trim_end())
    };
    text.lines().map(mask).collect()
}

#[test]
fn a_batch_that_is_done_is_shown_so_and_exits_0() {
    let output = invoke("done", &[]);

    assert_eq!(
        masked(&stdout(&output)),
        "\
all done

  PARTITION  RECORDS  DONE  AGAIN  FROM
  orders-0         3     3      0     -
  orders-1         1     1      0     -
  total            4     4      0

What Lambda would do next (only-listed and from-lowest agree):
    PARTITION  COMMIT  SENT AGAIN
    orders-0       16  nothing
    orders-1        8  nothing

init …
"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_partial_answer_is_shown_under_both_readings_and_exits_1() {
    let output = invoke("list=orders-0@11", &[]);

    assert_eq!(
        masked(&stdout(&output)),
        "\
some records were not done

  PARTITION  RECORDS  DONE  AGAIN  FROM
  orders-0         3     2      1    11
  orders-1         1     1      0     -
  total            4     3      1

What Lambda would do next, under each reading of its documentation:

  only-listed: just the listed records again
    PARTITION  COMMIT  SENT AGAIN
    orders-0       11  11
    orders-1        8  nothing

  from-lowest: everything from the lowest listed on again
    PARTITION  COMMIT  SENT AGAIN
    orders-0       11  11..15 (2 records)
    orders-1        8  nothing

init …
"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_function_error_is_shown_in_its_own_words_and_exits_1() {
    let output = invoke("error", &[]);

    assert_eq!(
        masked(&stdout(&output)),
        "\
function error

  PARTITION  RECORDS  DONE  AGAIN  FROM
  orders-0         3     0      3    10
  orders-1         1     0      1     7
  total            4     0      4

What Lambda would do next (only-listed and from-lowest agree):
    PARTITION   COMMIT  SENT AGAIN
    orders-0   nothing  10..15 (3 records)
    orders-1   nothing  7

error: the function answered with an error: Lambda sends the whole batch again
  Oops: no stock
  at main
  help: to have only the failed records again, answer with them: with lambda-msk,
        --env LAMBDA_MSK_FAILURE_REPORTING=partial (and ReportBatchItemFailures in the mapping)

init …
"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn every_kind_of_failure_says_what_happened_and_what_to_do() {
    for (behaviour, more, says) in [
        (
            "init-error",
            &[][..],
            "Config.Missing: ORDERS_URL is not set",
        ),
        (
            "init-exit",
            &[],
            "the function's process ended during its init with exit code 3",
        ),
        (
            "exit=4",
            &[],
            "Runtime.ExitError: the function's process ended during the invocation with exit code 4",
        ),
        ("exit=0", &[], "a function never returns"),
        (
            "hang",
            &["--timeout", "100ms"],
            "the function did not answer within 100 ms and was killed",
        ),
        ("text", &[], "the response is not JSON"),
        (
            "list=orders-0@12",
            &[],
            "the response lists offset 12 of \"orders-0\", which is not in the event",
        ),
        (
            "list=orders@10",
            &[],
            "the response lists partition \"orders\", which is not in the event",
        ),
        (
            "huge",
            &[],
            "the function's response is longer than Lambda takes",
        ),
    ] {
        let output = invoke(behaviour, more);

        let text = stdout(&output);
        assert!(
            text.contains(says) && text.contains("  help: "),
            "{behaviour}: {text}"
        );
        assert_eq!(output.status.code(), Some(1), "{behaviour}");
    }
}

#[test]
fn failures_that_the_mapping_does_not_read_are_called_lost() {
    let output = invoke(
        "list=orders-0@11,orders-0@15",
        &["--failure-reporting", "whole-batch"],
    );

    let text = stdout(&output);
    assert!(
        text.contains(
            "the function listed 2 failures, but the mapping ignores the response's body"
        ),
        "{text}"
    );
    assert!(text.contains("lost in silence"), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn several_deliveries_go_to_one_process_and_all_count() {
    let output = invoke("list=orders-0@15 done", &["--times", "3"]);

    let text = stdout(&output);
    let outcomes: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("delivery "))
        .collect();
    assert_eq!(
        outcomes,
        [
            "delivery 1 of 3: some records were not done",
            "delivery 2 of 3: all done",
            "delivery 3 of 3: all done"
        ]
    );
    assert_eq!(text.matches("init warm").count(), 2);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn json_is_one_document_with_both_readings() {
    let output = invoke("list=orders-0@11", &["--json"]);

    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["allDone"], false);
    assert_eq!(document["failureReporting"], "partial");
    assert_eq!(
        document["event"],
        json!({"bytes": EVENT.len(), "records": 4, "notKafka": null})
    );
    let delivery = &document["deliveries"][0];
    assert_eq!(delivery["verdict"], "some-again");
    assert_eq!(delivery["ending"]["kind"], "response");
    assert_eq!(delivery["problem"], Value::Null);
    assert!(delivery["initMs"].is_number() && delivery["durationMs"].is_number());
    assert_eq!(
        delivery["partitions"][0],
        json!({
            "partition": "orders-0", "records": 3, "done": 2, "again": 1, "from": 11,
            "onlyListed": {"commit": 11, "again": [11]},
            "fromLowest": {"commit": 11, "again": [11, 15]},
        })
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_the_function_writes_goes_to_standard_error() {
    let output = invoke("log", &["--json"]);

    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok());
    assert!(stderr(&output).contains("to stdout") && stderr(&output).contains("to stderr"));
}

#[test]
fn an_event_of_another_source_is_delivered_and_has_nothing_to_commit() {
    let event = r#"{"Records":[{"eventSource":"aws:sqs"}]}"#;

    let refused = invoke_event("error", event, &[]);
    let taken = invoke_event("done", event, &[]);

    assert!(!stdout(&refused).contains("PARTITION"));
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stdout(&taken)
            .contains("warning: the function answered, but the event is not a Kafka event")
    );
    assert_eq!(taken.status.code(), Some(0));
}

#[test]
fn colours_are_for_those_who_ask() {
    let exe = std::env::current_exe().unwrap();
    let command = format!("'{}' {}", exe.display(), function::ARGS.join(" "));
    let plain = invoke("done", &[]);
    let forced = Command::new(env!("CARGO_BIN_EXE_cargo-msk"))
        .args([
            "invoke",
            "--event",
            "/dev/stdin",
            "--function",
            &command,
            "--env",
            "BEHAVIOUR=done",
        ])
        .env("CLICOLOR_FORCE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();

    assert!(!plain.stdout.contains(&0x1b));
    assert!(forced.stdout.contains(&0x1b));
}

#[test]
fn faults_exit_2_and_say_what_to_do() {
    for (args, says) in [
        (&["invoke"][..], "error: no event to deliver"),
        (
            &["invoke", "--event", "/nowhere.json"],
            "error: cannot read the event /nowhere.json",
        ),
        (
            &["invoke", "--event", "-", "--function", "/nowhere/f"],
            "error: cannot start `/nowhere/f`",
        ),
        (
            &["invoke", "--event", "-", "--function", "'open"],
            "error: --function is no command",
        ),
        (
            &["event", "--topic", "a b"],
            "error: \"a b\" is no name of a topic",
        ),
    ] {
        let output = msk(args, EVENT);

        let text = stderr(&output);
        assert!(
            text.starts_with(says) && text.contains("\n  help: "),
            "{args:?}: {text}"
        );
        assert!(output.stdout.is_empty());
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_slip_in_the_arguments_exits_2() {
    for args in [
        &["invoke", "--timeout", "1h"][..],
        &["invoke", "--times", "0"],
        &["invoke", "--env", "X"],
        &["event", "--topic", "a", "--value", "{ofset}"],
        &["event"],
        &["nothing"],
    ] {
        assert_eq!(msk(args, "").status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn an_event_is_the_same_for_a_seed_and_goes_into_invoke() {
    let args = [
        "msk",
        "event",
        "--topic",
        "orders",
        "--records",
        "30",
        "--partitions",
        "3",
        "--poison",
        "2",
        "--seed",
        "7",
    ];

    let first = msk(&args, "");
    let second = msk(&args, "");
    let delivered = invoke_event("done", &stdout(&first), &["--json"]);

    assert_eq!(first.status.code(), Some(0));
    assert_eq!(first.stdout, second.stdout);
    let document: Value = serde_json::from_slice(&delivered.stdout).unwrap();
    assert_eq!(document["event"]["records"], 30);
    assert_eq!(document["allDone"], true);
}

#[test]
fn lines_become_values_byte_for_byte() {
    let output = msk(
        &["event", "--topic", "orders", "--from", "-"],
        "{\"a\": 1}\n\n[2]\n",
    );
    let wrong = msk(&["event", "--topic", "orders", "--from", "-"], "{}\n{\n");

    let event: Value = serde_json::from_slice(&output.stdout).unwrap();
    let values: Vec<&str> = event["records"]["orders-0"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["value"].as_str().unwrap())
        .collect();
    assert_eq!(values, ["eyJhIjogMX0=", "WzJd"]);
    assert!(
        stderr(&wrong).starts_with("error: line 2 of - is not JSON"),
        "{}",
        stderr(&wrong)
    );
}

#[test]
fn an_event_over_6_mb_is_written_with_a_warning() {
    let output = msk(
        &[
            "event",
            "--topic",
            "orders",
            "--records",
            "70",
            "--bytes",
            "100000",
        ],
        "",
    );

    assert_eq!(output.status.code(), Some(0));
    assert!(
        stderr(&output).starts_with("warning: the event has "),
        "{}",
        stderr(&output)
    );
    assert!(output.stdout.len() > 6 * 1024 * 1024);
}

#[test]
fn completions_and_help_are_printed() {
    assert!(stdout(&msk(&["completions", "bash"], "")).contains("cargo-msk"));
    for command in ["invoke", "event", "completions"] {
        let help = stdout(&msk(&["msk", command, "--help"], ""));

        assert!(
            help.contains("Examples:") && help.contains(&format!("Usage: cargo msk {command}")),
            "{help}"
        );
    }
}

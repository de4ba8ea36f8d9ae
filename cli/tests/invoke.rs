//! `cargo msk invoke` from outside: what it shows for each way in which a function can answer, or not.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "invoke/logs.rs"]
mod logs;
#[path = "invoke/payloads.rs"]
mod payloads;
#[path = "invoke/records.rs"]
mod records;
mod support;

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{EVENT, command, invoke, invoke_event, msk, stderr, stdout};

#[test]
#[ignore = "the function that the other tests start"]
fn the_function() {
    support::function::run();
}

#[test]
#[ignore = "the function of lambda-msk that the other tests start"]
fn the_consumer() {
    support::consumer::run();
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

The function's response:
  {\"batchItemFailures\":[]}
  the response lists no record: all are settled, and Lambda commits the batch

  PARTITION  RECORDS  DONE  REJECTED  NOT DONE  FROM
  orders-0         3     3         0         0     -
  orders-1         1     1         0         0     -
  total            4     4         0         0

What Lambda would do next (only-listed and from-lowest agree):
    PARTITION  COMMIT  REDELIVERED
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

The function's response:
  {\"batchItemFailures\":[{\"itemIdentifier\":{\"partition\":\"orders-0\",\"offset\":11}}]}
  the response lists 1 of 4 records as not done: Lambda redelivers them, as shown below.
  The function's own output says why

  PARTITION  RECORDS  DONE  REJECTED  NOT DONE  FROM
  orders-0         3     2         0         1    11
  orders-1         1     1         0         0     -
  total            4     3         0         1

What Lambda would do next, under each reading of its documentation:

  only-listed: the listed records are redelivered
    PARTITION  COMMIT  REDELIVERED
    orders-0       11  11
    orders-1        8  nothing

  from-lowest: all records from the lowest listed one on are redelivered
    PARTITION  COMMIT  REDELIVERED
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

  PARTITION  RECORDS  DONE  REJECTED  NOT DONE  FROM
  orders-0         3     0         0         3    10
  orders-1         1     0         0         1     7
  total            4     0         0         4

What Lambda would do next (only-listed and from-lowest agree):
    PARTITION   COMMIT  REDELIVERED
    orders-0   nothing  10..15 (3 records)
    orders-1   nothing  7

error: the function returned an error: Lambda redelivers the whole batch
  Oops: no stock
  at main
  help: after an error no record counts as done; to have only the failed records redelivered,
        return {\"batchItemFailures\":[…]} and set ReportBatchItemFailures in the mapping

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
        ("exit=0", &[], "a function must not return"),
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
            "the function's response is longer than Lambda accepts",
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
        &["--function-response-types", "[]"],
    );

    let text = stdout(&output);
    assert!(
        text.contains(
            "the function listed 2 failures, but the mapping ignores the response's body"
        ),
        "{text}"
    );
    assert!(text.contains("these records are lost"), "{text}");
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn the_earlier_name_of_the_mappings_setting_is_read_and_not_shown() {
    let earlier = invoke(
        "list=orders-0@11,orders-0@15",
        &["--failure-reporting", "whole-batch"],
    );
    let help = stdout(&msk(&["invoke", "--help"], ""));

    assert_eq!(earlier.status.code(), Some(5));
    assert!(
        help.contains("--function-response-types <TYPE>")
            && help.contains("ReportBatchItemFailures"),
        "{help}"
    );
    assert!(!help.contains("--failure-reporting"), "{help}");
    assert!(!help.contains("whole-batch"), "{help}");
}

#[test]
fn failures_that_stand_where_lambda_does_not_look_are_called_lost() {
    let output = invoke("http-list=orders-0@10", &[]);

    let text = stdout(&output);
    assert!(
        text.contains("the function listed 1 failure under body.batchItemFailures, where Lambda does not look: Lambda commits"),
        "{text}"
    );
    assert!(text.contains("records would be lost"), "{text}");
    assert_eq!(output.status.code(), Some(5));
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
    assert_eq!(
        document["functionResponseTypes"],
        json!(["ReportBatchItemFailures"])
    );
    assert_eq!(
        document["event"],
        json!({"bytes": EVENT.len(), "records": 4, "notKafka": null})
    );
    let delivery = &document["deliveries"][0];
    assert_eq!(delivery["verdict"], "some-again");
    assert!(
        delivery["answerMeans"]
            .as_str()
            .unwrap()
            .starts_with("the response lists 1 of 4 records")
    );
    assert_eq!(document["deadLetters"], Value::Null);
    assert_eq!(delivery["ending"]["kind"], "response");
    assert_eq!(delivery["problem"], Value::Null);
    assert!(delivery["initMs"].is_number() && delivery["durationMs"].is_number());
    assert_eq!(
        delivery["partitions"][0],
        json!({
            "partition": "orders-0", "records": 3, "done": 2, "rejected": 0, "again": 1, "from": 11,
            "onlyListed": {"commit": 11, "again": [11]},
            "fromLowest": {"commit": 11, "again": [11, 15]},
        })
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_time_out_above_lambdas_for_kafka_is_warned_of() {
    let warned = invoke("done", &["--timeout", "15m"]);
    let quiet = invoke("done", &["--timeout", "14m"]);

    let warning = "warning: the time-out is 900 s: Lambda's guide allows a function fed from Kafka 14 minutes (840 s)";
    assert!(stderr(&warned).contains(warning), "{}", stderr(&warned));
    assert!(!stderr(&quiet).contains("warning"), "{}", stderr(&quiet));
    assert_eq!(warned.status.code(), Some(0));
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
    assert!(
        stdout(&refused)
            .contains("error: the function refused the event, which is not a Kafka event")
    );
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stdout(&taken)
            .contains("warning: the function answered, but the event is not a Kafka event")
    );
    assert_eq!(taken.status.code(), Some(0));
}

#[test]
fn an_event_without_a_record_that_was_done_is_no_success() {
    for (event, says) in [
        (
            r#"{"eventSource":"aws:kafka","records":{}}"#,
            "the event has no records",
        ),
        (
            r#"{"eventSource":"aws:kafka","records":{"orders-0":[]}}"#,
            "the event has no records",
        ),
        (
            r#"{"eventSource":"aws:kafka","records":{"orders-0":[{"offset":"7"}]}}"#,
            "invalid type: string, expected i64",
        ),
    ] {
        let table = invoke_event("done", event, &[]);
        let json = invoke_event("done", event, &["--json"]);

        assert_eq!(table.status.code(), Some(1), "{event}");
        assert!(stdout(&table).contains(says), "{}", stdout(&table));
        let document: Value = serde_json::from_str(&stdout(&json)).unwrap();
        assert_eq!(
            (&document["allDone"], &document["exitCode"]),
            (&json!(false), &json!(1))
        );
    }
}

#[test]
fn an_event_file_that_is_not_one_json_document_is_refused_with_what_it_is() {
    for (event, said, help) in [
        (
            format!("\u{feff}{EVENT}"),
            "begins with a byte order mark",
            "save it as UTF-8",
        ),
        (
            format!("// my test event\n{EVENT}"),
            "has a comment",
            "remove the comments",
        ),
        (
            EVENT.replace("]}}", "],}}"),
            "has a trailing comma",
            "remove the comma",
        ),
        (
            "{}\n{}\n".to_owned(),
            "has 2 JSON documents, one a line",
            "head -n 1",
        ),
    ] {
        let output = invoke_event("done", &event, &[]);

        assert_eq!(output.status.code(), Some(2), "{said}");
        let text = stderr(&output);
        assert!(text.contains(said) && text.contains(help), "{text}");
    }
}

#[test]
fn colours_are_for_those_who_ask() {
    let plain = invoke("done", &[]);
    let event = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/orders.json");
    let forced = Command::new(env!("CARGO_BIN_EXE_cargo-msk"))
        .args([
            "invoke",
            "--event",
            event,
            "--function",
            &command(),
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
fn an_event_as_long_as_lambda_sends_is_delivered() {
    let order = format!(
        r#"{{"topic":"orders","partition":0,"value":"{}","offset":"#,
        "A".repeat(60_000)
    );
    let records: Vec<String> = (0..100)
        .map(|offset| format!("{order}{offset}}}"))
        .collect();
    let event = format!(
        r#"{{"eventSource":"aws:kafka","records":{{"orders-0":[{}]}}}}"#,
        records.join(",")
    );

    let output = invoke_event("done", &event, &["--json"]);

    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(event.len() > 6_000_000);
    assert_eq!(document["event"]["bytes"], event.len());
    assert_eq!(document["event"]["records"], 100);
    assert_eq!(document["allDone"], true);
}

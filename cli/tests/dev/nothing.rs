//! A run of `cargo msk dev` that read nothing says why, and is no success.

use std::process::Output;

use msk_mapping::driver::EmbeddedBroker;
use serde_json::json;

use crate::support::{command, msk, stderr, stdout};
use crate::{dev, events};

/// Whether the run ended with 1, and what it said of nothing.
fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    stdout(output)
}

#[test]
fn a_start_behind_all_records_is_named_with_what_to_do() {
    let text = said(&dev("done", &["--starting-position", "LATEST"]));

    assert!(
        text.contains(
            "no record of orders was read, though it has records: LATEST starts after them"
        ),
        "{text}"
    );
    assert!(text.contains("--starting-position TRIM_HORIZON"), "{text}");
}

#[test]
fn scripts_read_in_the_last_line_alone_why_nothing_was_read() {
    let output = dev("done", &["--json", "--starting-position", "LATEST"]);

    let mut events = events(&output);
    let end = events.pop().unwrap();
    let why = &end["nothingRead"][0];
    assert_eq!(
        (&why["topic"], &why["because"], &end["exitCode"]),
        (&json!("orders"), &json!("latest"), &json!(1))
    );
    assert_eq!(end["mappings"][0].get("unread"), None);
    assert!(events.iter().all(|event| event.get("unread").is_none()));
}

#[test]
fn a_start_behind_the_time_of_all_records_is_named() {
    let event = r#"{"eventSource":"aws:kafka","records":{"orders-0":[
        {"topic":"orders","partition":0,"timestamp":1000,"timestampType":"CREATE_TIME","value":"e30="}]}}"#;
    let command = command();
    let args = [
        &["dev", "--topic", "orders", "--produce", "-", "--once"][..],
        &["--function", &command, "--env", "BEHAVIOUR=done"],
        &["--starting-position", "AT_TIMESTAMP"],
        &["--starting-position-timestamp", "100000000"],
    ];

    let text = said(&msk(&args.concat(), event));

    let because = "all of them are older than --starting-position-timestamp";
    assert!(text.contains(because), "{text}");
}

#[test]
fn a_filter_that_lets_nothing_through_is_named() {
    let output = dev("done", &["--json", "--filter", r#"{"value":{"n":[9]}}"#]);

    let end = events(&output).pop().unwrap();
    assert_eq!(
        (&end["verdict"], &end["exitCode"]),
        (&json!("not-done"), &json!(1))
    );
    assert_eq!(end["nothingRead"][0]["because"], "filtered-out");
    let what = end["nothingRead"][0]["what"].as_str().unwrap();
    assert!(what.contains("none of the 4 records of orders"), "{what}");
}

#[test]
fn a_group_that_stands_at_the_end_is_named() {
    let broker = EmbeddedBroker::start([("orders", 1)]).unwrap();
    let bootstrap = broker.cluster().bootstrap().to_owned();
    let command = command();
    let run = |produce: &[&str]| {
        let args = [
            &["dev", "--topic", "orders", "--bootstrap", &bootstrap][..],
            &["--once", "--group", "local", "--function", &command],
            &["--env", "BEHAVIOUR=done"],
            produce,
        ];
        msk(&args.concat(), "1\n2\n")
    };

    let first = run(&["--produce", "-"]);
    let second = run(&[]);

    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let text = said(&second);
    assert!(
        text.contains("the group local has committed all of them"),
        "{text}"
    );
    assert!(text.contains("--group NEW"), "{text}");
}

#[test]
fn an_empty_topic_is_nothing_to_complain_of() {
    let broker = EmbeddedBroker::start([("orders", 1)]).unwrap();
    let bootstrap = broker.cluster().bootstrap().to_owned();
    let args = [
        &["dev", "--topic", "orders", "--bootstrap", &bootstrap][..],
        &["--once", "--function", "true"],
    ];

    let output = msk(&args.concat(), "");

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_file_without_a_record_among_others_is_named() {
    let empty = crate::file("empty.ndjson");
    std::fs::write(&empty, "\n").unwrap();

    let output = dev("done", &["--produce", empty.to_str().unwrap()]);

    std::fs::remove_file(&empty).unwrap();
    let text = stderr(&output);
    let line = format!("warning: {} has no records", empty.display());
    assert!(text.contains(&line), "{text}");
    assert_eq!(output.status.code(), Some(0), "{text}");
}

#[test]
fn records_of_another_topic_are_one_line_and_with_nothing_else_the_run_is_refused() {
    let record = r#"{"topic":"clicks","partition":0,"offset":OFFSET,"value":"e30="}"#;
    let records: Vec<String> = (0..50)
        .map(|offset| record.replace("OFFSET", &offset.to_string()))
        .collect();
    let event = format!(
        r#"{{"eventSource":"aws:kafka","records":{{"clicks-0":[{}]}}}}"#,
        records.join(",")
    );
    let args = [
        "dev",
        "--topic",
        "orders",
        "--produce",
        "-",
        "--once",
        "--function",
        "true",
    ];

    let output = msk(&args, &event);

    let text = stderr(&output);
    let line = "left out: 50 records of the topic clicks in standard input (--topic clicks";
    assert_eq!(text.matches("clicks in").count(), 1, "{text}");
    assert!(text.contains(line), "{text}");
    assert!(
        text.contains("expected records to produce, found none"),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(2));
}

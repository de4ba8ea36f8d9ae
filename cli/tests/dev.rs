//! `cargo msk dev` from outside, on the broker in its process: what it does, how it ends. Built with the feature `dev`.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[path = "dev/logs.rs"]
mod logs;
#[path = "dev/nothing.rs"]
mod nothing;
#[path = "dev/records.rs"]
mod records;
#[path = "dev/refused.rs"]
mod refused;
#[cfg(feature = "schemas")]
#[path = "dev/schemas.rs"]
mod schemas;
#[path = "dev/stopped.rs"]
mod stopped;
mod support;
#[path = "dev/watch.rs"]
mod watch;

use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

use crate::support::{command, msk, stderr, stdout};

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

/// A run until all is settled, of four records in one partition.
fn dev(behaviour: &str, more: &[&str]) -> Output {
    let command = command();
    let behaviour = format!("BEHAVIOUR={behaviour}");
    let args = [
        "dev",
        "--topic",
        "orders",
        "--partitions",
        "1",
        "--produce",
        "-",
        "--once",
        "--maximum-batching-window-in-seconds",
        "0",
        "--function",
        &command,
        "--env",
        &behaviour,
    ];
    msk(
        &[&args, more].concat(),
        "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n",
    )
}

fn events(output: &Output) -> Vec<Value> {
    let lines = stdout(output);
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cargo-msk-{}-{name}", std::process::id()))
}

#[test]
fn a_run_from_a_time_on_reads_the_records_of_the_broker_in_the_process() {
    let from = "--starting-position-timestamp";
    let at = ["--starting-position", "AT_TIMESTAMP", from, "1", "--json"];

    let output = dev("done", &at);

    let end = events(&output).pop().unwrap();
    assert_eq!(end["mappings"][0]["committed"], 4, "{end}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_topic_that_is_done_ends_with_its_offsets_committed_and_exits_0() {
    let output = dev("done", &["--json"]);

    let events = events(&output);
    let end = events.last().unwrap();
    assert_eq!(end["event"], "end");
    assert_eq!(
        (&end["exitCode"], output.status.code()),
        (&Value::from(0), Some(0))
    );
    let mapping = &end["mappings"][0];
    assert_eq!(
        (&mapping["lag"], &mapping["committed"]),
        (&Value::from(0), &Value::from(4))
    );
    let confirmed = |event: &&Value| event["event"] == "committed" && event["position"] == 4;
    assert!(events.iter().any(|event| confirmed(&event)), "{events:?}");
}

#[test]
fn records_that_are_given_up_lie_in_the_file_and_it_exits_4() {
    let path = file("given-up.ndjson");
    let to = format!("file:{}", path.display());

    let output = dev(
        "error",
        &["--maximum-retry-attempts", "1", "--on-failure", &to],
    );

    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let offsets: Vec<i64> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|letter| {
            letter["payload"]["records"]["orders-0"][0]["offset"]
                .as_i64()
                .unwrap()
        })
        .collect();
    assert_eq!(offsets, [0, 1, 2, 3]);
    assert_eq!(output.status.code(), Some(4));
    let text = stdout(&output);
    assert!(
        text.contains("error      orders-0@0..3 (4 records), attempt 2"),
        "{text}"
    );
    assert!(
        text.contains("RetryAttemptsExhausted after 2 invocations"),
        "{text}"
    );
}

#[test]
fn a_list_that_stands_where_lambda_does_not_look_is_told_with_its_place_and_exits_5() {
    let partial = ["--function-response-types", "ReportBatchItemFailures"];

    let output = dev("http-list=orders-0@2", &partial);

    let text = stdout(&output);
    assert!(
        text.contains("overlooked") && text.contains("under body.batchItemFailures"),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn a_list_that_the_mapping_does_not_read_is_told_and_exits_5() {
    let output = dev("list=orders-0@2", &[]);

    let text = stdout(&output);
    assert!(text.contains("overlooked"), "{text}");
    assert!(
        text.contains("--function-response-types ReportBatchItemFailures"),
        "{text}"
    );
    assert!(text.contains("orders-0@2  lost"), "{text}");
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn filtered_records_are_committed_and_never_sent() {
    let output = dev("done", &["--json", "--filter", r#"{"value":{"n":[3]}}"#]);

    let end = events(&output).pop().unwrap();
    let mapping = &end["mappings"][0];
    assert_eq!(
        (&mapping["filteredOut"], &mapping["invoked"]),
        (&Value::from(3), &Value::from(1))
    );
    assert_eq!(mapping["partitions"][0]["committed"], 4);
}

#[test]
fn the_projects_template_is_enough_to_run_by() {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
    let command = command();
    let args = [
        "dev",
        "--template",
        template,
        "--produce",
        "-",
        "--once",
        "--json",
        "--function",
        &command,
        "--env",
        "BEHAVIOUR=done",
    ];

    let output = msk(&args, "{\"n\":0}\n");

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let end = events(&output).pop().unwrap();
    assert_eq!(end["mappings"][0]["topic"], "orders");
    let remarks = stderr(&output);
    let left_out =
        "left out: DestinationConfig.OnFailure.Destination (it needs !GetAtt GivenUpBucket.Arn)";
    assert!(remarks.contains(left_out), "{remarks}");
}

/// A run that is told to connect with this setting, and ends before it does.
fn refused(setting: &str) -> String {
    let args = ["dev", "--topic", "orders", "--bootstrap", "127.0.0.1:9"];
    let output = msk(
        &[&args[..], &["--function", "true", "--set", setting]].concat(),
        "",
    );

    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
    stderr(&output)
}

#[test]
fn a_secret_that_is_not_where_it_is_said_to_be_is_a_fault_that_names_the_place() {
    let variable = refused("sasl.password=@env:CARGO_MSK_NOT_SET");
    let file = refused("sasl.password=@file:/nowhere/password");

    let place = "cannot read the variable CARGO_MSK_NOT_SET for --set sasl.password";
    assert!(variable.contains(place), "{variable}");
    let place = "cannot read /nowhere/password for --set sasl.password";
    assert!(file.contains(place), "{file}");
}

#[test]
fn iams_mechanism_in_a_setting_is_a_fault_that_names_the_flag() {
    for mechanism in ["AWS_MSK_IAM", "OAUTHBEARER"] {
        let text = refused(&format!("sasl.mechanism={mechanism}"));

        assert!(text.contains("IAM authentication"), "{text}");
        assert!(text.contains("give --iam"), "{text}");
    }
}

#[test]
fn a_setting_that_librdkafka_does_not_know_is_a_fault_without_its_value() {
    let path = file("secret");
    std::fs::write(&path, "s3cret\n").unwrap();

    let text = refused(&format!("sasl.pasword=@file:{}", path.display()));

    std::fs::remove_file(&path).unwrap();
    let no_sasl = "the setting `sasl.pasword`: it has no effect";
    assert!(text.contains(no_sasl), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}

#[test]
fn a_broker_that_does_not_answer_is_a_fault() {
    let output = msk(
        &[
            "dev",
            "--topic",
            "orders",
            "--bootstrap",
            "127.0.0.1:9",
            "--function",
            "true",
            "--once",
        ],
        "",
    );

    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(text.contains("no broker responds at 127.0.0.1:9"), "{text}");
    assert!(text.contains("check --bootstrap"), "{text}");
}

#[test]
fn no_poller_runs_without_a_partition_and_that_is_told() {
    let output = dev("done", &["--json", "--pollers", "4"]);

    let events = events(&output);
    let told = "orders has 1 partition: 1 of 4 run, as on Lambda";
    assert!(
        events.iter().any(|event| event["text"] == told),
        "{events:?}"
    );
    assert_eq!(events.last().unwrap()["exitCode"], 0);
}

#[test]
fn of_several_topics_each_event_names_its_own() {
    let output = dev("done", &["--json", "--topic", "more"]);

    let events = events(&output);
    let of_mappings: Vec<&Value> = events
        .iter()
        .filter(|event| !["begun", "end"].contains(&event["event"].as_str().unwrap()))
        .collect();
    let of_a_topic = |event: &Value| event["topic"] == "orders" || event["topic"] == "more";
    assert!(
        of_mappings.iter().all(|event| of_a_topic(event)),
        "{events:?}"
    );
    let ended = |event: &&&Value| event["event"] == "ended" && event["topic"] == "orders";
    assert_eq!(of_mappings.iter().filter(ended).count(), 1);
}

#[test]
fn what_aws_leaves_open_is_read_as_the_flags_say() {
    let given_up = |reading: &[&str]| {
        let bisected = [
            "--json",
            "--bisect-batch-on-function-error",
            "--maximum-retry-attempts",
            "1",
        ];
        let events = events(&dev("error", &[&bisected, reading].concat()));
        let end = events.last().unwrap();
        end["mappings"][0]["invocations"].as_u64().unwrap()
    };

    let free = given_up(&[]);
    let counted = given_up(&["--reading", "bisecting=counts", "--reading", "only-listed"]);

    // Halved down to single records, each of which then has an attempt more; or once, and then its halves are given up.
    assert_eq!((free, counted), (11, 3));
}

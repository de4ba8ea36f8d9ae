//! `cargo msk dlq` from outside: what it lists and shows, what it feeds back, and what it leaves in a file.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

#[cfg(feature = "aws")]
#[path = "dlq/services.rs"]
mod services;
#[cfg(feature = "aws")]
#[path = "dlq/stores.rs"]
mod stores;
mod support;
#[cfg(feature = "dev")]
#[path = "dlq/topics.rs"]
mod topics;
#[cfg(all(feature = "aws", feature = "schemas"))]
#[path = "dlq/typed.rs"]
mod typed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output};

use serde_json::{Value, json};

use crate::support::{consumer_command, file, msk, start, stderr, stdout};

#[test]
#[ignore = "the function of lambda-msk that the other tests start"]
fn the_consumer() {
    support::consumer::run();
}

/// The event of some records of one partition of `orders`: each with its offset and what is to become of it.
fn event(partition: i32, records: &[(i64, &str)]) -> Value {
    use base64::Engine;

    let record = |(offset, become_of): &(i64, &str)| {
        let value = json!({ "become_of": become_of }).to_string();
        let value = base64::engine::general_purpose::STANDARD.encode(value);
        json!({"topic": "orders", "partition": partition, "offset": offset, "timestamp": 7, "timestampType": "CREATE_TIME", "value": value})
    };
    let all: Vec<Value> = records.iter().map(record).collect();
    json!({"eventSource": "aws:kafka", "eventSourceArn": "arn:aws:kafka:c", "records": {(format!("orders-{partition}")): all}})
}

fn document(more: &Value) -> Value {
    let mut document = json!({
        "requestContext": {"requestId": "r", "functionArn": "arn:aws:lambda:eu-west-1:1:function:shop", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3},
        "responseContext": null, "version": "1.0", "timestamp": "2026-11-22T08:00:00.123Z", "KafkaBatchInfo": {},
    });
    let more = more.as_object().unwrap().clone();
    document.as_object_mut().unwrap().extend(more);
    document
}

/// A letter of lambda-msk.
fn ours(partition: i32, offset: i64, become_of: &str, redrives: u32) -> String {
    let payload = event(partition, &[(offset, become_of)]);
    let failure = json!({"code": "order.refused", "message": "no", "attempts": 1, "redrives": redrives, "idempotencyKey": "k"});
    document(&json!({"failure": failure, "payload": payload})).to_string()
}

/// Lambda's document for S3.
fn batch(partition: i32, records: &[(i64, &str)]) -> String {
    document(&json!({"payload": event(partition, records).to_string()})).to_string()
}

/// Lambda's document for Kafka.
fn record(partition: i32, offset: i64) -> String {
    document(&json!({"payload": event(partition, &[(offset, "done")])})).to_string()
}

/// Lambda's document for SQS and SNS.
fn coordinates() -> String {
    let info =
        json!({"recordsInfo": {"orders-0": {"firstRecordOffset": "1", "lastRecordOffset": "2"}}});
    document(&json!({"KafkaBatchInfo": info})).to_string()
}

fn written(name: &str, lines: &[String]) -> PathBuf {
    let path = file(name);
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

fn from(path: &Path) -> String {
    format!("file:{}", path.display())
}

fn redrive_start(path: &Path, more: &[&str]) -> Child {
    let (from, to) = (from(path), format!("command:{}", consumer_command()));
    let args = ["dlq", "redrive", "--from", &from, "--to", &to];
    start(&[&args, more].concat(), "")
}

fn redrive(path: &Path, more: &[&str]) -> Output {
    redrive_start(path, more).wait_with_output().unwrap()
}

/// The lines that are left.
fn left(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_list_has_each_letter_with_its_id_and_names_what_is_none() {
    let cut = ours(0, 9, "done", 0)[..40].to_owned();
    let other = r#"{"order_id":1}"#.to_owned();
    let path = written("list", &[ours(0, 1, "done", 0), coordinates(), cut, other]);

    let output = msk(&["dlq", "list", "--from", &from(&path), "--json"], "");

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document["count"], 2);
    assert_eq!(
        document["groups"],
        json!({"order.refused": 1, "RetryAttemptsExhausted": 1})
    );
    assert_eq!(document["letters"][0]["records"][0]["firstOffset"], 1);
    assert_eq!(document["letters"][1]["payload"], "coordinates only");
    assert_eq!(document["coordinatesOnly"]["letters"], 1);
    let others = document["others"].as_array().unwrap();
    assert_eq!(others[0]["what"], "a JSON document that is cut off");
    assert_eq!(
        others[1],
        json!({"what": "a message of another system", "count": 1, "at": ["line 4"]})
    );
}

#[test]
fn a_letter_is_shown_by_the_beginning_of_its_id() {
    let letters = [ours(0, 1, "done", 0), ours(0, 2, "done", 0)].join("\n");
    let listed = msk(&["dlq", "list", "--from", "-", "--json"], &letters);
    let document: Value = serde_json::from_str(&stdout(&listed)).unwrap();
    let id = document["letters"][1]["id"].as_str().unwrap();

    let shown = msk(
        &["dlq", "show", "--from", "-", &id[..8], "--payload"],
        &letters,
    );
    let none = msk(&["dlq", "show", "--from", "-", "zz"], &letters);
    let several = msk(&["dlq", "show", "--from", "-", ""], &letters);

    let document: Value = serde_json::from_str(&stdout(&shown)).unwrap();
    assert_eq!(document["id"], id);
    let record = &document["payload"]["records"][0];
    assert_eq!(
        (&record["offset"], &record["value"]),
        (&json!(2), &json!({"become_of": "done"}))
    );
    for (output, said) in [(none, "found none among 2 letters"), (several, "found 2")] {
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

#[test]
fn settled_letters_of_each_shape_leave_the_file() {
    let path = written(
        "shapes",
        &[
            ours(0, 1, "done", 0),
            record(1, 4),
            batch(2, &[(7, "done"), (8, "done")]),
            coordinates(),
            "not JSON".to_owned(),
        ],
    );

    let output = redrive(&path, &[]);

    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("3 letters settled, 1 left"), "{text}");
    assert!(
        text.contains("coordinates only: give --bootstrap"),
        "{text}"
    );
    assert!(text.contains("a message that is not JSON"), "{text}");
    assert_eq!(left(&path), [coordinates(), "not JSON".to_owned()]);
}

#[test]
fn a_lane_stops_at_its_first_failure_and_others_go_on() {
    let path = written(
        "lanes",
        &[
            ours(0, 3, "done", 0),
            ours(0, 2, "fail", 0),
            ours(0, 1, "done", 0),
            ours(1, 9, "done", 0),
        ],
    );

    let output = redrive(&path, &[]);

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(left(&path), [ours(0, 3, "done", 0), ours(0, 2, "fail", 0)]);
    let text = stdout(&output);
    assert!(text.contains("lists its record as not done"), "{text}");
    assert!(
        text.contains("a letter before it in its partition was not settled"),
        "{text}"
    );
}

#[test]
fn a_record_that_is_rejected_again_is_a_new_letter_with_its_count() {
    let path = written("again", &[ours(0, 1, "reject", 1)]);
    let destination = format!("LAMBDA_MSK_ON_FAILURE={}", from(&path));

    let output = redrive(&path, &["--env", &destination]);

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let letters = left(&path);
    assert_eq!(letters.len(), 1);
    let letter: Value = serde_json::from_str(&letters[0]).unwrap();
    assert_eq!(letter["failure"]["redrives"], 2);
    let key = letter["failure"]["idempotencyKey"].as_str().unwrap();
    assert_eq!(key, "shop/arn:aws:kafka:c/orders/0/1/7");
    let third = redrive(&path, &["--env", &destination, "--max-redrives", "2"]);
    assert_eq!(third.status.code(), Some(1));
    assert!(
        stdout(&third).contains("redriven 2 times already"),
        "{}",
        stdout(&third)
    );
    assert_eq!(left(&path), letters);
}

#[test]
fn without_a_destination_a_record_that_is_rejected_again_stays() {
    let path = written("stays", &[ours(0, 1, "reject", 0)]);

    let output = redrive(&path, &[]);

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(left(&path), [ours(0, 1, "reject", 0)]);
}

#[test]
fn a_dry_run_shows_what_would_happen_and_changes_nothing() {
    let letters = [ours(0, 1, "done", 0), ours(0, 2, "done", 3), coordinates()];
    let path = written("dry", &letters);

    let output = redrive(&path, &["--dry-run"]);

    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.contains("goes to the command"), "{text}");
    assert!(text.contains("stays: redriven 3 times already"), "{text}");
    assert!(
        text.contains("1 letter would be redriven, 2 would stay"),
        "{text}"
    );
    assert_eq!(left(&path), letters);
}

#[test]
fn only_letters_that_are_asked_for_go_and_no_more_than_the_flag_says() {
    let path = written(
        "where",
        &[ours(0, 1, "done", 0), ours(1, 2, "done", 0), record(1, 3)],
    );

    let output = redrive(&path, &["--where", "code=order.refused", "--max", "1"]);

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(left(&path), [ours(1, 2, "done", 0), record(1, 3)]);
}

/// Most looks at a file that a run changes: minutes.
const LOOKS_MAX: usize = 1_000_000;

#[test]
fn a_redriver_that_is_killed_leaves_what_was_not_settled() {
    let letters: Vec<String> = (0..200).map(|offset| ours(0, offset, "done", 0)).collect();
    let path = written("killed", &letters);
    for _ in 0..3 {
        let before = whole(&path).len();
        // So slow that the run is alive when it is killed.
        let mut run = redrive_start(&path, &["--rate", "20/s"]);
        let settles = (0..LOOKS_MAX).any(|_| {
            std::thread::yield_now();
            whole(&path).len() + 5 <= before
        });
        let ended = run.try_wait().unwrap();
        run.kill().unwrap();
        run.wait().unwrap();
        assert!(settles && ended.is_none(), "{settles} {ended:?}");
        let rest = whole(&path);
        assert_eq!(rest, letters[letters.len() - rest.len()..]);
    }

    let output = redrive(&path, &[]);

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
}

/// The letters that still stand in a file, also while blanks stand between them.
fn whole(path: &Path) -> Vec<String> {
    let lines = left(path).into_iter();
    lines.filter(|line| line.starts_with('{')).collect()
}

#[test]
fn a_wrong_source_or_target_is_named_with_its_cure() {
    for (args, said) in [
        (
            ["--from", "orders", "--to", "bin:x"],
            "expected a source of dead letters in --from",
        ),
        (
            ["--from", "file:/nowhere/dl", "--to", "command:true"],
            "cannot read dead letters from /nowhere/dl",
        ),
        (
            ["--from", "-", "--to", "orders"],
            "expected function:NAME, bin:NAME",
        ),
    ] {
        let output = msk(
            &[&["dlq", "redrive"], &args[..], &["--dry-run"]].concat(),
            "",
        );

        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
}

/// More than one run reads, none of them a letter.
fn too_many() -> String {
    "x\n".repeat(100_001)
}

#[test]
fn what_lies_behind_the_most_letters_of_a_run_is_told() {
    let list = msk(&["dlq", "list", "--from", "-"], &too_many());
    let json = msk(&["dlq", "list", "--from", "-", "--json"], &too_many());
    let letters = too_many().replacen('x', &ours(0, 1, "done", 0), 1);
    let to = format!("command:{}", consumer_command());
    let redrive = msk(&["dlq", "redrive", "--from", "-", "--to", &to], &letters);

    for output in [&list, &redrive] {
        let text = stdout(output);
        assert!(
            text.contains("more lies there: one run reads 100000"),
            "{text}"
        );
    }
    let document: Value = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!(document["complete"], false);
    assert_eq!(redrive.status.code(), Some(1));
}

#[test]
fn letters_behind_one_that_stays_are_not_redriven() {
    let letters = [
        ours(0, 3, "done", 0),
        ours(0, 2, "done", 3),
        ours(1, 9, "done", 0),
    ];
    let path = written("behind", &letters);

    let output = redrive(&path, &[]);

    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(left(&path), letters[..2]);
}

#[test]
fn flags_of_another_target_end_a_redrive_before_it_reads() {
    let output = msk(
        &[
            "dlq",
            "redrive",
            "--from",
            "-",
            "--to",
            "command:true",
            "--env",
            "A=1",
            "--release",
        ],
        "",
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    for (to, flag) in [
        ("function:f", ["--env", "A=1"]),
        ("topic", ["--timeout", "1s"]),
    ] {
        let args = ["dlq", "redrive", "--from", "-", "--to", to];
        let output = msk(&[&args[..], &flag].concat(), "");

        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(flag[0]), "{}", stderr(&output));
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_reading_of_a_pipe_that_nobody_writes() {
    // A pipe whose other end stays open.
    let path = file("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let mut run = start(
        &[
            "dlq",
            "redrive",
            "--from",
            &from(&path),
            "--to",
            "command:true",
        ],
        "",
    );
    // Opening for writing waits until the run reads.
    let open = fs::OpenOptions::new().write(true).open(&path).unwrap();

    interrupt(&run);

    let ended = (0..LOOKS_MAX).any(|_| {
        std::thread::yield_now();
        run.try_wait().unwrap().is_some()
    });
    run.kill().unwrap();
    let output = run.wait_with_output().unwrap();
    assert!(ended, "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    drop(open);
}

/// Ctrl-C.
#[cfg(unix)]
fn interrupt(run: &Child) {
    let id = run.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-s", "INT", &id])
        .status();
    assert!(sent.unwrap().success());
}

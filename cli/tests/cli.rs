//! The built command, from outside: its arguments, and `cargo msk event`.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod support;

use serde_json::Value;

use crate::support::{EVENT, invoke_event, msk, stderr, stdout};

#[test]
#[ignore = "the function that the other tests start"]
fn the_function() {
    support::function::run();
}

#[test]
fn faults_exit_2_and_say_what_to_do() {
    for (args, says) in [
        (&["invoke"][..], "error: no event to deliver"),
        (
            &["invoke", "--event", "/nowhere.json"],
            "error: cannot read the event from /nowhere.json",
        ),
        (
            &["invoke", "--event", "-", "--function", "/nowhere/f"],
            "error: cannot start `/nowhere/f`",
        ),
        (
            &["invoke", "--event", "-", "--function", "'open"],
            "error: expected a command in --function",
        ),
        (
            &[
                "ledger",
                "show",
                "--store",
                "memory",
                "--namespace",
                "f",
                "--cluster",
                "c",
                "--topic",
                "orders",
                "--partition",
                "0",
            ],
            "error: expected a store that outlives its process, found `memory`",
        ),
        (
            &["event", "--topic", "a b"],
            "error: expected the name of a topic, found \"a b\"",
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
        &["ledger"],
        &["postgres"],
        &["postgres", "schema", "--ledger", "a; DROP TABLE orders"],
        &["postgres", "schema", "--ledger", "lambda_msk_once"],
        &[
            "postgres",
            "schema",
            "--ledger",
            "shop.lambda_msk_once_keys",
        ],
        &["ledger", "sweep", "--store", "redis://cache"],
        &[
            "ledger",
            "show",
            "--store",
            "dynamodb://t",
            "--namespace",
            "f",
            "--cluster",
            "c",
            "--topic",
            "t",
        ],
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
        stderr(&wrong).starts_with("error: line 2 of standard input is not JSON"),
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
    for command in [
        "invoke",
        "event",
        "ledger show",
        "ledger forget",
        "ledger sweep",
        "postgres schema",
        "postgres forget",
        "completions",
    ] {
        let words = ["msk"].into_iter().chain(command.split(' '));
        let args: Vec<&str> = words.chain(["--help"]).collect();
        let help = stdout(&msk(&args, ""));

        assert!(
            help.contains("Examples:") && help.contains(&format!("Usage: cargo msk {command}")),
            "{help}"
        );
    }
}

#[test]
fn the_schema_of_postgres_is_printed_by_the_default_build() {
    let schema = stdout(&msk(&["postgres", "schema", "--ledger", "shop.ledger"], ""));
    let usual = stdout(&msk(&["postgres", "schema"], ""));

    assert!(
        schema.contains("CREATE TABLE IF NOT EXISTS \"shop\".\"ledger\" ("),
        "{schema}"
    );
    assert!(
        usual.contains("CREATE TABLE IF NOT EXISTS \"lambda_msk_ledger\" ("),
        "{usual}"
    );
}

#[test]
fn what_once_forgets_is_printed_for_the_partitions_that_are_named() {
    let id = "shop/arn:aws:kafka:x/orders/0";
    let all = stdout(&msk(&["postgres", "forget", id, "shop/c/orders/1"], ""));
    let border = stdout(&msk(&["postgres", "forget", "--keep-notes", id], ""));
    let keys = stdout(&msk(&["postgres", "forget", "--expired-keys"], ""));

    let ids = format!("('{id}', 'shop/c/orders/1');\n");
    for table in ["lambda_msk_once", "lambda_msk_once_notes"] {
        let delete = format!("DELETE FROM {table} WHERE id IN {ids}");
        assert!(all.contains(&delete), "{all}");
    }
    assert!(!border.contains("DELETE") && border.contains(&format!("('{id}');")));
    assert!(keys.starts_with("DELETE FROM lambda_msk_once_keys WHERE id IN (SELECT id "));
    let none = msk(&["postgres", "forget"], "");
    assert_eq!(none.status.code(), Some(2), "{}", stderr(&none));
}

#[test]
fn a_sweep_says_which_stores_need_none_and_shows_no_password() {
    for (store, says) in [
        (
            "redis://u:hunter2@cache",
            "deletes what has expired by itself",
        ),
        ("dynamodb://t", "deletes what has expired by itself"),
        ("mysql://u:hunter2@db", "found another text"),
    ] {
        let output = msk(&["ledger", "sweep", "--store", store], "");

        let text = stderr(&output);
        assert!(text.contains(says) && !text.contains("hunter2"), "{text}");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[cfg(not(feature = "dev"))]
#[test]
fn without_its_feature_dev_says_how_to_get_it() {
    let output = msk(&["dev", "--topic", "orders", "--help"], "");

    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    assert!(text.contains("--features dev"), "{text}");
}

#[test]
#[cfg(unix)]
fn a_campaign_that_is_stopped_says_what_it_found() {
    use std::io::{BufRead, BufReader, Read};

    for name in ["INT", "TERM"] {
        let mut campaign = support::start(&["simulate", "--seeds", "0..1000000000"], "");
        let mut said = BufReader::new(campaign.stderr.take().unwrap());
        let mut begins = String::new();
        said.read_line(&mut begins).unwrap();
        let process = campaign.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-s", name, &process])
            .status();

        let output = campaign.wait_with_output().unwrap();

        assert!(sent.unwrap().success());
        assert!(begins.starts_with("seeds 0..1000000000, "), "{begins}");
        let text = stdout(&output);
        assert!(text.starts_with("stopped after "), "{text}");
        assert!(text.ends_with(": every promise held\n"), "{text}");
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "error: interrupted\n");
        assert_eq!(output.status.code(), Some(130));
    }
}

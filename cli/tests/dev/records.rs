//! What `cargo msk dev` says of records that were not done, and the exit code of each way to end.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{consumer_command, file, msk, stderr, stdout};
use crate::{dev, events};

/// A run of a function of lambda-msk over records of which each line says what is to become of it, in one partition.
fn consumed(topic: &str, becomes: &[&str], more: &[&str]) -> Output {
    let command = consumer_command();
    let args = [
        &["dev", "--topic", topic, "--partitions", "1", "--once"][..],
        &["--produce", "-", "--function", &command],
        &["--maximum-batching-window-in-seconds", "0"],
        more,
    ];
    let line = |becomes: &&str| format!("{{\"become_of\":\"{becomes}\"}}\n");
    let lines: String = becomes.iter().map(line).collect();
    msk(&args.concat(), &lines)
}

const PARTIAL: [&str; 4] = [
    "--function-response-types",
    "ReportBatchItemFailures",
    "--env",
    "LAMBDA_MSK_FAILURE_REPORTING=partial",
];

#[test]
fn rejected_records_of_which_the_log_says_nothing_are_found_in_the_letters_file() {
    let letters = file("dev-quiet.ndjson");
    let to = format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display());
    let more = [
        "--env",
        &to,
        "--env",
        "AWS_LAMBDA_LOG_LEVEL=ERROR",
        "--json",
    ];

    let output = consumed(
        "orders",
        &["", "reject", ""],
        &[&PARTIAL[..], &more].concat(),
    );

    std::fs::remove_file(&letters).unwrap();
    let end = events(&output).pop().unwrap();
    assert_eq!(output.status.code(), Some(3), "{end}");
    assert_eq!(end["verdict"], "some-rejected");
    assert_eq!(end["mappings"][0]["rejected"], 1);
    let record = &end["records"][0];
    assert_eq!(
        (&record["record"], &record["outcome"], &record["code"]),
        (
            &json!("orders-0@1"),
            &json!("rejected"),
            &json!("order.refused")
        )
    );
}

#[test]
fn rejected_records_are_named_and_counted_and_it_exits_3() {
    for format in ["JSON", "Text"] {
        let letters = file(&format!("dev-rejected-{format}.ndjson"));
        let to = format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display());
        let format = format!("AWS_LAMBDA_LOG_FORMAT={format}");
        let more = ["--env", &to, "--env", &format];

        let output = consumed(
            "orders",
            &["", "reject", "", "reject"],
            &[&PARTIAL[..], &more].concat(),
        );

        let _ = std::fs::remove_file(&letters);
        let text = stdout(&output);
        for offset in [1, 3] {
            let row = format!("orders-0@{offset}  rejected  order.refused  no such customer");
            assert!(text.contains(&row), "{text}");
        }
        assert!(text.contains("2 rejected by the function"), "{text}");
        assert!(
            text.contains("settled    orders-0@0..3 (4 records)"),
            "{text}"
        );
        assert!(text.contains("some rejected: exit code 3"), "{text}");
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    }
}

#[test]
fn scripts_are_told_of_rejected_records_too() {
    let letters = file("dev-rejected.ndjson");
    let to = format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display());

    let output = consumed(
        "orders",
        &["", "reject"],
        &[&PARTIAL[..], &["--json", "--env", &to]].concat(),
    );

    let _ = std::fs::remove_file(&letters);
    let events = events(&output);
    let end = events.last().unwrap();
    assert_eq!(
        (&end["verdict"], &end["exitCode"]),
        (&json!("some-rejected"), &json!(3))
    );
    assert_eq!(end["mappings"][0]["rejected"], 1);
    let rejected = json!({"record": "orders-0@1", "outcome": "rejected", "code": "order.refused", "why": "no such customer"});
    assert_eq!(end["records"], json!([rejected]));
    let answered = events
        .iter()
        .find(|event| event["event"] == "answered")
        .unwrap();
    assert_eq!(
        (&answered["verdict"], &answered["rejected"]),
        (&json!("some-rejected"), &json!(1))
    );
    let told = |event: &&Value| event["event"] == "record" && event["topic"] == "orders";
    assert_eq!(events.iter().filter(told).count(), 1);
}

#[test]
fn of_a_batch_that_is_dropped_it_is_said_what_the_function_had_done_and_it_exits_5() {
    let more = [
        "--maximum-retry-attempts",
        "0",
        "--env",
        "LAMBDA_MSK_ORDER=unordered",
    ];

    let output = consumed("orders", &["", "fail", "", "fail", ""], &more);

    let text = stdout(&output);
    assert!(
        text.contains("there is no --on-failure; 3 of them were done by the function"),
        "{text}"
    );
    assert!(
        text.contains("5 given up and dropped (3 of them were done by the function)"),
        "{text}"
    );
    for offset in [1, 3] {
        let row = format!("orders-0@{offset}  dropped  stock.empty");
        assert!(text.contains(&row), "{text}");
    }
    assert!(!text.contains("orders-0@2  dropped"), "{text}");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
}

#[test]
fn each_record_that_a_partial_answer_lists_is_named_and_given_up_exits_4() {
    let path = file("dev-given-up.ndjson");
    let to = format!("file:{}", path.display());
    let more = ["--maximum-retry-attempts", "1", "--on-failure", &to];

    let output = consumed("orders", &["", "fail"], &[&PARTIAL[..], &more].concat());

    let _ = std::fs::remove_file(&path);
    let text = stdout(&output);
    assert!(
        text.contains("orders-0@1  given up  stock.empty  no stock"),
        "{text}"
    );
    assert!(text.contains("1 given up, at the destination;"), "{text}");
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
}

#[test]
fn a_record_that_is_done_by_a_later_attempt_is_not_among_those_that_were_not() {
    let output = dev("list=orders-0@2 done", &PARTIAL[..2]);

    let text = stdout(&output);
    assert!(!text.contains("RECORD  "), "{text}");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_topic_that_no_handler_takes_ends_the_run_with_1_and_nothing_is_committed() {
    let output = consumed("clicks", &["", ""], &["--json"]);

    let end = events(&output).pop().unwrap();
    assert_eq!(
        (&end["verdict"], &end["exitCode"]),
        (&json!("not-done"), &json!(1))
    );
    assert_eq!(end["unhandled"], json!(["clicks"]));
    assert_eq!(end["mappings"][0]["committed"], 0);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
}

#[test]
fn what_no_handler_takes_is_told_also_where_it_is_rejected() {
    let letters = file("dev-unhandled.ndjson");
    let to = format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display());
    let more = ["--env", &to, "--env", "LAMBDA_MSK_WHEN_UNHANDLED=reject"];

    let output = consumed("clicks", &["", ""], &more);

    let _ = std::fs::remove_file(&letters);
    let text = stdout(&output);
    assert!(text.contains("no handler took its records"), "{text}");
    assert!(text.contains("2 rejected by the function"), "{text}");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
}

#[test]
fn a_function_that_dies_at_each_start_does_not_start_and_the_last_line_says_so() {
    for (behaviour, how) in [
        ("init-error", "ORDERS_URL is not set"),
        ("init-exit", "exit code 3"),
    ] {
        let output = dev(behaviour, &["--json"]);

        let text = stderr(&output);
        assert!(
            text.contains("the function does not start") && text.contains(how),
            "{text}"
        );
        let end = events(&output).pop().unwrap();
        assert_eq!(
            (&end["event"], &end["exitCode"]),
            (&json!("end"), &json!(2))
        );
        assert_eq!(end["mappings"][0]["committed"], 0);
        assert!(
            end["error"]
                .as_str()
                .unwrap()
                .starts_with("error: the function does not start")
        );
        assert_eq!(output.status.code(), Some(2), "{behaviour}");
    }
}

#[test]
fn a_run_that_is_refused_has_a_last_line_for_scripts_too() {
    let output = msk(&["dev", "--json", "--topic", "bad topic"], "");

    let end = events(&output).pop().unwrap();
    assert_eq!(
        (&end["event"], &end["exitCode"]),
        (&json!("end"), &json!(2))
    );
    assert_eq!(end["mappings"], json!([]));
    assert!(!stdout(&output).contains("\\u001b"));
}

#[test]
fn dead_letters_are_produced_as_the_records_that_they_hold() {
    let letters = file("dev-letters.ndjson");
    let to = format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display());
    consumed("orders", &["reject", "reject"], &["--env", &to]);
    let text = std::fs::read_to_string(&letters).unwrap();
    std::fs::remove_file(&letters).unwrap();

    let again = consumed(
        "orders",
        &[],
        &["--json", "--env", &to, "--produce", "/dev/null"],
    );
    let command = crate::support::command();
    let args = [
        &[
            "dev",
            "--topic",
            "orders",
            "--once",
            "--json",
            "--produce",
            "-",
        ][..],
        &["--function", &command, "--env", "BEHAVIOUR=show"],
    ];
    let fed = msk(&args.concat(), &text);

    assert_eq!(again.status.code(), Some(2), "{}", stderr(&again));
    let end = events(&fed).pop().unwrap();
    assert_eq!(end["mappings"][0]["polled"], 2);
    // {"become_of":"reject"} in base64.
    let shown = stderr(&fed);
    assert_eq!(
        shown.matches("eyJiZWNvbWVfb2YiOiJyZWplY3QifQ").count(),
        2,
        "{shown}"
    );
    assert!(!shown.contains("KafkaBatchInfo"), "{shown}");
}

#[test]
fn what_the_mapping_has_given_up_lags_no_more() {
    let more = ["--maximum-retry-attempts", "1", "--json"];

    let output = consumed("orders", &["", "fail"], &[&PARTIAL[..], &more].concat());

    let end = events(&output).pop().unwrap();
    let metrics = &end["mappings"][0]["metrics"];
    assert_eq!(end["exitCode"], 5, "{end}");
    assert!(metrics["timeLagMsMax"].as_f64().unwrap() > 0.0, "{end}");
    // The function's last line was of the record while it waited for its last try.
    assert_eq!(metrics["timeLagMs"], 0.0, "{end}");
}

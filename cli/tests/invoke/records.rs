//! What `cargo msk invoke` says of records that were not done, by the function's log and its file of dead letters.

use serde_json::{Value, json};

use crate::support::{consumer_command, file, msk, stderr, stdout};

const DONE: &str = r#"{"topic":"orders","partition":0,"offset":1,"value":"e30="}"#;

/// A record with `{"become_of":"…"}` for its value.
fn record(offset: i64, becomes: &str) -> String {
    let value = match becomes {
        "reject" => "eyJiZWNvbWVfb2YiOiJyZWplY3QifQ==",
        "fail" => "eyJiZWNvbWVfb2YiOiJmYWlsIn0=",
        _ => "e30=",
    };
    format!(r#"{{"topic":"orders","partition":0,"offset":{offset},"value":"{value}"}}"#)
}

fn event(records: &[String]) -> String {
    format!(
        r#"{{"eventSource":"aws:kafka","records":{{"orders-0":[{}]}}}}"#,
        records.join(",")
    )
}

fn invoke(event: &str, more: &[&str]) -> std::process::Output {
    let command = consumer_command();
    let args = [
        &["invoke", "--event", "-", "--function", &command][..],
        &["--env", "LAMBDA_MSK_FAILURE_REPORTING=partial"],
        more,
    ];
    msk(&args.concat(), event)
}

#[test]
fn a_rejected_record_is_not_counted_as_done_and_it_exits_3() {
    let letters = file("invoke-rejected.ndjson");
    let to = format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display());
    let event = event(&[record(1, ""), record(2, "reject"), record(5, "reject")]);

    for format in ["JSON", "Text"] {
        let format = format!("AWS_LAMBDA_LOG_FORMAT={format}");
        let output = invoke(&event, &["--env", &to, "--env", &format]);

        let text = stdout(&output);
        assert!(text.starts_with("some records were rejected\n"), "{text}");
        assert!(
            text.contains("orders-0         3     1         2         0"),
            "{text}"
        );
        assert!(
            text.contains("orders-0@2  rejected  order.refused  no such customer"),
            "{text}"
        );
        assert!(
            text.contains("2 records were rejected and are in"),
            "{text}"
        );
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    }
    std::fs::remove_file(&letters).unwrap();
}

#[test]
fn where_the_log_says_nothing_the_file_of_letters_does() {
    let letters = file("invoke-quiet.ndjson");
    let to = format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display());
    let event = event(&[record(1, ""), record(2, "reject")]);

    let output = invoke(&event, &["--env", &to, "--env", "RUST_LOG=off", "--json"]);

    std::fs::remove_file(&letters).unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["verdict"], "some-rejected");
    assert_eq!(document["rejected"], 1);
    assert_eq!(document["deliveries"][0]["partitions"][0]["done"], 1);
    assert_eq!(
        document["records"],
        json!([{"record": "orders-0@2", "outcome": "rejected", "code": "order.refused", "why": "no such customer"}])
    );
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn each_failed_record_is_named_with_its_reason() {
    let event = event(&[record(1, "fail"), record(2, "fail"), record(3, "")]);

    let output = invoke(&event, &["--env", "LAMBDA_MSK_ORDER=unordered"]);

    let text = stdout(&output);
    for offset in [1, 2] {
        let row = format!("orders-0@{offset}  failed   stock.empty  no stock");
        assert!(text.contains(&row), "{text}");
    }
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn records_that_no_handler_takes_are_told_and_it_exits_1() {
    let event = event(&[DONE.to_owned()]).replace("orders", "clicks");

    for more in [&[][..], &["--env", "LAMBDA_MSK_WHEN_UNHANDLED=reject"]] {
        let letters = file("invoke-unhandled.ndjson");
        let to = format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display());
        let output = invoke(&event, &[more, &["--env", &to]].concat());

        let _ = std::fs::remove_file(&letters);
        let text = stdout(&output);
        assert!(text.starts_with("no handler for the topic\n"), "{text}");
        assert!(
            text.contains("the function has no handler for the topic clicks"),
            "{text}"
        );
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_file_of_dead_letters_is_delivered_letter_by_letter() {
    let letters = file("invoke-letters.ndjson");
    let to = format!("LAMBDA_MSK_ON_FAILURE=file:{}", letters.display());
    let rejected = event(&[record(1, "reject"), record(2, "reject")]);
    invoke(&rejected, &["--env", &to]);
    let text = std::fs::read_to_string(&letters).unwrap();
    std::fs::remove_file(&letters).unwrap();

    let again = invoke(&text, &["--env", &to, "--json"]);

    std::fs::remove_file(&letters).unwrap();
    let document: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(document["events"], 2);
    assert_eq!(document["event"]["records"], 1);
    assert_eq!(document["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!(document["rejected"], 2);
    assert_eq!(again.status.code(), Some(3));
}

#[test]
fn an_event_that_is_empty_or_no_json_is_refused_before_a_function_is_started() {
    for (event, said) in [
        ("", "the event from standard input is empty"),
        (" \n", "the event from standard input is empty"),
        (
            "{\"records\":",
            "the event from standard input ends in the middle of its JSON document",
        ),
        (
            "{} {}",
            "the event from standard input has text after the end of its JSON document",
        ),
        ("secret", "the event from standard input is not JSON"),
    ] {
        let output = msk(&["invoke", "--event", "-", "--function", "/nowhere"], event);

        let text = stderr(&output);
        assert!(text.contains(said) && text.contains("help: "), "{text}");
        assert!(
            !text.contains("secret") && !text.contains("nowhere"),
            "{text}"
        );
        assert_eq!(output.status.code(), Some(2));
    }
}

//! What `dev` shows of the lines that a function writes, of its metrics, and of payloads.

use serde_json::{Value, json};

use super::{dev, events};
use crate::support::said::{LINES, WARNING};
use crate::support::{stderr, stdout};

#[test]
fn a_functions_warnings_are_short_rows_and_its_metrics_stand_at_the_end() {
    let say = format!("SAY={LINES}");

    let output = dev("say", &["--env", &say]);

    let (err, out) = (stderr(&output), stdout(&output));
    assert!(err.contains(&format!("  {WARNING}")), "{err}");
    assert!(err.contains("\nprinted by hand\n"), "{err}");
    assert!(
        !err.contains("batch begins") && !err.contains("_aws"),
        "{err}"
    );
    // All is settled by then, whatever the function said last.
    let at_the_end = " records/s, handler p50 2.0 ms, p99 50.0 ms, lag in time 0 s\n";
    assert!(out.contains(at_the_end), "{out}");
}

#[test]
fn scripts_read_in_the_last_line_what_the_function_measured() {
    let say = format!("SAY={LINES}");

    let output = dev("say", &["--env", &say, "--json", "--logs", "none"]);

    assert_eq!(stderr(&output), "");
    let end = events(&output).pop().unwrap();
    let metrics = &end["mappings"][0]["metrics"];
    assert_eq!(
        (&metrics["records"], &metrics["sums"]),
        (&json!(4), &json!({"Done": 3, "Failed": 1}))
    );
    assert!(metrics["recordsPerSecond"].as_f64().unwrap() > 0.0, "{end}");
}

#[test]
fn a_function_that_measures_nothing_has_no_metrics() {
    let output = dev("done", &["--json"]);

    let end = events(&output).pop().unwrap();
    assert_eq!(end["mappings"][0]["metrics"], Value::Null);
}

#[test]
fn payloads_are_shown_to_those_who_ask_and_to_nobody_else() {
    let quiet = stdout(&dev("done", &[]));
    let asked = stdout(&dev("done", &["--payloads"]));

    assert!(!quiet.contains("{\"n\":3}"), "{quiet}");
    for offset in 0..4 {
        let row = format!("payload    orders-0@{offset} key null value {{\"n\":{offset}}}\n");
        assert!(asked.contains(&row), "{asked}");
    }
}

#[test]
fn scripts_read_payloads_in_an_event_of_its_own() {
    let output = dev("done", &["--json", "--payloads"]);

    let events = events(&output);
    let payloads = events.iter().find(|event| event["event"] == "payloads");
    let records = payloads.unwrap()["records"].as_array().unwrap();
    assert_eq!(records.len(), 4);
    assert_eq!(
        records[3],
        json!({"record": "orders-0@3", "key": "null", "value": "{\"n\":3}"})
    );
}

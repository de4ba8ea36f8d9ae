//! What `invoke` shows of the lines that a function writes: its log, its metrics, and what somebody printed.

use serde_json::{Value, json};

use crate::support::said::{LINES, WARNING};
use crate::support::{invoke, stderr, stdout};

/// The lines of the function on standard error, and standard output.
fn said(more: &[&str]) -> (String, String) {
    let say = format!("SAY={LINES}");
    let output = invoke("say", &[&["--env", &say], more].concat());
    (stderr(&output), stdout(&output))
}

#[test]
fn by_default_warnings_are_short_rows_and_what_was_printed_is_as_it_is() {
    let (err, _) = said(&[]);

    assert!(err.contains(&format!("  {WARNING}")), "{err}");
    assert!(
        err.contains("\nprinted by hand\n{\"printed\":\"as JSON\"}\n"),
        "{err}"
    );
    for hidden in ["batch begins", "a0fa", "Root=1", "CloudWatchMetrics"] {
        assert!(!err.contains(hidden), "{hidden}: {err}");
    }
}

#[test]
fn logs_all_shows_every_level_and_none_shows_no_line() {
    let (all, _) = said(&["--logs", "all"]);
    let (none, _) = said(&["--logs", "none"]);

    assert!(
        all.contains("INFO  batch begins\n") && all.contains(WARNING),
        "{all}"
    );
    assert!(!all.contains("CloudWatchMetrics"), "{all}");
    assert_eq!(none.trim(), "");
}

#[test]
fn logs_raw_shows_the_lines_as_they_were_written_with_those_of_metrics() {
    let (raw, _) = said(&["--logs", "raw"]);

    assert!(raw.contains(&format!("\n{LINES}\n")), "{raw}");
}

#[test]
fn what_the_function_measured_stands_below_the_delivery() {
    let (_, out) = said(&[]);

    let line = out.lines().find(|line| line.starts_with("orders: "));
    let line = line.unwrap_or_else(|| panic!("{out}"));
    assert!(
        line.ends_with(" records/s, handler p50 2.0 ms, p99 50.0 ms, lag in time 4.2 s"),
        "{line}"
    );
}

#[test]
fn scripts_read_what_the_function_measured_of_each_topic() {
    let (_, out) = said(&["--json", "--logs", "none"]);

    let mut document: Value = serde_json::from_str(&out).unwrap();
    let metrics = &mut document["deliveries"][0]["metrics"]["orders"];
    let rate = metrics["recordsPerSecond"].take();
    assert!(rate.as_f64().unwrap() > 0.0);
    assert_eq!(
        *metrics,
        json!({
            "records": 4,
            "recordsPerSecond": null,
            "handlerMs": {"runs": 4, "p50": 2.0, "p99": 50.0, "max": 50.0},
            "timeLagMs": 4200.0,
            "timeLagMsMax": 4200.0,
            "sums": {"Done": 3, "Failed": 1},
        })
    );
}

#[test]
fn the_function_is_told_to_measure_unless_it_is_set_otherwise() {
    let variable = |more: &[&str]| {
        let output = invoke("env", &[&["--json"], more].concat());
        let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
        document["deliveries"][0]["ending"]["body"]["LAMBDA_MSK_METRICS"].clone()
    };

    assert_eq!(variable(&[]), "emf:lambda-msk");
    let of_the_users = ["--env", "LAMBDA_MSK_METRICS=none"];
    assert_eq!(variable(&of_the_users), "none");
}

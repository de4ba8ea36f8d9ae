//! What can be told without a broker.

use std::path::PathBuf;

use super::read;

fn events(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../events", name]
        .iter()
        .collect()
}

fn topics() -> [String; 1] {
    ["orders".to_owned()]
}

#[test]
fn an_event_is_produced_with_its_partitions_and_what_is_no_bytes_is_left_out() {
    let (wanted, remarks) = read(&[events("poison.json")], None, &topics())
        .map_err(|fault| fault.text())
        .unwrap();

    assert_eq!(wanted.len(), 5);
    assert!(
        wanted
            .iter()
            .all(|record| record.topic == "orders" && record.partition.is_some())
    );
    assert_eq!(remarks.len(), 1);
    assert!(
        remarks[0].contains("orders-1@58") && remarks[0].contains("expected base64"),
        "{remarks:?}"
    );
}

#[test]
fn records_of_other_topics_are_left_out_with_what_to_do() {
    let (wanted, remarks) = read(&[events("several-topics.json")], None, &topics())
        .map_err(|fault| fault.text())
        .unwrap();

    assert!(wanted.iter().all(|record| record.topic == "orders"));
    assert!(
        remarks.iter().any(
            |remark| remark.contains("1 record of the topic orders-1 in ")
                && remark.contains("--topic orders-1 ")
        ),
        "{remarks:?}"
    );
}

#[test]
fn a_line_that_is_no_json_is_named_without_its_bytes() {
    let path = std::env::temp_dir().join(format!("cargo-msk-{}.lines", std::process::id()));
    std::fs::write(&path, "{\"order_id\":1}\n\n{\"secret\":\n").unwrap();

    let fault = read(std::slice::from_ref(&path), None, &topics())
        .unwrap_err()
        .text();
    std::fs::remove_file(&path).unwrap();

    assert!(fault.contains("line 3 of"), "{fault}");
    assert!(!fault.contains("secret"), "{fault}");
}

/// What comes of a file with this text.
fn produced(name: &str, text: &str) -> Result<usize, String> {
    let path = std::env::temp_dir().join(format!("cargo-msk-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let read = read(std::slice::from_ref(&path), None, &topics());
    std::fs::remove_file(&path).unwrap();
    read.map(|(wanted, _)| wanted.len())
        .map_err(|fault| fault.text())
}

#[test]
fn an_event_with_a_field_that_does_not_fit_is_refused_and_is_no_value() {
    let event = |field: &str| {
        format!(
            r#"{{"records":{{"orders-0":[{{"topic":"orders","partition":0}},{{"topic":"orders","partition":0,{field}}}]}}}}"#
        )
    };

    for (field, place) in [
        (
            r#""headers":[{"trace":[300000]}]"#,
            "records.orders-0[1].headers[0].trace[0]",
        ),
        (
            r#""headers":[{"trace":[256]}]"#,
            "records.orders-0[1].headers[0].trace[0]",
        ),
        (r#""timestamp":"s3cret""#, "records.orders-0[1].timestamp"),
    ] {
        let fault = produced("odd.json", &event(field)).unwrap_err();

        assert!(
            fault.contains(place) && fault.contains("line 1, column"),
            "{fault}"
        );
        assert!(
            !fault.contains("s3cret") && !fault.contains("300000"),
            "{fault}"
        );
    }
    let fault = produced("list.json", r#"{"eventSource":"aws:kafka","records":[]}"#).unwrap_err();
    assert!(fault.contains(": records\n"), "{fault}");
}

#[test]
fn what_only_looks_a_little_like_an_event_is_a_line() {
    for line in [
        r#"{"records":[1,2]}"#,
        r#"{"records":{"a":[1]}}"#,
        r#"{"eventSource":"aws:s3","records":null}"#,
    ] {
        assert_eq!(produced("line.json", line), Ok(1), "{line}");
    }
    let nothing = produced("none.json", r#"{"eventSource":"aws:kafka"}"#).unwrap_err();
    assert!(
        nothing.contains("expected records to produce, found none"),
        "{nothing}"
    );
}

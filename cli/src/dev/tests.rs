//! What can be told without a broker.

use std::path::PathBuf;

use super::produce;

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
    let (wanted, remarks) = produce::read(&[events("poison.json")], &topics())
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
        remarks[0].contains("orders-1@58") && remarks[0].contains("not base64"),
        "{remarks:?}"
    );
}

#[test]
fn records_of_other_topics_are_left_out_with_what_to_do() {
    let (wanted, remarks) = produce::read(&[events("several-topics.json")], &topics())
        .map_err(|fault| fault.text())
        .unwrap();

    assert!(wanted.iter().all(|record| record.topic == "orders"));
    assert!(
        remarks
            .iter()
            .any(|remark| remark.contains("--topic orders-1 ")),
        "{remarks:?}"
    );
}

#[test]
fn a_line_that_is_no_json_is_named_without_its_bytes() {
    let path = std::env::temp_dir().join(format!("cargo-msk-{}.lines", std::process::id()));
    std::fs::write(&path, "{\"order_id\":1}\n\n{\"secret\":\n").unwrap();

    let fault = produce::read(std::slice::from_ref(&path), &topics())
        .unwrap_err()
        .text();
    std::fs::remove_file(&path).unwrap();

    assert!(fault.contains("line 3 of"), "{fault}");
    assert!(!fault.contains("secret"), "{fault}");
}

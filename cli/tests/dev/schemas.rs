//! `cargo msk dev` with a schema registry: what is checked, delivered, given up and dropped.

use std::io::{BufRead, BufReader};
use std::process::Output;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::events;
use crate::support::registry::{registry, registry_after};
use crate::support::{command, file, msk, start_with, stderr, stdout};

/// An order with `n` 7, one that ends too early, one of another schema, one without a frame.
const RECORDS: [&[u8]; 4] = [
    &[0, 0, 0, 0, 1, 14],
    &[0, 0, 0, 0, 1],
    &[0, 0, 0, 0, 9, 14],
    b"{}",
];

fn lines(records: &[&[u8]]) -> String {
    let line = |record: &&[u8]| STANDARD.encode(record) + "\n";
    records.iter().map(line).collect()
}

fn args<'a>(url: &'a str, format: &'a str, function: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let own = [
        &["dev", "--topic", "orders", "--partitions", "1", "--once"][..],
        &["--produce", "-", "--produce-format", "base64"],
        &["--maximum-batching-window-in-seconds", "0"],
        &["--function", function, "--schema-registry-uri", url],
        &[
            "--event-record-format",
            format,
            "--schema-validation",
            "VALUE",
        ],
        more,
    ];
    own.concat()
}

fn run(records: &[&[u8]], format: &str, more: &[&str]) -> Output {
    let (url, command) = (registry(200), command());
    msk(&args(&url, format, &command, more), &lines(records))
}

/// The records of the events that the function was sent.
fn delivered(output: &Output) -> Vec<Value> {
    let text = stderr(output);
    let events = text
        .lines()
        .filter(|line| line.starts_with("{\"eventSource"));
    let records = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["records"]["orders-0"].as_array().unwrap().clone()
    };
    events.flat_map(records).collect()
}

#[test]
fn without_a_destination_what_does_not_fit_is_dropped_loudly_and_it_exits_5() {
    let output = run(&RECORDS, "JSON", &["--env", "BEHAVIOUR=show"]);

    let text = stdout(&output);
    for line in [
        "dropped    orders-0@1: DESERIALIZATION_ERROR: the value (5 bytes): ",
        "dropped    orders-0@2: SCHEMA_NOT_FOUND: the value (6 bytes): the registry http://127.0.0.1:",
        "dropped    orders-0@3: DESERIALIZATION_ERROR: the value (2 bytes): expected the id of a schema",
        "there is no --on-failure",
        "committed  orders-0 at 4",
        "4 records polled, 1 invocation, 4 committed, 3 not valid by their schemas, 3 given up and dropped",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(output.status.code(), Some(5));
    let [record] = &delivered(&output)[..] else {
        panic!("{}", stderr(&output))
    };
    assert_eq!(record["value"], STANDARD.encode(r#"{"n":7}"#));
    assert_eq!(
        record["valueSchemaMetadata"],
        json!({"dataFormat": "AVRO", "schemaId": "1"})
    );
}

#[test]
fn source_delivers_the_bytes_without_their_frame() {
    let output = run(&RECORDS[..1], "SOURCE", &["--env", "BEHAVIOUR=show"]);

    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let [record] = &delivered(&output)[..] else {
        panic!("{}", stderr(&output))
    };
    assert_eq!(record["value"], STANDARD.encode([14]));
}

#[test]
fn a_filter_looks_at_the_json_of_either_format() {
    for format in ["JSON", "SOURCE"] {
        let records: [&[u8]; 2] = [RECORDS[0], &[0, 0, 0, 0, 1, 16]];
        let filter = [
            "--filter",
            r#"{"value":{"n":[8]}}"#,
            "--env",
            "BEHAVIOUR=show",
        ];

        let output = run(&records, format, &filter);

        let offsets: Vec<i64> = delivered(&output)
            .iter()
            .map(|record| record["offset"].as_i64().unwrap())
            .collect();
        assert_eq!(offsets, [1], "{format}");
        assert!(stdout(&output).contains("1 filtered out"), "{format}");
    }
}

#[test]
fn at_a_destination_each_has_a_document_of_its_own_and_it_exits_4() {
    let path = file("dev-schemas.ndjson");
    let to = format!("file:{}", path.display());

    let output = run(
        &RECORDS,
        "JSON",
        &["--on-failure", &to, "--env", "BEHAVIOUR=done"],
    );

    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut told: Vec<(String, Value)> = lines
        .lines()
        .map(|line| {
            let document: Value = serde_json::from_str(line).unwrap();
            let record = &document["payload"]["records"]["orders-0"][0];
            let condition = document["requestContext"]["condition"].as_str().unwrap();
            (condition.to_owned(), record["value"].clone())
        })
        .collect();
    told.sort_by_key(|(condition, value)| (condition.clone(), value.to_string()));
    let value = |index: usize| json!(STANDARD.encode(RECORDS[index]));
    let misfit = || "DESERIALIZATION_ERROR".to_owned();
    assert_eq!(
        told,
        [
            (misfit(), value(1)),
            (misfit(), value(3)),
            ("SCHEMA_NOT_FOUND".to_owned(), value(2)),
        ]
    );
    let text = stdout(&output);
    assert!(
        text.contains("given up   orders-0@2: SCHEMA_NOT_FOUND: "),
        "{text}"
    );
    assert_eq!(output.status.code(), Some(4), "{text}");
}

#[test]
fn scripts_are_told_of_each_record_that_does_not_fit() {
    let output = run(
        &RECORDS[..2],
        "JSON",
        &["--json", "--env", "BEHAVIOUR=done"],
    );

    let events = events(&output);
    let of = |name: &str| events.iter().find(|event| event["event"] == name).unwrap();
    let invalid = of("invalid");
    assert_eq!(
        (&invalid["record"], &invalid["condition"], &invalid["topic"]),
        (
            &json!("orders-0@1"),
            &json!("DESERIALIZATION_ERROR"),
            &json!("orders")
        )
    );
    let dropped = of("dropped");
    assert_eq!(dropped["records"], json!({"orders-0": [1]}));
    assert_eq!(dropped["because"], "no-destination");
    let end = of("end");
    assert_eq!(
        (&end["exitCode"], &end["mappings"][0]["invalid"]),
        (&json!(5), &json!(1))
    );
    assert_eq!(end["records"][0]["code"], "DESERIALIZATION_ERROR");
}

#[test]
fn credentials_come_from_a_variable_and_a_secret_on_the_command_line_is_refused() {
    let (url, command) = (registry(401), command());
    let given = |value| ["--schema-registry-auth", value, "--env", "BEHAVIOUR=done"];

    let more = given("@env:AUTH");
    let child = start_with(
        &[("AUTH", "u:pw")],
        &args(&url, "JSON", &command, &more),
        &lines(&RECORDS[..1]),
    );
    let output = child.wait_with_output().unwrap();
    let bare = msk(&args(&url, "JSON", &command, &given("u:s3cret")), "AA==\n");

    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert_eq!(bare.status.code(), Some(2));
    let text = stderr(&bare);
    assert!(
        text.contains("@env:NAME") && !text.contains("s3cret"),
        "{text}"
    );
}

#[test]
fn a_registry_that_refuses_stops_the_polling_and_drops_nothing() {
    let (url, command) = (registry(401), command());
    let mut child = start_with(
        &[],
        &args(&url, "JSON", &command, &["--json"]),
        &lines(&RECORDS),
    );
    let said = BufReader::new(child.stdout.take().unwrap()).lines();

    // Up to the status behind the trouble.
    let mut told: Vec<Value> = Vec::new();
    for line in said {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let trouble = told.iter().any(|event| event["event"] == "trouble");
        told.push(event);
        if trouble && told.last().unwrap()["event"] == "status" {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();

    let status = told.last().unwrap();
    assert_eq!(
        (&status["polled"], &status["dropped"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(status["committed"], 0);
    let trouble = told
        .iter()
        .find(|event| event["event"] == "trouble")
        .unwrap();
    let reason = trouble["reason"].as_str().unwrap();
    assert!(reason.contains(&url), "{reason}");
    assert!(
        reason.contains("check the credentials in --schema-registry-auth"),
        "{reason}"
    );
    assert!(
        reason.contains("polling stops until the registry answers"),
        "{reason}"
    );
}

#[test]
fn once_a_registry_answers_again_all_records_are_done_in_their_order() {
    const RECORDS_NUMBER: usize = 3_000;
    let (url, command) = (registry_after(2, 200), command());
    let more = ["--env", "BEHAVIOUR=show", "--batch-size", "1000"];

    let output = msk(
        &args(&url, "JSON", &command, &more),
        &lines(&[RECORDS[0]; RECORDS_NUMBER]),
    );

    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("polling stops until the registry answers"));
    let offsets: Vec<i64> = delivered(&output)
        .iter()
        .map(|record| record["offset"].as_i64().unwrap())
        .collect();
    assert_eq!(offsets.len(), RECORDS_NUMBER);
    assert!(offsets.is_sorted());
}

#[test]
fn flags_without_effect_are_refused_before_anything_is_built() {
    for (flags, said) in [
        (
            &["--schema-validation", "KEY"][..],
            "--schema-validation has no effect",
        ),
        (
            &["--event-record-format", "JSON"],
            "--event-record-format has no effect",
        ),
        (
            &["--schema-registry-uri", "ftp://r"],
            "expected https://HOST",
        ),
        (
            &[
                "--schema-registry-uri",
                "http://r",
                "--schema-validation",
                "KEY",
            ],
            "--event-record-format: SchemaRegistryConfig.EventRecordFormat is missing",
        ),
        (
            &[
                "--schema-registry-uri",
                "http://u:s3cret@r",
                "--event-record-format",
                "JSON",
                "--schema-validation",
                "KEY",
            ],
            "--schema-registry-auth @env:NAME",
        ),
        (
            &[
                "--schema-registry-uri",
                "http://r",
                "--event-record-format",
                "JSON",
                "--schema-validation",
                "KEY",
                "--on-demand",
            ],
            "--schema-registry-uri: SchemaRegistryConfig needs provisioned mode",
        ),
    ] {
        let output = msk(&[&["dev", "--topic", "orders"], flags].concat(), "");

        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(said) && !text.contains("s3cret"), "{text}");
    }
}

#[test]
fn typed_payloads_are_shown_as_json_as_they_came_and_as_the_mapping_delivers_them() {
    let from = |url: &str| format!("LAMBDA_MSK_SCHEMA_REGISTRY={url}");
    let (url, command) = (registry(200), command());
    let registry = from(&url);
    // The mapping's goes before the function's.
    let down = from("http://127.0.0.1:9");
    let by_mapping = ["--payloads", "--env", "BEHAVIOUR=done"];
    let by_both = ["--payloads", "--env", &down, "--env", "BEHAVIOUR=done"];
    let asked = ["--payloads", "--env", &registry, "--env", "BEHAVIOUR=done"];

    let source = msk(
        &args(&url, "SOURCE", &command, &asked),
        &lines(&RECORDS[..1]),
    );
    let json = msk(&args(&url, "JSON", &command, &asked), &lines(&RECORDS[..1]));
    let [alone, first] = [&by_mapping[..], &by_both].map(|asked| {
        let args = args(&url, "SOURCE", &command, asked);
        msk(&args, &lines(&RECORDS[..1]))
    });
    let none = ["--schema-registry-uri", "none"];
    let as_it_came: Vec<&str> = args(&url, "JSON", &command, &asked)
        .into_iter()
        .filter(|arg| {
            ![
                "--event-record-format",
                "JSON",
                "--schema-validation",
                "VALUE",
            ]
            .contains(arg)
        })
        .map(|arg| if arg == url { none[1] } else { arg })
        .collect();
    let framed = msk(&as_it_came, &lines(&RECORDS[..2]));

    for output in [source, json, alone, first] {
        let text = stdout(&output);
        let row = "payload    orders-0@0 key null value {\"n\":7}\n";
        assert!(text.contains(row), "{text}");
    }
    let text = stdout(&framed);
    assert!(
        text.contains("orders-0@0 key null value {\"n\":7}\n"),
        "{text}"
    );
    assert!(
        text.contains("orders-0@1 key null value (5 bytes: the value (5 bytes): "),
        "{text}"
    );
}

//! What `invoke` shows of keys and values.

use serde_json::{Value, json};

#[cfg(feature = "schemas")]
use crate::support::registry::registry;
use crate::support::{invoke_event, stderr, stdout};

/// A record with a key and a value of JSON, and one without either.
const EVENT: &str = r#"{"eventSource":"SelfManagedKafka","bootstrapServers":"b:9092","records":{"orders-0":[
    {"topic":"orders","partition":0,"offset":7,"timestamp":1,"timestampType":"CREATE_TIME","key":"YWJj","value":"eyJuIjoxfQ==","headers":[]},
    {"topic":"orders","partition":0,"offset":8,"timestamp":1,"timestampType":"CREATE_TIME","headers":[]}]}}"#;

#[test]
fn no_payload_is_shown_unless_somebody_asks() {
    let quiet = stdout(&invoke_event("done", EVENT, &[]));
    let asked = stdout(&invoke_event("done", EVENT, &["--payloads"]));

    assert!(!quiet.contains("abc"), "{quiet}");
    assert!(
        asked.starts_with(
            "Records of the event:\n  orders-0@7 key \"abc\" value {\"n\":1}\n  orders-0@8 key null value null\n\nall done"
        ),
        "{asked}"
    );
}

#[test]
fn scripts_read_payloads_only_if_they_ask() {
    let document = |more: &[&str]| -> Value {
        let output = invoke_event("done", EVENT, &[&["--json"], more].concat());
        serde_json::from_str(&stdout(&output)).unwrap()
    };

    assert_eq!(document(&[]).get("payloads"), None);
    assert_eq!(
        document(&["--payloads"])["payloads"],
        json!([{
            "records": [
                {"record": "orders-0@7", "key": "\"abc\"", "value": "{\"n\":1}"},
                {"record": "orders-0@8", "key": "null", "value": "null"},
            ],
            "more": 0,
            "remark": null,
        }])
    );
}

/// An order with `n` 7 behind Confluent's frame, by the schema 1.
#[cfg(feature = "schemas")]
const TYPED: &str = r#"{"eventSource":"SelfManagedKafka","bootstrapServers":"b:9092","records":{"orders-0":[
    {"topic":"orders","partition":0,"offset":7,"timestamp":1,"timestampType":"CREATE_TIME","value":"AAAAAAEO","headers":[]}]}}"#;

#[cfg(feature = "schemas")]
#[test]
fn typed_payloads_are_read_by_the_registry_that_a_flag_or_the_function_names() {
    let (url, down) = (registry(200), "http://127.0.0.1:9");
    let of_function = |url: &str| format!("LAMBDA_MSK_SCHEMA_REGISTRY={url}");
    let shown = |more: &[&str]| {
        stdout(&invoke_event(
            "done",
            TYPED,
            &[&["--payloads"], more].concat(),
        ))
    };

    let by_flag = shown(&["--schema-registry-uri", &url]);
    let by_variable = shown(&["--env", &of_function(&url)]);
    let flag_first = shown(&["--env", &of_function(down), "--schema-registry-uri", &url]);
    let off = shown(&["--env", &of_function(&url), "--schema-registry-uri", "none"]);

    for text in [by_flag, by_variable, flag_first] {
        assert!(
            text.contains("orders-0@7 key null value {\"n\":7}\n"),
            "{text}"
        );
    }
    assert!(
        off.contains("orders-0@7 key null value (6 bytes)\n"),
        "{off}"
    );
    assert!(
        off.contains("typed payloads are shown by their size: LAMBDA_MSK_SCHEMA_REGISTRY and --schema-registry-uri name no registry"),
        "{off}"
    );
}

#[cfg(feature = "schemas")]
#[test]
fn the_functions_credentials_are_for_its_own_registry_alone() {
    let (own, other) = (registry(401), registry(401));
    let of_function = format!("LAMBDA_MSK_SCHEMA_REGISTRY={own}");
    let env = [
        "--payloads",
        "--env",
        &of_function,
        "--env",
        "LAMBDA_MSK_SCHEMA_REGISTRY_AUTH=u:p4ssw0rd",
    ];
    let shown = |uri: &str| {
        let flags = ["--schema-registry-uri", uri];
        stdout(&invoke_event("done", TYPED, &[&env[..], &flags].concat()))
    };

    let same = shown(&own);
    let another = shown(&other);

    assert!(same.contains("value {\"n\":7}\n"), "{same}");
    assert!(another.contains("value (6 bytes)\n"), "{another}");
    assert!(
        another.contains("check the credentials in --schema-registry-auth"),
        "{another}"
    );
}

#[cfg(feature = "schemas")]
#[test]
fn refused_credentials_are_named_by_what_has_set_them() {
    let url = registry(403);
    let of_function = format!("LAMBDA_MSK_SCHEMA_REGISTRY={url}");
    let shown = |auth: &str| {
        let auth = format!("LAMBDA_MSK_SCHEMA_REGISTRY_AUTH={auth}");
        let args = ["--payloads", "--env", &of_function, "--env", &auth];
        let flags = ["--schema-registry-uri", &url];
        stdout(&invoke_event("done", TYPED, &[&args[..], &flags].concat()))
    };

    for (auth, expected) in [
        (
            "u:wr0ng",
            "check the credentials in LAMBDA_MSK_SCHEMA_REGISTRY_AUTH",
        ),
        (
            "@secretsmanager:arn",
            "LAMBDA_MSK_SCHEMA_REGISTRY_AUTH names a secret",
        ),
    ] {
        let text = shown(auth);
        assert!(text.contains(expected) && !text.contains("wr0ng"), "{text}");
    }
}

#[test]
fn a_registry_for_payloads_that_are_not_shown_is_refused() {
    let output = invoke_event("done", EVENT, &["--schema-registry-uri", "http://r"]);

    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("--payloads"), "{text}");
}

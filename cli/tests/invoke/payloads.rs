//! What `invoke` shows of keys and values.

use serde_json::{Value, json};

use crate::support::{invoke_event, stdout};

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

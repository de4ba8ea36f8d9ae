//! What each event and each record gets.

use std::sync::Arc;

use bytes::Bytes;

use super::{EventError, decode};
use crate::record::{EventSourceKind, Record, TimestampType};

/// An MSK event with these `records`.
fn event(records: &str) -> String {
    format!(r#"{{"eventSource":"aws:kafka","records":{records}}}"#)
}

/// An MSK event with these records of `orders-0`.
fn orders(records: &str) -> String {
    event(&format!(r#"{{"orders-0":[{records}]}}"#))
}

/// A record of `orders-0` at `offset`, with these fields more.
fn order(offset: i64, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!(r#"{{"topic":"orders","partition":0,"offset":{offset}{comma}{more}}}"#)
}

fn records(body: &str) -> Vec<Record> {
    let batch = decode(Bytes::from(body.to_owned())).expect("the event can be read");
    Arc::new(batch).iter().collect()
}

fn only(body: &str) -> Record {
    let [record] = <[Record; 1]>::try_from(records(body)).expect("one record");
    record
}

fn refused(body: impl Into<Bytes>) -> EventError {
    decode(body.into()).expect_err("the event cannot be read")
}

#[test]
fn the_sample_of_the_documentation_is_read_whole() {
    let record = only(
        r#"{"eventSource": "aws:kafka",
            "eventSourceArn": "arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID",
            "bootstrapServers": "b-1.example:9098,b-2.example:9098",
            "records": {"orders-0": [
              {"topic": "orders", "partition": 0, "offset": 15, "timestamp": 1545084650987, "timestampType": "CREATE_TIME",
               "key": "Yy03", "value": "eyJpZCI6MX0=", "headers": [{"traceparent": [48, 48, 45]}]}]}}"#,
    );

    assert_eq!(record.to_string(), "orders-0@15");
    assert_eq!(record.timestamp_millis(), 1_545_084_650_987);
    assert_eq!(record.timestamp_type(), TimestampType::CreateTime);
    assert_eq!(record.key(), Some(&b"c-7"[..]));
    assert_eq!(record.value(), Some(&br#"{"id":1}"#[..]));
    assert_eq!(
        record.headers().iter().collect::<Vec<_>>(),
        [("traceparent", Some(&b"00-"[..]))]
    );
    assert_eq!(record.event_source().kind, EventSourceKind::Msk);
    assert_eq!(
        record.event_source().arn.as_deref(),
        Some("arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID")
    );
    assert_eq!(
        record.event_source().bootstrap_servers.as_deref(),
        Some("b-1.example:9098,b-2.example:9098")
    );
    assert_eq!(record.fault(), None);
}

#[test]
fn a_truncated_event_is_an_error_wherever_it_is_cut() {
    let body = orders(&order(
        7,
        r#""key":"aa==","value":null,"headers":[{"a\u0062":[1,-2]},{"b":null}],"x":[1.5e3,true]"#,
    ));
    for cut in 1..body.len() {
        let error = refused(body[..cut].to_owned());
        assert_eq!(error.code(), "event.truncated", "{}", &body[..cut]);
    }
    records(&body);
}

#[test]
fn a_value_that_is_not_base64_spoils_one_record() {
    let body = orders(
        &[
            order(1, r#""value":"aGk=""#),
            order(2, r#""value":"***","key":"aGk=""#),
            order(3, r#""value":"aGk=""#),
        ]
        .join(","),
    );

    let records = records(&body);

    let fault = records[1].fault().expect("a fault");
    assert_eq!(fault.code, "reject.value_not_base64");
    assert_eq!(fault.path, r#"records["orders-0"][1].value"#);
    assert_eq!(&body[fault.byte..][..5], r#""***""#);
    assert_eq!(
        (records[1].key(), records[1].value()),
        (Some(&b"hi"[..]), None)
    );
    for good in [&records[0], &records[2]] {
        assert_eq!((good.fault(), good.value()), (None, Some(&b"hi"[..])));
    }
}

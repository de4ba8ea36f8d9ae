//! What spoils one record: it keeps its place, its coordinates and its raw JSON, and the others run.

use super::{order, orders, records};
use crate::record::{Record, RecordFault};

/// Puts the bad record between two good ones and checks that these are whole.
fn between_good_ones(bad: &str) -> (Record, String) {
    let good = r#""key":"aw==","value":"aGk=","headers":[{"h":[1]}]"#;
    let body = orders(&[order(1, good), bad.to_owned(), order(3, good)]);
    let records = records(body.clone());
    for record in [&records[0], &records[2]] {
        assert_eq!(
            (record.fault(), record.key(), record.value()),
            (None, Some(&b"k"[..]), Some(&b"hi"[..])),
            "{bad}"
        );
        assert_eq!(
            record.headers().iter().collect::<Vec<_>>(),
            [("h", Some(&[1][..]))]
        );
    }
    assert_eq!(records[1].to_string(), "orders-0@2");
    assert_eq!(records[1].raw_json(), bad.as_bytes());
    (records[1].clone(), body)
}

/// The fault of a record with these fields, after checking where it points.
fn fault(fields: &str, path: &str, points_at: &str) -> RecordFault {
    let (record, body) = between_good_ones(&order(2, fields));
    let fault = record.fault().expect("a fault").clone();
    assert_eq!(fault.path, format!(r#"records["orders-0"][1]{path}"#));
    assert!(body[fault.byte..].starts_with(points_at), "{fault}");
    fault
}

#[test]
fn a_value_that_is_not_base64() {
    for bad in [
        "***",
        "aGk-",
        "a",
        "====",
        "aGk=aGk=",
        "aG k=",
        r"\n",
        r"\ud800",
        "größe",
        &"AAAA".repeat(50).replacen("AAA", "A-A", 1),
    ] {
        let fault = fault(
            &format!(r#""value":"{bad}""#),
            ".value",
            &format!("\"{bad}\""),
        );
        assert_eq!(fault.code, "reject.value_not_base64", "{bad}");
    }
}

#[test]
fn a_key_that_is_not_base64() {
    assert_eq!(
        fault(r#""key":"_-8=""#, ".key", r#""_-8=""#).code,
        "reject.key_not_base64"
    );
}

#[test]
fn a_bad_key_leaves_the_value_readable() {
    let (record, _) = between_good_ones(&order(
        2,
        r#""key":"*","value":"aGk=","headers":[{"a":[7]}]"#,
    ));
    assert_eq!((record.key(), record.value()), (None, Some(&b"hi"[..])));
    assert_eq!(record.header("a"), Some(&[7][..]));
}

#[test]
fn a_key_or_value_of_another_type() {
    for bad in ["7", "true", "{}", "[1]"] {
        assert_eq!(
            fault(&format!(r#""key":{bad}"#), ".key", bad).code,
            "reject.wrong_type"
        );
        assert_eq!(
            fault(&format!(r#""value":{bad}"#), ".value", bad).code,
            "reject.wrong_type"
        );
    }
}

#[test]
fn a_timestamp_of_another_type_or_beyond_64_bits() {
    for bad in [
        "1.5",
        "1e3",
        r#""1545084650987""#,
        "9223372036854775808",
        "true",
        "[]",
    ] {
        assert_eq!(
            fault(&format!(r#""timestamp":{bad}"#), ".timestamp", bad).code,
            "reject.timestamp"
        );
    }
}

#[test]
fn headers_of_another_type() {
    for bad in ["{}", "7", r#""""#] {
        assert_eq!(
            fault(&format!(r#""headers":{bad}"#), ".headers", bad).code,
            "reject.headers"
        );
    }
}

#[test]
fn a_header_that_is_not_an_object_of_one_entry() {
    for bad in ["{}", "null", "7", r#"["a"]"#, r#"{"b":[1],"c":[2]}"#] {
        let fault = fault(
            &format!(r#""headers":[{{"a":[1]}},{bad}]"#),
            ".headers[1]",
            bad,
        );
        assert_eq!(fault.code, "reject.headers", "{bad}");
    }
}

#[test]
fn a_header_value_that_is_not_an_array_of_bytes() {
    for bad in [r#""text""#, "7", "{}", "true"] {
        let fault = fault(&format!(r#""headers":[{{"a":{bad}}}]"#), ".headers[0]", bad);
        assert_eq!(fault.code, "reject.headers", "{bad}");
    }
}

#[test]
fn a_header_number_that_is_no_byte() {
    for bad in [
        "256",
        "-129",
        "999",
        "1000",
        "99999999999999999999",
        "1.0",
        "1e1",
        "null",
        r#""1""#,
        "[]",
    ] {
        let fault = fault(
            &format!(r#""headers":[{{"a":[1,{bad},2]}}]"#),
            ".headers[0]",
            bad,
        );
        assert_eq!(fault.code, "reject.headers", "{bad}");
    }
}

#[test]
fn a_header_name_that_is_no_text() {
    assert_eq!(
        fault(
            r#""headers":[{"\ud800":[1]}]"#,
            ".headers[0]",
            r#"{"\ud800""#
        )
        .code,
        "reject.headers"
    );
}

#[test]
fn a_field_that_stands_twice() {
    for (field, value) in [
        ("key", r#""aGk=""#),
        ("value", "null"),
        ("timestamp", "1"),
        ("headers", "[]"),
    ] {
        let fault = fault(
            &format!(r#""{field}":{value},"{field}":{value}"#),
            &format!(".{field}"),
            value,
        );
        assert_eq!(fault.code, "reject.duplicate_field");
    }
}

#[test]
fn the_first_of_two_values_counts_for_what_is_shown() {
    let (record, _) = between_good_ones(&order(2, r#""value":"aGk=","value":"Ynll""#));
    assert_eq!(record.value(), Some(&b"hi"[..]));
}

#[test]
fn the_first_of_several_faults_is_told() {
    let fault = fault(r#""key":"*","value":"*","headers":7"#, ".key", r#""*""#);
    assert_eq!(fault.code, "reject.key_not_base64");
}

#[test]
fn the_coordinates_may_come_after_the_bad_field() {
    let (record, _) = between_good_ones(
        r#"{"headers":[{"a":[1]},{"b":[300]}],"value":"*","topic":"orders","offset":2,"partition":0}"#,
    );
    assert_eq!(
        record.fault().map(|fault| fault.code),
        Some("reject.headers")
    );
    assert!(record.headers().is_empty());
}

#[test]
fn nothing_of_a_field_that_is_not_read_stays_behind() {
    let body = orders(&[order(
        1,
        r#""headers":[{"name":[1,2]},{"other":[3]},7],"key":"aGk=""#,
    )]);
    let batch = super::batch(body);
    assert_eq!((&batch.arena[..], batch.headers.len()), (&b"hi"[..], 0));
}

#[test]
fn a_fault_shows_no_byte_of_the_payload() {
    let secret = "c2VjcmV0IQ-_secret";
    let fields = format!(r#""key":"{secret}","headers":[{{"{secret}":["{secret}"]}}]"#);
    let (record, _) = between_good_ones(&order(2, &fields));
    let shown = format!(
        "{record:?} {:?} {}",
        record.fault(),
        record.fault().expect("a fault")
    );
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn ten_thousand_bad_records_are_ten_thousand_rejected_ones() {
    let bad: Vec<String> = (0..10_000)
        .map(|offset| order(offset, r#""value":"*""#))
        .collect();
    let records = records(orders(&bad));
    assert_eq!(
        records
            .iter()
            .filter(|record| record.fault().is_some())
            .count(),
        10_000
    );
    assert_eq!(
        records[9_999].fault().expect("a fault").path,
        r#"records["orders-0"][9999].value"#
    );
}

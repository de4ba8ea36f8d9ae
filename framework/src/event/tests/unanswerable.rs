//! Events of Kafka that cannot be answered for record by record: the invocation fails, and says where.

use super::{event, order, orders, refused};
use crate::limits::{EVENT_BYTES_MAX, EVENT_RECORDS_MAX};

/// Code and path of what is wrong, after checking that the byte points at `at`.
#[track_caller]
fn check(body: &str, code: &str, path: &str, at: &str) {
    let error = refused(body.to_owned());
    assert_eq!((error.code(), error.path()), (code, path), "{error}");
    assert!(
        body[error.byte()..].starts_with(at),
        "{error}: {}",
        &body[error.byte()..]
    );
}

#[test]
fn a_record_without_a_coordinate() {
    for (record, missing) in [
        (r#"{"partition":0,"offset":1}"#, "topic"),
        (r#"{"topic":"orders","offset":1}"#, "partition"),
        (r#"{"topic":"orders","partition":0,"value":"*"}"#, "offset"),
    ] {
        let body = orders(&[order(0, ""), record.to_owned()]);
        check(
            &body,
            "event.missing_field",
            r#"records["orders-0"][1]"#,
            record,
        );
        assert!(refused(body).to_string().contains(missing));
    }
}

#[test]
fn a_coordinate_of_another_type() {
    for (field, bad) in [
        ("topic", "7"),
        ("topic", "null"),
        ("topic", "[]"),
        ("partition", r#""0""#),
        ("partition", "0.0"),
        ("partition", "null"),
        ("offset", r#""15""#),
        ("offset", "1.0"),
        ("offset", "1e3"),
        ("offset", "null"),
        ("offset", "true"),
        ("offset", "{}"),
    ] {
        let body = orders(&[format!(r#"{{"{field}":{bad},"topic":"orders"}}"#)]);
        check(
            &body,
            "event.wrong_type",
            &format!(r#"records["orders-0"][0].{field}"#),
            bad,
        );
    }
}

#[test]
fn a_coordinate_behind_a_bad_header_has_the_path_of_its_own() {
    let body = orders(&[r#"{"headers":[{"a":[1]},7],"offset":"x"}"#.to_owned()]);
    check(
        &body,
        "event.wrong_type",
        r#"records["orders-0"][0].offset"#,
        r#""x""#,
    );
}

#[test]
fn a_coordinate_out_of_range() {
    for (field, bad) in [
        ("partition", "-1"),
        ("partition", "2147483648"),
        ("partition", "99999999999999999999"),
        ("offset", "-1"),
        ("offset", "9223372036854775808"),
    ] {
        let body = orders(&[format!(r#"{{"{field}":{bad}}}"#)]);
        check(
            &body,
            "event.out_of_range",
            &format!(r#"records["orders-0"][0].{field}"#),
            bad,
        );
    }
    for topic in [String::new(), "a".repeat(250)] {
        let body = orders(&[format!(r#"{{"topic":"{topic}","partition":0,"offset":1}}"#)]);
        check(
            &body,
            "event.out_of_range",
            r#"records["orders-0"][0].topic"#,
            "{",
        );
    }
}

#[test]
fn a_coordinate_that_stands_twice() {
    for (field, value) in [
        ("topic", r#""orders""#),
        ("partition", "0"),
        ("offset", "1"),
    ] {
        let body = orders(&[order(1, &format!(r#""{field}":{value}"#))]);
        check(
            &body,
            "event.duplicate_field",
            &format!(r#"records["orders-0"][0].{field}"#),
            &format!(r#""{field}":"#),
        );
    }
}

#[test]
fn a_field_of_the_event_that_stands_twice() {
    for (field, value) in [
        ("eventSource", r#""aws:kafka""#),
        ("records", "{}"),
        ("eventSourceArn", "null"),
        ("bootstrapServers", "null"),
        ("redrive", "null"),
    ] {
        let body = format!(r#"{{"eventSource":"aws:kafka","{field}":{value}, "{field}":{value}}}"#);
        let error = refused(body.clone());
        assert_eq!(
            (error.code(), error.path()),
            ("event.duplicate_field", field)
        );
    }
}

#[test]
fn an_offset_that_two_different_records_have() {
    let twice = |offsets: &[i64], index: usize| {
        let numbered = offsets.iter().enumerate();
        let records: Vec<String> = numbered
            .map(|(timestamp, offset)| order(*offset, &format!(r#""timestamp":{timestamp}"#)))
            .collect();
        check(
            &orders(&records),
            "event.duplicate_offset",
            &format!(r#"records["orders-0"][{index}].offset"#),
            &records[index],
        );
    };

    twice(&[5, 5], 1);
    twice(&[5, 7, 5, 6], 2);
    twice(&[9, 3, 8, 9], 3);
}

#[test]
fn an_offset_whose_records_differ_in_one_thing_alone() {
    let full = r#""timestamp":1,"timestampType":"CREATE_TIME","key":"aGk=","value":"aGk=","headers":[{"a":[1]}]"#;
    for (this, other) in [
        (r#""timestamp":1"#, r#""timestamp":2"#),
        ("CREATE_TIME", "LOG_APPEND_TIME"),
        (r#""key":"aGk=""#, r#""key":"aGo=""#),
        (r#""key":"aGk=""#, r#""key":null"#),
        (r#""value":"aGk=""#, r#""value":"""#),
        (r#""value":"aGk=""#, r#""value":"*""#),
        (r#"{"a":[1]}"#, r#"{"b":[1]}"#),
        (r#"{"a":[1]}"#, r#"{"a":[2]}"#),
        (r#"{"a":[1]}"#, r#"{"a":null}"#),
        (r#"{"a":[1]}"#, r#"{"a":[1]},{"a":[1]}"#),
    ] {
        let changed = full.replacen(this, other, 1);
        assert_ne!(changed, full, "{this}");
        let records = [order(1, ""), order(5, full), order(5, &changed)];
        check(
            &orders(&records),
            "event.duplicate_offset",
            r#"records["orders-0"][2].offset"#,
            &records[2],
        );
    }
}

#[test]
fn offsets_of_different_partitions_are_not_compared() {
    let body = event(
        r#"{"a-0":[{"topic":"a","partition":0,"offset":9}],"a-1":[{"topic":"a","partition":1,"offset":1}]}"#,
    );
    super::records(body);
}

#[test]
fn a_record_of_another_partition_than_the_first_of_its_array() {
    for other in [
        r#"{"topic":"orders","partition":1,"offset":9}"#,
        r#"{"topic":"order","partition":0,"offset":9}"#,
        r#"{"topic":"ord\u0065r","partition":0,"offset":9}"#,
    ] {
        let body = orders(&[order(1, ""), other.to_owned()]);
        check(
            &body,
            "event.partition_mismatch",
            r#"records["orders-0"][1]"#,
            other,
        );
    }
}

#[test]
fn two_arrays_of_one_partition() {
    let record = order(1, "");
    let body = event(&format!(r#"{{"orders-0":[{record}],"again":[{record}]}}"#));
    check(
        &body,
        "event.duplicate_partition",
        r#"records["again"][0]"#,
        &record,
    );
}

#[test]
fn one_map_key_twice() {
    let body = event(r#"{"orders-0":[],"\u006frders-0":[]}"#);
    check(
        &body,
        "event.duplicate_partition",
        r#"records["orders-0"]"#,
        r#""\u006f"#,
    );
}

#[test]
fn fields_of_the_event_of_another_type() {
    for (field, bad) in [
        ("eventSource", "7"),
        ("eventSource", "null"),
        ("eventSourceArn", "[]"),
        ("redrive", "7"),
        ("redrive", "[]"),
        ("records", r#""""#),
        ("records", "7"),
        ("records", "[]"),
    ] {
        let body = format!(r#"{{"{field}":{bad},"x":1}}"#);
        check(&body, "event.wrong_type", field, bad);
    }
}

#[test]
fn partitions_and_records_of_another_type() {
    for bad in ["7", "{}", r#""""#, "true"] {
        check(
            &event(&format!(r#"{{"orders-0":{bad}}}"#)),
            "event.wrong_type",
            r#"records["orders-0"]"#,
            bad,
        );
    }
    for bad in ["7", "null", r#""""#, "[]"] {
        check(
            &orders(&[order(1, ""), bad.to_owned()]),
            "event.wrong_type",
            r#"records["orders-0"][1]"#,
            bad,
        );
    }
}

#[test]
fn text_that_is_no_unicode_where_it_matters() {
    let surrogate = r#""\udc00""#;
    check(
        &format!(r#"{{"eventSource":{surrogate}}}"#),
        "event.not_utf8",
        "eventSource",
        surrogate,
    );
    check(
        &event(&format!("{{{surrogate}:[]}}")),
        "event.not_utf8",
        "records",
        surrogate,
    );
    let record = format!(r#"{{"topic":{surrogate},"partition":0,"offset":0}}"#);
    check(
        &orders(&[record]),
        "event.not_utf8",
        r#"records["orders-0"][0]"#,
        "{",
    );
}

#[test]
fn records_without_an_event_source() {
    check(r#"{"records":{}}"#, "event.missing_field", "", "{");
}

#[test]
fn an_event_beyond_the_limits() {
    let error = refused(vec![b' '; EVENT_BYTES_MAX + 1]);
    assert_eq!(error.code(), "event.too_large");
    let many: Vec<String> = (0..=EVENT_RECORDS_MAX as i64)
        .map(|offset| order(offset, ""))
        .collect();
    let error = refused(orders(&many));
    assert_eq!(
        (error.code(), error.path()),
        ("event.too_large", r#"records["orders-0"][1000000]"#)
    );
}

#[test]
fn a_long_identifier_is_cut_in_the_message() {
    let name = "n".repeat(10_000);
    let error = refused(event(&format!(r#"{{"{name}\"":7}}"#)));
    assert_eq!(error.path(), format!(r#"records["{}…"]"#, "n".repeat(64)));
    assert!(error.to_string().len() < 300);
    assert_eq!(
        refused(event(r#"{"a\"\n":7}"#)).path(),
        r#"records["a\"\n"]"#
    );
}

#[test]
fn an_error_shows_no_byte_of_the_payload() {
    for body in [
        orders(&[order(1, r#""value":"c2VjcmV0","secret":secret"#)]),
        orders(&[
            order(1, ""),
            r#"{"topic":"secret","partition":0,"offset":2}"#.to_owned(),
        ]),
        r#"{"secret":"secret""#.to_owned(),
        r#"{"eventSource":"secret"}"#.to_owned(),
        r#"["secret"]"#.to_owned(),
        orders(&[r#"{"offset":"secret"}"#.to_owned()]),
    ] {
        let error = refused(body);
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}

#[test]
fn the_message_says_what_is_wrong_and_where() {
    let error = refused(orders(&[r#"{"offset":"15"}"#.to_owned()]));
    assert_eq!(
        error.to_string(),
        r#"expected `offset` to be a whole number from 0, found a string (at `records["orders-0"][0].offset`, byte 60 of the event)"#
    );
    assert_eq!(
        refused(r#"{"eventSource":"aws:kafka""#).to_string(),
        "the body ends in the middle of the JSON document: the end is missing, so send the whole document (at byte 26 of the event)"
    );
}

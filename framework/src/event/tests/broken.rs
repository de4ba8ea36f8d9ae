//! Bodies that are not JSON.

use super::{order, orders, records, refused};

#[track_caller]
fn code(body: impl Into<bytes::Bytes>) -> (&'static str, usize) {
    let error = refused(body);
    (error.code(), error.byte())
}

#[test]
fn a_truncated_event_is_an_error_wherever_it_is_cut() {
    let body = orders(&[order(
        7,
        r#""key":"aa==","value":null,"headers":[{"a\u0062":[1,-2]},{"b":null}],"x":[1.5e3,true]"#,
    )]);
    for cut in 1..body.len() {
        assert_eq!(
            code(body[..cut].to_owned()),
            ("event.truncated", cut),
            "{}",
            &body[..cut]
        );
    }
    records(body);
}

#[test]
fn an_empty_body() {
    assert_eq!(code(""), ("event.not_json", 0));
    assert_eq!(code(" \n\t"), ("event.not_json", 0));
}

#[test]
fn text_that_is_not_json() {
    for (body, byte) in [
        ("hello", 0),
        ("\u{feff}{}", 0),
        ("{'a':1}", 1),
        ("{\"a\" 1}", 5),
        ("{\"a\":1,}", 7),
        ("{,}", 1),
        ("{\"a\":[1,]}", 8),
        ("{\"a\":[,]}", 6),
        ("{\"a\":01}", 5),
        ("{\"a\":+1}", 5),
        ("{\"a\":.5}", 5),
        ("{\"a\":1.}", 7),
        ("{\"a\":1.e1}", 7),
        ("{\"a\":1e}", 7),
        ("{\"a\":-}", 6),
        ("{\"a\":--1}", 6),
        ("{\"a\":0x1}", 6),
        ("{\"a\":NaN}", 5),
        ("{\"a\":nul}", 8),
        ("{\"a\":True}", 5),
        ("{\"a\":1 2}", 7),
        ("{\"a\":{]}", 6),
        ("{\"a\":[}", 6),
        ("{\"a\":[1}", 7),
        ("{\"a\":\"\t\"}", 6),
        ("{\"a\":\"\\x\"}", 6),
        ("{\"a\":\"\\u12g4\"}", 6),
        ("{1:2}", 1),
        ("{\"a\":1}}", 7),
        ("{\"a\":/**/1}", 5),
    ] {
        assert_eq!(code(body), ("event.not_json", byte), "{body}");
    }
}

#[test]
fn garbage_behind_the_event() {
    let body = orders(&[]);
    for garbage in ["x", "{}", ",", "\0", "]"] {
        assert_eq!(
            code(format!("{body}{garbage}")),
            ("event.not_json", body.len())
        );
    }
    records(format!("{body} \r\n\t"));
}

#[test]
fn a_syntax_error_in_a_record_is_one_of_the_event_even_behind_a_fault() {
    for fields in [
        r#""value":"*"x"#,
        r#""headers":[{"a":[300,]}]"#,
        r#""key":"*","value":nul"#,
        "\"value\":\"*\u{1}\"",
        r#""value":"*\q""#,
    ] {
        assert_eq!(
            code(orders(&[order(1, fields)])).0,
            "event.not_json",
            "{fields}"
        );
    }
}

#[test]
fn header_numbers_follow_the_grammar_of_json() {
    for bad in [
        "01", "-", "-01", "+1", "00", "1_0", "0x1", "1,", ",1", "1 1",
    ] {
        let body = orders(&[order(1, &format!(r#""headers":[{{"a":[{bad}]}}]"#))]);
        assert_eq!(code(body).0, "event.not_json", "{bad}");
    }
}

#[test]
fn bytes_that_are_not_utf8_wherever_they_stand() {
    for around in [
        ("{\"eventSource\":\"", "\"}"),
        ("{\"x", "\":1}"),
        (
            "{\"eventSource\":\"aws:kafka\",\"records\":{\"a\":[{\"value\":\"",
            "\"}]}}",
        ),
        (
            "{\"eventSource\":\"aws:kafka\",\"records\":{\"a\":[{\"headers\":[{\"",
            "\":[]}]}]}}",
        ),
        (
            "{\"x\":\"0123456701234567012345670123456701234567012345670123456701234567012345670123456701234567012345670123456701234567012345670123456701234567",
            "\"}",
        ),
    ] {
        for bad in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf"] {
            let body = [around.0.as_bytes(), bad, around.1.as_bytes()].concat();
            assert_eq!(code(body), ("event.not_utf8", around.0.len()), "{around:?}");
        }
        super::super::scan::Cursor::new([around.0, "é", around.1].concat().as_bytes())
            .skip_value(0)
            .map_err(|error| *error)
            .expect("JSON");
    }
}

#[test]
fn a_byte_that_is_not_utf8_is_found_wherever_it_stands_in_a_long_string() {
    for at in 0..400 {
        let mut body = format!(r#"{{"x":"{}"}}"#, "x".repeat(400)).into_bytes();
        body[6 + at] = 0xFF;
        assert_eq!(code(body), ("event.not_utf8", 6 + at));
    }
}

#[test]
fn nesting_beyond_the_limit_is_refused_at_once_whatever_its_depth() {
    for depth in [200_000, 3_000_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(code(deep.clone()).0, "event.too_deep");
            assert_eq!(code(open.repeat(depth)).0, "event.too_deep");
            for field in ["unknown", "value", "headers", "timestampType"] {
                let error = refused(orders(&[order(1, &format!(r#""{field}":{deep}"#))]));
                assert_eq!(error.code(), "event.too_deep", "{field}");
            }
        }
    }
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let nested = |depth: usize| {
        format!(
            r#"{{"eventSource":"aws:kafka","x":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    records(nested(127));
    assert_eq!(code(nested(128)).0, "event.too_deep");
    let nested = |depth: usize| {
        orders(&[order(
            1,
            &format!(r#""x":{}1{}"#, r#"{"a":"#.repeat(depth), "}".repeat(depth)),
        )])
    };
    records(nested(124));
    assert_eq!(code(nested(125)).0, "event.too_deep");
}

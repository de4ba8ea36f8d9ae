//! What holds of all bodies.

use crate::record::Spare;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, proptest};
use proptest::prop_oneof;
use proptest::sample::{Index, select};
use serde::de::IgnoredAny;

use super::super::decode;
use super::super::scan::Cursor;
use super::{event, order, orders};
use crate::limits::EVENT_JSON_DEPTH_MAX;

fn accepted(document: &[u8]) -> bool {
    let mut cursor = Cursor::new(document);
    cursor.token().is_ok() && cursor.skip_value(0).is_ok() && cursor.end().is_ok()
}

/// What `serde_json` says of the grammar; that it must be UTF-8 it leaves to whoever reads a string.
fn accepted_by_serde_json(document: &[u8]) -> bool {
    std::str::from_utf8(document).is_ok() && serde_json::from_slice::<IgnoredAny>(document).is_ok()
}

/// Pieces of JSON, right and wrong, in any order: often a document, often nearly one.
fn document() -> impl Strategy<Value = Vec<u8>> {
    let piece = select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"a\":",
        "null",
        "true",
        "false",
        "nul",
        "0",
        "1",
        "-",
        "-1",
        "01",
        "1.5",
        "1.",
        ".5",
        "1e5",
        "1E-5",
        "e",
        "+",
        " ",
        "\n",
        "\\",
        "\"\\n\"",
        "\"\\u00e9\"",
        "\"\\ud800\"",
        "\"\\u12\"",
        "\"\\x\"",
        "\"é\"",
        "\"\t\"",
        "\u{1}",
        "[1,2]",
        "{\"a\":1}",
        "\"0123456789abcdef0123456789abcdef\"",
    ]);
    prop_oneof![
        3 => proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
        3 => value().prop_map(|value| value.to_string().into_bytes()),
    ]
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,100}".prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::vec((".{0,12}", inner), 0..5).prop_map(|members| members
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

/// One change of a byte run, as a bad line or a bad hand makes it.
fn mutated(mut body: Vec<u8>, changes: Vec<(Index, u8, u8)>) -> Vec<u8> {
    for (place, kind, byte) in changes {
        if body.is_empty() {
            break;
        }
        let at = place.index(body.len());
        match kind % 4 {
            0 => body[at] = byte,
            1 => drop(body.remove(at)),
            2 => body.insert(at, byte),
            _ => body.truncate(at),
        }
    }
    body
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    let byte = prop_oneof![any::<u8>(), select(b"{}[]\",:\\0-.enu ".to_vec())];
    proptest::collection::vec((any::<Index>(), any::<u8>(), byte), 1..4)
}

fn sample() -> Vec<u8> {
    let fields = r#""timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"Yy03","value":"eyJpZCI6MX0=","headers":[{"traceparent":[48,-48,45]},{"n":null}],"valueSchemaMetadata":{"dataFormat":"AVRO","schemaId":"1"}"#;
    orders(&[order(15, fields), order(17, fields)]).into_bytes()
}

proptest! {
    #[test]
    fn exactly_what_serde_json_takes_for_json_is_taken(document in document()) {
        prop_assert_eq!(accepted(&document), accepted_by_serde_json(&document), "{:?}", String::from_utf8_lossy(&document));
    }

    #[test]
    fn exactly_what_serde_json_takes_for_json_is_taken_after_changes(value in value(), changes in changes()) {
        let document = mutated(value.to_string().into_bytes(), changes);
        prop_assert_eq!(accepted(&document), accepted_by_serde_json(&document), "{:?}", String::from_utf8_lossy(&document));
    }

    #[test]
    fn depth_alone_is_refused_beyond_the_limit(depth in 0..2 * EVENT_JSON_DEPTH_MAX) {
        let document = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        prop_assert_eq!(accepted(document.as_bytes()), (1..=EVENT_JSON_DEPTH_MAX).contains(&depth));
    }

    #[test]
    fn a_changed_event_is_read_or_refused_and_never_panics(changes in changes()) {
        let body = mutated(sample(), changes);
        match decode(body.clone().into(), &Spare::default()) {
            Ok(batch) => prop_assert!(accepted_by_serde_json(&body), "read though it is not JSON: {:?}", batch),
            Err(error) => prop_assert!(error.byte() <= body.len()),
        }
    }

    #[test]
    fn an_event_refused_as_not_json_is_not_json(changes in changes()) {
        let body = mutated(sample(), changes);
        if let Err(error) = decode(body.clone().into(), &Spare::default())
            && ["event.not_json", "event.truncated"].contains(&error.code())
        {
            prop_assert!(!accepted_by_serde_json(&body), "{}", error);
        }
    }

    #[test]
    fn any_text_is_an_identifier_and_comes_back(identifier in ".{0,30}") {
        let key = serde_json::to_string(&identifier).expect("text");
        let body = event(&format!("{{{key}:[{}]}}", order(1, "")));
        let record = super::only(&body);
        prop_assert_eq!(&**record.identifier(), &identifier);
    }
}

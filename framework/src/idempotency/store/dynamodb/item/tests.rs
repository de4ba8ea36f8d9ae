//! Items as attributes: ours there and back, those of Powertools read.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{attributes, number, read, text};
use crate::idempotency::store::{Item, Status, Version};

fn item(data: &'static str) -> Item {
    let version = Version {
        owner: "a".into(),
        seq: 7,
    };
    let mut item = Item::new(Some(version), 1_767_225_600);
    item.data = Bytes::from_static(data.as_bytes());
    item
}

/// An item that Powertools wrote.
fn foreign(
    with: impl IntoIterator<Item = (&'static str, AttributeValue)>,
) -> HashMap<String, AttributeValue> {
    let with = with.into_iter();
    with.chain([("id", text("a"))])
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[test]
fn an_item_bears_the_names_of_powertools_and_two_of_ours() {
    let mut item = item(r#"{"done":true}"#);
    item.status = Status::Completed;
    item.held_until_ms = 1_767_139_200_000;
    item.validation = Some("v".into());

    let attributes = attributes("orders#1", &item);

    let expected = [
        ("id", text("orders#1")),
        ("owner", text("a")),
        ("seq", number(7)),
        ("status", text("COMPLETED")),
        ("in_progress_expiration", number(1_767_139_200_000)),
        ("expiration", number(1_767_225_600)),
        ("data", text(r#"{"done":true}"#)),
        ("validation", text("v")),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(attributes, HashMap::from(expected));
}

#[test]
fn only_json_is_a_string() {
    for json in [
        "null", "true", "-1.5", r#""x""#, "[]", "{}", " { } ", r#""ü""#,
    ] {
        let attributes = attributes("a", &item(json));
        assert_eq!(attributes["data"], text(json));
    }
    for other in ["x", "{", "{} {}", "\u{1}\u{2}", "01", "nul", r#""\u{1}""#] {
        let attributes = attributes("a", &item(other));
        let binary = AttributeValue::B(Blob::new(other));
        assert_eq!(attributes["data"], binary, "{other}");
    }
}

#[test]
fn no_data_and_no_validation_are_no_attributes() {
    let attributes = attributes("a", &item(""));

    assert!(!attributes.contains_key("data") && !attributes.contains_key("validation"));
}

fn any_data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        any::<String>().prop_map(String::into_bytes),
        any::<String>().prop_map(|text| serde_json::to_vec(&text).unwrap()),
        Just(b" [1, 2.50]\n".to_vec()),
        Just(vec![b'['; 1_000]),
    ]
}

proptest! {
    #[test]
    fn an_item_is_read_as_it_was_written(
        data in any_data(),
        version in any::<Option<(String, u64)>>(),
        completed: bool,
        held_until_ms: u64,
        expires_s: u64,
        validation in any::<Option<String>>(),
    ) {
        let version = version.map(|(owner, seq)| Version { owner: owner.into(), seq });
        let mut item = Item::new(version, expires_s);
        item.status = if completed { Status::Completed } else { Status::InProgress };
        item.held_until_ms = held_until_ms;
        item.data = data.into();
        item.validation = validation.map(Into::into);

        assert_eq!(read(attributes("a", &item)), Ok(item));
    }
}

#[test]
fn a_claim_of_powertools_is_held_as_long_as_it_says() {
    let bounded = foreign([
        ("status", text("INPROGRESS")),
        ("expiration", number(100)),
        ("in_progress_expiration", number(50_000)),
    ]);
    let unbounded = foreign([("status", text("INPROGRESS")), ("expiration", number(100))]);

    let bounded = read(bounded).unwrap();
    let unbounded = read(unbounded).unwrap();

    assert_eq!(bounded.version, None);
    assert!(!bounded.is_free(50_000) && bounded.is_free(50_001));
    assert!(!unbounded.is_free(100_999) && unbounded.is_free(101_000));
}

#[test]
fn a_result_of_powertools_is_completed() {
    let read = read(foreign([
        ("status", text("COMPLETED")),
        ("expiration", number(100)),
        ("data", text(r#"{"a":1}"#)),
        ("validation", text("hash")),
    ]));

    let mut expected = Item::new(None, 100);
    expected.status = Status::Completed;
    expected.data = Bytes::from_static(br#"{"a":1}"#);
    expected.validation = Some("hash".into());
    assert_eq!(read, Ok(expected));
}

#[test]
fn an_item_without_expiration_never_expires() {
    let completed = read(foreign([("status", text("COMPLETED"))])).unwrap();
    let claimed = read(foreign([("status", text("INPROGRESS"))])).unwrap();

    assert!(!completed.is_free(u64::MAX));
    assert!(!claimed.is_free(u64::MAX));
}

#[test]
fn a_status_that_nobody_knows_is_free() {
    let read = read(foreign([
        ("status", text("EXPIRED")),
        ("expiration", number(100)),
        ("in_progress_expiration", number(50_000)),
    ]));

    assert!(read.unwrap().is_free(1));
}

#[test]
fn what_cannot_be_read_is_named_by_attribute_and_never_shown() {
    let good = || {
        let mut item = item("secret");
        item.validation = Some("secret".into());
        attributes("a", &item)
    };
    let faults = [
        ("owner", None, "is missing"),
        ("owner", Some(number(1)), "is not a string"),
        ("seq", None, "is missing"),
        ("seq", Some(text("7")), "is not a 64-bit whole number"),
        (
            "seq",
            Some(AttributeValue::N("-1".into())),
            "is not a 64-bit whole number",
        ),
        ("status", None, "is missing"),
        (
            "expiration",
            Some(AttributeValue::N("1.5".into())),
            "is not a 64-bit whole number",
        ),
        (
            "in_progress_expiration",
            Some(text("secret")),
            "is not a 64-bit whole number",
        ),
        (
            "data",
            Some(AttributeValue::L(vec![text("secret")])),
            "is neither string nor binary",
        ),
        (
            "validation",
            Some(AttributeValue::Null(true)),
            "is not a string",
        ),
    ];
    for (attribute, value, why) in faults {
        let mut attributes = good();
        attributes.remove(attribute);
        attributes.extend(value.map(|value| (attribute.to_owned(), value)));

        let error = read(attributes).unwrap_err();

        assert_eq!(
            error.to_string(),
            format!("its attribute `{attribute}` {why}")
        );
    }
}

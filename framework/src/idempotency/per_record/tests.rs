//! Which key a record has. The hashes on the right stood in a table after Powertools for Python 3.37 had written its items there.

use super::PerRecord;
use crate::record::Record;
use crate::testing::{Event, Sample};

fn record(sample: Sample) -> Record {
    let event = Event::msk().record(sample).build();
    event.records().unwrap().remove(0)
}

fn id(per_record: &PerRecord, sample: Sample) -> Result<String, String> {
    let id = per_record.key("shop", "main", &record(sample));
    id.map(|id| id.to_string()).map_err(|rejection| {
        assert_eq!(rejection.code, "reject.idempotency_key");
        rejection.message
    })
}

#[test]
fn a_key_in_the_value_has_the_hash_that_powertools_gives_it() {
    let by_json = PerRecord::by_json(["/k"]).key_prefix("shop");
    for (json, hash) in [
        (r#""order-7""#, "a349dd60a79378cced807f4abe985dd0"),
        ("\"k\u{e4}se \u{20ac}\"", "c41e6b97ba1f68cf62458c46f70e2591"),
        ("\"\u{1f600}\"", "70d9d3240f9ecb81f997bd8406e8790e"),
        (r#""a\"b\\c/d\n""#, "2f04df057dc7f2d2443a05acfd623edb"),
        (
            "\"\u{7f}\u{80}\u{2028}\"",
            "66d30b749dbfe6a8ec316622daeaec3c",
        ),
        ("42", "a1d0c6e83f027327d8461063f4ac58a6"),
        (
            "12345678901234567890123",
            "53c179a3aab54999c4fb1c7374643090",
        ),
        ("1.0", "e4c2e8edac362acab7123654b9e73432"),
        ("-0.0", "e80c77464a0cfaf2c46a5574f6bc76b9"),
        ("100000.0", "b72a0cf61ebf620d460da6e42fcec084"),
        ("123456789.125", "10549462475c217e26b32b00785f76b8"),
        ("1e+16", "17ad58a7ab5201decb18b0996a327592"),
        ("1e+21", "38a923a3cb27e544925237630940729f"),
        ("1e-07", "463d2cea642f243feede99a193027ce8"),
        ("0.0001", "ac382d58b1125bb9aeaf1a83ebf5e9c6"),
        ("5e-324", "62704aaf46a899ad1563b7f0ced1d768"),
        ("true", "b326b5062b2f0e69046810717534cb09"),
        (
            r#"{"b": 1, "a": {"z": [1, 2.5, null, "ü"], "y": true}}"#,
            "fc83813272c395812e6d93514821b83c",
        ),
        (
            "{\"ä\": 1, \"z\": 2, \"Z\": 3, \"\u{1f600}\": 4, \"\u{ffff}\": 5}",
            "16fe913bb2f6a7a722706a6b36cfa0b5",
        ),
        (r#"[1, "a", null]"#, "0295695091fc01e478a8f51fd02f10e4"),
    ] {
        let sample = Sample::new("orders", 0).value(format!(r#"{{"k":{json}}}"#));
        assert_eq!(id(&by_json, sample), Ok(format!("shop#{hash}")), "{json}");
    }
}

#[test]
fn several_pointers_are_the_list_of_what_they_lead_to() {
    let both = PerRecord::by_json(["/order_id", "/customer/id"]).key_prefix("shop");
    let value = |value: &str| Sample::new("orders", 0).value(value);

    let found = id(&both, value(r#"{"order_id":7,"customer":{"id":"c-1"}}"#));
    let one_missing = id(&both, value(r#"{"order_id":7}"#));
    let all_missing = id(&both, value("{}"));

    assert_eq!(found.unwrap(), "shop#60e01ac551ae3af6eed49ff01171482a");
    assert_eq!(
        one_missing.unwrap(),
        "shop#837d09490dcb9692b073ca11323f94ba"
    );
    assert_eq!(
        all_missing.unwrap_err(),
        "the value has nothing there: no idempotency key at `/order_id`, `/customer/id`"
    );
}

#[test]
fn the_whole_value_is_a_key_too() {
    let whole = PerRecord::by_json([""]).key_prefix("shop");
    let sample = Sample::new("orders", 0).value(r#"{"x":1.50,"order_id":7}"#);

    assert_eq!(
        id(&whole, sample).unwrap(),
        "shop#e81a5596ac915a5a2637f1b075ed6924"
    );
}

#[test]
fn a_pointer_goes_through_lists_and_escaped_names() {
    let value = r#"{"a/b":{"~c":[{"d":"order-7"}]}}"#;
    let at = |pointer: &str| {
        let by_json = PerRecord::by_json([pointer]).key_prefix("shop");
        id(&by_json, Sample::new("orders", 0).value(value))
    };

    let found = at("/a~1b/~0c/0/d");

    assert_eq!(found.unwrap(), "shop#a349dd60a79378cced807f4abe985dd0");
    for missing in [
        "/a~1b/~0c/00/d",
        "/a~1b/~0c/1/d",
        "/a~1b/~0c/-/d",
        "/a/b",
        "/a~1b/~0c/0/d/e",
    ] {
        assert!(at(missing).is_err(), "{missing}");
    }
}

#[test]
fn text_from_a_key_or_a_header_is_hashed_as_powertools_hashes_text() {
    let sample = || {
        Sample::new("orders", 0)
            .key("order-7")
            .header("id", "order-7")
    };
    let expected = "shop#a349dd60a79378cced807f4abe985dd0";

    for per_record in [
        PerRecord::by_key(),
        PerRecord::by_header("id"),
        PerRecord::by(|_| Some("order-7".to_owned())),
    ] {
        let id = id(&per_record.key_prefix("shop"), sample());
        assert_eq!(id.unwrap(), expected);
    }
}

#[test]
fn bytes_that_are_no_text_are_a_key_of_their_own() {
    let by_key = PerRecord::by_key();
    let bytes = |bytes: &[u8]| id(&by_key, Sample::new("orders", 0).key(bytes)).unwrap();

    assert_ne!(bytes(&[0xff]), bytes(&[0xfe]));
    assert_ne!(bytes(&[0xff]), bytes("\u{fffd}".as_bytes()));
}

#[test]
fn an_id_begins_with_namespace_cluster_and_topic() {
    let by_key = PerRecord::by_key();

    let id = id(&by_key, Sample::new("orders", 0).key("order-7"));

    assert_eq!(
        id.unwrap(),
        "shop/main/orders#a349dd60a79378cced807f4abe985dd0"
    );
}

#[test]
fn a_payload_is_compared_by_what_its_json_says_and_any_other_by_its_bytes() {
    let validation = |sample: Sample| {
        let whole = PerRecord::by_key().validate_payload();
        whole.validation(&record(sample)).unwrap()
    };
    let value = |value: &str| validation(Sample::new("orders", 0).value(value));

    assert_eq!(
        value(r#"{"a":1,"b":[2]}"#),
        value(" {\"b\" : [ 2 ], \"a\":1}\n")
    );
    assert_ne!(value(r#"{"a":1}"#), value(r#"{"a":1.0}"#));
    assert_ne!(value("seven"), value("eight"));
    assert_eq!(validation(Sample::new("orders", 0)), value("null"));
    assert!(
        PerRecord::by_key()
            .validation(&record(Sample::new("orders", 0)))
            .is_none()
    );
}

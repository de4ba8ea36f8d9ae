//! Messages as JSON and back, by schemas with imports.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use serde_json::{Value, json};

use super::{ConvertError, Dynamic, Mapping};
use crate::id::{Format, Reference, SchemaError, Source};

const ORDER: &str = r#"
    syntax = "proto3";
    package shop;
    import "google/protobuf/timestamp.proto";
    import "google/protobuf/any.proto";
    import "shop/money.proto";

    message Order {
        string order_id = 1;
        Money total = 2;
        uint64 big = 3;
        repeated Line lines = 4;
        map<string, Line> by_sku = 5;
        google.protobuf.Timestamp at = 6;
        Channel channel = 7;
        google.protobuf.Any more = 8;
        optional string note = 9;
        Order before = 10;
        oneof paid { string card = 11; int32 cash = 12; }
        message Line { string sku = 1; int32 count = 2; }
    }
    enum Channel { WEB = 0; SHOP = 1; }
"#;
const MONEY: &str = r#"syntax = "proto3"; package shop; message Money { int64 amount_cents = 1; }"#;

fn source(text: &str, references: &[(&str, &str)]) -> Source {
    let references = references.iter().map(|(name, text)| Reference {
        name: (*name).to_owned(),
        source: Source::new(Format::Protobuf, *text),
    });
    Source {
        references: references.collect(),
        ..Source::new(Format::Protobuf, text)
    }
}

fn shop() -> Dynamic {
    Dynamic::of(&source(ORDER, &[("shop/money.proto", MONEY)])).unwrap()
}

fn fault(text: &str, references: &[(&str, &str)]) -> String {
    let SchemaError(text) = Dynamic::of(&source(text, references)).unwrap_err();
    text
}

fn order() -> Value {
    json!({
        "order_id": "o-1",
        "total": {"amount_cents": -5},
        "big": u64::MAX,
        "lines": [{"sku": "a", "count": 0}],
        "by_sku": {"a": {"sku": "a", "count": 2}},
        "at": "2026-01-02T03:04:05Z",
        "channel": "SHOP",
        "more": {"@type": "type.googleapis.com/shop.Money", "amount_cents": 7},
        "note": "",
        "cash": 0,
    })
}

#[test]
fn json_becomes_the_same_json_again() {
    let shop = shop();

    let bytes = shop.from_json("shop.Order", &order()).unwrap();

    assert_eq!(shop.to_json("shop.Order", &bytes).unwrap(), order());
}

#[test]
fn the_bytes_are_protobufs() {
    let money = shop().from_json("shop.Money", &json!({"amount_cents": 150}));
    let ConvertError::NoMessage(_, known) = money.unwrap_err() else {
        panic!("Money is of another file");
    };
    assert_eq!(known, "shop.Order, shop.Order.Line");

    let bytes = shop().from_json("shop.Order", &json!({"total": {"amount_cents": 150}}));

    assert_eq!(bytes.unwrap(), [0x12, 3, 8, 0x96, 1]);
}

#[test]
fn default_values_stand_in_the_plain_mapping_alone() {
    let shop = shop();

    let plain = shop.to_json("shop.Order", &[]).unwrap();
    let standard = shop.clone().mapping(Mapping::Standard);

    assert_eq!(
        plain,
        json!({"order_id": "", "big": 0, "lines": [], "by_sku": {}, "channel": "WEB"})
    );
    assert_eq!(standard.to_json("shop.Order", &[]).unwrap(), json!({}));
}

#[test]
fn the_standard_mapping_is_protobufs_own() {
    let standard = shop().mapping(Mapping::Standard);
    let bytes = standard.from_json("shop.Order", &order()).unwrap();

    let json = standard.to_json("shop.Order", &bytes).unwrap();

    assert_eq!(json["orderId"], "o-1");
    assert_eq!(json["big"], u64::MAX.to_string());
    assert_eq!(json["total"], json!({"amountCents": "-5"}));
    // And each is read as the other.
    assert_eq!(shop().from_json("shop.Order", &json).unwrap(), bytes);
}

#[test]
fn fields_that_the_schema_does_not_have_are_left_out() {
    let unknown = [0xa2, 6, 1, b'x', 0xa0, 6, 5, 0x0a, 1, b'o'];

    let json = shop().to_json("shop.Order", &unknown).unwrap();

    assert_eq!(json["order_id"], "o");
}

#[test]
fn bytes_that_are_no_message_are_an_error_without_them() {
    let reason = |bytes: &[u8]| shop().to_json("shop.Order", bytes).unwrap_err().to_string();

    let text = reason(&[0x12, 2, 0x0a, 0x05]);
    assert!(text.contains("found bytes that are none: "), "{text}");
    for bytes in [
        &[0x0f][..],
        &[0x00],
        &[0x0a, 1, 0xff],
        &[0x18],
        &[0x12, 0xff],
    ] {
        let text = reason(bytes);
        let numbers = text.matches(|c: char| c.is_ascii_digit()).count();
        assert!(numbers == 0 || text.contains("UTF-8"), "{text}");
    }
}

#[test]
fn json_that_is_no_message_is_an_error_with_its_place() {
    let place = |json: &Value| match shop().from_json("shop.Order", json) {
        Err(ConvertError::Json { path, .. }) => path,
        other => panic!("{other:?}"),
    };

    assert_eq!(place(&json!("s3cret")), "$");
    assert_eq!(place(&json!({"s3cret": 1})), "$.*");
    assert_eq!(place(&json!({"order_id": "o", "big": "s3cret"})), "$.big");
    assert_eq!(
        place(&json!({"lines": [{"sku": "a"}, {"sku": 7}]})),
        "$.lines[1].sku"
    );
    assert_eq!(place(&json!({"bySku": {"s3cret": 7}})), "$.by_sku.*");
    assert_eq!(
        place(&json!({"total": {"amountCents": "s3cret"}})),
        "$.total.amount_cents"
    );
    assert_eq!(place(&json!({"channel": "s3cret"})), "$.channel");
}

#[test]
fn imports_are_found_through_references_in_base64_too() {
    let money = protox_parse::parse("other-name.proto", MONEY).unwrap();
    let money = STANDARD.encode(money.encode_to_vec());

    let shop = Dynamic::of(&source(ORDER, &[("shop/money.proto", &money)])).unwrap();

    assert_eq!(
        shop.messages().collect::<Vec<_>>(),
        ["shop.Order", "shop.Order.Line"]
    );
    let itself = protox_parse::parse("x.proto", ORDER).unwrap();
    let itself = STANDARD.encode(itself.encode_to_vec());
    let again = Dynamic::of(&source(&itself, &[("shop/money.proto", MONEY)])).unwrap();
    let bytes = again.from_json("shop.Order", &order()).unwrap();
    assert_eq!(shop.to_json("shop.Order", &bytes).unwrap(), order());
}

#[test]
fn what_confluents_clients_have_built_in_is_found() {
    let text = r#"
        syntax = "proto3";
        import "confluent/meta.proto";
        import "confluent/type/decimal.proto";
        message A {
            option (confluent.message_meta) = { doc: "an A" tags: ["PII"] };
            confluent.type.Decimal price = 1;
        }
    "#;

    let dynamic = Dynamic::of(&source(text, &[])).unwrap();

    let bytes = dynamic
        .from_json("A", &json!({"price": {"scale": 2}}))
        .unwrap();
    assert_eq!(bytes, [0x0a, 2, 0x18, 2]);
}

#[test]
fn an_import_that_is_not_given_is_an_error_and_no_file_is_read() {
    assert!(fault(ORDER, &[]).contains("shop/money.proto"));
    for path in ["Cargo.toml", "src/lib.rs", "etc/hostname"] {
        let text = fault(&format!("syntax = \"proto3\"; import \"{path}\";"), &[]);

        assert!(
            text.starts_with("expected a Protobuf schema that compiles, found a fault: import '"),
            "{text}"
        );
    }
}

#[test]
fn what_does_not_compile_is_an_error() {
    assert!(fault("message A { optional B b = 1; }", &[]).contains('B'));
    for text in [
        "message {",
        "import \"/etc/hostname\";",
        "import \"../Cargo.toml\";",
    ] {
        let text = fault(text, &[]);
        assert!(text.starts_with("expected "), "{text}");
    }
    let a = r#"import "b.proto"; message A {}"#;
    let b = r#"import "a.proto"; message B {}"#;
    let text = fault(a, &[("a.proto", a), ("b.proto", b)]);
    assert!(text.contains("a.proto"), "{text}");
}

#[test]
fn a_reference_may_have_the_name_that_a_schema_has_here() {
    let dynamic = Dynamic::of(&source(
        r#"import "schema.proto"; message A { optional B b = 1; }"#,
        &[("schema.proto", "message B {}")],
    ));

    assert_eq!(dynamic.unwrap().messages().collect::<Vec<_>>(), ["A"]);
}

#[test]
fn messages_in_any_are_as_deep_as_is_read_and_of_the_schema() {
    let shop = shop();
    let within = |depth: usize| {
        let mut bytes = Vec::new();
        for _ in 0..depth {
            let any = prost_types::Any {
                type_url: "a/google.protobuf.Any".to_owned(),
                value: bytes,
            };
            bytes = any.encode_to_vec();
        }
        let mut order = vec![0x42];
        prost::encoding::encode_varint(bytes.len() as u64, &mut order);
        order.extend(bytes);
        order
    };

    let deep = shop.to_json("shop.Order", &within(2_000));
    assert_eq!(deep, Err(ConvertError::Depth));
    let other = prost_types::Any {
        type_url: "a/other.Message".to_owned(),
        value: Vec::new(),
    };
    let mut order = vec![0x42, other.encoded_len() as u8];
    order.extend(other.encode_to_vec());
    assert_eq!(shop.to_json("shop.Order", &order), Err(ConvertError::Any));
}

#[test]
fn nesting_is_bounded_by_the_decoder() {
    let mut bytes = Vec::new();
    for _ in 0..200 {
        let mut outer = vec![0x52];
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.extend(bytes);
        bytes = outer;
    }

    let error = shop().to_json("shop.Order", &bytes).unwrap_err();

    assert!(error.to_string().contains("recursion limit"), "{error}");
}

#[test]
fn a_schema_with_a_name_that_goes_nowhere_ends() {
    let chain: Vec<(String, String)> = (0..400)
        .map(|at| {
            (
                format!("{at}.proto"),
                format!("import \"{}.proto\"; message M{at} {{}}", at + 1),
            )
        })
        .chain([("400.proto".to_owned(), "message M400 {}".to_owned())])
        .collect();
    let chain: Vec<(&str, &str)> = chain
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();

    let dynamic = Dynamic::of(&source(r#"import "0.proto"; message A {}"#, &chain));

    assert_eq!(dynamic.unwrap().messages().count(), 1);
}

//! The messages of files, and the ways in which payloads name them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use prost_types::FileDescriptorProto;

use super::File;
use crate::id::{Format, SchemaError, Source};

const SHOP: &str = r#"
    syntax = "proto3";
    package shop;
    import "google/protobuf/timestamp.proto";

    message Order {
        string order_id = 1;
        message Line { string sku = 1; }
        map<string, int32> counts = 2;
        message Note { message Author { string name = 1; } }
        google.protobuf.Timestamp at = 3;
    }
    message B { message C {} message A { message D {} } }
    enum Channel { WEB = 0; }
    message A {}
"#;

fn read(text: &str) -> Result<File, SchemaError> {
    File::of(&Source::new(Format::Protobuf, text))
}

fn shop() -> File {
    read(SHOP).unwrap()
}

#[test]
fn a_message_is_found_by_its_indexes_nested_ones_too() {
    let shop = shop();

    assert_eq!(shop.message_at(&[0]), Some("shop.Order"));
    assert_eq!(shop.message_at(&[0, 0]), Some("shop.Order.Line"));
    assert_eq!(shop.message_at(&[1, 1, 0]), Some("shop.B.A.D"));
    assert_eq!(shop.message_at(&[2]), Some("shop.A"));
    for absent in [&[3][..], &[], &[1, 2], &[2, 0], &[u32::MAX]] {
        assert_eq!(shop.message_at(absent), None, "{absent:?}");
    }
}

#[test]
fn a_message_behind_a_map_is_found_in_either_way_to_count() {
    let shop = shop();

    // protoc: Line, CountsEntry, Note. Confluent's Java client: Line, Note.
    assert_eq!(shop.message_at(&[0, 2]), Some("shop.Order.Note"));
    assert_eq!(shop.message_at(&[0, 1]), Some("shop.Order.Note"));
    assert_eq!(shop.message_at(&[0, 2, 0]), Some("shop.Order.Note.Author"));
    assert_eq!(shop.message_at(&[0, 1, 0]), Some("shop.Order.Note.Author"));
    assert!(shop.fits(&[0, 2], "shop.Order.Note"));
    assert!(shop.fits(&[0, 1], "shop.Order.Note"));
    assert!(!shop.fits(&[0, 0], "shop.Order.Note"));
    assert_eq!(shop.indexes_of("shop.Order.Note"), Some(&[0, 2][..]));
}

#[test]
fn the_entry_of_a_map_is_no_payload() {
    let shop = shop();

    assert!(shop.indexes_of("shop.Order.CountsEntry").is_some());
    assert!(!shop.fits(&[0, 1], "shop.Order.CountsEntry"));
}

#[test]
fn a_map_entry_that_is_written_out_is_known_as_one() {
    let text = r#"
        syntax = "proto3";
        message Order {
            repeated CountsEntry counts = 1;
            message CountsEntry {
                option map_entry = true;
                string key = 1;
                int32 value = 2;
            }
            message Note {}
        }
    "#;
    let file = read(text).unwrap();

    assert!(file.fits(&[0, 0], "Order.Note"));
    assert!(file.fits(&[0, 1], "Order.Note"));
    assert!(!file.fits(&[0, 0], "Order.CountsEntry"));
}

#[test]
fn glue_counts_full_names_in_lexicographic_order() {
    let shop = shop();
    let names = [
        "shop.A",
        "shop.B",
        "shop.B.A",
        "shop.B.A.D",
        "shop.B.C",
        "shop.Order",
        "shop.Order.CountsEntry",
        "shop.Order.Line",
        "shop.Order.Note",
        "shop.Order.Note.Author",
    ];

    for (place, name) in (0..).zip(names) {
        assert_eq!(shop.message_in_order(place), Some(name));
        assert_eq!(shop.order_of(name), Some(place));
    }
    assert_eq!(shop.message_in_order(10), None);
    assert_eq!(shop.message_in_order(u32::MAX), None);
}

#[test]
fn names_have_no_dot_before_them_where_there_is_no_package() {
    let file = read("message A { message B {} }").unwrap();

    assert_eq!(file.message_at(&[0]), Some("A"));
    assert_eq!(file.message_at(&[0, 0]), Some("A.B"));
}

#[test]
fn a_descriptor_in_base64_is_read_as_its_text_is() {
    let descriptor = protox_parse::parse("shop.proto", SHOP).unwrap();

    let file = read(&STANDARD.encode(descriptor.encode_to_vec())).unwrap();

    assert_eq!(file, shop());
}

#[test]
fn text_in_the_letters_of_base64_that_is_no_descriptor_is_no_schema() {
    // The second decodes, into no descriptor.
    for text in ["message", "AAAA", "AAAA====", "gibberish+/="] {
        let error = read(text).unwrap_err();

        assert!(error.0.contains("found neither"), "{error}");
    }
}

#[test]
fn an_empty_file_has_no_message() {
    let empty = FileDescriptorProto::default();
    assert!(empty.encode_to_vec().is_empty());

    let file = read("").unwrap();

    assert_eq!(file.message_at(&[0]), None);
    assert_eq!(file.message_in_order(0), None);
}

#[test]
fn another_format_is_no_protobuf_schema() {
    let error = File::of(&Source::new(Format::Avro, "\"int\"")).unwrap_err();

    assert_eq!(error.0, "expected a Protobuf schema, found one of Avro");
}

#[test]
fn two_messages_of_one_name_are_no_schema() {
    let error = read("message A {} message A {}").unwrap_err();

    assert_eq!(error.0, "the Protobuf schema has two messages A");
}

#[test]
fn an_edition_is_named() {
    let error = read("// 2023\n  edition = \"2023\";\npackage shop;\nmessage A {}").unwrap_err();

    assert!(error.0.contains("found one of an edition"), "{error}");
}

#[test]
fn nesting_without_end_is_an_error_of_the_parser() {
    let deep = |with: &str, depth: usize| with.repeat(depth) + &"}".repeat(depth);

    for text in [
        deep("message A {", 100_000),
        format!("option (a) = {};", deep("{a:", 100_000)),
        format!(
            "option (a) = {{a: {}{} }};",
            "[".repeat(100_000),
            "]".repeat(100_000)
        ),
        deep("message A { oneof b {", 100_000),
        deep("message A { group B = 1 {", 100_000),
        deep("extend A { optional group B = 1 {", 100_000),
    ] {
        // Some texts end well: what counts is that they end.
        let _ = read(&text);
    }
    assert!(read(&deep("message A {", 100_000)).is_err());
}

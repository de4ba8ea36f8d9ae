//! Values against schemas, and what the texts say of them.

use serde_json::{Value, json};

use super::{Misfit, Unfit, Validator};
use crate::id::{Format, Reference, SchemaError, Source};

fn source(schema: &Value) -> Source {
    Source::new(Format::Json, schema.to_string())
}

fn refers(schema: &Value, references: &[(&str, Source)]) -> Source {
    let references = references.iter().map(|(name, source)| Reference {
        name: (*name).to_owned(),
        source: source.clone(),
    });
    Source {
        references: references.collect(),
        ..source(schema)
    }
}

fn validator(schema: &Value) -> Validator {
    Validator::of(&source(schema)).unwrap()
}

fn misfit(validator: &Validator, value: &Value) -> (String, String) {
    match validator.check(value).unwrap_err() {
        Unfit::Misfit(Misfit { path, reason }) => (path, reason),
        undecided => panic!("{undecided:?}"),
    }
}

fn fault(source: &Source) -> String {
    let SchemaError(text) = Validator::of(source).unwrap_err();
    text
}

fn order() -> Validator {
    validator(&json!({
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "pattern": "^o"},
            "channel": {"enum": ["WEB", "SHOP"]},
            "lines": {"type": "array", "items": {
                "type": "object",
                "properties": {"sku": {"type": "string"}, "count": {"type": ["integer", "null"]}},
                "required": ["sku"],
            }},
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["order_id"],
    }))
}

#[test]
fn a_value_that_fits_is_taken() {
    let value = json!({"order_id": "o-1", "lines": [{"sku": "a", "count": null}], "more": 1});

    assert_eq!(order().check(&value), Ok(()));
}

#[test]
fn the_path_and_the_keyword_of_a_misfit_are_named() {
    let order = order();
    let said = |value: &Value| {
        let (path, reason) = misfit(&order, value);
        format!("{path}: {reason}")
    };

    assert_eq!(said(&json!({})), "$: required: `order_id` is missing");
    assert_eq!(said(&json!([])), "$: type: expected object, found array");
    assert_eq!(
        said(&json!({"order_id": "o", "lines": [{"sku": "a"}, {"sku": "b", "count": "7"}]})),
        "$.lines[1].count: type: expected null or integer, found string"
    );
    assert_eq!(said(&json!({"order_id": "p"})), "$.order_id: pattern");
    assert_eq!(
        said(&json!({"order_id": "o", "channel": "FAX"})),
        "$.channel: enum"
    );
}

#[test]
fn no_byte_of_the_value_is_shown() {
    let order = order();

    for value in [
        json!({"order_id": "s3cret"}),
        json!({"order_id": "o", "channel": "s3cret"}),
        json!({"order_id": "o", "tags": {"s3cret": 7}}),
        json!({"order_id": "o", "tags": "s3cret"}),
    ] {
        let misfit = order.check(&value).unwrap_err();

        assert!(
            !format!("{misfit} {misfit:?}").contains("s3cret"),
            "{misfit:?}"
        );
    }
    let value = json!({"order_id": "o", "tags": {"s3cret": 7}});
    assert_eq!(misfit(&order, &value).0, "$.tags.*");
}

#[test]
fn names_that_no_schema_has_are_not_shown() {
    let closed = validator(&json!({"properties": {"a": {}}, "additionalProperties": false}));
    let empty = validator(&json!({"additionalProperties": false}));
    let names = validator(&json!({"propertyNames": {"maxLength": 3}}));

    let said = misfit(&closed, &json!({"s3cret": 1, "other": 2})).1;
    assert_eq!(
        said,
        "additionalProperties: the value has a property that the schema does not name"
    );
    let (path, reason) = misfit(&empty, &json!({"s3cret": 1}));
    assert_eq!(
        format!("{path}: {reason}"),
        "$: the schema allows no value here"
    );
    let (path, reason) = misfit(&names, &json!({"s3cret": 1}));
    assert_eq!((path.as_str(), reason.as_str()), ("$", "propertyNames"));
}

#[test]
fn a_schema_without_a_draft_is_draft_7() {
    // Draft 7 reads an array of `items` by place; 2020-12 refuses it.
    let schema = json!({"items": [{"type": "string"}, {"type": "integer"}]});
    let by_place = validator(&schema);

    assert_eq!(by_place.check(&json!(["a", 1])), Ok(()));
    assert_eq!(misfit(&by_place, &json!(["a", "b"])).0, "$[1]");
    let newer = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "prefixItems": [{"type": "string"}],
    });
    assert_eq!(misfit(&validator(&newer), &json!([1])).0, "$[0]");
}

#[test]
fn a_reference_is_found_by_its_name() {
    let sku = source(&json!({"type": "string", "definitions": {"n": {"type": "integer"}}}));
    for (id, reference, name) in [
        ("", "sku.json", "sku.json"),
        ("https://shop.example/order.json", "sku.json", "sku.json"),
        (
            "https://shop.example/a/order.json",
            "/sku.json",
            "https://shop.example/sku.json",
        ),
        (
            "",
            "https://shop.example/sku.json",
            "https://shop.example/sku.json",
        ),
        (
            "https://shop.example/order.json",
            "https://shop.example/sku.json",
            "sku.json",
        ),
    ] {
        let schema = json!({"$id": id, "properties": {
            "sku": {"$ref": reference},
            "n": {"$ref": format!("{reference}#/definitions/n")},
        }});
        let validator = Validator::of(&refers(&schema, &[(name, sku.clone())])).unwrap();

        assert_eq!(validator.check(&json!({"sku": "a", "n": 1})), Ok(()));
        assert_eq!(misfit(&validator, &json!({"sku": 1})).0, "$.sku");
        assert_eq!(misfit(&validator, &json!({"n": "a"})).0, "$.n");
    }
}

#[test]
fn a_reference_is_found_by_its_own_id_too() {
    let sku = source(&json!({"$id": "https://shop.example/sku", "type": "string"}));
    let schema = json!({"properties": {"sku": {"$ref": "https://shop.example/sku"}}});

    let validator = Validator::of(&refers(&schema, &[("any name", sku)]));

    // A name with a space is no URI.
    let error = validator.unwrap_err();
    assert!(error.0.contains("any name"), "{error}");
    let sku = source(&json!({"$id": "https://shop.example/sku", "type": "string"}));
    let validator = Validator::of(&refers(&schema, &[("shop-sku", sku)])).unwrap();
    assert_eq!(misfit(&validator, &json!({"sku": 1})).0, "$.sku");
}

#[test]
fn references_have_references() {
    let code = source(&json!({"type": "integer"}));
    let sku = refers(
        &json!({"properties": {"code": {"$ref": "code.json"}}}),
        &[("code.json", code)],
    );
    let schema = json!({"properties": {"sku": {"$ref": "sku.json"}}});

    let validator = Validator::of(&refers(&schema, &[("sku.json", sku)])).unwrap();

    let value = json!({"sku": {"code": "a"}});
    assert_eq!(misfit(&validator, &value).0, "$.sku.code");
}

#[test]
fn a_name_is_seen_from_the_schema_that_refers_by_it() {
    let code = source(&json!({"type": "integer"}));
    let sku = refers(
        &json!({"properties": {"code": {"$ref": "code.json"}}}),
        &[("code.json", code)],
    );
    let other = source(&json!({"type": "string"}));
    let schema = json!({
        "$id": "https://shop.example/order.json",
        "properties": {"sku": {"$ref": "sku/sku.json"}, "code": {"$ref": "code.json"}},
    });
    let references = [("sku/sku.json", sku), ("code.json", other)];

    let validator = Validator::of(&refers(&schema, &references)).unwrap();

    assert_eq!(
        validator.check(&json!({"sku": {"code": 1}, "code": "a"})),
        Ok(())
    );
    assert_eq!(
        misfit(&validator, &json!({"sku": {"code": "a"}})).0,
        "$.sku.code"
    );
    assert_eq!(misfit(&validator, &json!({"code": 1})).0, "$.code");
}

#[test]
fn a_reference_that_is_not_given_is_an_error_and_no_request() {
    for reference in [
        "https://127.0.0.1:1/sku.json",
        "file:///etc/hostname",
        "sku.json",
        "/etc/hostname",
    ] {
        let text = fault(&source(&json!({"$ref": reference})));

        let start = format!("expected a JSON Schema, found Resource '{reference}' is not present");
        assert!(text.starts_with(&start), "{text}");
    }
}

#[test]
fn what_is_no_schema_is_an_error_of_bounded_size() {
    assert!(fault(&Source::new(Format::Json, "{")).contains("no JSON"));
    let text = fault(&source(&json!({"type": "a".repeat(100_000)})));
    assert!(text.len() < 1_000, "{}", text.len());
    let deep = "[".repeat(100_000);
    assert!(fault(&Source::new(Format::Json, deep)).contains("no JSON"));
    assert!(fault(&Source::new(Format::Avro, "{}")).contains("found a schema of Avro"));
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let tree = validator(&json!({
        "type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["n"],
    }));
    let circle = validator(&json!({"$ref": "#"}));
    let circles = validator(&json!({
        "allOf": [{"$ref": "#/definitions/a"}],
        "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}},
    }));

    assert_eq!(misfit(&tree, &json!({"n": 1, "next": {}})).0, "$.next");
    assert_eq!(circle.check(&json!({})), Ok(()));
    assert_eq!(circles.check(&json!({})), Ok(()));
}

#[test]
fn a_pattern_that_backtracks_without_end_is_given_up() {
    let slow = validator(&json!({"pattern": "^(?=(a+)+$)b"}));

    let value = json!("a".repeat(40) + "!");
    let (_, reason) = misfit(&slow, &value);

    assert_eq!(reason, "pattern");
}

#[test]
fn a_regular_expression_that_gives_up_is_undecided_and_no_misfit() {
    let slow = json!({"pattern": "^(?:a|aa)+(?<=b)$"});
    let sku = "a".repeat(60);
    for of_sku in [
        slow.clone(),
        json!({"not": slow}),
        json!({"anyOf": [slow, {"type": "integer"}]}),
    ] {
        let schema = validator(&json!({"properties": {"sku": of_sku}}));

        let undecided = schema.check(&json!({ "sku": sku })).unwrap_err();

        let Unfit::Undecided { path, keyword } = &undecided else {
            panic!("{undecided:?}");
        };
        // Inside `not` the place is not known.
        assert!(["$.sku", "$"].contains(&&**path), "{path}");
        assert!(
            keyword.starts_with("/properties/sku/") && keyword.ends_with("/pattern"),
            "{keyword}"
        );
        assert!(!undecided.to_string().contains("aaa"), "{undecided}");
        // Where nothing depends on it, nothing is undecided.
        let other = json!({"other": sku});
        assert_eq!(schema.check(&other), Ok(()));
    }
    // Without look-around there are no steps back.
    let linear = validator(&json!({"pattern": "^(a+)+$"}));
    assert_eq!(linear.check(&json!("a".repeat(100_000))), Ok(()));
    let misfit = linear.check(&json!("a".repeat(100_000) + "b")).unwrap_err();
    assert!(matches!(misfit, Unfit::Misfit(_)), "{misfit:?}");
}

#[test]
fn an_id_without_a_dollar_is_a_schemas_own_before_draft_6_only() {
    let of = |draft: &str| json!({"$schema": format!("http://json-schema.org/{draft}/schema#"), "id": "x y", "type": "integer"});

    assert!(validator(&of("draft-07")).check(&json!(1)).is_ok());
    let without = validator(&json!({"id": "x y", "type": "integer"}));
    assert!(without.check(&json!(1)).is_ok());
    assert!(fault(&source(&of("draft-04"))).contains("JSON Schema"));
}

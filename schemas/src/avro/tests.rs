//! The rules of reading and writing, one by one.


use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error, Plan, Schema, from_json, from_slice, to_json, to_vec};
use crate::id::{Format, Reference, Source};

fn schema(json: &Value) -> Schema {
    Schema::parse(&json.to_string()).unwrap()
}

fn record(fields: &Value) -> Schema {
    schema(&json!({"type": "record", "name": "R", "fields": fields}))
}

/// A value of the writer's as the reader sees it.
fn resolved(writer: &Schema, reader: &Schema, value: &Value) -> Result<Value, Error> {
    let plan = reader.reads(writer).unwrap();
    to_json(&plan, &to_vec(writer, value).unwrap())
}

fn order() -> Schema {
    schema(&json!({
        "type": "record", "name": "Order", "namespace": "shop", "fields": [
            {"name": "order_id", "type": "long"},
            {"name": "customer_id", "type": "string", "aliases": ["customer"]},
            {"name": "currency", "type": "string", "default": "EUR"},
            {"name": "note", "type": ["null", "string"], "default": null, "aliases": ["remark"]},
            {"name": "channel", "type": {"type": "enum", "name": "Channel",
                "symbols": ["UNKNOWN", "WEB", "STORE"], "default": "UNKNOWN"}, "default": "UNKNOWN"}
        ]
    }))
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order<'a> {
    order_id: u64,
    customer_id: &'a str,
    currency: String,
    note: Option<String>,
    channel: Channel,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Channel {
    Unknown,
    Web,
    Store,
}

#[test]
fn a_struct_is_read_as_it_was_written_and_borrows_its_text() {
    let schema = order();
    let order = Order {
        order_id: 7,
        customer_id: "c-1",
        currency: "USD".to_owned(),
        note: Some("x".to_owned()),
        channel: Channel::Store,
    };

    let bytes = to_vec(&schema, &order).unwrap();

    assert_eq!(from_slice::<Order>(schema.plan(), &bytes).unwrap(), order);
    assert_eq!(schema.name(), Some("shop.Order"));
}

#[test]
fn a_writer_of_old_is_read_with_aliases_defaults_and_promotions() {
    let writer = schema(&json!({
        "type": "record", "name": "Order", "namespace": "shop", "fields": [
            {"name": "remark", "type": "string"},
            {"name": "dropped", "type": {"type": "array", "items": "string"}},
            {"name": "customer", "type": "string"},
            {"name": "order_id", "type": "int"},
        ]
    }));
    let value = json!({"remark": "r", "dropped": ["a", "b"], "customer": "c", "order_id": 5});

    let read = resolved(&writer, &order(), &value).unwrap();

    let expected = json!({"order_id": 5, "customer_id": "c", "currency": "EUR", "note": "r", "channel": "UNKNOWN"});
    assert_eq!(read, expected);
}

//! The events that are fed. No two events of a way share an offset, so every record is new to a ledger.

use std::fmt::Write;

use bytes::Bytes;
use lambda_msk::testing::{Event, Sample};

const VALUE_BYTES_WITH_HEADERS: usize = 350;
const VALUE_BYTES_LARGE: usize = 40_000;

/// An event of a way. Most ways get small orders.
pub(crate) fn event(way: &str, records: usize, turn: usize) -> Bytes {
    let sample = |index: usize| {
        Sample::new("orders", (index % 3) as i32)
            .offset((turn * records + index) as i64)
            .key(format!("c-{index:06}"))
    };
    let event = Event::msk();
    let event = match way {
        "headers" => event.records((0..records).map(|index| {
            sample(index)
                .value(bytes(VALUE_BYTES_WITH_HEADERS, index))
                .header(
                    "traceparent",
                    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                )
                .header("content-type", "application/json")
                .header("source", "checkout")
                .header("schema", [0, 0, 0, 1, 255, 128])
        })),
        "large" => event.records(
            (0..records).map(|index| sample(index).value(bytes(VALUE_BYTES_LARGE, index))),
        ),
        "rejected" => event.records(
            (0..records).map(|index| sample(index).value("no JSON, though as a text fine")),
        ),
        "partitions" => return one_a_partition(|index| ("orders".to_owned(), index), records),
        "topics" => return one_a_partition(|index| (format!("t-{index}"), 0), records),
        "bytes" => event.record(sample(0).value(bytes(records, turn))),
        _ => event.records((0..records).map(|index| sample(index).value(order(index)))),
    };
    event.to_json().into()
}

fn order(index: usize) -> String {
    format!(
        r#"{{"order_id":{index},"customer_id":"c-{index:06}","amount_cents":1250,"currency":"EUR","note":"{}"}}"#,
        "leave it with the neighbours, please. ".repeat(3)
    )
}

fn bytes(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + seed * 7) as u8).collect()
}

/// Written by hand: the builder of events looks through all partitions for each record, which takes minutes here.
fn one_a_partition(place: impl Fn(usize) -> (String, usize), records: usize) -> Bytes {
    let mut json = String::from(
        r#"{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:eu-central-1:123456789012:cluster/orders/7b1f5ff4-6b1c-4a5e-8f0e-9c1d2e3f4a5b-2","bootstrapServers":"b-1.orders:9092","records":{"#,
    );
    for index in 0..records {
        let (topic, partition) = place(index);
        let comma = if index == 0 { "" } else { "," };
        write!(
            json,
            r#"{comma}"{topic}-{partition}":[{{"topic":"{topic}","partition":{partition},"offset":7,"timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"Yy0x","value":"e30=","headers":[]}}]"#
        )
        .expect("a string takes all");
    }
    json.push_str("}}");
    json.into()
}

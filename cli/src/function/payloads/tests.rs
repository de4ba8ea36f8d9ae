//! What is shown of keys and values.

use bytes::Bytes;
use lambda_msk::testing::{Event, Sample};

use super::{Payloads, Reader, plain, read};

async fn payloads(samples: Vec<Sample>) -> Payloads {
    let event = Event::msk().records(samples).build();
    let body = Bytes::copy_from_slice(event.as_bytes());
    read(&body, &Reader::of(&[], None)).await
}

#[tokio::test]
async fn keys_and_values_are_json_text_or_a_number_of_bytes() {
    let samples = vec![
        Sample::new("orders", 0)
            .offset(0)
            .key("a\u{1b}b")
            .value("{\n  \"n\": 1\n}"),
        Sample::new("orders", 0)
            .offset(1)
            .key("k")
            .value([0xff, 0xfe]),
        Sample::new("orders", 0).offset(2).key("gone"),
    ];

    let rows = payloads(samples).await.rows;

    let rows: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {}", row.place, row.key, row.value))
        .collect();
    assert_eq!(
        rows,
        [
            "orders-0@0 (3 bytes) { \"n\": 1 }",
            "orders-0@1 \"k\" (2 bytes)",
            "orders-0@2 \"gone\" null",
        ]
    );
}

#[tokio::test]
async fn a_typed_value_whose_schema_is_not_at_hand_is_shown_by_its_size_with_the_reason() {
    let framed = vec![0, 0, 0, 0, 7, 2, 4];

    let payloads = payloads(vec![Sample::new("orders", 0).value(framed)]).await;

    assert_eq!(payloads.rows[0].value, "(7 bytes)");
    let remark = payloads.remark.unwrap();
    assert!(
        remark.starts_with("typed payloads are shown by their size: "),
        "{remark}"
    );
}

#[tokio::test]
async fn of_many_records_a_hundred_are_shown_and_the_others_counted() {
    let samples = (0..103)
        .map(|offset| Sample::new("orders", 0).offset(offset).value("{}"))
        .collect();

    let payloads = payloads(samples).await;

    assert_eq!((payloads.rows.len(), payloads.more), (100, 3));
}

#[test]
fn no_payload_drives_the_terminal() {
    assert_eq!(plain("\"\u{9b}31m\"".as_bytes()), "\"\\u{9b}31m\"");
    assert_eq!(plain(b"two\nlines"), "\"two\\nlines\"");
}

//! Letters as records, without a broker.

use bytes::Bytes;

use super::KafkaDestination;
use super::headers::headers;
use crate::deadline::Deadline;
use crate::destination::fixture::{invocation, letters};
use crate::destination::http_stub::outcomes;
use crate::destination::{DeadLetter, Destination};
use crate::testing::{Event, EventBuilder, Sample};

fn letter(event: &EventBuilder) -> DeadLetter {
    let record = event.build().records().unwrap().remove(0);
    let invocation = invocation(Deadline::UNKNOWN);
    DeadLetter::new(record, "reject.json", "not é".to_owned(), 2, &invocation)
}

fn sample() -> Sample {
    Sample::new("orders", 3)
        .offset(41)
        .timestamp(1_545_084_650_987)
        .value("x")
}

fn shown(letter: &DeadLetter, spring: bool) -> Vec<(String, Option<Bytes>)> {
    headers(letter, spring)
}

fn text(value: &str) -> Option<Bytes> {
    Some(Bytes::from(value.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn headers_stay_as_they_came_and_ours_stand_behind_them_as_text() {
    let sample = sample()
        .header("a", [0xff, 0x00])
        .header("a", "")
        .null_header("b");

    let headers = shown(&letter(&Event::msk().record(sample)), false);

    let came = [
        ("a".to_owned(), Some(Bytes::from_static(&[0xff, 0x00]))),
        ("a".to_owned(), Some(Bytes::new())),
        ("b".to_owned(), None),
    ];
    assert_eq!(headers[..3], came);
    let ours: Vec<(String, Option<Bytes>)> = [
        ("topic", "orders"),
        ("partition", "3"),
        ("offset", "41"),
        ("timestamp", "1545084650987"),
        ("cluster", "orders-cluster"),
        ("code", "reject.json"),
        ("message", "not é"),
        ("attempts", "2"),
        ("key", "orders/orders-cluster/orders/3/41/1545084650987"),
        ("group", "orders"),
        ("id", "8f2c1d3e-0000-4000-8000-000000000001:orders-3@41"),
        ("redrives", "0"),
    ]
    .map(|(name, value)| (format!("__lambda_msk.errors.{name}"), text(value)))
    .into();
    assert_eq!(headers[3..], ours);
}

#[tokio::test(start_paused = true)]
async fn a_second_rejection_replaces_the_headers_of_the_first() {
    let sample = sample()
        .header("__lambda_msk.errors.code", "order.old")
        .header("__lambda_msk.errors.overflow", "s3://old")
        .header("kafka_dlt-original-topic", "old")
        .header("__lambda_msk.redrives", "2");
    let letter = letter(&Event::msk().record(sample));

    let ours = shown(&letter, false);
    let springs = shown(&letter, true);

    let named = |headers: &[(String, Option<Bytes>)], name: &str| -> Vec<Option<Bytes>> {
        let found = headers.iter().filter(|(other, _)| other == name);
        found.map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(
        named(&ours, "__lambda_msk.errors.code"),
        [text("reject.json")]
    );
    assert!(named(&ours, "__lambda_msk.errors.overflow").is_empty());
    assert_eq!(named(&ours, "__lambda_msk.errors.redrives"), [text("2")]);
    assert_eq!(named(&ours, "kafka_dlt-original-topic"), [text("old")]);
    assert_eq!(
        named(&springs, "kafka_dlt-original-topic"),
        [text("orders")]
    );
}

#[tokio::test(start_paused = true)]
async fn springs_headers_are_numbers_in_big_endian_bytes_and_text() {
    let headers = shown(&letter(&Event::msk().record(sample())), true);

    let springs = headers.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix("kafka_dlt-")?;
        Some((name, value.as_deref().unwrap()))
    });
    let springs: Vec<(&str, &[u8])> = springs.collect();
    assert_eq!(
        springs,
        [
            ("original-topic", &b"orders"[..]),
            ("original-partition", &[0, 0, 0, 3]),
            ("original-offset", &[0, 0, 0, 0, 0, 0, 0, 41]),
            ("original-timestamp", &1_545_084_650_987_i64.to_be_bytes()),
            ("original-timestamp-type", b"CreateTime"),
            ("original-consumer-group", b"orders"),
            ("exception-fqcn", b"reject.json"),
            ("exception-message", "not é".as_bytes()),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_pointer_names_its_object_and_its_value_is_never_null() {
    let letter =
        letter(&Event::msk().record(Sample::new("orders", 3))).overflown("s3://b/k".to_owned());
    let destination = KafkaDestination::new("kafka://dead").unwrap();

    let record = destination.record(&letter);

    assert_eq!(record.value.as_deref(), Some(letter.envelope().as_bytes()));
    let last = record.headers.last().unwrap();
    assert_eq!(
        *last,
        ("__lambda_msk.errors.overflow".to_owned(), text("s3://b/k"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_of_the_destinations_own_topic_is_not_sent() {
    let destination = KafkaDestination::new("kafka://orders").unwrap();

    let results = outcomes(destination.send(&letters(1)).await);

    assert!(results[0].starts_with("the topic is the one that the record came from"));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_could_not_be_decoded_has_no_room_in_a_topic() {
    let sample = sample().raw_field("key", r#""no base64""#);
    let letter = letter(&Event::msk().record(sample));
    assert!(letter.record().fault().is_some());

    let destination = KafkaDestination::new("kafka://dead?bootstrap=127.0.0.1:1").unwrap();
    let results = destination.send(std::slice::from_ref(&letter)).await;

    assert!(results[0].as_ref().unwrap_err().is_no_room());
}

#[tokio::test(start_paused = true)]
async fn brokers_that_take_scram_alone_are_refused_at_once() {
    let brokers = "b-1.shop:9096,b-2.shop:9096";
    let letter = letter(&Event::msk().bootstrap_servers(brokers).record(sample()));

    let destination = KafkaDestination::new("kafka://dead").unwrap();
    let results = outcomes(destination.send(std::slice::from_ref(&letter)).await);

    assert!(
        results[0].contains("SASL/SCRAM, which is not supported")
            && results[0].contains("?bootstrap=HOST:9098"),
        "{}",
        results[0]
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_without_brokers_says_to_name_them() {
    let letter = letter(&Event::msk().without("bootstrapServers").record(sample()));

    let destination = KafkaDestination::new("kafka://dead").unwrap();
    let results = outcomes(destination.send(std::slice::from_ref(&letter)).await);

    assert!(
        results[0].contains("?bootstrap=HOST:PORT"),
        "{}",
        results[0]
    );
}

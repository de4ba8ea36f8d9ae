//! Letters by their headers: each family as its own writer has them, and what cannot be read.

mod vectors;

use msk_mapping::record::{Record, TopicPartition};

use super::{is_replayed, read};
use crate::dlq::document::Foreign;
use crate::dlq::letter::{Content, Letter, Shape};

fn record(headers: &[(&str, &[u8])]) -> Record {
    let record = Record::new(TopicPartition::new("dead", 2), 9)
        .with_timestamp(1_000)
        .with_key("k")
        .with_value("{}")
        .with_header("tenant", "a");
    headers.iter().fold(record, |record, (name, value)| {
        record.with_header(*name, value.to_vec())
    })
}

fn family(start: &str, headers: &[(&str, &str)]) -> Record {
    headers.iter().fold(record(&[]), |record, (name, value)| {
        record.with_header(format!("{start}{name}"), value.as_bytes().to_vec())
    })
}

const PLACE: [(&str, &str); 3] = [("topic", "orders"), ("partition", "1"), ("offset", "41")];

fn event(letter: &Letter) -> String {
    let Content::Event(event) = &letter.content else {
        panic!("{:?}", letter.content);
    };
    event.json(None)
}

#[test]
fn springs_numbers_are_big_endian_bytes() {
    let spring = record(&[
        ("kafka_dlt-original-topic", b"orders"),
        ("kafka_dlt-original-partition", &1_i32.to_be_bytes()),
        ("kafka_dlt-original-offset", &41_i64.to_be_bytes()),
        ("kafka_dlt-original-timestamp", &7_i64.to_be_bytes()),
        ("kafka_dlt-original-consumer-group", b"shop"),
        ("kafka_dlt-exception-fqcn", b"java.lang.IllegalState"),
        ("kafka_dlt-exception-message", b"no"),
    ]);

    let letter = read(&spring).unwrap();

    assert_eq!(
        (letter.shape, letter.place()),
        (Shape::Spring, "orders-1@41".to_owned())
    );
    assert_eq!(
        (&*letter.code, letter.group.as_deref()),
        ("java.lang.IllegalState", Some("shop"))
    );
    assert_eq!(
        event(&letter),
        r#"{"eventSource":"SelfManagedKafka","records":{"orders-1":[{"topic":"orders","partition":1,"offset":41,"timestamp":7,"timestampType":"CREATE_TIME","key":"aw==","value":"e30=","headers":[{"tenant":[97]}]}]}}"#
    );
}

#[test]
fn the_text_families_give_their_place_and_reason() {
    for (start, shape, reason, code) in [
        (
            "__connect.errors.",
            Shape::Connect,
            "exception.class.name",
            "C",
        ),
        ("__streams.errors.", Shape::Streams, "exception", "C"),
        (
            "__dlq.errors.",
            Shape::ShareGroup,
            "delivery.count",
            "share-group",
        ),
        ("__lambda_msk.errors.", Shape::Headers, "code", "C"),
    ] {
        let value = if shape == Shape::ShareGroup { "5" } else { "C" };
        let letter = read(&family(start, &[&PLACE[..], &[(reason, value)]].concat())).unwrap();

        assert_eq!((letter.shape, &*letter.code), (shape, code));
        assert_eq!(letter.place(), "orders-1@41");
        let known = (shape != Shape::ShareGroup).then_some(1_000);
        assert_eq!(letter.spans[0].first_ms, known, "{start}");
        assert!(!event(&letter).contains("errors"), "{start}");
    }
}

#[test]
fn our_headers_name_the_cluster_and_count_redrives() {
    let more = [
        ("cluster", "arn:aws:kafka:c"),
        ("redrives", "2"),
        ("attempts", "1"),
    ];
    let ours = family("__lambda_msk.errors.", &[&PLACE[..], &more].concat());

    let letter = read(&ours).unwrap();

    assert_eq!(letter.arn.as_deref(), Some("arn:aws:kafka:c"));
    assert_eq!((letter.redrives, letter.attempts), (2, Some(1)));
    assert!(
        event(&letter)
            .starts_with(r#"{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:c""#)
    );
}

#[test]
fn our_header_of_an_overflow_points_to_the_record() {
    let ours = family(
        "__lambda_msk.errors.",
        &[&PLACE[..], &[("overflow", "s3://b/k")]].concat(),
    );

    let letter = read(&ours).unwrap();

    assert_eq!(letter.content, Content::Elsewhere("s3://b/k".to_owned()));
}

#[test]
fn a_record_without_readable_error_headers_is_named() {
    let wrong = [("topic", "orders"), ("partition", "one"), ("offset", "41")];
    let short = record(&[
        ("kafka_dlt-original-topic", b"orders"),
        ("kafka_dlt-original-partition", b"1"),
        ("kafka_dlt-original-offset", b"41"),
    ]);
    let at = |offset: &str| family("__dlq.errors.", &[PLACE[0], PLACE[1], ("offset", offset)]);
    for (record, foreign) in [
        (record(&[]), Foreign::NoErrorHeaders),
        (at("-1"), Foreign::BadErrorHeaders),
        // No offset is behind it.
        (at("9223372036854775807"), Foreign::BadErrorHeaders),
        (
            family("__connect.errors.", &wrong),
            Foreign::BadErrorHeaders,
        ),
        (
            family("__connect.errors.", &PLACE[..2]),
            Foreign::BadErrorHeaders,
        ),
        (short, Foreign::BadErrorHeaders),
    ] {
        assert_eq!(read(&record), Err(foreign));
    }
}

#[test]
fn headers_of_errors_replicators_and_traces_are_not_replayed() {
    for name in [
        "__mskmr",
        "traceparent",
        "tracestate",
        "baggage",
        "X-Amzn-Trace-Id",
        "b3",
        "X-B3-TraceId",
        "__lambda_msk.errors.code",
        "__lambda_msk.redrives",
        "kafka_dlt-original-topic",
    ] {
        assert!(!is_replayed(name), "{name}");
    }
    assert!(is_replayed("tenant") && is_replayed("content-type"));
}

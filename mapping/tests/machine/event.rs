//! The event's exact bytes.

use msk_mapping::event::{Envelope, Nulls, Source};
use msk_mapping::record::{Header, Record, TimestampType, TopicPartition};

fn msk() -> Source {
    Source::Msk {
        arn: "arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1".to_owned(),
        bootstrap_servers: Some("b-1.orders:9098,b-2.orders:9098".to_owned()),
    }
}

fn event(source: Source, nulls: Nulls, records: &[Record]) -> String {
    let event = Envelope::new(source, nulls).event(records);
    String::from_utf8(event.to_vec())
        .unwrap()
        .replace(",\"", ",\n\"")
}

/// The map of the records in an event of MSK: the first test shows what stands around it.
fn records(nulls: Nulls, records: &[Record]) -> String {
    let event = event(msk(), nulls, records);
    let (_, map) = event.split_once("\"records\":").unwrap();
    map.strip_suffix('}').unwrap().to_owned()
}

fn orders(partition: i32) -> TopicPartition {
    TopicPartition::new("orders", partition)
}

#[test]
fn an_event_of_msk_names_its_cluster() {
    let record = Record::new(orders(0), 15)
        .with_timestamp(1_545_084_650_987)
        .with_key("c-7")
        .with_value(r#"{"id":1}"#)
        .with_header("traceparent", "00-");

    insta::assert_snapshot!(event(msk(), Nulls::Absent, &[record]), @r#"
    {"eventSource":"aws:kafka",
    "eventSourceArn":"arn:aws:kafka:eu-central-1:123456789012:cluster/orders/a1",
    "bootstrapServers":"b-1.orders:9098,b-2.orders:9098",
    "records":{"orders-0":[{"topic":"orders",
    "partition":0,
    "offset":15,
    "timestamp":1545084650987,
    "timestampType":"CREATE_TIME",
    "key":"Yy03",
    "value":"eyJpZCI6MX0=",
    "headers":[{"traceparent":[48,48,45]}]}]}}
    "#);
}

#[test]
fn an_event_of_a_self_managed_cluster_has_no_arn() {
    let source = Source::SelfManaged {
        bootstrap_servers: None,
    };

    insta::assert_snapshot!(event(source, Nulls::Absent, &[]), @r#"
    {"eventSource":"SelfManagedKafka",
    "records":{}}
    "#);
}

#[test]
fn records_stand_under_their_partition() {
    let dashed = TopicPartition::new("orders-0", 1);
    let several = [
        Record::new(orders(0), 1),
        Record::new(orders(0), 3),
        Record::new(dashed, 2),
    ];

    insta::assert_snapshot!(records(Nulls::Absent, &several), @r#"
    {"orders-0":[{"topic":"orders",
    "partition":0,
    "offset":1,
    "timestamp":-1,
    "timestampType":"CREATE_TIME",
    "headers":[]},{"topic":"orders",
    "partition":0,
    "offset":3,
    "timestamp":-1,
    "timestampType":"CREATE_TIME",
    "headers":[]}],
    "orders-0-1":[{"topic":"orders-0",
    "partition":1,
    "offset":2,
    "timestamp":-1,
    "timestampType":"CREATE_TIME",
    "headers":[]}]}
    "#);
}

#[test]
fn a_key_or_value_that_is_not_there_is_missing_or_null_and_never_empty() {
    let none = Record::new(orders(0), 1);
    let empty = Record::new(orders(0), 2).with_key("").with_value("");

    insta::assert_snapshot!(records(Nulls::Null, &[none.clone(), empty.clone()]), @r#"
    {"orders-0":[{"topic":"orders",
    "partition":0,
    "offset":1,
    "timestamp":-1,
    "timestampType":"CREATE_TIME",
    "key":null,
    "value":null,
    "headers":[]},{"topic":"orders",
    "partition":0,
    "offset":2,
    "timestamp":-1,
    "timestampType":"CREATE_TIME",
    "key":"",
    "value":"",
    "headers":[]}]}
    "#);
    insta::assert_snapshot!(records(Nulls::Absent, &[none, empty]), @r#"
    {"orders-0":[{"topic":"orders",
    "partition":0,
    "offset":1,
    "timestamp":-1,
    "timestampType":"CREATE_TIME",
    "headers":[]},{"topic":"orders",
    "partition":0,
    "offset":2,
    "timestamp":-1,
    "timestampType":"CREATE_TIME",
    "key":"",
    "value":"",
    "headers":[]}]}
    "#);
}

#[test]
fn header_bytes_are_signed_and_keep_order_and_repeats() {
    let mut record = Record::new(orders(0), 1)
        .with_header("b", vec![0, 127, 128, 255])
        .with_header("a", "ë")
        .with_header("b", "")
        .with_header("", "x");
    record.headers.push(Header {
        name: "null \"ü\"\n".to_owned(),
        value: None,
    });
    record.timestamp_type = TimestampType::LogAppendTime;

    insta::assert_snapshot!(records(Nulls::Absent, &[record]), @r#"
    {"orders-0":[{"topic":"orders",
    "partition":0,
    "offset":1,
    "timestamp":-1,
    "timestampType":"LOG_APPEND_TIME",
    "headers":[{"b":[0,127,-128,-1]},{"a":[-61,-85]},{"b":[]},{"":[120]},{"null \"ü\"\n":null}]}]}
    "#);
}

mod exact {
    use msk_mapping::event::{Envelope, Nulls, Source};
    use msk_mapping::record::{Header, Record, TopicPartition};
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::{Strategy, any, proptest};

    fn record() -> impl Strategy<Value = Record> {
        let bytes = || option::of(vec(any::<u8>(), 0..20));
        let headers = vec((".{0,6}", bytes()), 0..3);
        (any::<i64>(), any::<i64>(), bytes(), bytes(), headers).prop_map(
            |(offset, timestamp, key, value, headers)| {
                let mut record =
                    Record::new(TopicPartition::new("t\"ö", 0), offset).with_timestamp(timestamp);
                record.key = key.map(Into::into);
                record.value = value.map(Into::into);
                let header = |(name, value): (String, Option<Vec<u8>>)| Header {
                    name,
                    value: value.map(Into::into),
                };
                record.headers = headers.into_iter().map(header).collect();
                record
            },
        )
    }

    proptest! {
        #[test]
        fn the_size_is_that_of_the_event_at_every_step(
            mut records in vec((0..3_i32, record()), 0..8),
            nulls in any::<bool>(),
            servers in option::of(".{0,9}"),
        ) {
            records.sort_by_key(|(partition, _)| *partition);
            let nulls = if nulls { Nulls::Null } else { Nulls::Absent };
            let envelope = Envelope::new(Source::SelfManaged { bootstrap_servers: servers }, nulls);
            let mut size = envelope.size();
            let mut event = Vec::new();
            assert_eq!(envelope.event(&event).len(), size.bytes());

            for (partition, mut record) in records {
                record.partition = TopicPartition::new("t\"ö", partition);
                size.add(&record.partition, envelope.record_bytes(&record));
                event.push(record);

                let json = envelope.event(&event);
                assert_eq!(json.len(), size.bytes());
                serde_json::from_slice::<serde_json::Value>(&json).unwrap();
            }
        }
    }
}

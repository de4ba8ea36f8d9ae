//! Strategies for [proptest](https://docs.rs/proptest): events with every variation that Lambda may send.
//!
//! ```
//! use lambda_msk::testing::strategy;
//! use proptest::proptest;
//!
//! proptest! {
//!     // In a test file, `#[test]` stands here.
//!     fn every_event_is_read(event in strategy::event()) {
//!         let records = event.build().records().unwrap();
//!         assert!(records.iter().all(|record| record.fault().is_none()));
//!     }
//! }
//! # every_event_is_read();
//! ```

use proptest::arbitrary::any;
use proptest::collection::vec;
use proptest::option;
use proptest::sample::select;
use proptest::strategy::{Just, Strategy};
use proptest::{prop_compose, prop_oneof};

use super::event::{Event, EventBuilder};
use super::sample::Sample;
use crate::record::TimestampType;

/// Partitions of one event, records of one partition, at most. Oddities show in few; a failing case stays readable.
const PARTITIONS_MAX: usize = 4;
const RECORDS_MAX: usize = 6;

/// Generates whole events of both sources: up to four partitions of topics with similar names, offsets with gaps, and the variations of [`record`]. All records decode without a fault.
pub fn event() -> impl Strategy<Value = EventBuilder> {
    let partition = (
        topic(),
        0..3_i32,
        vec((1..=1_000_i64, record()), 0..=RECORDS_MAX),
        first_offset(),
    );
    (
        any::<bool>(),
        any::<bool>(),
        vec(partition, 0..=PARTITIONS_MAX),
    )
        .prop_map(|(msk, brokers, partitions)| {
            let mut event = if msk {
                Event::msk()
            } else {
                Event::self_managed()
            };
            if !brokers {
                event = event.without("bootstrapServers");
            }
            let mut seen = Vec::new();
            for (topic, partition, records, first) in partitions {
                // Lambda sends each partition once.
                if seen.contains(&(topic.clone(), partition)) {
                    continue;
                }
                seen.push((topic.clone(), partition));
                let mut offset = first;
                for (gap, record) in records {
                    event = event.record(record.of(&topic, partition).offset(offset));
                    offset += gap;
                }
            }
            event
        })
}

/// Generates topic names that are easily split in the wrong place when they stand in `topic-partition`.
pub fn topic() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "orders",
            "orders-0",
            "orders-1",
            "orders.v1-0",
            "-",
            "0",
            "__audit",
            "a-b.c_d-2"
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9._-]{1,40}",
    ]
}

prop_compose! {
    /// Generates records of `orders-0` without an offset: absent, empty and full keys and values, headers with repeats, null values and bytes of either sign, timestamps or none, schemas or none.
    pub fn record()(
        key in option::of(payload()),
        value in option::weighted(0.8, payload()),
        headers in vec((header_name(), option::weighted(0.9, payload())), 0..4),
        timestamp in prop_oneof![Just(-1), Just(0), 0..=4_102_444_800_000_i64],
        timestamp_type in select(vec![TimestampType::CreateTime, TimestampType::LogAppendTime, TimestampType::Unknown]),
        (null_key, absent_value) in any::<(bool, bool)>(),
        schema in option::weighted(0.2, select(vec![("AVRO", "7"), ("PROTOBUF", "12"), ("JSON", "c1a3e2f4-0000-4000-8000-000000000001")])),
    ) -> Sample {
        let mut record = Sample::new("orders", 0).timestamp(timestamp).timestamp_type(timestamp_type);
        match key {
            Some(key) => record = record.key(key),
            // Absent and null are the same key.
            None if null_key => record = record.raw_field("key", "null"),
            None => {}
        }
        match value {
            Some(value) => record = record.value(value),
            // Both are tombstones.
            None if absent_value => record = record.without("value"),
            None => {}
        }
        for (name, value) in headers {
            record = match value {
                Some(value) => record.header(name, value),
                None => record.null_header(name),
            };
        }
        if let Some((format, id)) = schema {
            record = record.value_schema(format, id);
        }
        record
    }
}

fn first_offset() -> impl Strategy<Value = i64> {
    // The second starts where a float no longer holds each whole number, the last leaves room for `RECORDS_MAX` gaps.
    prop_oneof![0..100_i64, Just((1 << 53) + 1), Just(i64::MAX - 10_000)]
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 1..80),
        Just(b"{\"order_id\":7}".to_vec())
    ]
}

fn header_name() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "traceparent",
            "id",
            "id",
            "",
            "quoted \"\\ name",
            "größe",
            "\u{1}"
        ])
        .prop_map(str::to_owned),
        "[a-z-]{1,12}",
    ]
}

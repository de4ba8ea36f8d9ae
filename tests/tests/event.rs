//! The mapping's events and the framework's decoder know nothing of each other: what one writes, the other reads.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::Path;

use lambda_msk::record::{EventSourceKind, TimestampType};
use lambda_msk::testing::Event;
use msk_mapping::event::{Envelope, Nulls, Source};
use msk_mapping::record::{self, Header, Record, TopicPartition};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

/// Any records of some partitions: offsets ascend, with gaps.
fn records() -> impl Strategy<Value = Vec<Record>> {
    let bytes = || option::of(vec(any::<u8>(), 0..40));
    let timestamp = prop_oneof![Just(-1), any::<i64>()];
    let headers = vec((any::<String>(), bytes()), 0..4);
    let record = (
        1..1_000_i64,
        timestamp,
        any::<bool>(),
        bytes(),
        bytes(),
        headers,
    );
    let record = record.prop_map(|(gap, timestamp, appended, key, value, headers)| {
        let mut record = Record::new(TopicPartition::new("", 0), gap).with_timestamp(timestamp);
        if appended {
            record.timestamp_type = record::TimestampType::LogAppendTime;
        }
        record.key = key.map(Into::into);
        record.value = value.map(Into::into);
        let header = |(name, value): (String, Option<Vec<u8>>)| Header {
            name,
            value: value.map(Into::into),
        };
        record.headers = headers.into_iter().map(header).collect();
        record
    });
    let topic = "[a-zA-Z0-9._-]{1,9}";
    let partitions = vec(
        ((topic, 0..1_000_i32), any::<u32>(), vec(record, 1..8)),
        0..5,
    );
    partitions.prop_map(|partitions| {
        let mut keys = BTreeMap::new();
        for ((topic, partition), start, mut records) in partitions {
            let place = TopicPartition::new(topic, partition);
            let mut offset = i64::from(start);
            for record in &mut records {
                offset += record.offset;
                (record.offset, record.partition) = (offset, place.clone());
            }
            // A partition may be drawn twice.
            keys.insert(place.to_string(), records);
        }
        keys.into_values().flatten().collect()
    })
}

fn source() -> impl Strategy<Value = Source> {
    let servers = || option::of("[a-z0-9.:,-]{1,20}");
    prop_oneof![
        ("arn:aws:kafka:[a-z0-9:/-]{1,20}", servers()).prop_map(|(arn, bootstrap_servers)| {
            Source::Msk {
                arn,
                bootstrap_servers,
            }
        }),
        servers().prop_map(|bootstrap_servers| Source::SelfManaged { bootstrap_servers }),
    ]
}

fn check(source: &Source, nulls: Nulls, sent: &[Record]) {
    let event = Envelope::new(source.clone(), nulls).event(sent);

    let read = Event::from(event).records().unwrap();

    assert_eq!(read.len(), sent.len());
    for (read, sent) in read.iter().zip(sent) {
        assert!(read.fault().is_none(), "{:?}", read.fault());
        assert_eq!(read.topic(), sent.partition.topic());
        assert_eq!(read.partition(), sent.partition.partition());
        assert_eq!(read.offset(), sent.offset);
        assert_eq!(read.timestamp_millis(), sent.timestamp);
        let appended = read.timestamp_type() == TimestampType::LogAppendTime;
        assert_eq!(
            appended,
            sent.timestamp_type == record::TimestampType::LogAppendTime
        );
        assert_eq!(read.key(), sent.key.as_deref());
        assert_eq!(read.value(), sent.value.as_deref());
        let headers = read.headers();
        let headers: Vec<_> = headers.iter().collect();
        let sent_headers: Vec<_> = sent
            .headers
            .iter()
            .map(|header| (header.name.as_str(), header.value.as_deref()))
            .collect();
        assert_eq!(headers, sent_headers);
        let from = read.event_source();
        assert_eq!(
            from.kind == EventSourceKind::Msk,
            matches!(source, Source::Msk { .. })
        );
        assert_eq!(from.arn.as_deref(), source.arn());
        assert_eq!(
            from.bootstrap_servers.as_deref(),
            source.bootstrap_servers()
        );
    }
}

proptest! {
    #[test]
    fn the_framework_reads_what_the_mapping_writes(records in records(), source in source(), null in any::<bool>()) {
        check(&source, if null { Nulls::Null } else { Nulls::Absent }, &records);
    }
}

/// The files are as Lambda writes, apart from white space.
#[test]
fn the_mapping_writes_the_events_in_the_repository_as_they_stand_there() {
    for name in ["one-order", "orders", "self-managed"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../events/{name}.json"));
        let event = Event::from_file(path).unwrap();
        let file: serde_json::Value = serde_json::from_slice(event.as_bytes()).unwrap();
        let read = event.records().unwrap();

        let mut source = None;
        let mut records = Vec::new();
        for read in &read {
            let from = read.event_source();
            let bootstrap_servers = from.bootstrap_servers.clone();
            source = Some(match from.arn.clone() {
                Some(arn) => Source::Msk {
                    arn,
                    bootstrap_servers,
                },
                None => Source::SelfManaged { bootstrap_servers },
            });
            let place = TopicPartition::new(read.topic(), read.partition());
            let mut record =
                Record::new(place, read.offset()).with_timestamp(read.timestamp_millis());
            record.key = read.key().map(|key| key.to_vec().into());
            record.value = read.value().map(|value| value.to_vec().into());
            for (name, value) in read.headers().iter() {
                record.headers.push(Header {
                    name: name.to_owned(),
                    value: value.map(|value| value.to_vec().into()),
                });
            }
            records.push(record);
        }
        let written = Envelope::new(source.unwrap(), Nulls::Absent).event(&records);

        let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(written, file, "{name}");
    }
}

//! Records as they were produced, in the event that the function gets: through a consumer group and a share group.

use bytes::Bytes;
use msk_mapping::driver::{Cluster, Outgoing, Producer};
use msk_mapping::machine::ConsumptionMode;
use msk_mapping::record::Header;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::consume;
use crate::support::broker::{bootstrap, topic_with};
use crate::support::echo;

/// All that Kafka has.
const CODECS: [&str; 5] = ["uncompressed", "gzip", "snappy", "lz4", "zstd"];
/// 2026-01-01T00:00:00.123Z.
const TIME_MS: i64 = 1_767_225_600_123;

fn header(name: &str, value: Option<&'static [u8]>) -> Header {
    Header {
        name: name.to_owned(),
        value: value.map(Bytes::from_static),
    }
}

/// Four records that say nothing in different ways, and a long one that is worth compressing.
async fn produce(topic: &str) {
    let headers = [
        header("a", Some(b"\xc3\xab\x7f\x80")),
        header("a", None),
        header("", Some(b"")),
        header("a", Some(b"\x00")),
    ];
    let record = |key: Option<&'static [u8]>, value: Option<&'static [u8]>| {
        let mut record = Outgoing::to(topic);
        (record.key, record.value) = (key, value);
        record.timestamp = Some(TIME_MS);
        record
    };
    let mut full = record(Some(b"k"), Some(b"\x00\xff"));
    full.headers = &headers;
    let long: &[u8] = &[b'x'; 3_000];
    let mut records = vec![full, record(Some(b""), Some(b""))];
    records.extend([record(Some(b"gone"), None), record(None, None)]);
    let mut compressed = Outgoing::to(topic);
    (compressed.value, compressed.timestamp) = (Some(long), Some(TIME_MS));
    records.push(compressed);
    let producer = Producer::new(&Cluster::new(bootstrap())).unwrap();
    producer.send(&records).await.unwrap();
}

/// How they stand in an event. A null is left out.
fn expected(topic: &str) -> Vec<Value> {
    let base = |offset: i64| {
        json!({
            "topic": topic, "partition": 0, "offset": offset,
            "timestamp": TIME_MS, "timestampType": "CREATE_TIME", "headers": [],
        })
    };
    let mut all: Vec<Value> = (0..5).map(base).collect();
    (all[0]["key"], all[0]["value"]) = (json!("aw=="), json!("AP8="));
    all[0]["headers"] = json!([{"a": [-61, -85, 127, -128]}, {"a": null}, {"": []}, {"a": [0]}]);
    (all[1]["key"], all[1]["value"]) = (json!(""), json!(""));
    all[2]["key"] = json!("Z29uZQ==");
    all[4]["value"] = json!("eHh4".repeat(1_000));
    all
}

/// The modes that this build has.
fn modes() -> Vec<ConsumptionMode> {
    let mut modes = vec![ConsumptionMode::Stream];
    if cfg!(feature = "share") {
        modes.push(ConsumptionMode::Queue);
    }
    modes
}

/// The records that a group of that kind was sent until all was settled, by offset.
async fn sent(topic: &str, mode: ConsumptionMode) -> Vec<Value> {
    let mut settings = consume::settings(&bootstrap(), topic);
    settings.consumption_mode = mode;
    settings.consumer_group_id = Some(format!("{topic}-{mode:?}"));
    if mode == ConsumptionMode::Queue {
        settings.maximum_batching_window_in_seconds = None;
    }
    let echoed = echo::run(echo::driver(Cluster::new(bootstrap()), settings)).await;
    let mut records: Vec<Value> = echoed.records().into_iter().cloned().collect();
    records.sort_by_key(|record| record["offset"].as_i64());
    records
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn records_arrive_as_they_were_produced_whatever_the_broker_compresses_them_with() {
    let mut all = JoinSet::new();
    for codec in CODECS {
        // The broker compresses anew what comes in any other way.
        let setting = [("compression.type", codec)];
        let topic = topic_with(&bootstrap(), &format!("records-{codec}"), 1, &setting).await;
        produce(&topic).await;
        for mode in modes() {
            let topic = topic.clone();
            all.spawn(async move { (sent(&topic, mode).await, topic, mode) });
        }
    }

    while let Some(done) = all.join_next().await {
        let (records, topic, mode) = done.unwrap();
        assert_eq!(records, expected(&topic), "{topic}, {mode:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_time_that_the_broker_gave_is_told_from_one_that_the_producer_gave() {
    let setting = [("message.timestamp.type", "LogAppendTime")];
    let topic = topic_with(&bootstrap(), "records-appended", 1, &setting).await;
    produce(&topic).await;

    for mode in modes() {
        let records = sent(&topic, mode).await;

        assert_eq!(records.len(), 5, "{mode:?}");
        for record in records {
            assert_eq!(record["timestampType"], "LOG_APPEND_TIME", "{mode:?}");
            // krafka 0.28 does not read the broker's time, which stands in the batch: it gives the producer's.
            if mode == ConsumptionMode::Stream {
                assert!(record["timestamp"].as_i64().unwrap() > TIME_MS);
            }
        }
    }
}

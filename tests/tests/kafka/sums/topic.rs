//! The topic: the file that fills it, and what a reader from outside finds in it.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::{Value, json};

use super::{Kind, PARTITIONS, Place, TOPIC};

/// Keys of a partition: lanes, in key order.
const KEYS: usize = 16;

/// A record, as it lies in the topic.
pub(super) struct InTopic {
    pub(super) timestamp_ms: i64,
    /// Of its key and its value.
    pub(super) bytes: u64,
}

/// An event for `--produce`, of so many records.
pub(super) fn event(records: usize) -> String {
    let mut partitions: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for number in 0..records {
        let partition = number % PARTITIONS;
        let key = format!("c-{}", number / PARTITIONS % KEYS);
        let value = match Kind::of_number(number, records) {
            Kind::Poison => "no order".to_owned(),
            kind => json!({"order_id": number, "customer_id": key, "amount_cents": 1250, "is": kind.name()}).to_string(),
        };
        let of_partition = partitions
            .entry(format!("{TOPIC}-{partition}"))
            .or_default();
        of_partition.push(json!({
            "topic": TOPIC, "partition": partition, "key": STANDARD.encode(key), "value": STANDARD.encode(value),
        }));
    }
    json!({"eventSource": "aws:kafka", "records": partitions}).to_string()
}

/// Reads all that many records with a client of its own.
pub(super) async fn read(bootstrap: &str, records: usize) -> BTreeMap<Place, InTopic> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "outside")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut from = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        let partition = i32::try_from(partition).unwrap();
        let added = from.add_partition_offset(TOPIC, partition, Offset::Beginning);
        added.unwrap();
    }
    consumer.assign(&from).unwrap();
    let read = move || {
        let mut all = BTreeMap::new();
        while all.len() < records {
            let message = consumer.poll(Duration::from_secs(20));
            let message = message.expect("the topic has them all").unwrap();
            let bytes = message.key_len() + message.payload_len();
            let record = InTopic {
                timestamp_ms: message.timestamp().to_millis().unwrap(),
                bytes: bytes as u64,
            };
            all.insert((message.partition(), message.offset()), record);
        }
        all
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

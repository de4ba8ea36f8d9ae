//! Records to a real broker. `tests/services/run` starts one.

use std::time::Duration;

use bytes::Bytes;
use krafka::admin::{CreateTopicsOptions, NewTopic};
use krafka::consumer::AutoOffsetReset;
use krafka::{ConsumerRecord, Kafka};
use tokio::time::Instant;

use super::{NewRecord, RecordError, RecordTopic};
use crate::address::Security;
use crate::send::{Patience, Progress};

fn brokers() -> String {
    std::env::var("LAMBDA_MSK_KAFKA").expect("run by tests/services/run")
}

fn progress() -> Progress {
    Progress::begin(Patience {
        without_success: Duration::from_secs(20),
        end: None,
    })
}

/// A topic of the test's own.
async fn topic(name: &str, partitions: i32) -> RecordTopic {
    let name = format!("{name}-{}", std::process::id());
    let kafka = Kafka::builder(brokers()).connect().await.unwrap();
    create(&kafka, &name, partitions).await;
    RecordTopic::new(name, brokers(), Security::Plaintext)
}

pub(super) async fn create(kafka: &Kafka, name: &str, partitions: i32) {
    let new = NewTopic::new(name, partitions, 1).unwrap();
    let admin = kafka.admin();
    let made = admin.create_topics([new], CreateTopicsOptions::default());
    made.await.unwrap().remove(name).unwrap().unwrap();
}

pub(super) fn record(partition: i32, value: &str) -> NewRecord {
    NewRecord {
        partition,
        key: Some(Bytes::from_static(b"k")),
        value: Some(Bytes::from(value.to_owned())),
        headers: Vec::new(),
    }
}

/// What the topic holds once it holds so many, and what comes within another moment.
pub(super) async fn read(brokers: &str, topic: &str, count: usize) -> Vec<ConsumerRecord> {
    let kafka = Kafka::builder(brokers).connect().await.unwrap();
    let consumer = kafka
        .consumer_without_group()
        .auto_offset_reset(AutoOffsetReset::Earliest)
        .build()
        .await
        .unwrap();
    let partitions = kafka.producer().build().await.unwrap();
    let partitions = partitions.partitions_for(topic).await.unwrap();
    let partitions = partitions.iter().map(|it| it.partition).collect();
    consumer.assign(topic, partitions).await.unwrap();
    let mut all = Vec::new();
    let end = Instant::now() + Duration::from_secs(20);
    while all.len() < count && Instant::now() < end {
        all.extend(consumer.poll(Duration::from_millis(200)).await.unwrap());
    }
    all.extend(consumer.poll(Duration::from_millis(200)).await.unwrap());
    all
}

#[tokio::test]
#[ignore = "needs a broker: make services"]
async fn a_record_is_in_a_real_topic_as_it_was_given() {
    let topic = topic("exact", 4).await;
    let headers = vec![
        ("a".to_owned(), Some(Bytes::from_static(&[0xff, 0]))),
        ("a".to_owned(), Some(Bytes::new())),
        ("b".to_owned(), None),
    ];
    let tombstone = NewRecord {
        partition: 3,
        key: Some(Bytes::new()),
        value: None,
        headers: headers.clone(),
    };

    topic.send(&tombstone, &progress()).await.unwrap();

    let read = read(&brokers(), &topic.topic, 1).await.remove(0);
    assert_eq!(
        (read.partition, read.value, read.headers),
        (3, None, headers)
    );
    assert_eq!(read.key, Some(Bytes::new()));
}

#[tokio::test]
#[ignore = "needs a broker: make services"]
async fn a_partition_that_a_real_topic_lacks_is_chosen_by_the_key() {
    let topic = topic("fewer", 2).await;

    topic.send(&record(7, "x"), &progress()).await.unwrap();

    assert!(read(&brokers(), &topic.topic, 1).await[0].partition < 2);
}

#[tokio::test]
#[ignore = "needs a broker: make services"]
async fn a_topic_that_a_real_cluster_lacks_is_named_before_the_time_is_up() {
    let topic = RecordTopic::new("missing", brokers(), Security::Plaintext);
    let started = Instant::now();

    let error = topic.send(&record(0, "x"), &progress()).await.unwrap_err();

    assert!(matches!(error, RecordError::NoTopic { .. }), "{error}");
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
#[ignore = "needs a broker: make services"]
async fn a_record_that_a_real_topic_has_no_room_for_says_so_at_once() {
    let topic = topic("large", 1).await;
    let large = "a".repeat(1_500_000);

    let error = topic
        .send(&record(0, &large), &progress())
        .await
        .unwrap_err();

    assert!(matches!(error, RecordError::TooLarge { .. }), "{error}");
    topic.send(&record(0, "small"), &progress()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a broker: make services"]
async fn a_cluster_that_nobody_serves_ends_with_the_time() {
    let topic = RecordTopic::new("dead", "127.0.0.1:1", Security::Plaintext);
    let patience = Patience {
        without_success: Duration::from_secs(2),
        end: None,
    };
    let started = Instant::now();

    let error = topic
        .send(&record(0, "x"), &Progress::begin(patience))
        .await
        .unwrap_err();

    assert!(matches!(error, RecordError::Unable { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_millis(2_500));
}

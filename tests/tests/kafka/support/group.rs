//! What a group's administrator does from outside, with a client of its own: commits, looks them up, deletes records.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::task::spawn_blocking;

use super::broker::bootstrap;

const LIMIT: Duration = Duration::from_secs(10);

fn consumer(group: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", bootstrap())
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        // Behind what is open too.
        .set("isolation.level", "read_uncommitted")
        .create()
        .unwrap()
}

/// These positions of the topic's first partitions.
fn at(topic: &str, positions: &[Offset]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, position) in (0..).zip(positions) {
        let added = list.add_partition_offset(topic, partition, *position);
        added.unwrap();
    }
    list
}

/// Commits offsets of the topic's first partitions for a group that nobody is in.
pub(crate) async fn commit(group: &str, topic: &str, positions: &[i64]) {
    let group = group.to_owned();
    let positions: Vec<Offset> = positions.iter().copied().map(Offset::Offset).collect();
    let list = at(topic, &positions);
    let committed = spawn_blocking(move || consumer(&group).commit(&list, CommitMode::Sync));
    committed.await.unwrap().unwrap();
}

/// The group's committed offset of the topic's first partition, and the partition's end: the same if its lag is 0, as
/// `kafka-consumer-groups` reckons it.
pub(crate) async fn committed_and_end(group: &str, topic: &str) -> (Option<i64>, i64) {
    let (group, topic) = (group.to_owned(), topic.to_owned());
    let asked = spawn_blocking(move || {
        let consumer = consumer(&group);
        let list = at(&topic, &[Offset::Invalid]);
        let found = consumer.committed_offsets(list, LIMIT).unwrap();
        let committed = match found.elements()[0].offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        (
            committed,
            consumer.fetch_watermarks(&topic, 0, LIMIT).unwrap().1,
        )
    });
    asked.await.unwrap()
}

/// Takes the records of the topic's first partition below this offset away.
pub(crate) async fn delete_below(topic: &str, offset: i64) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap())
        .create()
        .unwrap();
    let below = at(topic, &[Offset::Offset(offset)]);
    let deleted = admin.delete_records(&below, &AdminOptions::new()).await;
    assert_eq!(deleted.unwrap().elements()[0].error(), Ok(()));
}

//! Where a share group begins to read: what `StartingPosition` says, of each partition of which the group has no offset
//! yet. Called once, before its first member joins.
//!
//! The offsets themselves are set: the group's own `share.auto.offset.reset`, which would outlive the mapping, stays as it
//! is, and a time is kept to the record.

use std::time::Duration;

use krafka::admin::{AdminClient, AlterShareGroupOffsetsOptions, DescribeShareGroupOffsetsOptions};
use msk_kafka::Cluster;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::client;
use crate::driver::client::config;
use crate::limits::CONNECT_MS;
use crate::machine::StartingPosition;
use crate::record::TopicPartition;

const LIMIT: Duration = Duration::from_millis(CONNECT_MS);

/// Sets the offsets that are missing, and answers with their partitions: those in which the group is new. Err: the group
/// begins elsewhere, and why, with what to do.
pub(in crate::driver) async fn begin(
    cluster: &Cluster,
    group: &str,
    partitions: &[TopicPartition],
    start: StartingPosition,
) -> Result<Vec<TopicPartition>, String> {
    // krafka by itself asks for a minute.
    let set = match timeout(LIMIT, set_missing(cluster, group, partitions, start)).await {
        Ok(set) => set,
        Err(_) => Err(format!("no answer in {CONNECT_MS} ms")),
    };
    set.map_err(|reason| {
        format!(
            "the share group `{group}` starts where its own setting says, not at {start} ({reason}). To change the setting: \
             kafka-configs --bootstrap-server {} --alter --entity-type groups --entity-name '{group}' --add-config \
             share.auto.offset.reset={} (and --command-config FILE, if the cluster needs TLS or SASL)",
            cluster.bootstrap(),
            reset(start),
            start = name(start),
        )
    })
}

async fn set_missing(
    cluster: &Cluster,
    group: &str,
    partitions: &[TopicPartition],
    start: StartingPosition,
) -> Result<Vec<TopicPartition>, String> {
    let admin = client(cluster).await.map_err(in_words)?.admin();
    let missing = missing(&admin, group, partitions).await.map_err(in_words)?;
    if missing.is_empty() {
        return Ok(missing);
    }
    // By librdkafka: krafka asks on and on where there is no record of that time.
    let (cluster, asked) = (cluster.clone(), missing.clone());
    let found = spawn_blocking(move || starts(&cluster, &asked, start)).await;
    let starts = found.map_err(in_words)?.map_err(in_words)?;
    let offsets = starts
        .iter()
        .map(|(partition, offset)| (named(partition), *offset));
    let options = AlterShareGroupOffsetsOptions::default();
    let set = admin.alter_share_group_offsets(group, offsets, options);
    for (_, done) in set.await.map_err(in_words)? {
        done.map_err(in_words)?;
    }
    Ok(missing)
}

/// Where a reader that starts so begins, for each of these partitions: at the end, if no record is of that time or later.
/// Blocks for at most ten seconds a partition.
fn starts(
    cluster: &Cluster,
    partitions: &[TopicPartition],
    start: StartingPosition,
) -> Result<Vec<(TopicPartition, i64)>, KafkaError> {
    // What a share group reads by default, so that its end is behind what is open too.
    let mut settings = cluster.common();
    settings.set("isolation.level", "read_uncommitted");
    let client: BaseConsumer = config(settings).create()?;
    let offset = |partition: &TopicPartition| {
        let (topic, number) = (partition.topic(), partition.partition());
        let (low, high) = client.fetch_watermarks(topic, number, LIMIT)?;
        let at = match start {
            StartingPosition::TrimHorizon => low,
            StartingPosition::Latest => high,
            StartingPosition::AtTimestamp(millis) => {
                let mut list = TopicPartitionList::new();
                list.add_partition_offset(topic, number, Offset::Offset(millis))?;
                let found = client.offsets_for_times(list, LIMIT)?;
                let found = found.find_partition(topic, number);
                let offset = found.and_then(|found| found.offset().to_raw());
                // Negative: there is none.
                offset.filter(|offset| *offset >= 0).unwrap_or(high)
            }
        };
        Ok((partition.clone(), at))
    };
    partitions.iter().map(offset).collect()
}

/// Those of which the group has no offset.
async fn missing(
    admin: &AdminClient,
    group: &str,
    partitions: &[TopicPartition],
) -> krafka::Result<Vec<TopicPartition>> {
    let all = DescribeShareGroupOffsetsOptions::default();
    let known = admin.describe_share_group_offsets(group, all).await?;
    let mut missing = Vec::new();
    for partition in partitions {
        match known.get(&named(partition)) {
            None => missing.push(partition.clone()),
            Some(Ok(found)) if found.start_offset < 0 => missing.push(partition.clone()),
            Some(Ok(_)) => {}
            // It may have one: what was not settled would be skipped, or all come again.
            Some(Err(error)) => return Err(error.clone()),
        }
    }
    Ok(missing)
}

fn named(partition: &TopicPartition) -> krafka::admin::TopicPartition {
    krafka::admin::TopicPartition::new(partition.topic(), partition.partition())
}

fn in_words(error: impl std::error::Error) -> String {
    error.to_string()
}

const fn name(start: StartingPosition) -> &'static str {
    match start {
        StartingPosition::TrimHorizon => "TRIM_HORIZON",
        StartingPosition::Latest => "LATEST",
        StartingPosition::AtTimestamp(_) => "AT_TIMESTAMP",
    }
}

/// What the group's own setting can say of it: a time only as so long ago, which is for who types it to reckon (`PT1H`).
const fn reset(start: StartingPosition) -> &'static str {
    match start {
        StartingPosition::TrimHorizon => "earliest",
        StartingPosition::Latest => "latest",
        StartingPosition::AtTimestamp(_) => "by_duration:DURATION",
    }
}

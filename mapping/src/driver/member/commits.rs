//! A member's commits. One request is under way at a time, and what comes meanwhile goes together in the next.
//!
//! A commit that nobody waits for is not answered: rdkafka 0.39 calls back for automatic ones only. So each is waited for,
//! on a thread of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use tokio::task::JoinHandle;

use super::Client;
use crate::record::TopicPartition;

type Positions = BTreeMap<TopicPartition, i64>;

#[derive(Debug, Default)]
pub(super) struct Commits {
    waiting: Positions,
    under_way: Option<(Positions, JoinHandle<KafkaResult<()>>)>,
}

/// What the broker said of a request.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) positions: Positions,
    pub(super) result: KafkaResult<()>,
}

impl Commits {
    pub(super) fn add(&mut self, client: &Arc<Client>, partition: TopicPartition, position: i64) {
        self.waiting.insert(partition, position);
        self.send(client);
    }

    /// Leaves out what was not sent yet of partitions that are another's from now on.
    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.waiting.remove(partition);
        }
    }

    /// The next answer. None: nothing is under way. May be dropped and called again.
    pub(super) async fn answered(&mut self, client: &Arc<Client>) -> Option<Answered> {
        let (_, task) = self.under_way.as_mut()?;
        let result = task.await.unwrap_or(Err(KafkaError::Canceled));
        let (positions, _) = self.under_way.take()?;
        self.send(client);
        Some(Answered { positions, result })
    }

    fn send(&mut self, client: &Arc<Client>) {
        if self.under_way.is_some() || self.waiting.is_empty() {
            return;
        }
        let positions = std::mem::take(&mut self.waiting);
        let (client, sent) = (Arc::clone(client), positions.clone());
        let task = tokio::task::spawn_blocking(move || {
            let mut list = TopicPartitionList::new();
            for (partition, position) in sent {
                let (topic, number) = (partition.topic(), partition.partition());
                list.add_partition_offset(topic, number, Offset::Offset(position))?;
            }
            client.commit(&list, CommitMode::Sync)
        });
        self.under_way = Some((positions, task));
    }
}

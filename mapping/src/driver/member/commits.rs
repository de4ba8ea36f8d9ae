//! A member's commits. A partition has one request under way at a time, and waits for no other partition's; what comes
//! meanwhile goes in the next. A position that the broker refused is kept until a higher one is taken, so that nothing of it
//! is forgotten when the partition goes.
//!
//! A commit that nobody waits for is not answered: rdkafka 0.39 calls back for automatic ones only. So each is waited for,
//! on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use tokio::task::JoinSet;

use super::joined::Client;
use crate::driver::apart::apart;
use crate::record::TopicPartition;

type Positions = BTreeMap<TopicPartition, i64>;

#[derive(Debug, Default)]
pub(super) struct Commits {
    waiting: Positions,
    under_way: BTreeSet<TopicPartition>,
    requests: JoinSet<Answered>,
    /// With the broker's reason. Nothing higher waits, is under way, or was taken since.
    refused: BTreeMap<TopicPartition, (i64, String)>,
}

/// What the broker said of a request.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) positions: Positions,
    pub(super) result: KafkaResult<()>,
}

impl Commits {
    pub(super) fn add(&mut self, client: &Arc<Client>, partition: TopicPartition, position: i64) {
        self.refused.remove(&partition);
        self.waiting.insert(partition, position);
        self.send(client);
    }

    /// Leaves out what is known of partitions that are another's from now on. Some: what the broker has not taken.
    pub(super) fn forget(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Vec<(TopicPartition, i64, String)> {
        let mut left = Vec::new();
        for partition in partitions {
            let silent = || "the broker did not answer in time".to_owned();
            let waiting = self.waiting.remove(partition);
            let waiting = waiting.map(|position| (position, silent()));
            if let Some((position, reason)) = waiting.or(self.refused.remove(partition)) {
                left.push((partition.clone(), position, reason));
            }
        }
        left
    }

    /// The next answer. None: nothing is under way. May be dropped and called again.
    pub(super) async fn answered(&mut self, client: &Arc<Client>) -> Option<Answered> {
        let joined = self.requests.join_next().await?;
        // A request is neither cancelled, nor does it panic.
        let answered = joined.unwrap_or_else(|_| Answered {
            positions: Positions::new(),
            result: Err(KafkaError::Canceled),
        });
        for (partition, position) in &answered.positions {
            self.under_way.remove(partition);
            if let Err(error) = &answered.result
                && !self.waiting.contains_key(partition)
            {
                let refused = (*position, error.to_string());
                self.refused.insert(partition.clone(), refused);
            }
        }
        self.send(client);
        Some(answered)
    }

    /// Whether something of these partitions is under way.
    pub(super) fn awaits(&self, partitions: &[TopicPartition]) -> bool {
        partitions
            .iter()
            .any(|partition| self.under_way.contains(partition))
    }

    /// Sends once more what was refused of these partitions. False: nothing was.
    pub(super) fn again(&mut self, client: &Arc<Client>, partitions: &[TopicPartition]) -> bool {
        let mut again = false;
        for partition in partitions {
            if let Some((position, _)) = self.refused.remove(partition) {
                self.waiting.insert(partition.clone(), position);
                again = true;
            }
        }
        self.send(client);
        again
    }

    fn send(&mut self, client: &Arc<Client>) {
        let under_way = &self.under_way;
        let ready = |partition: &TopicPartition, _: &mut i64| !under_way.contains(partition);
        let positions: Positions = self.waiting.extract_if(.., ready).collect();
        if positions.is_empty() {
            return;
        }
        self.under_way.extend(positions.keys().cloned());
        let client = Arc::clone(client);
        let sent = positions.clone();
        // While its broker is away a request may never be answered, and librdkafka has no bound for it.
        let answer = apart(move || commit(&client, &sent));
        self.requests.spawn(async move {
            let result = match answer {
                Ok(answer) => answer.await.unwrap_or(Err(KafkaError::Canceled)),
                Err(_) => Err(KafkaError::Canceled),
            };
            Answered { positions, result }
        });
    }
}

fn commit(client: &Client, positions: &Positions) -> KafkaResult<()> {
    let mut list = TopicPartitionList::new();
    for (partition, position) in positions {
        let (topic, number) = (partition.topic(), partition.partition());
        list.add_partition_offset(topic, number, Offset::Offset(*position))?;
    }
    client.commit(&list, CommitMode::Sync)
}

//! Questions that a member asks the broker. librdkafka answers them by blocking, so each has a thread of its own; and
//! each is asked until it is answered or the member is to leave.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use msk_kafka::{Cluster, Reader};
use rdkafka::Offset;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use tokio::time::sleep;

use super::joined::Client;
use super::{Happening, Member};
use crate::limits::{CONNECT_MS, LOOKUP_RETRY_MS};
use crate::machine::Position;
use crate::record::TopicPartition;

const LIMIT: Duration = Duration::from_millis(CONNECT_MS);
/// The group of a client that only reads. Nobody joins it.
const READER: &str = "cargo-msk-reader";

impl Member {
    /// None: the member is to leave.
    async fn ask<T: Send + 'static, E: StdError + Send + Sync + 'static>(
        &self,
        question: impl Fn(&Client) -> Result<T, E> + Clone + Send + 'static,
    ) -> Option<T> {
        let mut leaving = self.leaving.clone();
        loop {
            let (client, question) = (self.client.shared(), question.clone());
            let answered = tokio::task::spawn_blocking(move || question(&client));
            let answered = tokio::select! {
                biased;
                _ = leaving.wait_for(|leaving| *leaving) => return None,
                answered = answered => answered,
            };
            match answered {
                Ok(Ok(answer)) => return Some(answer),
                Ok(Err(error)) => self.trouble(&error).await,
                Err(_) => self.trouble(&KafkaError::Canceled).await,
            }
            tokio::select! {
                biased;
                _ = leaving.wait_for(|leaving| *leaving) => return None,
                () = sleep(Duration::from_millis(LOOKUP_RETRY_MS)) => {}
            }
        }
    }

    /// The group's offsets of these partitions.
    pub(super) async fn committed_offsets(
        &self,
        partitions: &[TopicPartition],
    ) -> Option<Vec<(TopicPartition, Option<i64>)>> {
        let wanted = partitions.to_vec();
        self.ask(move |client| -> KafkaResult<_> {
            let mut list = TopicPartitionList::new();
            for partition in &wanted {
                list.add_partition(partition.topic(), partition.partition());
            }
            let found = client.committed_offsets(list, LIMIT)?;
            let committed = |partition: &TopicPartition| {
                let element = found.find_partition(partition.topic(), partition.partition());
                let offset = match element {
                    None => None,
                    Some(element) => {
                        element.error()?;
                        match element.offset() {
                            Offset::Offset(offset) => Some(offset),
                            _ => None,
                        }
                    }
                };
                Ok((partition.clone(), offset))
            };
            wanted.iter().map(committed).collect()
        })
        .await
    }

    /// Where a position is.
    pub(super) async fn offset(&self, partition: &TopicPartition, to: Position) -> Option<Offset> {
        match to {
            Position::Offset(offset) => Some(Offset::Offset(offset)),
            Position::Beginning => Some(Offset::Beginning),
            Position::End => self.sought_end(partition).await,
            Position::Timestamp(millis) => match self.offset_at(partition, millis).await? {
                Some(offset) => Some(Offset::Offset(offset)),
                // No record is that young.
                None => self.sought_end(partition).await,
            },
        }
    }

    /// The end, and the mapping knows of it: what comes from now on is not to be missed, whoever has the partition then.
    async fn sought_end(&self, partition: &TopicPartition) -> Option<Offset> {
        let end = self.end(partition).await?;
        self.say(Happening::Sought(partition.clone(), end)).await;
        Some(Offset::Offset(end))
    }

    async fn end(&self, partition: &TopicPartition) -> Option<i64> {
        let wanted = partition.clone();
        self.ask(move |client| -> KafkaResult<_> {
            let (_, end) = client.fetch_watermarks(wanted.topic(), wanted.partition(), LIMIT)?;
            Ok(end)
        })
        .await
    }

    async fn offset_at(&self, partition: &TopicPartition, millis: i64) -> Option<Option<i64>> {
        let found = self.answered_offset_at(partition, millis).await?;
        match &self.alone {
            Some(cluster) if found.is_none() => {
                self.read_offset_at(cluster, partition, millis).await
            }
            _ => Some(found),
        }
    }

    /// Reads the partition up to the first record of that time or later: librdkafka's mock cluster has no index of times, and
    /// answers as if no record were that young.
    async fn read_offset_at(
        &self,
        cluster: &Cluster,
        partition: &TopicPartition,
        millis: i64,
    ) -> Option<Option<i64>> {
        let (cluster, wanted) = (cluster.clone(), partition.clone());
        self.ask(move |_| -> Result<_, msk_kafka::Error> {
            let reader = Reader::new(&cluster, READER)?;
            reader.find(&wanted, 0, Some(millis))
        })
        .await
    }

    async fn answered_offset_at(
        &self,
        partition: &TopicPartition,
        millis: i64,
    ) -> Option<Option<i64>> {
        let wanted = partition.clone();
        self.ask(move |client| -> KafkaResult<_> {
            let mut list = TopicPartitionList::new();
            let at = Offset::Offset(millis);
            list.add_partition_offset(wanted.topic(), wanted.partition(), at)?;
            let found = client.offsets_for_times(list, LIMIT)?;
            let found = found.find_partition(wanted.topic(), wanted.partition());
            match found.map(|element| element.error().map(|()| element.offset())) {
                Some(Err(error)) => Err(error),
                Some(Ok(Offset::Offset(offset))) => Ok(Some(offset)),
                _ => Ok(None),
            }
        })
        .await
    }

    /// What is polled next: behind the last record or marker that was read, aborted ones included. None: nothing was read
    /// since the last seek.
    pub(super) async fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.positions().await?.remove(&partition.partition())
    }

    /// The same, of all partitions of which something was read.
    pub(super) async fn positions(&self) -> Option<BTreeMap<i32, i64>> {
        // Nothing is polled meanwhile, so they stand where the caller is.
        self.ask(|client| -> KafkaResult<_> {
            let all = client.position()?;
            let read = |element: &TopicPartitionListElem<'_>| match element.offset() {
                Offset::Offset(position) => Some((element.partition(), position)),
                _ => None,
            };
            Ok(all.elements().iter().filter_map(read).collect())
        })
        .await
    }

    /// The partitions whose position the broker does not have (any more).
    pub(super) async fn out_of_range(&self) -> Vec<TopicPartition> {
        let topic = Arc::clone(&self.topic);
        // Where they began, if nothing of them was polled yet.
        let begun: BTreeMap<i32, Option<Offset>> = self
            .partitions
            .iter()
            .map(|(number, known)| (*number, known.from))
            .collect();
        let found = self
            .ask(move |client| -> KafkaResult<_> {
                let mut outside = Vec::new();
                for element in client.position()?.elements() {
                    let begun = begun.get(&element.partition()).copied().flatten();
                    let known = match element.offset() {
                        Offset::Offset(position) => Some(position),
                        _ => begun.and_then(Offset::to_raw),
                    };
                    // Negative: the beginning or the end, which are always there.
                    let Some(position) = known.filter(|position| *position >= 0) else {
                        continue;
                    };
                    let (low, high) =
                        client.fetch_watermarks(&topic, element.partition(), LIMIT)?;
                    if position < low || position > high {
                        outside.push(TopicPartition::new(Arc::clone(&topic), element.partition()));
                    }
                }
                Ok(outside)
            })
            .await;
        found.unwrap_or_default()
    }
}

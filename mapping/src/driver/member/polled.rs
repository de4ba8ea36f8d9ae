//! What a member polls, and what it passes on of it.

use std::sync::Arc;

use futures_util::FutureExt;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::types::RDKafkaErrorCode;

use super::joined::Client;
use super::{Happening, Member};
use crate::driver::message;
use crate::limits::POLLED_RECORDS_MAX;
use crate::record::{Record, TopicPartition};

impl Member {
    /// Passes on what was polled, and what else lies ready.
    pub(super) async fn take<'a>(
        &mut self,
        client: &'a Client,
        first: Result<BorrowedMessage<'a>, KafkaError>,
    ) {
        let mut records = Vec::new();
        let mut polled = Some(first);
        while let Some(next) = polled.take() {
            match next {
                Ok(message) => records.extend(self.record(&message)),
                Err(error) => {
                    self.pass_on(&mut records).await;
                    self.at_error(error).await;
                }
            }
            if records.len() < POLLED_RECORDS_MAX {
                polled = client.recv().now_or_never();
            }
        }
        self.pass_on(&mut records).await;
    }

    /// None: the partition is no longer ours.
    fn record(&self, message: &BorrowedMessage<'_>) -> Option<(Record, u64)> {
        let known = self.partitions.get(&message.partition())?;
        let partition = TopicPartition::new(Arc::clone(&self.topic), message.partition());
        Some((message::record(message, partition), known.epoch))
    }

    async fn pass_on(&self, records: &mut Vec<(Record, u64)>) {
        if !records.is_empty() {
            self.say(Happening::Polled(std::mem::take(records))).await;
        }
    }

    async fn at_error(&mut self, error: KafkaError) {
        match error {
            KafkaError::PartitionEOF(number) => {
                if let Some(epoch) = self.partitions.get(&number).map(|known| known.epoch) {
                    let partition = TopicPartition::new(Arc::clone(&self.topic), number);
                    let position = self.position(&partition).await;
                    self.say(Happening::AtEnd(partition, epoch, position)).await;
                }
            }
            // It does not say of which partition.
            KafkaError::MessageConsumption(
                RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange,
            ) => {
                for partition in self.out_of_range().await {
                    self.say(Happening::OutOfRange(partition)).await;
                }
            }
            KafkaError::MessageConsumption(
                RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic,
            ) => {
                let reason = format!("the cluster no longer has the topic `{}`", self.topic);
                self.say(Happening::Trouble(reason)).await;
            }
            // The client has called back with it.
            _ => {}
        }
    }
}

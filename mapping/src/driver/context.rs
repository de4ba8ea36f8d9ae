//! What librdkafka calls back with, passed on to the member that polls. Nothing is decided here.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, Ordering};

use msk_kafka::refusal::{self, Refusal};
use msk_kafka::{ClientIdentity, Cluster};
use rdkafka::ClientContext;
use rdkafka::TopicPartitionList;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedSender;

use crate::record::TopicPartition;

/// A call-back. Few come, and each is small: the channel for them needs no bound.
pub(super) enum Signal {
    /// The group gives these partitions. They are fetched once the member has answered with an assignment.
    Assign(TopicPartitionList),
    /// The group takes these partitions, once the member has answered.
    Revoke(TopicPartitionList),
    /// The ends of partitions that are fetched: where the next record to be read will stand.
    Ends(Vec<(TopicPartition, i64)>),
    /// Something is wrong, and librdkafka goes on trying.
    Trouble(String),
    /// The cluster does not let us in, and librdkafka goes on trying.
    Refused(Refusal, String),
}

pub(super) struct Context {
    identity: ClientIdentity,
    signals: UnboundedSender<Signal>,
    left: AtomicBool,
}

impl Context {
    pub(super) fn new(cluster: &Cluster, signals: UnboundedSender<Signal>) -> Self {
        Self {
            identity: cluster.identity(),
            signals,
            left: AtomicBool::new(false),
        }
    }

    fn signal(&self, signal: Signal) {
        // Without a receiver the member has left.
        let _ = self.signals.send(signal);
    }

    /// The member is gone: what the group asks from now on is answered here. Closing the client waits for that.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::Release);
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    /// Must not wait: librdkafka's own thread asks.
    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn StdError>> {
        let token = self.identity.token()?;
        Ok(OAuthToken {
            token: token.text,
            principal_name: token.principal,
            lifetime_ms: token.expires_at_ms,
        })
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // Warnings come again as errors where they matter, and a connection that fails always does.
        if (level as i32) <= RDKafkaLogLevel::Error as i32 && facility != "FAIL" {
            self.signal(Signal::Trouble(message.to_owned()));
        }
    }

    /// Also for what is polled as an error, which has its own meaning: the end of a partition, a position that is gone; and
    /// for a sum of what has been said of each broker.
    fn error(&self, error: KafkaError, reason: &str) {
        let left_out = [
            RDKafkaErrorCode::AllBrokersDown,
            RDKafkaErrorCode::PartitionEOF,
            RDKafkaErrorCode::AutoOffsetReset,
            RDKafkaErrorCode::OffsetOutOfRange,
        ];
        let code = error.rdkafka_error_code();
        if code.is_none_or(|code| !left_out.contains(&code)) {
            let plain = refusal::reason(reason);
            self.signal(match Refusal::heard(&error, reason) {
                Some(refusal) => Signal::Refused(refusal, plain),
                None => Signal::Trouble(plain),
            });
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        if let Ok(statistics) = serde_json::from_slice::<Statistics>(statistics) {
            self.signal(Signal::Ends(statistics.ends()));
        }
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let given = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.left.load(Ordering::Acquire) {
            // Fails only if the client is being destroyed, which is what we want.
            let _ = match given {
                true => assign(consumer, partitions),
                false => unassign(consumer, partitions),
            };
        } else if given {
            self.signal(Signal::Assign(partitions.clone()));
        } else {
            self.signal(Signal::Revoke(partitions.clone()));
        }
    }
}

/// Takes partitions into the assignment, in the words of the group's protocol.
pub(super) fn assign<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    partitions: &TopicPartitionList,
) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions),
        _ => consumer.assign(partitions),
    }
}

/// Takes partitions out of the assignment, in the words of the group's protocol.
pub(super) fn unassign<C: ConsumerContext>(
    consumer: &impl Consumer<C>,
    partitions: &TopicPartitionList,
) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
        _ => consumer.unassign(),
    }
}

/// The few numbers that are read out of librdkafka's many.
#[derive(Deserialize)]
struct Statistics {
    topics: HashMap<String, Topic>,
}

#[derive(Deserialize)]
struct Topic {
    partitions: HashMap<i32, Partition>,
}

#[derive(Deserialize)]
struct Partition {
    desired: bool,
    hi_offset: i64,
    /// Behind the last record whose transaction has ended.
    ls_offset: i64,
}

impl Statistics {
    fn ends(&self) -> Vec<(TopicPartition, i64)> {
        let mut ends = Vec::new();
        for (topic, statistics) in &self.topics {
            for (number, partition) in &statistics.partitions {
                let end = if partition.ls_offset >= 0 {
                    partition.ls_offset
                } else {
                    partition.hi_offset
                };
                // -1: the partition of messages that have none. Negative offsets: not known yet.
                if *number >= 0 && partition.desired && end >= 0 {
                    ends.push((TopicPartition::new(topic.as_str(), *number), end));
                }
            }
        }
        ends.sort();
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::Statistics;

    #[test]
    fn the_end_is_behind_the_last_record_that_can_be_read() {
        let json = r#"{"topics":{"orders":{"partitions":{
            "0":{"desired":true,"hi_offset":12,"ls_offset":10},
            "1":{"desired":true,"hi_offset":7,"ls_offset":-1001},
            "2":{"desired":false,"hi_offset":7,"ls_offset":7},
            "3":{"desired":true,"hi_offset":-1001,"ls_offset":-1001},
            "-1":{"desired":true,"hi_offset":1,"ls_offset":1}}}}}"#;
        let statistics: Statistics = serde_json::from_str(json).unwrap();

        let ends: Vec<String> = statistics
            .ends()
            .iter()
            .map(|(partition, end)| format!("{partition} {end}"))
            .collect();

        assert_eq!(ends, ["orders-0 10", "orders-1 7"]);
    }
}

//! Where partitions stand: whose they are, what was polled of them, what is at their end, what of them is committed.

use std::time::Duration;

use tokio::time::Instant;

use super::state::Run;
use crate::driver::notice::Notice;
use crate::limits::REFUSAL_SAID_MS;
use crate::machine::{Input, PollerId};
use crate::record::TopicPartition;

impl Run {
    /// Whether a partition's records of that seek are still wanted.
    pub(super) fn is_current(&self, partition: &TopicPartition, epoch: u64) -> bool {
        let owned = self.owned.get(partition);
        owned.is_some_and(|owned| owned.epoch == epoch)
    }

    /// All of a partition has been polled, for now.
    pub(super) fn at_end(
        &mut self,
        poller: PollerId,
        partition: TopicPartition,
        epoch: u64,
        position: Option<i64>,
    ) {
        if self.is_current(&partition, epoch) {
            self.at_end.insert(partition.clone());
            if let Some(position) = position {
                self.advanced(poller, partition, position);
            }
        }
    }

    /// What lies below is polled, or is no record: a transaction's marker, or what it took back.
    pub(super) fn advanced(&mut self, poller: PollerId, partition: TopicPartition, position: i64) {
        self.handle(Input::Advanced {
            poller,
            partition,
            position,
        });
    }

    /// What lay between is gone, by retention or with the topic: nobody is to find out by himself.
    pub(super) fn out_of_range(&mut self, poller: PollerId, partition: TopicPartition) {
        let reason = format!(
            "{partition} no longer has the offset to read from: it is read from the starting position"
        );
        self.notice(Notice::Trouble { reason });
        self.handle(Input::OutOfRange { poller, partition });
    }

    pub(super) fn confirmed(&mut self, poller: PollerId, partition: TopicPartition, position: i64) {
        let key = (partition, poller);
        if self.unconfirmed.get(&key) == Some(&position) {
            self.unconfirmed.remove(&key);
        }
        self.refusals.remove(&key);
        self.notice(Notice::Committed {
            partition: key.0,
            position,
        });
    }

    /// It is sent again, and a rebalance that is under way lets it through soon after: only what lasts is told, and once.
    pub(super) fn commit_refused(
        &mut self,
        poller: PollerId,
        partition: &TopicPartition,
        position: i64,
        reason: &str,
    ) {
        let now = Instant::now();
        let key = (partition.clone(), poller);
        let (since, told) = self.refusals.entry(key).or_insert((now, false));
        if !*told && now - *since >= Duration::from_millis(REFUSAL_SAID_MS) {
            *told = true;
            let reason = format!(
                "the broker keeps refusing the commit of {partition} at {position}: {reason}"
            );
            self.notice(Notice::Trouble { reason });
        }
    }

    /// The partition went without it.
    pub(super) fn uncommitted(
        &mut self,
        poller: PollerId,
        partition: TopicPartition,
        position: i64,
        reason: &str,
    ) {
        let text = format!(
            "cannot commit {partition} at {position} before it is revoked: {reason}; records done since its last commit are redelivered"
        );
        self.refusals.remove(&(partition, poller));
        self.notice(Notice::Trouble { reason: text });
    }
}

//! What a member says of its commits, and the last ones before a partition goes.

use std::time::Duration;

use rdkafka::consumer::Consumer;
use tokio::time::{Instant, sleep, timeout_at};

use super::commits::Answered;
use super::{Happening, Member};
use crate::limits::COMMIT_LAST_MS;
use crate::record::TopicPartition;

impl Member {
    /// The last commits of partitions that go to others: whoever gets them next begins where we say, and is not set back by
    /// what we say late. What the broker refuses, as it does in the middle of a rebalance, is sent again until it is taken or
    /// the time is over; what is not taken is told.
    pub(super) async fn commit_last(&mut self, partitions: &[TopicPartition], until: Instant) {
        let client = self.client.shared();
        loop {
            while self.commits.awaits(partitions) {
                match timeout_at(until, self.commits.answered(&client)).await {
                    Ok(Some(answered)) => self.committed(answered).await,
                    Ok(None) => break,
                    Err(_) => return self.forget(partitions).await,
                }
            }
            // A group that has put us out takes nothing more.
            let over = Instant::now() >= until || client.assignment_lost();
            if over || !self.commits.again(&client, partitions) {
                return self.forget(partitions).await;
            }
            sleep(Duration::from_millis(COMMIT_LAST_MS)).await;
        }
    }

    async fn forget(&mut self, partitions: &[TopicPartition]) {
        for (partition, position, reason) in self.commits.forget(partitions) {
            self.say(Happening::Uncommitted(partition, position, reason))
                .await;
        }
    }

    pub(super) async fn committed(&mut self, answered: Answered) {
        for (partition, position) in answered.positions {
            self.say(match &answered.result {
                Ok(()) => Happening::Committed(partition, position),
                Err(error) => Happening::CommitRefused(partition, position, error.to_string()),
            })
            .await;
        }
    }
}

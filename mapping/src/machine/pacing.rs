//! What a poller commits, which partitions it polls, and when it wants to be woken.

use super::batch::State;
use super::context::Context;
use super::output::Output;
use super::poller::Poller;
use crate::limits::{COMMIT_AGAIN_MS, POLLER_INVOCATIONS_MAX};
use crate::record::TopicPartition;
use crate::time::Time;

impl Poller {
    /// Commits what is settled, and what was refused long enough ago.
    pub(super) fn commit(&mut self, cx: &mut Context) {
        for (key, partition) in &mut self.partitions {
            let mut position = None;
            if partition.commit_again.is_some_and(|at| at <= cx.now) {
                position = partition.tracker.committed();
            }
            let counted = cx.counted(key);
            if let Some(commit) = partition.tracker.commit(counted) {
                cx.metrics.committed += commit.records as u64;
                cx.count(key, commit.position);
                position = Some(commit.position);
            }
            if let Some(position) = position {
                partition.commit_again = None;
                cx.put(Output::Commit {
                    poller: self.id,
                    partition: key.clone(),
                    position,
                });
            }
        }
    }

    /// The broker has refused a commit. One that went out after it makes it up.
    pub(super) fn refused(&mut self, key: &TopicPartition, position: i64, now: Time) {
        if let Some(partition) = self.partitions.get_mut(key)
            && partition.tracker.committed() == Some(position)
        {
            let again = std::time::Duration::from_millis(COMMIT_AGAIN_MS);
            partition.commit_again = Some(now.after(again));
        }
    }

    /// Pauses what has enough, and resumes what has not.
    pub(super) fn pace(&mut self, cx: &mut Context) {
        let waiting = self
            .partitions
            .values()
            .map(|partition| partition.waiting_bytes)
            .sum();
        let poller = self.id;
        for (key, partition) in &mut self.partitions {
            let pause =
                cx.draining || partition.leaving || partition.has_enough(&cx.rules, waiting);
            if pause == partition.paused {
                continue;
            }
            partition.paused = pause;
            let partition = key.clone();
            cx.put(if pause {
                Output::Pause { poller, partition }
            } else {
                Output::Resume { poller, partition }
            });
        }
    }

    /// Finds out when something is due without anything having happened. While no invocation is free, none can begin.
    pub(super) fn plan(&mut self, cx: &Context) {
        let commits = self
            .partitions
            .values()
            .filter_map(|partition| partition.commit_again);
        let mut wake_at = commits.min();
        if !cx.draining && self.in_flight < POLLER_INVOCATIONS_MAX {
            let retries = self
                .unsettled
                .values()
                .filter_map(|unsettled| match unsettled.state {
                    State::Waiting(until) => Some(until),
                    _ => None,
                });
            wake_at = wake_at
                .into_iter()
                .chain(retries)
                .chain(self.closes_at)
                .min();
        }
        self.wake_at = wake_at;
    }
}

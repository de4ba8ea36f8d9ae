//! What a run that ends by itself makes of the cluster's answers: who of its group has what is left, and when nothing moves any more.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::looks::Answer;
use super::state::Run;
use crate::driver::causes::with_causes;
use crate::driver::error::Error;
use crate::driver::look::Stand;
use crate::driver::notice::Notice;
use crate::limits::{AWAY_MS, GONE_MS, LOOK_SAID_MS};
use crate::record::TopicPartition;

impl Run {
    /// The cluster has answered, or not. What ends the run is kept.
    pub(super) fn looked(&mut self, answer: Answer) {
        let Some(quiet) = &mut self.looks.quiet else {
            return;
        };
        let now = Instant::now();
        match answer {
            Ok(stands) => {
                quiet.failing = None;
                if !self.looks.queue {
                    self.partitions = stands.len();
                }
                if quiet
                    .stands
                    .as_ref()
                    .is_none_or(|(before, _)| *before != stands)
                {
                    quiet.stands = Some((stands, now));
                }
                self.say_who_is_left(now);
            }
            Err(error) => {
                quiet.stands = None;
                let since = *quiet.failing.get_or_insert(now);
                let bound = Duration::from_millis(match error {
                    msk_kafka::Error::UnknownTopic { .. } => GONE_MS,
                    _ => AWAY_MS,
                });
                let left = bound.saturating_sub(now - since);
                if left.is_zero() {
                    self.broken = Some(error.into());
                    return;
                }
                let topic = &self.looks.topic;
                let reason = with_causes(&error);
                let reason = format!(
                    "cannot ask the cluster how much of `{topic}` is done: {reason}; the run ends if this lasts for {} s",
                    bound.as_secs()
                );
                self.say_once(reason);
            }
        }
    }

    /// The partitions that are not here, once they have not been for longer than a rebalance takes; and the end of a run in
    /// which nothing moves.
    fn say_who_is_left(&mut self, now: Instant) {
        let Some(quiet) = &self.looks.quiet else {
            return;
        };
        let Some((stands, unchanged_since)) = &quiet.stands else {
            return;
        };
        let owned = self.owned.len();
        let of_others = |stand: &&Stand| !self.owned.contains_key(&stand.partition);
        let all_left: i64 = stands.iter().map(Stand::left).sum();
        let left: i64 = stands.iter().filter(of_others).map(Stand::left).sum();
        let (topic, group) = (self.looks.topic.clone(), self.looks.group.clone());
        if all_left > 0 && now - *unchanged_since >= self.looks.patience {
            self.broken = Some(Error::Stalled {
                topic,
                group,
                left: all_left,
                partitions: stands.len(),
                owned,
                seconds: self.looks.patience.as_secs(),
            });
            return;
        }
        let (others, partitions) = (stands.len().saturating_sub(owned), stands.len());
        if left > 0 && now - quiet.since >= Duration::from_millis(LOOK_SAID_MS) {
            self.say_once(format!(
                "this run does not have {others} of {partitions} partitions of `{topic}`: other members of the group `{group}` have them, or nobody yet, and {left} of their records are not done"
            ));
        }
    }

    /// Once for each spell, numbers aside.
    fn say_once(&mut self, reason: String) {
        let Some(quiet) = &mut self.looks.quiet else {
            return;
        };
        let words: String = reason.chars().filter(|c| !c.is_ascii_digit()).collect();
        if quiet.said != words {
            quiet.said = words;
            self.notice(Notice::Trouble { reason });
        }
    }

    /// How many offsets of the partitions that are not here the group has not committed, as far as that was asked.
    pub(super) fn elsewhere(&self) -> BTreeMap<TopicPartition, i64> {
        let stands = self.looks.stands().unwrap_or_default();
        let of_others = |stand: &&Stand| !self.owned.contains_key(&stand.partition);
        let left = stands.iter().filter(of_others);
        left.map(|stand| (stand.partition.clone(), stand.left()))
            .collect()
    }
}

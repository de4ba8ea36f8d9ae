//! What a run that ends by itself knows of the partitions that it does not have: asked of the cluster whenever nothing is
//! left to do here, and not all of the topic is known to be done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::super::look::{Look, Stand};
use super::super::notice::Notice;
use super::super::{Driver, Error};
use super::{Run, group, with_causes};
use crate::limits::{AWAY_MS, GONE_MS, LOOK_MS, LOOK_SAID_MS, STALLED_MS};
use crate::machine::ConsumptionMode;
use crate::record::TopicPartition;

type Answer = Result<Vec<Stand>, Error>;

/// The questions of a run, and what came back.
pub(super) struct Looks {
    group: String,
    topic: String,
    /// In Queue mode a group has no offsets: only whether the cluster answers and has the topic.
    queue: bool,
    /// None: the run goes on until it is told to end, and asks nothing.
    look: Option<Arc<Look>>,
    /// The question under way.
    pub(super) asking: JoinSet<Answer>,
    /// Since when nothing is left to do here. None: something is.
    quiet: Option<Quiet>,
    /// How long a spell without progress is no standstill.
    patience: Duration,
}

/// A spell in which nothing is under way here.
#[derive(Debug)]
struct Quiet {
    asked_at: Instant,
    /// What came back last in this spell, and since when.
    stands: Option<(Vec<Stand>, Instant)>,
    /// Since when no answer came.
    failing: Option<Instant>,
    /// What was told of it.
    said: String,
    since: Instant,
}

impl Looks {
    pub(super) fn of(driver: &Driver) -> Result<Self, Error> {
        let (group, topic) = (group(driver), driver.configuration.topic.clone());
        let asks = || Look::new(&driver.cluster, &group, &topic).map(Arc::new);
        let look = driver.until_caught_up.then(asks).transpose()?;
        Ok(Self {
            queue: driver.configuration.consumption_mode == ConsumptionMode::Queue,
            look,
            asking: JoinSet::new(),
            quiet: None,
            // Another member of the group may be at an invocation, which is as long as ours.
            patience: driver.timeout + Duration::from_millis(STALLED_MS),
            group,
            topic,
        })
    }

    /// Something is under way here: what was asked counts no more.
    pub(super) fn disturb(&mut self) {
        if self.quiet.take().is_some() {
            self.asking = JoinSet::new();
        }
    }

    /// Nothing is: asks, if it is time.
    pub(super) fn ask(&mut self) {
        let now = Instant::now();
        let quiet = self.quiet.get_or_insert_with(|| Quiet {
            asked_at: now,
            stands: None,
            failing: None,
            said: String::new(),
            since: now,
        });
        let due = now - quiet.asked_at >= Duration::from_millis(LOOK_MS);
        if due && self.asking.is_empty() {
            quiet.asked_at = now;
            self.begin();
        }
    }

    fn begin(&mut self) {
        let Some(look) = self.look.clone() else {
            return;
        };
        let queue = self.queue;
        self.asking.spawn_blocking(move || {
            if queue {
                look.partitions().map(|_| Vec::new())
            } else {
                look.stands()
            }
        });
    }

    /// Each partition, as it stands now; in Queue mode without the group.
    pub(super) async fn stands_now(&mut self) -> Option<Vec<Stand>> {
        let (look, queue) = (self.look.clone()?, self.queue);
        self.asking = JoinSet::new();
        self.asking
            .spawn_blocking(move || if queue { look.bounds() } else { look.stands() });
        self.asking.join_next().await?.ok()?.ok()
    }

    /// Each partition as it stood in this spell. None: it is not known.
    pub(super) fn stands(&self) -> Option<&[Stand]> {
        let (stands, _) = self.quiet.as_ref()?.stands.as_ref()?;
        Some(stands)
    }
}

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
                    Error::UnknownTopic { .. } => GONE_MS,
                    _ => AWAY_MS,
                });
                let left = bound.saturating_sub(now - since);
                if left.is_zero() {
                    self.broken = Some(error);
                    return;
                }
                let topic = &self.looks.topic;
                let reason = with_causes(&error);
                let reason = format!(
                    "how much of `{topic}` is done cannot be asked: {reason}; the run ends if that lasts for {} s",
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
                "{others} of {partitions} partitions of `{topic}` are not this run's: other members of the group `{group}` have them, or nobody yet, and {left} records of them are left"
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

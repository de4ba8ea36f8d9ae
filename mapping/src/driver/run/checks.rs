//! What a run knows of the check of its records: what waits, what is under way, and since when the registry cannot be asked. Used by `validation`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::driver::error::Error;
use crate::driver::member::Happening;
use crate::driver::setup::Setup;
use crate::limits::{BACKOFF_FIRST_MS, BACKOFF_MOST_MS, REGISTRY_AWAY_MS};
use crate::machine::PollerId;
use crate::record::{Record, TopicPartition};
use crate::schemas::{Checked, Unavailable, Validator};

/// The check of a run's records.
pub(super) struct Validation {
    pub(super) validator: Arc<Validator>,
    pub(super) lanes: BTreeMap<PollerId, Lane>,
    pub(super) away: Away,
    /// The partitions that the machine wants polled.
    pub(super) polled: BTreeSet<(PollerId, TopicPartition)>,
}

/// What waits of one member.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) waiting: VecDeque<Happening>,
    /// Whether a piece of it is being checked.
    pub(super) busy: bool,
    /// Whether its polling is held back.
    pub(super) held_back: bool,
}

/// Records, and of each the epoch of its partition's last seek. None: they are of a share group.
pub(super) struct Piece {
    pub(super) records: Vec<Record>,
    pub(super) epochs: Option<Vec<u64>>,
}

pub(super) struct Outcome {
    pub(super) poller: PollerId,
    pub(super) checked: Result<Vec<Checked>, Unavailable>,
    pub(super) epochs: Option<Vec<u64>>,
}

/// Since when the registry cannot be asked, and what was told of it.
#[derive(Debug, Default)]
pub(super) struct Away {
    pub(super) since: Option<Instant>,
    pub(super) failures: u32,
    pub(super) reason: Arc<str>,
}

impl Away {
    /// What is told, unless it was told before in this spell.
    pub(super) fn hear(&mut self, reason: &Arc<str>) -> Option<String> {
        self.failures = self.failures.saturating_add(1);
        let first = self.since.is_none();
        self.since.get_or_insert_with(Instant::now);
        if !first && self.reason == *reason {
            return None;
        }
        self.reason = Arc::clone(reason);
        Some(format!(
            "{reason}; polling stops until the registry answers, and no record is dropped"
        ))
    }

    /// The pause before the next try: longer each time.
    fn pause(&self) -> Duration {
        let factor = 1_u64 << self.failures.saturating_sub(1).min(16);
        Duration::from_millis((BACKOFF_FIRST_MS * factor).min(BACKOFF_MOST_MS))
    }

    /// Why a run that is to end by itself cannot.
    pub(super) fn for_good(&self, topic: &str) -> Option<Error> {
        let bound = Duration::from_millis(REGISTRY_AWAY_MS);
        let gone = self.since.is_some_and(|since| since.elapsed() >= bound);
        gone.then(|| Error::SchemaRegistry {
            topic: topic.to_owned(),
            seconds: bound.as_secs(),
            source: self.reason.to_string().into(),
        })
    }
}

impl Validation {
    /// None: the mapping checks nothing.
    pub(super) fn of(setup: &mut Setup) -> Option<Self> {
        let validator = Validator::of(&setup.configuration, setup.registry.take()?)?;
        Some(Self {
            validator: Arc::new(validator),
            lanes: BTreeMap::new(),
            away: Away::default(),
            polled: BTreeSet::new(),
        })
    }

    /// The check of a piece, after a pause while the registry is away.
    pub(super) fn check(
        &self,
        poller: PollerId,
        piece: Piece,
    ) -> impl Future<Output = Outcome> + Send + use<> {
        let validator = Arc::clone(&self.validator);
        let pause = self.away.since.map(|_| self.away.pause());
        async move {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            let Piece { records, epochs } = piece;
            Outcome {
                poller,
                checked: validator.check(records).await,
                epochs,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::advance;

    use super::Away;
    use crate::driver::error::Error;
    use crate::limits::{BACKOFF_MOST_MS, REGISTRY_AWAY_MS};

    const BOUND: Duration = Duration::from_millis(REGISTRY_AWAY_MS);

    fn reason(text: &str) -> Arc<str> {
        Arc::from(text)
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_is_told_once_in_a_spell_and_another_one_too() {
        let mut away = Away::default();

        let told: Vec<bool> = ["down", "down", "401", "401"]
            .iter()
            .map(|fault| away.hear(&reason(fault)).is_some())
            .collect();
        let mut next = Away::default();

        assert_eq!(told, [true, false, true, false]);
        assert!(next.hear(&reason("401")).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_pause_grows_and_has_a_bound() {
        let mut away = Away::default();

        let mut pauses = Vec::new();
        for _ in 0..40 {
            away.hear(&reason("down"));
            pauses.push(away.pause());
        }

        assert!(pauses.is_sorted() && pauses[0] < pauses[1]);
        assert_eq!(pauses.last(), Some(&Duration::from_millis(BACKOFF_MOST_MS)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_ends_with_the_last_fault_once_the_registry_was_away_so_long() {
        let mut away = Away::default();
        assert!(away.for_good("orders").is_none());

        away.hear(&reason("down"));
        advance(BOUND / 2).await;
        away.hear(&reason("401"));
        let half_way = away.for_good("orders");
        advance(BOUND / 2).await;

        assert!(half_way.is_none());
        let Some(Error::SchemaRegistry { source, .. }) = away.for_good("orders") else {
            panic!("it goes on");
        };
        assert_eq!(source.to_string(), "401");
    }
}

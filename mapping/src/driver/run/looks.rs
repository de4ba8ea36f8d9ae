//! What a run that ends by itself knows of the partitions that it does not have: asked of the cluster whenever nothing is
//! left to do here, and not all of the topic is known to be done.

use std::sync::Arc;
use std::time::Duration;

use msk_kafka::Error;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::driver::look::{Look, Stand};
use crate::driver::setup::Setup;
use crate::limits::{LOOK_MS, STALLED_MS};
use crate::machine::ConsumptionMode;

pub(super) type Answer = Result<Vec<Stand>, Error>;

/// The questions of a run, and what came back.
pub(super) struct Looks {
    pub(super) group: String,
    pub(super) topic: String,
    /// In Queue mode a group has no offsets: only whether the cluster answers and has the topic.
    pub(super) queue: bool,
    /// None: the run goes on until it is told to end, and asks nothing.
    pub(super) look: Option<Arc<Look>>,
    /// The question under way.
    pub(super) asking: JoinSet<Answer>,
    /// Since when nothing is left to do here. None: something is.
    pub(super) quiet: Option<Quiet>,
    /// How long a spell without progress is no standstill.
    pub(super) patience: Duration,
}

/// A spell in which nothing is under way here.
#[derive(Debug)]
pub(super) struct Quiet {
    pub(super) asked_at: Instant,
    /// What came back last in this spell, and since when.
    pub(super) stands: Option<(Vec<Stand>, Instant)>,
    /// Since when no answer came.
    pub(super) failing: Option<Instant>,
    /// What was told of it.
    pub(super) said: String,
    pub(super) since: Instant,
}

impl Looks {
    pub(super) fn of(setup: &Setup) -> Result<Self, Error> {
        let (group, topic) = (setup.group(), setup.configuration.topic.clone());
        let asks = || Look::new(&setup.cluster, &group, &topic).map(Arc::new);
        let look = setup.until_caught_up.then(asks).transpose()?;
        Ok(Self {
            queue: setup.configuration.consumption_mode == ConsumptionMode::Queue,
            look,
            asking: JoinSet::new(),
            quiet: None,
            // Another member of the group may be at an invocation, which is as long as ours.
            patience: setup.timeout + Duration::from_millis(STALLED_MS),
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

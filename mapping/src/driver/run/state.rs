//! What a run knows, and how it speaks: to the machine, to its members, to who listens.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::begun::Begun;
#[cfg(feature = "schemas")]
use super::checks::{Outcome, Validation};
use super::delivery::Handed;
use super::looks::Looks;
#[cfg(not(feature = "schemas"))]
use super::no_checks::{Outcome, Validation};
use super::refused::Refused;
#[cfg(feature = "share")]
use super::share_group::ShareGroup;
use crate::clock;
use crate::driver::destination::Destination;
use crate::driver::error::Error;
use crate::driver::member::{Command, Handle};
use crate::driver::notice::{Events, Flight, Notice};
use crate::driver::pool::{Borrowed, Pool};
use crate::error::Error as InvokeError;
use crate::invocation::Report;
use crate::machine::{Input, InvocationId, Mapping, PollerId};
use crate::record::TopicPartition;
use crate::time::Time;

pub(in crate::driver) type Notices = Box<dyn Fn(Notice) + Send + Sync>;

pub(super) struct Run {
    pub(super) mapping: Mapping,
    pub(super) members: Vec<Handle>,
    pub(super) pool: Pool,
    pub(super) timeout: Duration,
    pub(super) destination: Option<Arc<dyn Destination>>,
    pub(super) events: Option<Events>,
    pub(super) notices: Notices,
    pub(super) flights: HashMap<InvocationId, Arc<Flight>>,
    pub(super) invocations: JoinSet<Landed>,
    pub(super) deliveries: JoinSet<Handed>,
    /// Each partition that a member has.
    pub(super) owned: BTreeMap<TopicPartition, Owned>,
    pub(super) last_epoch: u64,
    /// Where the next record of each partition will stand.
    pub(super) ends: BTreeMap<TopicPartition, i64>,
    /// The partitions of which everything has been polled, for now.
    pub(super) at_end: BTreeSet<TopicPartition>,
    /// How many partitions the topic has.
    pub(super) partitions: usize,
    pub(super) unconfirmed: BTreeMap<(TopicPartition, PollerId), i64>,
    /// Commits that were refused, since when, and whether that was told.
    pub(super) refusals: BTreeMap<(TopicPartition, PollerId), (Instant, bool)>,
    pub(super) hand_overs: Vec<HandOver>,
    pub(super) looks: Looks,
    pub(super) begun: Begun,
    pub(super) drained_since: Option<Instant>,
    #[cfg(feature = "share")]
    pub(super) settled_since: Option<Instant>,
    pub(super) overlooked: u64,
    /// None: a consumer group.
    #[cfg(feature = "share")]
    pub(super) share_group: Option<ShareGroup>,
    /// None: records are not checked.
    pub(super) validation: Option<Validation>,
    pub(super) checks: JoinSet<Outcome>,
    pub(super) until_caught_up: bool,
    pub(super) draining: bool,
    /// Whether a function was ever started: then one that does not start may start again (it is being built).
    pub(super) started: bool,
    pub(super) refused: Refused,
    /// What ends the run.
    pub(super) broken: Option<Error>,
}

/// Whose a partition is, and which seek its records have to be of.
pub(super) struct Owned {
    pub(super) by: PollerId,
    pub(super) epoch: u64,
}

/// An invocation that has ended, with its environment.
pub(super) struct Landed {
    pub(super) id: InvocationId,
    pub(super) borrowed: Borrowed,
    pub(super) outcome: Result<Report, InvokeError>,
}

/// Partitions that the group takes at once from one member, and waits for.
#[derive(Debug)]
pub(super) struct HandOver {
    pub(super) poller: PollerId,
    pub(super) partitions: Vec<TopicPartition>,
    pub(super) until: Instant,
}

impl Run {
    pub(super) fn notice(&self, notice: Notice) {
        (self.notices)(notice);
    }

    pub(super) fn tell(&self, poller: PollerId, command: Command) {
        if let Some(member) = self.members.get(poller.0 as usize) {
            member.tell(command);
        }
    }

    /// Tells the machine, and does what it says.
    pub(super) fn handle(&mut self, input: Input) {
        self.mapping.handle(now(), input);
        while let Some(output) = self.mapping.poll() {
            self.act(output);
        }
    }

    /// When the machine wants to be woken.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let wait = self.mapping.wake_at()?.since(now());
        Some(Instant::now() + wait)
    }
}

fn now() -> Time {
    let millis = u64::try_from(clock::since_epoch().as_millis()).unwrap_or(u64::MAX);
    Time::from_millis(millis)
}

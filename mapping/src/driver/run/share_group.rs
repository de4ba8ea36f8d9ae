//! Queue mode in a driver at work: a share group in the consumer group's place, its members and what it has left.

use std::collections::BTreeMap;

use tokio::sync::mpsc::Sender;

use super::begun::Begun;
use crate::driver::error::Error;
use crate::driver::member::{Handle, Happening, share};
use crate::driver::setup::Setup;
use crate::machine::{Configuration, ConsumptionMode, PollerId};
use crate::record::TopicPartition;

/// What is known of the group.
#[derive(Debug)]
pub(super) struct ShareGroup {
    /// How many records of each partition it has not settled, as the broker said last: nothing of one of which it never
    /// delivered a record.
    lags: BTreeMap<TopicPartition, i64>,
    /// Whether records came since, or it has said nothing yet.
    stale: bool,
}

impl ShareGroup {
    /// None: the mapping is not in Queue mode.
    pub(super) fn of(configuration: &Configuration) -> Option<Self> {
        (configuration.consumption_mode == ConsumptionMode::Queue).then_some(Self {
            lags: BTreeMap::new(),
            stale: true,
        })
    }

    pub(super) fn lag(&self, partition: &TopicPartition) -> Option<i64> {
        self.lags.get(partition).copied()
    }

    /// Whether the broker says of no partition that something is left.
    pub(super) fn is_empty(&self) -> bool {
        !self.stale && self.lags.values().all(|lag| *lag == 0)
    }

    /// Records came: what the broker said last holds no more.
    pub(super) fn stale(&mut self) {
        self.stale = true;
    }

    /// The broker has said how many are left.
    pub(super) fn know(&mut self, lags: BTreeMap<TopicPartition, i64>) {
        self.lags = lags;
        self.stale = false;
    }

    /// Whether it says something of so many partitions.
    pub(super) fn knows(&self, partitions: usize) -> bool {
        self.lags.len() == partitions
    }
}

/// The members of the group, which begins where the configuration says if it is new.
pub(super) async fn members(
    setup: &Setup,
    partitions: &[TopicPartition],
    happenings: &Sender<(PollerId, Happening)>,
    begun: &mut Begun,
) -> Result<Vec<Handle>, Error> {
    let (configuration, group) = (&setup.configuration, setup.group());
    let (cluster, start) = (&setup.cluster, configuration.starting_position);
    match share::begin(cluster, &group, partitions, start).await {
        Ok(new) => {
            let known = |partition: &&TopicPartition| !new.contains(partition);
            let known = partitions.iter().filter(known);
            known.for_each(|partition| begun.goes_on(partition));
        }
        // The channel has room: nobody else writes to it yet.
        Err(reason) => {
            let trouble = (PollerId(0), Happening::Trouble(reason));
            let _ = happenings.send(trouble).await;
        }
    }
    let mut members = Vec::new();
    for poller in 0..setup.pollers {
        let id = PollerId(poller);
        let happenings = happenings.clone();
        let member = share::start(id, &setup.cluster, configuration, &group, happenings);
        members.push(member.await?);
    }
    Ok(members)
}

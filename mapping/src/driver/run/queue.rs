//! Queue mode in a driver at work: a share group in the consumer group's place.

use std::collections::BTreeMap;

use tokio::sync::mpsc::Sender;

use super::super::Driver;
use super::super::error::Error;
use super::super::member::{Handle, Happening, share};
use super::nothing::Nothing;
use super::{Run, group};
use crate::machine::{Configuration, ConsumptionMode, Input, PollerId};
use crate::record::{Record, TopicPartition};

/// What is known of the group.
#[derive(Debug)]
pub(super) struct Queue {
    /// How many records of each partition it has not settled, as the broker said last: nothing of one of which it never
    /// delivered a record.
    lags: BTreeMap<TopicPartition, i64>,
    /// Whether records came since, or it has said nothing yet.
    stale: bool,
}

impl Queue {
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

    /// Whether it says something of so many partitions.
    pub(super) fn knows(&self, partitions: usize) -> bool {
        self.lags.len() == partitions
    }
}

/// The members of the group, which begins where the configuration says if it is new.
pub(super) async fn members(
    driver: &Driver,
    partitions: &[TopicPartition],
    happenings: &Sender<(PollerId, Happening)>,
    nothing: &mut Nothing,
) -> Result<Vec<Handle>, Error> {
    let (configuration, group) = (&driver.configuration, group(driver));
    let (cluster, start) = (&driver.cluster, configuration.starting_position);
    match share::begin(cluster, &group, partitions, start).await {
        Ok(new) => {
            let known = |partition: &&TopicPartition| !new.contains(partition);
            let known = partitions.iter().filter(known);
            known.for_each(|partition| nothing.goes_on(partition));
        }
        // The channel has room: nobody else writes to it yet.
        Err(reason) => {
            let trouble = (PollerId(0), Happening::Trouble(reason));
            let _ = happenings.send(trouble).await;
        }
    }
    let mut members = Vec::new();
    for poller in 0..driver.pollers {
        let id = PollerId(poller);
        let happenings = happenings.clone();
        let member = share::start(id, &driver.cluster, configuration, &group, happenings);
        members.push(member.await?);
    }
    Ok(members)
}

impl Run {
    pub(super) fn acquired(&mut self, poller: PollerId, records: Vec<Record>) {
        if let Some(queue) = &mut self.queue {
            queue.stale = true;
        }
        self.handle(Input::Polled { poller, records });
    }

    pub(super) fn lagging(&mut self, lags: BTreeMap<TopicPartition, i64>) {
        if let Some(queue) = &mut self.queue {
            queue.lags = lags;
            queue.stale = false;
        }
    }
}

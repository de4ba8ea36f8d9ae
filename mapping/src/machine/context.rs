//! What all pollers of a mapping share: the rules, the time, what goes out, what is awaited.

use std::collections::{BTreeMap, VecDeque};

use super::batch::UnsettledId;
use super::ids::{DeliveryId, InvocationId, PollerId};
use super::metrics::Metrics;
use super::output::{Condition, Offsets, Output};
use super::readings::Rebalance;
use super::rules::Rules;
use crate::record::{Record, TopicPartition};
use crate::time::Time;

pub(super) struct Context {
    pub(super) rules: Rules,
    pub(super) now: Time,
    pub(super) draining: bool,
    pub(super) outputs: VecDeque<Output>,
    pub(super) metrics: Metrics,
    pub(super) invocations: BTreeMap<InvocationId, Flight>,
    pub(super) deliveries: BTreeMap<DeliveryId, Delivery>,
    /// The counted attempts of records that a poller lost, under [`Rebalance::Keeps`].
    tries: BTreeMap<TopicPartition, BTreeMap<i64, Tried>>,
    /// Up to where each partition's records were counted as committed: what comes again, after a rebalance whose commit
    /// was refused, is not counted again.
    counted: BTreeMap<TopicPartition, i64>,
    /// What was numbered so far, of all kinds.
    numbered: u64,
    invocations_numbered: u64,
    deliveries_numbered: u64,
}

/// The attempts of a record that was lost with its partition. What stands at its offset with another timestamp is another record: the topic was made anew.
#[derive(Debug)]
struct Tried {
    timestamp: i64,
    tries: u32,
}

/// An invocation that has not ended.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) poller: PollerId,
    pub(super) unsettled: UnsettledId,
    /// What the event holds.
    pub(super) sent: Vec<Offsets>,
}

/// A delivery that the destination has not answered.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) poller: PollerId,
    pub(super) condition: Condition,
    /// The batch that waits for it. None: none does.
    pub(super) unsettled: Option<UnsettledId>,
    /// Whether its partitions wait for it.
    pub(super) holds: bool,
    /// What is to be settled: without partitions that were lost since.
    pub(super) records: Vec<Offsets>,
    /// How many records it was sent with.
    pub(super) sent: usize,
}

impl Context {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: Time::default(),
            draining: false,
            outputs: VecDeque::new(),
            metrics: Metrics::default(),
            invocations: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            tries: BTreeMap::new(),
            counted: BTreeMap::new(),
            numbered: 0,
            invocations_numbered: 0,
            deliveries_numbered: 0,
        }
    }

    pub(super) fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(super) fn unsettled_id(&mut self) -> UnsettledId {
        UnsettledId(number(&mut self.numbered))
    }

    pub(super) fn invocation_id(&mut self) -> InvocationId {
        InvocationId(number(&mut self.invocations_numbered))
    }

    pub(super) fn delivery_id(&mut self) -> DeliveryId {
        DeliveryId(number(&mut self.deliveries_numbered))
    }

    /// A record that came before is lost with its partition.
    pub(super) fn remember(&mut self, record: &Record, tries: u32) {
        if tries > 0 && self.rules.readings.rebalance == Rebalance::Keeps {
            let tried = self.tries.entry(record.partition.clone()).or_default();
            let timestamp = record.timestamp;
            tried.insert(record.offset, Tried { timestamp, tries });
        }
    }

    /// The attempts of a record that comes again, for whoever takes it over.
    pub(super) fn recall(&mut self, record: &Record) -> u32 {
        let Some(tried) = self.tries.get_mut(&record.partition) else {
            return 0;
        };
        let known = tried.remove(&record.offset);
        if tried.is_empty() {
            self.tries.remove(&record.partition);
        }
        known
            .filter(|known| known.timestamp == record.timestamp)
            .map_or(0, |known| known.tries)
    }

    /// Up to where a partition's records were counted as committed.
    pub(super) fn counted(&self, partition: &TopicPartition) -> i64 {
        self.counted.get(partition).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, partition: &TopicPartition, position: i64) {
        let position = position.max(self.counted(partition));
        self.counted.insert(partition.clone(), position);
    }

    /// A partition's log began anew: nothing that is known of the old one counts.
    pub(super) fn begin_anew(&mut self, partition: &TopicPartition) {
        self.counted.remove(partition);
        self.forget(partition, i64::MAX);
    }

    /// What lies below this position never comes again.
    pub(super) fn forget(&mut self, partition: &TopicPartition, below: i64) {
        if let Some(tried) = self.tries.get_mut(partition) {
            *tried = tried.split_off(&below);
        }
    }
}

fn number(numbered: &mut u64) -> u64 {
    let number = *numbered;
    *numbered += 1;
    number
}

//! A poller: its partitions, what they get, and how they are lost.

use std::collections::BTreeMap;

use super::batch::{Held, State, Unsettled, UnsettledId, offsets};
use super::context::Context;
use super::ids::PollerId;
use super::input::{Validated, Validity};
use super::metrics::PartitionStatus;
use super::output::{Acknowledgement, Output, Position};
use super::partition::Partition;
use crate::record::TopicPartition;
use crate::time::Time;

#[derive(Debug)]
pub(super) struct Poller {
    pub(super) id: PollerId,
    pub(super) partitions: BTreeMap<TopicPartition, Partition>,
    pub(super) unsettled: BTreeMap<UnsettledId, Unsettled>,
    /// Invocations under way, those of lost partitions included.
    pub(super) in_flight: usize,
    /// When the batch closes that records wait for.
    pub(super) closes_at: Option<Time>,
    pub(super) wake_at: Option<Time>,
}

impl Poller {
    pub(super) fn new(id: PollerId) -> Self {
        Self {
            id,
            partitions: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            in_flight: 0,
            closes_at: None,
            wake_at: None,
        }
    }

    pub(super) fn assigned(
        &mut self,
        key: TopicPartition,
        committed: Option<i64>,
        cx: &mut Context,
    ) {
        self.revoked(&key, cx);
        let at = Partition::at(committed, cx.now);
        self.partitions.insert(key.clone(), at);
        if cx.rules.queue {
            return;
        }
        if let Some(committed) = committed {
            cx.forget(&key, committed);
        }
        cx.put(Output::Seek {
            poller: self.id,
            partition: key,
            to: committed.map_or(cx.rules.start, Position::Offset),
        });
    }

    /// Sends and polls no more of a partition, whose next owner waits for what is under way.
    pub(super) fn revoking(&mut self, key: &TopicPartition, cx: &Context) {
        if let Some(partition) = self.partitions.get_mut(key) {
            partition.leaving = !cx.rules.queue;
        }
    }

    /// Forgets a partition. What the function or the destination says of its records later is not heard.
    pub(super) fn revoked(&mut self, key: &TopicPartition, cx: &mut Context) {
        let Some(partition) = self.partitions.remove(key) else {
            return;
        };
        let mut lost: Vec<Held> = partition.waiting.into();
        let ids: Vec<UnsettledId> = self.unsettled.keys().copied().collect();
        for id in ids {
            if let Some(unsettled) = self.unsettled.get_mut(&id) {
                lost.extend(unsettled.take(key));
            }
            self.tidy(id, cx.now);
        }
        for held in lost {
            cx.remember(&held.record, held.tries);
        }
        let own = |poller: PollerId| poller == self.id;
        for delivery in cx
            .deliveries
            .values_mut()
            .filter(|delivery| own(delivery.poller))
        {
            delivery.records.retain(|part| part.partition != *key);
        }
    }

    pub(super) fn polled(
        &mut self,
        records: impl IntoIterator<Item = Validated>,
        cx: &mut Context,
    ) {
        let mut filtered = Vec::new();
        for Validated { record, validity } in records {
            if !self.comes_next(&record.partition, record.offset, cx) {
                continue;
            }
            let Some(partition) = self.partitions.get_mut(&record.partition) else {
                continue;
            };
            cx.metrics.polled += 1;
            let passes = match &validity {
                Validity::Valid { filtered } => cx.rules.passes(&record, filtered.as_deref()),
                Validity::Invalid(_) => true,
            };
            if !cx.rules.queue {
                partition.tracker.polled(record.offset, !passes);
            } else if record.delivery_count > 1 {
                partition.withdraw(record.offset);
            }
            if !passes {
                cx.metrics.filtered_out += 1;
                filtered.push(record);
                continue;
            }
            let held = Held {
                bytes: cx.rules.envelope.record_bytes(&record),
                arrived: cx.now,
                tries: cx.recall(&record),
                // Each delivery before this one came to an invocation, as far as anybody can tell.
                invoked: u32::from(record.delivery_count.saturating_sub(1)),
                record,
            };
            match validity {
                Validity::Valid { .. } => partition.push(held),
                Validity::Invalid(fault) => {
                    cx.metrics.invalid += 1;
                    // No invocation ever had it, in no delivery.
                    let held = Held { invoked: 0, ..held };
                    partition.push_invalid(held, fault.into());
                }
            }
        }
        if cx.rules.queue {
            self.acknowledge(offsets(&filtered), Acknowledgement::Accept, cx);
        }
    }

    pub(super) fn advanced(&mut self, key: &TopicPartition, position: i64, cx: &mut Context) {
        if !cx.rules.queue
            && self.comes_next(key, position, cx)
            && let Some(partition) = self.partitions.get_mut(key)
        {
            partition.tracker.advanced(position);
        }
    }

    pub(super) fn out_of_range(&mut self, key: TopicPartition, cx: &mut Context) {
        let Some(partition) = self.partitions.get_mut(&key) else {
            return;
        };
        if cx.rules.queue {
            return;
        }
        partition.restarts = true;
        cx.put(Output::Seek {
            poller: self.id,
            partition: key,
            to: cx.rules.start,
        });
    }

    /// Whether an offset is not below the position. Below it is what came before, unless the log begins anew there: then
    /// what is known of the old one is forgotten.
    fn comes_next(&mut self, key: &TopicPartition, offset: i64, cx: &mut Context) -> bool {
        let Some(partition) = self.partitions.get_mut(key) else {
            return false;
        };
        if cx.rules.queue {
            return true;
        }
        let restarts = std::mem::take(&mut partition.restarts);
        if partition.tracker.next().is_none_or(|next| offset >= next) {
            return true;
        }
        if restarts {
            let (paused, leaving) = (partition.paused, partition.leaving);
            self.revoked(key, cx);
            cx.begin_anew(key);
            let mut anew = Partition::at(None, cx.now);
            (anew.paused, anew.leaving) = (paused, leaving);
            self.partitions.insert(key.clone(), anew);
        }
        restarts
    }

    /// Puts what is settled out of the way.
    pub(super) fn tidy(&mut self, id: UnsettledId, now: Time) {
        let Some(unsettled) = self.unsettled.get_mut(&id) else {
            return;
        };
        if matches!(unsettled.state, State::InFlight(_)) {
            return;
        }
        while unsettled
            .pieces
            .front()
            .is_some_and(|piece| piece.records.is_empty())
        {
            unsettled.pieces.pop_front();
            unsettled.state = State::Ready(now);
        }
        if unsettled.pieces.is_empty() && unsettled.delivering == 0 {
            self.unsettled.remove(&id);
        }
    }

    pub(super) fn status(&self, cx: &Context) -> Vec<PartitionStatus> {
        let status = |(key, partition): (&TopicPartition, &Partition)| {
            let of = |state: fn(&State) -> bool| {
                let matching = self
                    .unsettled
                    .values()
                    .filter(|unsettled| state(&unsettled.state));
                matching
                    .filter_map(|unsettled| unsettled.pieces.front())
                    .flat_map(|piece| &piece.records)
                    .filter(|held| held.record.partition == *key)
                    .count()
            };
            let all = self.unsettled.values().flat_map(Unsettled::records);
            let all = all.filter(|held| held.record.partition == *key).count();
            let in_flight = of(|state| matches!(state, State::InFlight(_)));
            let own = cx
                .deliveries
                .values()
                .filter(|delivery| delivery.poller == self.id);
            let delivering = own.flat_map(|delivery| &delivery.records);
            let delivering = delivering.filter(|part| part.partition == *key);
            PartitionStatus {
                poller: self.id,
                partition: key.clone(),
                waiting: partition.waits(),
                in_flight,
                retrying: all - in_flight,
                delivering: delivering.map(|part| part.offsets.len()).sum(),
                paused: partition.paused,
                position: partition.tracker.next(),
                committed: partition.tracker.committed(),
            }
        };
        self.partitions.iter().map(status).collect()
    }
}

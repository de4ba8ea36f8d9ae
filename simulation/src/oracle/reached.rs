//! *Reached:* once an invocation has its partition's ledger, the partition's first record has its turn, if there is a place for its lane: whatever the handlers of other partitions do.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::{InvocationId, ItemId, RecordId};
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

/// From the store's side of an opening to the first record, where nothing is slow and each other lane has had a turn: an answer that is on its way.
const REACHED_MS: u64 = 50;

impl Judge<'_> {
    /// A ledger is taken, or read.
    pub(super) fn is_opened(&mut self, item: ItemId, invocation: InvocationId) {
        let of = &self.model.invocations[&invocation];
        let partition = |record: &RecordId| self.model.records[record].partition;
        // A ledger that is read in the middle of the work is not opened by that.
        let is_begun = of.looked.keys().any(|at| partition(at) == item.partition);
        if !is_begun && of.records.len() <= self.terms.pace.concurrency {
            let opened = (invocation, item.partition);
            self.opened.at_ms.insert(opened, self.now_ms);
        }
    }

    /// How long a lane may wait for its first turn: while each other one has one.
    fn turn_ms(&self, invocation: InvocationId, partition: u32) -> u64 {
        let records = self.model.invocations[&invocation].records.iter();
        let lane = |record: &RecordId| {
            let known = &self.model.records[record];
            self.terms.order.lane(*record, known)
        };
        let lanes: BTreeSet<_> = records.map(lane).collect();
        let schemas_ms = self.schema_wait_ms(invocation, partition);
        REACHED_MS + schemas_ms + self.slack_ms() + self.terms.pace.holds_ms * lanes.len() as u64
    }

    /// A record has its turn.
    pub(super) fn is_reached(&mut self, invocation: InvocationId, record: RecordId) {
        let partition = self.model.records[&record].partition;
        if let Some(at_ms) = self.opened.at_ms.remove(&(invocation, partition))
            && self.now_ms > at_ms + self.turn_ms(invocation, partition)
            && !self.model.invocations[&invocation].faulted
        {
            let text = format!(
                "invocation {invocation} had orders-{partition} at {at_ms} ms, and its first record has its turn only now"
            );
            self.broken(Invariant::Reached, text);
        }
    }

    /// The answer leaves: whose turn was to come has had it.
    pub(super) fn all_reached(&mut self, invocation: InvocationId) {
        let of = (invocation, u32::MIN)..=(invocation, u32::MAX);
        let left = self.opened.at_ms.range(of);
        let left: Vec<(u32, u64)> = left.map(|((_, at), at_ms)| (*at, *at_ms)).collect();
        for (partition, at_ms) in left {
            self.opened.at_ms.remove(&(invocation, partition));
            let of = &self.model.invocations[&invocation];
            let half = of.delivered_ms + self.terms.pace.timeout_ms / 2;
            let in_time = at_ms + self.turn_ms(invocation, partition) < self.now_ms.min(half);
            let faulted = of.faulted;
            let mut first_of_lanes = BTreeMap::new();
            for record in &of.records {
                let known = &self.model.records[record];
                if known.partition == partition && self.is_open(invocation, *record) {
                    let lane = self.terms.order.lane(*record, known);
                    first_of_lanes.entry(lane).or_insert(*record);
                }
            }
            // A record whose schema cannot be had has no turn, and its lane ends with it.
            let mut firsts = first_of_lanes.into_values();
            let open = firsts.any(|record| !self.was_out_of_reach(invocation, record));
            if in_time && open && !faulted {
                let text = format!(
                    "invocation {invocation} had orders-{partition} at {at_ms} ms, and none of its records had its turn"
                );
                self.broken(Invariant::Reached, text);
            }
        }
    }
}

//! *Order:* for a before b in a lane, b's first start follows a's first settling or giving up. Takeovers are no exception.

use std::collections::{BTreeMap, BTreeSet};

use crate::fact::{InvocationId, RecordId};
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

impl Judge<'_> {
    /// A call with several records has those of a lane in order, and no lane is in two calls.
    pub(super) fn has_one_chunk_out(
        &mut self,
        invocation: InvocationId,
        call: u64,
        records: &[RecordId],
    ) {
        let of = &self.model.invocations[&invocation];
        let lane = |record: &RecordId| {
            let known = &self.model.records[record];
            (known.log, self.terms.order.lane(*record, known))
        };
        let others = of.calls_open.values().flatten();
        let out: BTreeSet<_> = others.map(lane).collect();
        let mut last = BTreeMap::new();
        let mut faults = Vec::new();
        for record in records {
            if out.contains(&lane(record)) {
                let name = self.name(*record);
                faults.push(format!("{name} is in call {call} of invocation {invocation}, and its lane has another chunk out"));
            }
            let offset = self.model.records[record].offset;
            if let Some(before) = last.insert(lane(record), offset)
                && before >= offset
            {
                let name = self.name(*record);
                faults.push(format!(
                    "{name} is out of order in call {call} of invocation {invocation}"
                ));
            }
        }
        // However often it was called before: what stands before it in its lane is over, or in this call.
        let open =
            |record: &&RecordId| !self.model.records[record].is_over() && !records.contains(record);
        for earlier in of.records.iter().filter(open).filter(|_| !of.redrive) {
            let offset = self.model.records[earlier].offset;
            let behind = last.get(&lane(earlier)).filter(|last| **last > offset);
            if behind.is_some() {
                let name = self.name(*earlier);
                faults.push(format!(
                    "call {call} of invocation {invocation} has a record behind {name}, which is not settled"
                ));
            }
        }
        for text in faults {
            self.broken(Invariant::Order, text);
        }
    }

    pub(super) fn in_order(&mut self, invocation: InvocationId, record: RecordId) {
        let of = &self.model.invocations[&invocation];
        let later = &self.model.records[&record];
        // Only first runs are in order; a dead letter that is fed back comes when somebody likes.
        if later.starts > 0 || later.is_over() || of.redrive {
            return;
        }
        let lane = self.terms.order.lane(record, later);
        let mut before = self.model.records.iter().filter(|(other, earlier)| {
            earlier.log == later.log
                && earlier.offset < later.offset
                && self.terms.order.lane(**other, earlier) == lane
                && !earlier.is_over()
                // Of one call, the earlier one comes first.
                && !(of.called.contains_key(other) && of.called.get(other) == of.called.get(&record))
                && (self.terms.mapping_keeps_order || of.records.contains(other))
        });
        if let Some((other, _)) = before.next() {
            let text = format!(
                "{} starts in invocation {invocation}, and {} before it was never settled",
                self.name(record),
                self.name(*other)
            );
            self.broken(Invariant::Order, text);
        }
    }
}

//! *Held:* what an invocation holds that has met no fault, a partition or a record by its key, nobody takes from it: it renews its lease in time, whatever its handlers do.

use crate::fact::{InvocationId, ItemId};
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

impl Judge<'_> {
    /// An invocation that is at work, and in whose way nothing came.
    fn is_well(&self, invocation: InvocationId) -> bool {
        let of = &self.model.invocations[&invocation];
        !of.faulted && !of.answered && !of.killed
    }

    pub(super) fn takes_from_nobody(&mut self, item: ItemId, invocation: InvocationId) {
        let others = self.model.invocations.iter();
        let mut held = others.filter(|(other, known)| {
            let shares = item
                .environment
                .is_none_or(|environment| environment == known.environment);
            let hold = known.holds.get(&item.partition);
            let holds = hold.is_some_and(|hold| !hold.superseded && hold.given_back_ms.is_none());
            **other != invocation && shares && holds && self.is_well(**other)
        });
        if let Some((other, _)) = held.next() {
            let text = format!(
                "invocation {invocation} has taken orders-{} from invocation {other}, which is at work and has met no fault",
                item.partition
            );
            self.broken(Invariant::Held, text);
        }
    }

    pub(super) fn claims_from_nobody(
        &mut self,
        invocation: InvocationId,
        partition: u32,
        offset: i64,
    ) {
        let Some(record) = self.model.given(invocation, partition, offset) else {
            return;
        };
        let before = self.claims.by.insert(record, invocation);
        // A mark of "at most once" is never taken: what is written over it is that it was given up.
        if let Some(other) = before
            && other != invocation
            && self.is_well(other)
            && !self.terms.at_most_once
        {
            let text = format!(
                "invocation {invocation} has claimed {}, which invocation {other} holds: it is at work and has met no fault",
                self.name(record)
            );
            self.broken(Invariant::Held, text);
        }
    }

    /// Its record is settled, or anybody's.
    pub(super) fn claims_no_more(&mut self, invocation: InvocationId, partition: u32, offset: i64) {
        if let Some(record) = self.model.given(invocation, partition, offset) {
            self.claims.by.remove(&record);
        }
    }
}

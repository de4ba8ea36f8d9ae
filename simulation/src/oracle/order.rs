//! *Order:* for a before b in a lane, b's first start follows a's first settling or giving up. Takeovers are no exception.

use crate::fact::{InvocationId, RecordId};
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

impl Judge<'_> {
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

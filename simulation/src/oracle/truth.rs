//! *Truth:* a letter that says of a record that its handler was started says so of one that was, or of one that somebody had claimed who was cut off before anybody could know.

use crate::fact::{InvocationId, RecordId};
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

impl Judge<'_> {
    pub(super) fn is_claimant(&mut self, invocation: InvocationId, partition: u32, offset: i64) {
        if let Some(record) = self.model.given(invocation, partition, offset) {
            self.claimants
                .of
                .entry(record)
                .or_default()
                .insert(invocation);
        }
    }

    pub(super) fn was_started(&mut self, invocation: InvocationId, record: RecordId) {
        let claimants = self.claimants.of.get(&record);
        let mut others = claimants
            .into_iter()
            .flatten()
            .filter(|of| **of != invocation);
        let nobody_knows = others.any(|other| {
            let of = &self.model.invocations[other];
            of.faulted || of.held_up || of.killed || !of.answered
        });
        let faulted = self.model.invocations[&invocation].faulted;
        if self.model.records[&record].starts == 0 && !nobody_knows && !faulted {
            let text = format!(
                "a letter of invocation {invocation} says that {} was started, which it never was",
                self.name(record)
            );
            self.broken(Invariant::Truth, text);
        }
    }
}

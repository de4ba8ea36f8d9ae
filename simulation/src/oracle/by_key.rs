//! What the oracle has seen of claims by key.

use super::known::Known;
use super::model::Model;
use crate::fact::{InvocationId, RecordId, StoredId};

impl Model {
    /// The record of an invocation that stands there.
    pub(super) fn given(
        &self,
        invocation: InvocationId,
        partition: u32,
        offset: i64,
    ) -> Option<RecordId> {
        let of = self.invocations.get(&invocation)?;
        of.records.iter().copied().find(|record| {
            let known = &self.records[record];
            (known.partition, known.offset) == (partition, offset)
        })
    }

    /// Whoever feeds a dead letter back wants it to run: its claim stands where "rejected" stood, and if its run fails or is dropped, any other may run it.
    pub(super) fn claimed(
        &mut self,
        invocation: InvocationId,
        partition: u32,
        offset: i64,
        stored: StoredId,
        now_ms: u64,
    ) {
        let Some(at) = self.given(invocation, partition, offset) else {
            return;
        };
        let redrive = self.invocations[&invocation].redrive;
        let record = self.record(at);
        record.claimant = Some(invocation);
        record.stored = Some(stored);
        if redrive && let Some(noted) = record.noted.take_if(|noted| !noted.is_skipped(redrive)) {
            record.noted_before.push((noted, now_ms));
        }
    }

    pub(super) fn noted(
        &mut self,
        invocation: InvocationId,
        partition: u32,
        offset: i64,
        stored: StoredId,
        now_ms: u64,
    ) {
        let Some(record) = self.given(invocation, partition, offset) else {
            return;
        };
        let of = &self.invocations[&invocation];
        let settled = of.settled.get(&record).map(Known::of);
        // Else a dead letter that was fed back to no avail: what stood stands again.
        let redrive = of.redrive;
        let record = self.record(record);
        record.stored = Some(stored);
        if settled.is_some()
            && let Some(noted) = record.noted
        {
            record.noted_before.push((noted, now_ms));
        }
        let before = || Some(record.noted_before.last()?.0).filter(|_| redrive);
        record.noted = settled.or(record.noted).or_else(before);
    }

    /// Only whoever runs records at least once may start what was started: who does so at most once keeps its mark.
    pub(super) fn released(&mut self, invocation: InvocationId, partition: u32, offset: i64) {
        let environment = self.invocations[&invocation].environment;
        if let Some(record) = self.given(invocation, partition, offset)
            && self.at_least_once.contains(&environment)
        {
            self.record(record).starts_marked = 0;
        }
    }

    /// Of the record whose item that was, not of another one that stands or stood at the same place.
    pub(super) fn unmarked(&mut self, stored: StoredId, now_ms: u64) {
        for record in self.records.values_mut() {
            if record.stored == Some(stored) {
                if let Some(noted) = record.noted.take() {
                    record.noted_before.push((noted, now_ms));
                }
                record.starts_marked = 0;
            }
        }
    }
}

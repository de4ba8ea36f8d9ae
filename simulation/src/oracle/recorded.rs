//! *Recorded:* what an invocation has done is recorded soon after it ended, and before the answer, whatever its lane waits for then, and whatever becomes of the next record.

use crate::fact::{EnvironmentId, InvocationId, ItemId, RecordId};
use crate::oracle::judge::Judge;
use crate::oracle::terms::{Ledger, Order};
use crate::oracle::violation::Invariant;

/// From a handler's end to the record of it in the store, where nothing is slow, beside the time between two writes of progress: a write that is on its way, and the next one.
const RECORDED_MS: u64 = 100;

impl Judge<'_> {
    /// A record is done, or at the destination.
    pub(super) fn is_owed(&mut self, invocation: InvocationId, record: RecordId) {
        let of = &self.model.invocations[&invocation];
        let known = &self.model.records[&record];
        let progress_ms = match self.terms.ledger {
            Ledger::None => return,
            Ledger::PerRecord if known.claimant == Some(invocation) => 0,
            Ledger::PerRecord => return,
            Ledger::Durable | Ledger::Memory if self.has(invocation, known.partition) => {
                self.terms.pace.progress_ms
            }
            Ledger::Durable | Ledger::Memory => return,
        };
        let until_ms = self.now_ms + progress_ms + RECORDED_MS + self.slack_ms();
        if !of.faulted && self.leaves_time(invocation, until_ms) {
            self.owed.until_ms.insert((invocation, record), until_ms);
        }
    }

    /// Whether a partition is an invocation's to write, or was given back by itself.
    fn has(&self, invocation: InvocationId, partition: u32) -> bool {
        let of = &self.model.invocations[&invocation];
        match self.terms.order {
            Order::Unordered => of.told.contains_key(&partition),
            Order::Partition | Order::Key | Order::KeyIfAny => of
                .holds
                .get(&partition)
                .is_some_and(|hold| !hold.superseded),
        }
    }

    /// A partition's ledger is written.
    pub(super) fn holds_what_was_owed(
        &mut self,
        item: ItemId,
        invocation: InvocationId,
        settled: &[i64],
    ) {
        let owed = self.owed_by(invocation);
        for record in owed {
            let known = &self.model.records[&record];
            if known.partition == item.partition && settled.contains(&known.offset) {
                self.is_paid(invocation, record);
            }
        }
    }

    /// A record's own item is written.
    pub(super) fn notes_what_was_owed(
        &mut self,
        invocation: InvocationId,
        partition: u32,
        offset: i64,
    ) {
        if let Some(record) = self.model.given(invocation, partition, offset) {
            self.is_paid(invocation, record);
        }
    }

    fn is_paid(&mut self, invocation: InvocationId, record: RecordId) {
        let Some(until_ms) = self.owed.until_ms.remove(&(invocation, record)) else {
            return;
        };
        // Without an order writes wait for those of others: how long, another rule asks.
        let waits = self.terms.order == Order::Unordered && self.terms.ledger != Ledger::PerRecord;
        let of = &self.model.invocations[&invocation];
        if self.now_ms > until_ms && !of.faulted && !waits {
            let text = format!(
                "{} was done in invocation {invocation}, and is recorded {} ms later than that takes",
                self.name(record),
                self.now_ms - until_ms
            );
            self.broken(Invariant::Recorded, text);
        }
    }

    /// Nothing is recorded after the answer.
    pub(super) fn owes_nothing(&mut self, invocation: InvocationId) {
        for record in self.owed_by(invocation) {
            self.owed.until_ms.remove(&(invocation, record));
            let known = &self.model.records[&record];
            let is_its = match self.terms.ledger {
                Ledger::PerRecord => known.claimant == Some(invocation),
                _ => self.has(invocation, known.partition),
            };
            if is_its && !self.model.invocations[&invocation].faulted {
                let text = format!(
                    "{} was done in invocation {invocation}, which has answered and not recorded that",
                    self.name(record)
                );
                self.broken(Invariant::Recorded, text);
            }
        }
    }

    /// A process is no more.
    pub(super) fn owes_no_more(&mut self, environment: EnvironmentId) {
        let invocations = &self.model.invocations;
        self.owed
            .until_ms
            .retain(|(invocation, _), _| invocations[invocation].environment != environment);
    }

    fn owed_by(&self, invocation: InvocationId) -> Vec<RecordId> {
        let of = (invocation, RecordId::MIN)..=(invocation, RecordId::MAX);
        let owed = self.owed.until_ms.range(of);
        owed.map(|((_, record), _)| *record).collect()
    }
}

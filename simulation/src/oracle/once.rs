//! *Once:* after a write that holds r was applied, nobody who takes the partition later starts r, unless it was forgotten by the stated bounds.
//! *One owner:* an old owner starts nothing once its successor has the partition.

use crate::fact::{InvocationId, RecordId, StoredId, VersionId};
use crate::oracle::judge::Judge;
use crate::oracle::model::Write;
use crate::oracle::terms::{Ledger, Order};
use crate::oracle::violation::Invariant;

/// Ages are kept to the minute, and by clocks that differ.
const AGE_TOLERANCE_MS: u64 = 2 * 60_000;

impl Judge<'_> {
    /// The function goes on without its store, and one of this invocation's calls has met a fault.
    pub(super) fn may_be_without_store(&self, invocation: InvocationId) -> bool {
        self.terms.without_store && self.model.invocations[&invocation].faulted
    }

    /// Whatever its store says.
    pub(super) fn not_twice_in_one(&mut self, invocation: InvocationId, record: RecordId) {
        if self.model.invocations[&invocation]
            .settled
            .contains_key(&record)
        {
            let text = format!(
                "{} starts in invocation {invocation}, which has settled it",
                self.name(record)
            );
            self.broken(Invariant::Once, text);
        }
    }

    pub(super) fn not_again(&mut self, invocation: InvocationId, record: RecordId) {
        let of = &self.model.invocations[&invocation];
        let known = match self.terms.ledger {
            Ledger::PerRecord => self.model.records[&record].noted,
            _ => {
                let looked = of.looked.get(&record).copied();
                looked.unwrap_or_else(|| self.model.told(invocation, record))
            }
        };
        let Some(known) = known else { return };
        let age_ms = self.now_ms - known.settled_ms;
        let forgotten = age_ms + AGE_TOLERANCE_MS >= self.terms.forgets_after_ms;
        if !forgotten && known.is_skipped(of.redrive) {
            let text = format!(
                "{} starts in invocation {invocation}, though a write that holds it had been applied before that took the partition",
                self.name(record)
            );
            self.broken(Invariant::Once, text);
        }
    }

    pub(super) fn by_the_owner(&mut self, invocation: InvocationId, record: RecordId) {
        match self.terms.ledger {
            Ledger::None => return,
            Ledger::PerRecord => return self.by_the_claimant(invocation, record),
            Ledger::Durable | Ledger::Memory if self.terms.order == Order::Unordered => return,
            Ledger::Durable | Ledger::Memory => {}
        }
        let partition = self.model.records[&record].partition;
        let hold = self.model.invocations[&invocation].holds.get(&partition);
        let why = match hold {
            None => "which has not taken the partition",
            Some(hold) if hold.superseded => "from which another one has taken the partition",
            Some(hold) if hold.given_back_ms.is_some() => "which has given the partition back",
            Some(_) => return,
        };
        let text = format!(
            "{} starts in invocation {invocation}, {why}",
            self.name(record)
        );
        self.broken(Invariant::OneOwner, text);
    }

    /// A ledger holds nothing that was not settled: it would be skipped, and so lost.
    pub(super) fn only_settled(&mut self, write: Write, settled: &[i64]) {
        let (item, invocation, _) = write;
        for offset in settled {
            if self.model.entry(write, *offset).is_empty() {
                let text = format!(
                    "invocation {invocation} records orders-{}@{offset} as settled, which it is not",
                    item.partition
                );
                self.broken(Invariant::NothingLost, text);
            }
        }
    }

    fn by_the_claimant(&mut self, invocation: InvocationId, record: RecordId) {
        if self.model.records[&record].claimant != Some(invocation) {
            let text = format!(
                "{} starts in invocation {invocation}, which has not claimed it, or another one has since",
                self.name(record)
            );
            self.broken(Invariant::OneOwner, text);
        }
    }

    /// As [`only_settled`](Self::only_settled), by key.
    pub(super) fn only_settled_by_key(
        &mut self,
        invocation: InvocationId,
        partition: u32,
        offset: i64,
    ) {
        let record = self.model.given(invocation, partition, offset);
        let of = &self.model.invocations[&invocation];
        // A dead letter that was fed back to no avail stays one.
        let holds = |record: RecordId| of.redrive || of.settled.contains_key(&record);
        if !record.is_some_and(holds) {
            let text = format!(
                "invocation {invocation} notes orders-{partition}@{offset} as settled, which it is not"
            );
            self.broken(Invariant::NothingLost, text);
        }
    }

    /// A version never stands for two states of an item, even if that is deleted and made anew meanwhile: a write that expects the one would be let through over the other.
    pub(super) fn stands_for_one(&mut self, stored: StoredId, version: VersionId, content: u64) {
        let known = self.model.versions.entry((stored, version));
        if *known.or_insert(content) != content {
            let text =
                format!("version {version} of item {stored} stands again, for another state of it");
            self.broken(Invariant::Once, text);
        }
    }

    /// While its mark is kept, a handler starts at most once a record. Asked only of functions that promise it, whoever has begun the record; and not of a dead letter that somebody
    /// feeds back by hand, which is to run.
    pub(super) fn at_most_once(&mut self, invocation: InvocationId, record: RecordId) {
        let of = &self.model.invocations[&invocation];
        let fed_back = of.redrive;
        if self.model.at_least_once.contains(&of.environment) {
            return;
        }
        let started = self.model.records[&record].starts_marked > 0;
        if self.terms.at_most_once && started && !fed_back {
            let text = format!("{} starts once more", self.name(record));
            self.broken(Invariant::AtMostOnce, text);
        }
    }
}

//! *Answer:* exactly the records that are neither settled nor skipped are listed; the answer left before the deadline, by that process's clock.

use std::collections::BTreeSet;

use crate::fact::{Answer, InvocationId, RecordId};
use crate::oracle::judge::Judge;
use crate::oracle::terms::{Ledger, Order, Reporting};
use crate::oracle::violation::Invariant;

impl Judge<'_> {
    pub(super) fn answers(&mut self, invocation: InvocationId, answer: &Answer) {
        let records = self.model.invocations[&invocation].records.clone();
        let open: Vec<RecordId> = records
            .iter()
            .copied()
            .filter(|record| self.is_open(invocation, *record))
            .collect();
        match (self.terms.reporting, answer) {
            (Reporting::Partial, Answer::Listed(listed)) => {
                self.lists(invocation, &records, &open, listed);
            }
            (Reporting::Partial, Answer::Error) => {
                let text = format!("invocation {invocation} was an error, under partial reporting");
                self.broken(Invariant::Answer, text);
            }
            (Reporting::WholeBatch, Answer::Listed(listed)) => {
                if !listed.is_empty() {
                    let text = format!(
                        "invocation {invocation} lists records to a mapping that reads no lists"
                    );
                    self.broken(Invariant::Answer, text);
                }
                if let Some(record) = open.first() {
                    let text = format!(
                        "invocation {invocation} was a success, though {} is not done",
                        self.name(*record)
                    );
                    self.broken(Invariant::Answer, text);
                }
            }
            (Reporting::WholeBatch, Answer::Error) => {
                let settled = &self.model.invocations[&invocation].settled;
                if records.iter().all(|record| settled.contains_key(record)) {
                    let text =
                        format!("invocation {invocation} was an error, though all is settled");
                    self.broken(Invariant::Answer, text);
                }
            }
        }
    }

    /// Whether a record is certainly neither settled nor rightly skipped. What was settled earlier may be either: skipped, or not reached.
    pub(super) fn is_open(&self, invocation: InvocationId, record: RecordId) -> bool {
        let of = &self.model.invocations[&invocation];
        if of.settled.contains_key(&record) {
            return false;
        }
        if of.started.contains(&record) {
            // Without order it may have failed here, and then be left to another invocation that is known to have settled it.
            return self.terms.order != Order::Unordered
                || !self.model.may_skip(invocation, record);
        }
        if self.terms.ledger == Ledger::PerRecord {
            let record = &self.model.records[&record];
            // It may have been skipped before that was deleted, whatever stands there since.
            let before = record.noted_before.iter();
            let before = before.filter(|(_, until_ms)| *until_ms >= of.delivered_ms);
            let mut noted = record.noted.iter().chain(before.map(|(known, _)| known));
            return !noted.any(|known| known.may_be_skipped(of.redrive));
        }
        // What others have written, and nobody has told it, is nothing to it.
        !self.model.may_skip(invocation, record)
    }

    fn lists(
        &mut self,
        invocation: InvocationId,
        records: &[RecordId],
        open: &[RecordId],
        listed: &[(String, i64)],
    ) {
        let records = &self.in_the_answers_order(records);
        let mut named = BTreeSet::new();
        let mut last = None;
        for (partition, offset) in listed {
            let at = records.iter().position(|record| {
                let known = &self.model.records[record];
                known.offset == *offset && format!("orders-{}", known.partition) == *partition
            });
            let Some(at) = at else {
                let text = format!(
                    "invocation {invocation} lists {partition}@{offset}, which it was not given"
                );
                self.broken(Invariant::Answer, text);
                continue;
            };
            if last.replace(at).is_some_and(|last| last >= at) {
                let text = format!(
                    "invocation {invocation} lists {partition}@{offset} twice, or out of order"
                );
                self.broken(Invariant::Answer, text);
            }
            named.insert(records[at]);
        }
        for record in open {
            if !named.contains(record) {
                let text = format!(
                    "invocation {invocation} does not list {}, which is not done",
                    self.name(*record)
                );
                self.broken(Invariant::Answer, text);
            }
        }
        for record in named {
            let settled = &self.model.invocations[&invocation].settled;
            if settled.contains_key(&record) {
                let text = format!(
                    "invocation {invocation} lists {}, which is settled",
                    self.name(record)
                );
                self.broken(Invariant::Answer, text);
            }
        }
    }

    /// Partition after partition as in the event, and in each by offset: a share group's records need not come so.
    fn in_the_answers_order(&self, records: &[RecordId]) -> Vec<RecordId> {
        let partition = |record: &RecordId| self.model.records[record].partition;
        let mut partitions: Vec<u32> = records.iter().map(partition).collect();
        partitions.dedup();
        let place = |record: &RecordId| {
            let known = &self.model.records[record];
            let at = partitions.iter().position(|at| *at == known.partition);
            (at, known.offset)
        };
        let mut ordered = records.to_vec();
        ordered.sort_by_key(place);
        ordered
    }

    pub(super) fn overdue(&mut self, invocation: InvocationId) {
        let text = format!("invocation {invocation} had not answered when its deadline was there");
        self.broken(Invariant::Answer, text);
    }
}

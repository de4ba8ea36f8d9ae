//! The judge in the middle of a run: what was promised, what has been seen, and what each check remembers between two facts. Each check is a method of its own file.

use super::accounts::{Chunks, Claimants, Claims, Opened, Owed, Races, Schemas};
use super::model::Model;
use super::terms::Terms;
use super::violation::{Invariant, Violation};
use crate::fact::InvocationId;

/// Turns of handlers that hold the processor before something else has its own.
const HOLDS_MAX: u64 = 3;

/// So near to its deadline an invocation may have no time for it left.
const LATE_MS: u64 = 1_000;

pub(super) struct Judge<'a> {
    pub(super) terms: &'a Terms,
    pub(super) model: Model,
    pub(super) now_ms: u64,
    pub(super) owed: Owed,
    pub(super) claims: Claims,
    pub(super) opened: Opened,
    pub(super) races: Races,
    pub(super) claimants: Claimants,
    pub(super) schemas: Schemas,
    pub(super) chunks: Chunks,
    pub(super) violations: Vec<Violation>,
}

impl Judge<'_> {
    pub(super) fn broken(&mut self, invariant: Invariant, text: String) {
        if !self.terms.clocks_within_limit && invariant != Invariant::NothingLost {
            return;
        }
        self.violations.push(Violation {
            at_ms: self.now_ms,
            invariant,
            text,
        });
    }

    /// Whether an invocation has time for what comes at that time: near to its deadline it may have none.
    pub(super) fn leaves_time(&self, invocation: InvocationId, at_ms: u64) -> bool {
        let of = &self.model.invocations[&invocation];
        at_ms + LATE_MS <= of.delivered_ms + self.terms.pace.timeout_ms
    }

    /// How much longer all may take where handlers hold the processor: the one whose turn it is, and what has its turn before.
    pub(super) fn slack_ms(&self) -> u64 {
        self.terms.pace.holds_ms * HOLDS_MAX
    }

    /// For those who read a violation: `orders-0@15 (record 7)`.
    pub(super) fn name(&self, record: u32) -> String {
        let known = &self.model.records[&record];
        format!(
            "orders-{}@{} (record {record})",
            known.partition, known.offset
        )
    }
}

//! *Prompt:* where many invocations write one ledger without an order, a write that lost the race costs about a round trip, and an invocation ends soon after its last record did.

use crate::fact::{InvocationId, ItemId};
use crate::oracle::judge::Judge;
use crate::oracle::known::Kind;
use crate::oracle::terms::{Ledger, Order};
use crate::oracle::violation::Invariant;

/// From a write that was refused to the next one, both on the store's side: the answer's way back, the next write's way there, and a little that keeps writers apart.
const RACE_MS: u64 = 100;

/// From the end of the last record to the answer, among ten writers.
const END_MS: u64 = 1_000;

impl Judge<'_> {
    fn is_raced(&self) -> bool {
        let by_offset = matches!(self.terms.ledger, Ledger::Durable | Ledger::Memory);
        by_offset && self.terms.order == Order::Unordered
    }

    /// A write has come to the ledger, and won or lost.
    pub(super) fn writes_again(&mut self, item: ItemId, invocation: InvocationId, lost: bool) {
        if !self.is_raced() {
            return;
        }
        let at = (invocation, item.partition);
        let before = match lost {
            true => self.races.lost_ms.insert(at, self.now_ms),
            false => self.races.lost_ms.remove(&at),
        };
        if let Some(lost_ms) = before
            && self.now_ms > lost_ms + RACE_MS + self.slack_ms()
            && !self.model.invocations[&invocation].faulted
        {
            let text = format!(
                "invocation {invocation} lost a write of the ledger of orders-{} at {lost_ms} ms, and tries again only now",
                item.partition
            );
            self.broken(Invariant::Prompt, text);
        }
    }

    /// The answer leaves.
    pub(super) fn ends_soon(&mut self, invocation: InvocationId) {
        let of = &self.model.invocations[&invocation];
        if !self.is_raced() || of.faulted || of.records.is_empty() {
            return;
        }
        // Where something failed, was skipped or sent away it cannot be seen from here when the last lane had ended.
        let done = |record| match of.settled.get(record) {
            Some((Kind::Done, at_ms)) => Some(*at_ms),
            _ => None,
        };
        let mut records = of.records.iter();
        let last = records.try_fold(0, |last, record| Some(done(record)?.max(last)));
        if let Some(last) = last
            && self.now_ms > last + END_MS + self.slack_ms()
        {
            let text = format!(
                "invocation {invocation} had done its last record at {last} ms, and answers only now"
            );
            self.broken(Invariant::Prompt, text);
        }
    }
}

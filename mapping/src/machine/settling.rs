//! What becomes of a batch: settled, given up, delivered, dropped, or sent again.

use super::batch::{Held, Last, Piece, State, Unsettled, UnsettledId, offsets};
use super::context::{Context, Delivery, Flight};
use super::ids::InvocationId;
use super::input::End;
use super::output::{
    Acknowledgement, Because, Condition, Discarded, Dropped, LastResponse, Offsets, Output,
};
use super::partition::Partition;
use super::poller::Poller;
use super::readings::{Halves, NextBatch};
use super::verdict::{Listed, Outcome, verdict};
use crate::limits::RETRIED_ASIDE_MAX;
use crate::record::TopicPartition;
use crate::response::{self, Event, Read, Verdict};

impl Poller {
    /// An invocation ended that was under way.
    pub(super) fn ended(
        &mut self,
        (id, flight): (InvocationId, &Flight),
        request_id: Option<String>,
        how: &End,
        cx: &mut Context,
    ) {
        self.in_flight -= 1;
        let outcome = outcome(id, flight, how, cx);
        let Some(unsettled) = self.unsettled.get_mut(&flight.unsettled) else {
            return; // All its partitions were lost.
        };
        let mut piece = unsettled.pieces.pop_front().unwrap_or_default();
        if !matches!(outcome, Outcome::Throttled) {
            piece.last = Last {
                request_id,
                response: match how {
                    End::Response(_) => LastResponse::Answered,
                    _ => LastResponse::FunctionError,
                },
            };
            for held in &mut piece.records {
                held.invoked = held.invoked.saturating_add(1);
            }
        }
        let last = piece.last.clone();
        let verdict = verdict(piece, &outcome, &cx.rules);

        unsettled.state = State::Ready(cx.now);
        if let Some(first) = verdict.again.first() {
            unsettled.state = State::Waiting(cx.now.after(cx.rules.backoff(first.failures)));
        }
        self.send_again(flight.unsettled, verdict.again, cx);
        let settled = offsets(verdict.settled.iter().map(|held| &held.record));
        let holds = self.holds(Some(flight.unsettled));
        self.settle(&settled, holds, Acknowledgement::Accept, cx);
        let condition = Condition::RetryAttemptsExhausted;
        self.give_up(
            Some(flight.unsettled),
            verdict.given_up,
            condition,
            &last,
            cx,
        );
        if matches!(outcome, Outcome::Listed(_)) {
            self.let_go(flight.unsettled, cx);
        }
        self.tidy(flight.unsettled, cx.now);
    }

    /// Puts what is sent again before the rest of its batch; side by side, a second half goes by itself.
    fn send_again(&mut self, id: UnsettledId, pieces: Vec<Piece>, cx: &mut Context) {
        let Some(unsettled) = self.unsettled.get_mut(&id) else {
            return;
        };
        let mut pieces = pieces.into_iter();
        let (first, second) = (pieces.next(), pieces.next());
        let (state, holds) = (unsettled.state, unsettled.holds);
        let mut alone = None;
        match cx.rules.readings.halves {
            Halves::InSequence => second
                .into_iter()
                .for_each(|half| unsettled.pieces.push_front(half)),
            Halves::SideBySide => alone = second,
        }
        first
            .into_iter()
            .for_each(|piece| unsettled.pieces.push_front(piece));
        if let Some(second) = alone {
            let mut alone = Unsettled::new(second, cx.now);
            (alone.state, alone.holds) = (state, holds);
            self.unsettled.insert(cx.unsettled_id(), alone);
        }
    }

    /// Under [`NextBatch::GoesOn`] listed records no longer hold their partitions.
    fn let_go(&mut self, id: UnsettledId, cx: &mut Context) {
        if cx.rules.queue || cx.rules.readings.next_batch == NextBatch::Waits {
            return;
        }
        let Some(unsettled) = self.unsettled.get(&id) else {
            return;
        };
        // Behind the first piece there may be records that were never sent.
        if !unsettled.holds || unsettled.pieces.len() != 1 {
            return;
        }
        let parts = offsets(unsettled.records().map(|held| &held.record));
        let aside = |part: &Offsets| {
            let beside = self.unsettled.values().filter(|unsettled| !unsettled.holds);
            let of = |unsettled: &&Unsettled| {
                unsettled
                    .records()
                    .any(|held| held.record.partition == part.partition)
            };
            beside.filter(of).count()
        };
        if parts.iter().any(|part| aside(part) >= RETRIED_ASIDE_MAX) {
            return;
        }
        if let Some(unsettled) = self.unsettled.get_mut(&id) {
            unsettled.holds = false;
        }
        for part in parts {
            if let Some(partition) = self.partitions.get_mut(&part.partition) {
                partition.release(part.offsets.len(), cx.now);
            }
        }
    }

    fn holds(&self, id: Option<UnsettledId>) -> bool {
        id.and_then(|id| self.unsettled.get(&id))
            .is_none_or(|unsettled| unsettled.holds)
    }

    /// Gives up what is invalid, each record by itself.
    pub(super) fn give_up_invalid(&mut self, cx: &mut Context) {
        let some = |(key, partition): (&TopicPartition, &Partition)| {
            (!partition.invalid.is_empty()).then(|| key.clone())
        };
        let keys: Vec<TopicPartition> = self.partitions.iter().filter_map(some).collect();
        for key in keys {
            let destination = cx.rules.destination;
            let take = |partition: &mut Partition| partition.take_invalid(destination);
            while let Some((held, condition)) = self.partitions.get_mut(&key).and_then(take) {
                self.give_up(None, vec![held], condition, &Last::default(), cx);
            }
        }
    }

    /// Gives records up: released to the broker, on their way to the destination, or lost.
    pub(super) fn give_up(
        &mut self,
        id: Option<UnsettledId>,
        mut records: Vec<Held>,
        condition: Condition,
        last: &Last,
        cx: &mut Context,
    ) {
        // What no batch had, no batch waits for.
        let holds = !condition.is_of_schema() && self.holds(id);
        if cx.rules.queue && condition == Condition::RetryAttemptsExhausted {
            let most = cx.rules.delivery_count_max;
            let again = |held: &mut Held| held.record.delivery_count < most;
            let released: Vec<Held> = records.extract_if(.., again).collect();
            let released = offsets(released.iter().map(|held| &held.record));
            self.acknowledge(released, Acknowledgement::Release, cx);
        }
        if records.is_empty() {
            return;
        }
        let sent = records.len();
        let invoke_count = records.iter().map(|held| held.invoked).max().unwrap_or(0);
        let records: Vec<_> = records.into_iter().map(|held| held.record).collect();
        let parts = offsets(&records);
        if !cx.rules.destination {
            self.drop(parts, holds, (condition, Because::NoDestination), cx);
            return;
        }
        let delivery = cx.delivery_id();
        if let Some(unsettled) = id.and_then(|id| self.unsettled.get_mut(&id)) {
            unsettled.delivering += 1;
        }
        cx.put(Output::Deliver(Discarded {
            id: delivery,
            poller: self.id,
            condition,
            at: cx.now,
            invoke_count,
            request_id: last.request_id.clone(),
            response: last.response,
            records,
        }));
        let waiting = Delivery {
            poller: self.id,
            condition,
            unsettled: id,
            holds,
            records: parts,
            sent,
        };
        cx.deliveries.insert(delivery, waiting);
    }

    /// The destination has answered.
    pub(super) fn delivered(&mut self, delivery: Delivery, taken: bool, cx: &mut Context) {
        if delivery.condition.is_of_schema() {
            for part in &delivery.records {
                if let Some(partition) = self.partitions.get_mut(&part.partition) {
                    partition.invalid_delivering -= 1;
                }
            }
        }
        if taken {
            cx.metrics.delivered += delivery.sent as u64;
            self.settle(
                &delivery.records,
                delivery.holds,
                Acknowledgement::Reject,
                cx,
            );
        } else if !delivery.records.is_empty() {
            let why = (delivery.condition, Because::DeliveryFailed);
            self.drop(delivery.records, delivery.holds, why, cx);
        }
        if let Some(id) = delivery.unsettled {
            if let Some(unsettled) = self.unsettled.get_mut(&id) {
                unsettled.delivering -= 1;
            }
            self.tidy(id, cx.now);
        }
    }

    fn drop(
        &mut self,
        parts: Vec<Offsets>,
        holds: bool,
        (condition, because): (Condition, Because),
        cx: &mut Context,
    ) {
        cx.metrics.dropped += count(&parts);
        self.settle(&parts, holds, Acknowledgement::Reject, cx);
        cx.put(Output::Dropped(Dropped {
            poller: self.id,
            condition,
            because,
            records: parts,
        }));
    }

    /// Nothing more happens to these records.
    fn settle(&mut self, parts: &[Offsets], holds: bool, with: Acknowledgement, cx: &mut Context) {
        for part in parts {
            let Some(partition) = self.partitions.get_mut(&part.partition) else {
                continue;
            };
            if holds {
                partition.release(part.offsets.len(), cx.now);
            }
            for offset in &part.offsets {
                partition.tracker.settle(*offset);
            }
        }
        if cx.rules.queue {
            self.acknowledge(parts.to_vec(), with, cx);
        }
    }

    /// Tells the broker of a share group what became of records.
    pub(super) fn acknowledge(
        &mut self,
        parts: Vec<Offsets>,
        with: Acknowledgement,
        cx: &mut Context,
    ) {
        for records in parts {
            if with != Acknowledgement::Release {
                cx.metrics.committed += records.offsets.len() as u64;
            }
            cx.put(Output::Acknowledge {
                poller: self.id,
                records,
                with,
            });
        }
    }
}

/// Reads how an invocation ended, and tells.
fn outcome(id: InvocationId, flight: &Flight, how: &End, cx: &mut Context) -> Outcome {
    let sent = count(&flight.sent);
    let End::Response(body) = how else {
        cx.metrics.failed_invocations += 1;
        cx.metrics.failed_invoke += sent;
        return match how {
            End::Throttled => Outcome::Throttled,
            _ => Outcome::Failed,
        };
    };
    let part = |part: &Offsets| (part.partition.to_string(), part.offsets.clone());
    let event = Event::of(flight.sent.iter().map(part).collect());
    let read = Read::response(&event, body, cx.rules.reporting);
    let outcome = match read.verdict() {
        Verdict::AllDone | Verdict::FailuresIgnored { .. } | Verdict::FailuresMisplaced { .. } => {
            Outcome::Done
        }
        Verdict::SomeAgain => {
            let listed: usize = read
                .partitions()
                .iter()
                .map(response::Partition::again)
                .sum();
            cx.metrics.failed_invoke += listed as u64;
            let partitions = flight.sent.iter().map(|part| &part.partition);
            Outcome::Listed(Listed::of(&read, partitions, &cx.rules.readings))
        }
        Verdict::WholeBatchAgain(_) => {
            cx.metrics.failed_invoke += sent;
            Outcome::Failed
        }
    };
    cx.put(Output::Answered {
        id,
        verdict: read.verdict().clone(),
    });
    outcome
}

fn count(parts: &[Offsets]) -> u64 {
    parts.iter().map(|part| part.offsets.len() as u64).sum()
}

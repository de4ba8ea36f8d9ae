//! What a poller sends to the function, and when.

use super::batch::{Held, Last, Piece, State, Unsettled, UnsettledId, offsets};
use super::batching::{self, Next};
use super::context::{Context, Flight};
use super::output::{Batch, Condition, Output};
use super::poller::Poller;
use super::readings::Age;
use crate::limits::POLLER_INVOCATIONS_MAX;

impl Poller {
    /// Sends what is due, as long as an invocation is free: first what is tried again, then the next batches.
    pub(super) fn send_due(&mut self, cx: &mut Context) {
        self.closes_at = None;
        if cx.draining {
            return;
        }
        for unsettled in self.unsettled.values_mut() {
            if let State::Waiting(until) = unsettled.state
                && until <= cx.now
            {
                unsettled.state = State::Ready(until);
            }
        }
        self.give_up_invalid(cx);
        loop {
            while let Some(held) = batching::too_big(&mut self.partitions, &cx.rules) {
                let condition = Condition::MaximumPayloadSizeExceeded;
                self.give_up(None, vec![held], condition, &Last::default(), cx);
            }
            if self.in_flight >= POLLER_INVOCATIONS_MAX {
                return;
            }
            if let Some(id) = self.next_ready() {
                self.send(id, cx);
                continue;
            }
            match batching::next(&mut self.partitions, &cx.rules, cx.now) {
                Next::Closed(records) => {
                    let unsettled = Unsettled::new(Piece::of(records), cx.now);
                    self.unsettled.insert(cx.unsettled_id(), unsettled);
                }
                Next::ClosesAt(time) => {
                    self.closes_at = Some(time);
                    return;
                }
                Next::Nothing => return,
            }
        }
    }

    /// The batch that has been ready longest.
    fn next_ready(&self) -> Option<UnsettledId> {
        let ready = self
            .unsettled
            .iter()
            .filter_map(|(id, unsettled)| match unsettled.state {
                State::Ready(since) if unsettled.delivering == 0 && !self.is_leaving(unsettled) => {
                    Some((since, *id))
                }
                _ => None,
            });
        ready.min().map(|(_, id)| id)
    }

    /// Whether it holds records of a partition that is about to be taken.
    fn is_leaving(&self, unsettled: &Unsettled) -> bool {
        let leaving = |held: &Held| {
            let partition = self.partitions.get(&held.record.partition);
            partition.is_some_and(|partition| partition.leaving)
        };
        self.partitions.values().any(|partition| partition.leaving)
            && unsettled.records().any(leaving)
    }

    /// Sends the first piece of a batch, without what has become too old.
    fn send(&mut self, id: UnsettledId, cx: &mut Context) {
        let Some(unsettled) = self.unsettled.get_mut(&id) else {
            return;
        };
        if let Some(piece) = unsettled.pieces.front_mut() {
            let old = take_old(piece, cx);
            let (last, gone) = (piece.last.clone(), piece.records.is_empty());
            self.give_up(Some(id), old, Condition::RecordAgeExceeded, &last, cx);
            self.tidy(id, cx.now);
            // The next piece is looked at when it is its turn.
            if gone {
                return;
            }
        }
        let Some(unsettled) = self.unsettled.get_mut(&id) else {
            return;
        };
        let ready = matches!(unsettled.state, State::Ready(_)) && unsettled.delivering == 0;
        let Some(piece) = unsettled.pieces.front().filter(|_| ready) else {
            return;
        };

        let invocation = cx.invocation_id();
        let sent = offsets(piece.records.iter().map(|held| &held.record));
        let body = cx
            .rules
            .envelope
            .event(piece.records.iter().map(|held| &held.record));
        unsettled.state = State::InFlight(invocation);
        self.in_flight += 1;
        cx.metrics.invocations += 1;
        cx.metrics.invoked += piece.records.len() as u64;
        cx.put(Output::Invoke(Batch {
            id: invocation,
            poller: self.id,
            attempt: piece.invoked() + 1,
            partitions: sent.clone(),
            body,
        }));
        let flight = Flight {
            poller: self.id,
            unsettled: id,
            sent,
        };
        cx.invocations.insert(invocation, flight);
    }
}

/// Takes the records out that are too old to be sent.
fn take_old(piece: &mut Piece, cx: &Context) -> Vec<Held> {
    let old = |held: &Held| cx.rules.too_old(&held.record, cx.now);
    match cx.rules.readings.age {
        Age::PerRecord => piece.records.extract_if(.., |held| old(held)).collect(),
        Age::PerBatch if piece.records.iter().any(old) => std::mem::take(&mut piece.records),
        Age::PerBatch => Vec::new(),
    }
}

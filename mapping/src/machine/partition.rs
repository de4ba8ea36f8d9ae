//! A partition that a poller has: what waits, what is under way, where it stands.

use std::collections::VecDeque;

use super::batch::Held;
use super::output::Condition;
use super::rules::Rules;
use super::tracker::Tracker;
use crate::limits::{
    BATCHES_WAITING_MAX, EVENT_BYTES_MAX, INVALID_DELIVERING_MAX, POLLER_WAITING_BYTES_MAX,
    UNCOMMITTED_MAX,
};
use crate::time::Time;

#[derive(Debug)]
pub(super) struct Partition {
    /// Records that were never in a batch, in offset order.
    pub(super) waiting: VecDeque<Held>,
    /// Of those that wait, and of the invalid ones.
    pub(super) waiting_bytes: usize,
    /// Records that no batch takes, each with the reason. They wait for the destination.
    pub(super) invalid: VecDeque<(Held, Condition)>,
    /// Invalid records that are on their way to the destination.
    pub(super) invalid_delivering: usize,
    /// Not in Queue mode.
    pub(super) tracker: Tracker,
    /// How many records of it have to be settled before its next batch.
    pub(super) held: usize,
    /// Since when that is none.
    pub(super) free_since: Time,
    pub(super) paused: bool,
    /// It is about to be taken: nothing more of it is sent.
    pub(super) leaving: bool,
    /// Its position was out of range: the next offset may be lower.
    pub(super) restarts: bool,
    /// When a refused commit is sent again.
    pub(super) commit_again: Option<Time>,
}

impl Partition {
    pub(super) fn at(committed: Option<i64>, now: Time) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            invalid: VecDeque::new(),
            invalid_delivering: 0,
            tracker: Tracker::at(committed),
            held: 0,
            free_since: now,
            paused: true,
            leaving: false,
            restarts: false,
            commit_again: None,
        }
    }

    pub(super) fn push(&mut self, held: Held) {
        self.waiting_bytes += held.bytes;
        self.waiting.push_back(held);
    }

    pub(super) fn push_invalid(&mut self, held: Held, condition: Condition) {
        self.waiting_bytes += held.bytes;
        self.invalid.push_back((held, condition));
    }

    /// The next invalid record that may be given up. Few at once go to a destination.
    pub(super) fn take_invalid(&mut self, destination: bool) -> Option<(Held, Condition)> {
        if self.leaving || self.invalid_delivering >= INVALID_DELIVERING_MAX {
            return None;
        }
        let taken = self.invalid.pop_front()?;
        self.waiting_bytes -= taken.0.bytes;
        self.invalid_delivering += usize::from(destination);
        Some(taken)
    }

    /// How many records wait, for a batch or for the destination.
    pub(super) fn waits(&self) -> usize {
        self.waiting.len() + self.invalid.len()
    }

    /// Takes a record out that waits at this offset. Queue mode: its lock has ended, for it was delivered once more.
    pub(super) fn withdraw(&mut self, offset: i64) {
        let at = |held: &Held| held.record.offset == offset;
        if let Some(place) = self.waiting.iter().position(at)
            && let Some(held) = self.waiting.remove(place)
        {
            self.waiting_bytes -= held.bytes;
        }
        let at = |(held, _): &(Held, Condition)| held.record.offset == offset;
        if let Some(place) = self.invalid.iter().position(at)
            && let Some((held, _)) = self.invalid.remove(place)
        {
            self.waiting_bytes -= held.bytes;
        }
    }

    /// Takes the first waiting records, which hold the partition from now on.
    pub(super) fn take(&mut self, records: usize) -> impl Iterator<Item = Held> {
        let taken = self.waiting.drain(..records);
        self.held += records;
        let bytes = &mut self.waiting_bytes;
        taken.inspect(|held| *bytes -= held.bytes)
    }

    /// So many records no longer hold it.
    pub(super) fn release(&mut self, records: usize, now: Time) {
        self.held = self.held.saturating_sub(records);
        if self.held == 0 {
            self.free_since = now;
        }
    }

    /// Whether a batch may be made of its records.
    pub(super) fn is_free(&self, rules: &Rules) -> bool {
        !self.leaving && (rules.queue || self.held == 0)
    }

    /// Whether enough waits. What is paused goes on at half of that, so that it does not flutter.
    pub(super) fn has_enough(&self, rules: &Rules, poller_bytes: usize) -> bool {
        let most = if self.paused { 1 } else { 2 };
        let of = |limit: usize| limit * most / 2;
        self.waits() >= of(BATCHES_WAITING_MAX * rules.batch_size)
            || self.waiting_bytes >= of(BATCHES_WAITING_MAX * EVENT_BYTES_MAX)
            || self.tracker.uncommitted() >= of(UNCOMMITTED_MAX)
            || self.waits() > 0 && poller_bytes >= of(POLLER_WAITING_BYTES_MAX)
    }
}

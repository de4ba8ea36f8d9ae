//! The mapping's settings in a run, and how dice choose them. Used by `plan`.

use msk_mapping::machine::{
    Age, Attempts, Bisecting, Exhausted, Halves, NextBatch, PartialAnswer, Progress, Readings,
    Rebalance, Throttles, Window,
};
use msk_mapping::response::Again;

use crate::dice::Dice;
use crate::limits::SHARE_DELIVERIES_MAX;
use crate::oracle::{Ledger, Order, Pace, Reporting, Terms};

/// Of a thousand mappings, so many are in Queue mode.
const QUEUE_MODE: u32 = 200;

/// The mapping's settings.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) pollers: u32,
    pub(crate) batch_size: i64,
    pub(crate) window_s: Option<i64>,
    pub(crate) retries: Option<i64>,
    pub(crate) age_s: Option<i64>,
    pub(crate) bisects: bool,
    pub(crate) has_destination: bool,
    pub(crate) filters: bool,
    pub(crate) backoff_ms: (u64, u64),
    /// *None: it reads the topic as a stream.*
    pub(crate) queue: Option<Queue>,
    pub(crate) readings: Readings,
}

/// What only Queue mode has.
#[derive(Debug)]
pub(crate) struct Queue {
    /// How long a record is locked, if nobody asks for more.
    pub(crate) lock_ms: u64,
    /// Of a thousand locks that are to go on, so many end.
    pub(crate) renewal_fails: u32,
}

impl Mapping {
    pub(super) fn of(dice: &mut Dice, again: Again) -> Self {
        let mut readings = Readings::default();
        readings.again = again;
        if dice.per_mille(400) {
            readings.throttles = dice.pick(&[Throttles::Free, Throttles::Count]);
            readings.attempts = dice.pick(&[Attempts::PerBatch, Attempts::PerRecord]);
            readings.progress = dice.pick(&[Progress::Keeps, Progress::StartsAnew]);
            readings.rebalance = dice.pick(&[Rebalance::StartsAnew, Rebalance::Keeps]);
            readings.bisecting =
                dice.pick(&[Bisecting::Free, Bisecting::Counts, Bisecting::StartsAnew]);
            readings.partial_answer = dice.pick(&[
                PartialAnswer::SplitsAtReturned,
                PartialAnswer::Halves,
                PartialAnswer::Unsplit,
            ]);
            readings.halves = dice.pick(&[Halves::InSequence, Halves::SideBySide]);
            readings.exhausted = dice.pick(&[Exhausted::Listed, Exhausted::FromLowest]);
            readings.age = dice.pick(&[Age::PerRecord, Age::PerBatch]);
            readings.next_batch = dice.pick(&[NextBatch::Waits, NextBatch::GoesOn]);
            readings.window = dice.pick(&[Window::FromArrival, Window::FromFree]);
        }
        Self {
            pollers: dice.pick(&[1, 1, 2, 3]),
            batch_size: dice.pick(&[1, 2, 5, 10, 100]),
            window_s: dice.pick(&[None, Some(0), Some(1)]),
            retries: dice.pick(&[None, None, Some(0), Some(1), Some(3), Some(20)]),
            age_s: dice.pick(&[None, None, None, Some(60)]),
            bisects: dice.per_mille(250),
            has_destination: dice.per_mille(500),
            filters: dice.per_mille(200),
            backoff_ms: dice.pick(&[(100, 1_000), (500, 10_000)]),
            queue: None,
            readings,
        }
    }

    /// Some mappings are in Queue mode: settings that do not apply there are left out. The function's order.
    pub(super) fn choose_mode(&mut self, dice: &mut Dice, order: Order) -> Order {
        if !dice.per_mille(QUEUE_MODE) {
            return order;
        }
        self.queue = Some(Queue {
            lock_ms: dice.pick(&[1_500, 5_000, 30_000]),
            renewal_fails: dice.pick(&[0, 0, 50, 300]),
        });
        self.window_s = None;
        // A record has several deliveries, each with retries of its own: more of them would outlast the run.
        self.retries = dice.pick(&[None, None, Some(0), Some(1), Some(3)]);
        // A function does not see in which mode its mapping is: with an order it waits more, and is right all the same.
        match dice.per_mille(700) {
            true => Order::Unordered,
            false => order,
        }
    }

    /// What follows from it for the oracle; the rest is as in a run that promises little.
    pub(super) fn terms(&self) -> Terms {
        let readings = &self.readings;
        Terms {
            order: Order::Unordered,
            reporting: Reporting::WholeBatch,
            ledger: Ledger::None,
            retries: self.effective_retries(),
            throttles_count: readings.throttles == Throttles::Count,
            tail_goes_too: readings.exhausted == Exhausted::FromLowest,
            age_ms: self.age_s.map(|age| age.unsigned_abs() * 1_000),
            age_of_batch: readings.age == Age::PerBatch,
            deliveries_max: self.queue.as_ref().map(|_| SHARE_DELIVERIES_MAX.into()),
            mapping_keeps_order: self.queue.is_none()
                && readings.next_batch == NextBatch::Waits
                && readings.halves == Halves::InSequence,
            clocks_within_limit: false,
            forgets_after_ms: 0,
            at_most_once: false,
            without_store: false,
            pace: Pace::default(),
        }
    }

    /// With a destination Lambda makes infinite retries ten.
    pub(super) fn effective_retries(&self) -> Option<u64> {
        match self.retries {
            Some(retries) if retries >= 0 => Some(retries.unsigned_abs()),
            None if self.queue.is_some() => Some(0),
            _ => self.has_destination.then_some(10),
        }
    }
}

//! What a seed means: the function's and the mapping's settings, the records, and which faults may happen how often. Read by `world`.
//!
//! Each run has some kinds of faults and not others: a run in which everything fails finds little, since nothing comes far.

use std::time::Duration;

use lambda_msk::limits::{CLOCK_SKEW_MAX_MS, CLOCK_SKEW_PART_MAX, LEASE_MS, LEASE_PART_MAX};
use msk_mapping::machine::{
    Age, Attempts, Bisecting, Exhausted, Halves, NextBatch, PartialAnswer, Progress, Readings,
    Rebalance, Throttles, Window,
};
use msk_mapping::response::Again;

use crate::dice::Dice;
use crate::limits::SHARE_DELIVERIES_MAX;
use crate::oracle::{Ledger, Order, Reporting, Terms};

/// Cells of the matrix: order × reporting × reading × ledger.
pub(crate) const CELLS: u64 = 3 * 2 * 2 * 3;

/// Of a thousand mappings, so many are in Queue mode.
const QUEUE_MODE: u32 = 200;

/// Everything that is decided before a run begins.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) terms: Terms,
    pub(crate) function: Function,
    pub(crate) mapping: Mapping,
    pub(crate) records: Records,
    pub(crate) faults: Faults,
    /// From then on nothing fails.
    pub(crate) quiet_at_ms: u64,
    /// The run ends then at the latest.
    pub(crate) over_at_ms: u64,
}

/// The function's settings.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) timeout_ms: u64,
    pub(crate) progress: Duration,
    pub(crate) attempts: u32,
    pub(crate) concurrency: usize,
    pub(crate) rejects_exhausted: bool,
    pub(crate) has_destination: bool,
    /// While the store fails, records run without it.
    pub(crate) without_store: bool,
    /// Until then its processes run records at least once; those that start later at most once. *None: all of them do as the terms say.*
    pub(crate) at_least_once_until_ms: Option<u64>,
    /// Invocations that one process takes at once.
    pub(crate) at_once: usize,
    /// Environments at once.
    pub(crate) environments_max: usize,
}

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

/// What stands in the logs.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) partitions: u32,
    pub(crate) each_max: u64,
    pub(crate) keys: u64,
    /// Over so long they are appended.
    pub(crate) over_ms: u64,
    /// Of each thousand, so many are not good.
    pub(crate) odd: u32,
}

/// How often each fault happens: times in a thousand, of what it happens to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    // Of handlers' runs.
    pub(crate) handler_fails: u32,
    pub(crate) handler_panics: u32,
    pub(crate) handler_hangs: u32,
    pub(crate) handler_slow: u32,
    // Of invocations.
    pub(crate) kill: u32,
    pub(crate) kill_at_call: u32,
    pub(crate) freeze: u32,
    pub(crate) throttle: u32,
    pub(crate) connection_lost: u32,
    pub(crate) answer_lost: u32,
    pub(crate) answer_twice: u32,
    pub(crate) recycle: u32,
    // Of calls of the store and the destination.
    pub(crate) call_fails: u32,
    pub(crate) answer_of_call_lost: u32,
    pub(crate) call_late: u32,
    pub(crate) call_twice: u32,
    pub(crate) call_slow: u32,
    // Of commits and deliveries of the mapping.
    pub(crate) commit_refused: u32,
    pub(crate) delivery_fails: u32,
    // A run, so many times.
    pub(crate) rebalances: u64,
    pub(crate) compactions: u64,
    pub(crate) renewals: u64,
    pub(crate) resets: u64,
    pub(crate) forgets: u64,
    pub(crate) clock_jumps: u64,
    pub(crate) redrives: u64,
    /// When the store is out of reach, from and until.
    pub(crate) outages_ms: Vec<(u64, u64)>,
    /// Time in which nothing happens, before the resets.
    pub(crate) long_pause_ms: u64,
    /// How far any clock may be from the true one.
    pub(crate) clock_off_ms: i64,
    pub(crate) steady_stops: bool,
}

impl Plan {
    pub(crate) fn is_queue(&self) -> bool {
        self.mapping.queue.is_some()
    }

    pub(crate) fn of(seed: u64) -> Self {
        let root = Dice::new(seed);
        let mut dice = root.of("plan", 0);
        let cell = seed % CELLS;
        let order = [Order::Partition, Order::Key, Order::Unordered][(cell % 3) as usize];
        let reporting = [Reporting::WholeBatch, Reporting::Partial][(cell / 3 % 2) as usize];
        let again = [Again::OnlyListed, Again::FromLowest][(cell / 6 % 2) as usize];
        let ledger = [Ledger::Durable, Ledger::Memory, Ledger::None][(cell / 12) as usize];
        let mut function = function(&mut dice);
        let (ledger, at_most_once) = match (ledger, dice.between(0, 7)) {
            (Ledger::Durable, 0) => (Ledger::PerRecord, false),
            (Ledger::Durable, 1) => (Ledger::PerRecord, true),
            (ledger, _) => (ledger, false),
        };
        if at_most_once {
            // It asks for one attempt; and without a destination what may have run is lost, as documented.
            function.attempts = 1;
            function.has_destination = true;
        }
        let mut dice_of_processes = root.of("processes", 0);
        if dice_of_processes.per_mille(250) {
            function.at_once = dice_of_processes.pick(&[2, 3, 10]);
        }
        let mut mapping = mapping(&mut dice, again);
        if !function.has_destination {
            // Else one bad record blocks its partition for ever, as documented.
            mapping.retries = Some(dice.pick(&[0, 1, 3]));
        }
        // With dice of its own: a stream's schedule is what it was.
        let order = queue_mode(&mut root.of("mode", 0), order, &mut mapping);
        let records = records(&mut dice);
        let mut faults = faults(&mut root.of("faults", 0), function.timeout_ms);
        let quiet_at_ms = records.over_ms + dice.between(5_000, 60_000) + faults.long_pause_ms;
        if matches!(ledger, Ledger::Durable | Ledger::PerRecord) {
            let mut dice = root.of("outages", 0);
            faults.outages_ms = outages(&mut dice, quiet_at_ms);
            function.without_store = !at_most_once && dice.per_mille(300);
        }
        let mut dice = root.of("deployment", 0);
        if at_most_once && dice.per_mille(400) {
            let most = records.over_ms.max(2_000);
            function.at_least_once_until_ms = Some(dice.between(0, most));
        }
        let readings = &mapping.readings;
        let terms = Terms {
            order,
            reporting,
            ledger,
            retries: effective_retries(&mapping),
            throttles_count: readings.throttles == Throttles::Count,
            tail_goes_too: readings.exhausted == Exhausted::FromLowest,
            age_ms: mapping.age_s.map(|age| age.unsigned_abs() * 1_000),
            age_of_batch: readings.age == Age::PerBatch,
            deliveries_max: mapping
                .queue
                .is_some()
                .then_some(SHARE_DELIVERIES_MAX.into()),
            mapping_keeps_order: mapping.queue.is_none()
                && readings.next_batch == NextBatch::Waits
                && readings.halves == Halves::InSequence,
            clocks_within_limit: faults.clock_off_ms <= clock_limit_ms(function.timeout_ms),
            forgets_after_ms: match ledger {
                Ledger::Memory => lambda_msk::limits::MEMORY_LEDGER_AGE_MS_MAX,
                _ => lambda_msk::limits::LEDGER_AGE_MS_MAX,
            },
            at_most_once,
            without_store: function.without_store,
        };
        Self {
            over_at_ms: quiet_at_ms + 600_000,
            quiet_at_ms,
            terms,
            function,
            mapping,
            records,
            faults,
        }
    }
}

/// Some mappings are in Queue mode: settings that do not apply there are left out. The function's order.
fn queue_mode(dice: &mut Dice, order: Order, mapping: &mut Mapping) -> Order {
    if !dice.per_mille(QUEUE_MODE) {
        return order;
    }
    mapping.queue = Some(Queue {
        lock_ms: dice.pick(&[1_500, 5_000, 30_000]),
        renewal_fails: dice.pick(&[0, 0, 50, 300]),
    });
    mapping.window_s = None;
    // A record has several deliveries, each with retries of its own: more of them would outlast the run.
    mapping.retries = dice.pick(&[None, None, Some(0), Some(1), Some(3)]);
    // A function does not see in which mode its mapping is: with an order it waits more, and is right all the same.
    match dice.per_mille(700) {
        true => Order::Unordered,
        false => order,
    }
}

/// With a destination Lambda makes infinite retries ten.
fn effective_retries(mapping: &Mapping) -> Option<u64> {
    match mapping.retries {
        Some(retries) if retries >= 0 => Some(retries.unsigned_abs()),
        None if mapping.queue.is_some() => Some(0),
        _ => mapping.has_destination.then_some(10),
    }
}

/// How far a clock may be from the true one, so that no two are further apart than leases of that function allow for.
fn clock_limit_ms(timeout_ms: u64) -> i64 {
    let lease_ms = LEASE_MS.min(timeout_ms / u64::from(LEASE_PART_MAX));
    let skew_ms = CLOCK_SKEW_MAX_MS.min(lease_ms / u64::from(CLOCK_SKEW_PART_MAX));
    // An invocation that begins late in its process's reckoning has a shorter lease.
    (skew_ms / 3).cast_signed()
}

fn function(dice: &mut Dice) -> Function {
    Function {
        timeout_ms: dice.pick(&[3_000, 6_000, 12_000, 30_000]),
        progress: Duration::from_millis(dice.pick(&[0, 50, 250, 250, 1_000])),
        attempts: dice.pick(&[1, 2, 3]),
        concurrency: dice.pick(&[1, 2, 64]),
        rejects_exhausted: dice.per_mille(300),
        has_destination: dice.per_mille(850),
        without_store: false,
        at_least_once_until_ms: None,
        at_once: 1,
        environments_max: dice.pick(&[1, 2, 3, 5]),
    }
}

fn mapping(dice: &mut Dice, again: Again) -> Mapping {
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
    Mapping {
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

fn records(dice: &mut Dice) -> Records {
    Records {
        partitions: dice.pick(&[1, 1, 2, 3]),
        each_max: dice.pick(&[3, 8, 16]),
        keys: dice.between(0, 4),
        over_ms: dice.pick(&[10, 2_000, 20_000]),
        odd: dice.pick(&[0, 100, 300]),
    }
}

fn faults(dice: &mut Dice, timeout_ms: u64) -> Faults {
    // A calm run shows what holds without faults: more is asked of it.
    if dice.per_mille(120) {
        return Faults::default();
    }
    let limit_ms = clock_limit_ms(timeout_ms);
    let mut rate = |most: u32| match dice.per_mille(450) {
        true => dice.pick(&[most / 5, most / 2, most]),
        false => 0,
    };
    let mut faults = Faults {
        handler_fails: rate(400),
        handler_panics: rate(150),
        handler_hangs: rate(80),
        handler_slow: rate(200),
        kill: rate(300),
        kill_at_call: rate(250),
        freeze: rate(300),
        throttle: rate(300),
        connection_lost: rate(300),
        answer_lost: rate(250),
        answer_twice: rate(250),
        recycle: rate(400),
        call_fails: rate(300),
        answer_of_call_lost: rate(250),
        call_late: rate(250),
        call_twice: rate(250),
        call_slow: rate(200),
        commit_refused: rate(300),
        delivery_fails: rate(400),
        ..Faults::default()
    };
    let mut times = |most: u64| match dice.per_mille(350) {
        true => dice.between(1, most),
        false => 0,
    };
    faults.rebalances = times(6);
    faults.compactions = times(4);
    faults.renewals = times(2);
    faults.resets = times(2);
    faults.forgets = times(2);
    faults.clock_jumps = times(6);
    faults.redrives = times(4);
    faults.long_pause_ms = match dice.per_mille(60) {
        true => dice.pick(&[20 * 60_000, 25 * 3_600_000]),
        false => 0,
    };
    faults.clock_off_ms = match dice.between(0, 9) {
        0 => 0,
        1 => limit_ms * 30,
        _ => limit_ms,
    };
    faults.steady_stops = dice.per_mille(600);
    faults
}

/// Times at which no call of the store comes through: longer than a function is patient that goes on without it, or not.
fn outages(dice: &mut Dice, quiet_at_ms: u64) -> Vec<(u64, u64)> {
    let count = match dice.per_mille(250) {
        true => dice.between(1, 3),
        false => 0,
    };
    let outage = |_| {
        let most = dice.pick(&[quiet_at_ms / 10, quiet_at_ms]);
        let from = dice.between(0, most);
        let longest = dice.pick(&[1_000, 5_000, 30_000]);
        (from, quiet_at_ms.min(from + dice.between(100, longest)))
    };
    (0..count).map(outage).collect()
}

//! Which faults may happen in a run, and how often. Used by `plan`.
//!
//! Each run has some kinds of faults and not others: a run in which everything fails finds little, since nothing comes far.

use crate::dice::Dice;

/// How often each fault happens: times in a thousand, of what it happens to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    // Of handlers' runs.
    pub(crate) handler_fails: u32,
    pub(crate) handler_panics: u32,
    pub(crate) handler_hangs: u32,
    pub(crate) handler_slow: u32,
    // Of takings of a handler's arguments.
    pub(crate) extractor_panics: u32,
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
    // Of calls of the destination: no fault of anybody's, it is as slow as it likes.
    pub(crate) send_slow: u32,
    pub(crate) send_hangs: u32,
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

impl Faults {
    /// `limit_ms` is how far a clock may be off where leases hold.
    pub(super) fn of(dice: &mut Dice, limit_ms: i64) -> Self {
        // A calm run shows what holds without faults: more is asked of it.
        if dice.per_mille(120) {
            return Self::default();
        }
        let mut rate = |most: u32| match dice.per_mille(450) {
            true => dice.pick(&[most / 5, most / 2, most]),
            false => 0,
        };
        let mut faults = Self {
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
            ..Self::default()
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
}

/// Times at which no call of the store comes through: longer than a function is patient that goes on without it, or not.
pub(super) fn outages(dice: &mut Dice, quiet_at_ms: u64) -> Vec<(u64, u64)> {
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

//! What handlers do: decided by seed, record and how often it was started, so that it does not depend on anything else of the run. Asked by `function`.

use std::sync::{Mutex, PoisonError};

use crate::dice::Dice;
use crate::fact::RecordId;
use crate::plan::Faults;

/// How a handler's run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Ok,
    Fails,
    Rejects,
    Panics,
    Hangs,
}

/// All handlers of a run.
#[derive(Debug)]
pub(crate) struct Script {
    dice: Dice,
    faults: Faults,
    quiet_at_ms: u64,
    timeout_ms: u64,
    /// Which records are rejected by their handler, by record.
    rejected: Vec<bool>,
    starts: Mutex<Vec<u32>>,
}

impl Script {
    pub(crate) fn new(
        dice: Dice,
        faults: Faults,
        quiet_at_ms: u64,
        timeout_ms: u64,
        rejected: Vec<bool>,
    ) -> Self {
        Self {
            dice,
            faults,
            quiet_at_ms,
            timeout_ms,
            starts: Mutex::new(vec![0; rejected.len()]),
            rejected,
        }
    }

    /// A handler starts for that record: how many milliseconds it takes, and how it ends.
    pub(crate) fn start(&self, record: RecordId, now_ms: u64) -> (u64, Behaviour) {
        let at = record as usize;
        let start = {
            let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
            starts[at] += 1;
            u64::from(starts[at])
        };
        let mut dice = self.dice.of("handler", u64::from(record) << 32 | start);
        let takes_ms = dice.between(0, 40);
        let end = match self.rejected[at] {
            true => Behaviour::Rejects,
            false => Behaviour::Ok,
        };
        if now_ms >= self.quiet_at_ms {
            return (takes_ms, end);
        }
        let faults = &self.faults;
        let takes_ms = match dice.per_mille(faults.handler_slow) {
            true => dice.between(0, self.timeout_ms),
            false => takes_ms,
        };
        let end = match () {
            () if dice.per_mille(faults.handler_hangs) => Behaviour::Hangs,
            () if dice.per_mille(faults.handler_panics) => Behaviour::Panics,
            () if dice.per_mille(faults.handler_fails) => Behaviour::Fails,
            () => end,
        };
        (takes_ms, end)
    }
}

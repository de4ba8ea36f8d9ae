//! What handlers do: decided by seed, record and how often it was started, so that it does not depend on anything else of the run. Asked by `function`.

use std::sync::{Mutex, PoisonError};

use crate::dice::Dice;
use crate::fact::RecordId;
use crate::plan::{Batches, Faults, Holds, Plan};

/// Longest run of a handler that has no fault.
const TAKES_MS_MAX: u64 = 40;

/// How a handler's run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Ok,
    Fails,
    Rejects,
    Panics,
    Hangs,
}

/// A handler's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// It holds the processor so long first.
    pub(crate) holds_ms: u64,
    /// It waits so long then.
    pub(crate) takes_ms: u64,
    pub(crate) behaviour: Behaviour,
}

/// How it goes to take a handler's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extraction {
    Works,
    Panics,
    /// The clone of the handlers' state does.
    ClonePanics,
}

/// All handlers of a run.
#[derive(Debug)]
pub(crate) struct Script {
    dice: Dice,
    faults: Faults,
    quiet_at_ms: u64,
    timeout_ms: u64,
    holds: Option<Holds>,
    batches: Option<Batches>,
    /// Which records are rejected by their handler, by record.
    rejected: Vec<bool>,
    starts: Mutex<Vec<u32>>,
    extractions: Mutex<Vec<u32>>,
}

impl Script {
    pub(crate) fn new(dice: Dice, plan: &Plan, rejected: Vec<bool>) -> Self {
        Self {
            dice,
            faults: plan.faults.clone(),
            quiet_at_ms: plan.quiet_at_ms,
            timeout_ms: plan.function.timeout_ms,
            holds: plan.function.holds,
            batches: plan.function.batches,
            starts: Mutex::new(vec![0; rejected.len()]),
            extractions: Mutex::new(vec![0; rejected.len()]),
            rejected,
        }
    }

    /// *None: the handler takes one record.*
    pub(crate) fn batches(&self) -> Option<Batches> {
        self.batches
    }

    /// Whether the failure of that record fails its whole call, and whether that is said to be nobody's fault.
    pub(crate) fn fails_whole(&self, record: RecordId, often: u32) -> (bool, bool) {
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let start = u64::from(starts[record as usize]);
        let mut dice = self.dice.of("whole", u64::from(record) << 32 | start);
        (dice.per_mille(often), dice.per_mille(200))
    }

    /// The arguments of a handler are taken from that record.
    pub(crate) fn extract(&self, record: RecordId, now_ms: u64) -> Extraction {
        let often = self.faults.extractor_panics;
        if often == 0 || now_ms >= self.quiet_at_ms {
            return Extraction::Works;
        }
        let time = count(&self.extractions, record);
        let mut dice = self.dice.of("extractor", u64::from(record) << 32 | time);
        match dice.per_mille(often) {
            true => dice.pick(&[Extraction::Panics, Extraction::ClonePanics]),
            false => Extraction::Works,
        }
    }

    /// A handler starts for that record.
    pub(crate) fn start(&self, record: RecordId, now_ms: u64) -> Start {
        let start = count(&self.starts, record);
        let which = u64::from(record) << 32 | start;
        let (takes_ms, behaviour) = self.run(record, which, now_ms);
        let Some(holds) = self.holds else {
            return Start {
                holds_ms: 0,
                takes_ms,
                behaviour,
            };
        };
        // One that takes no longer than any other does so because it waits.
        let waits = holds.waits_too || takes_ms > TAKES_MS_MAX;
        Start {
            holds_ms: self
                .dice
                .of("holding", which)
                .between(holds.ms.0, holds.ms.1),
            takes_ms: if waits { takes_ms } else { 0 },
            behaviour,
        }
    }

    /// How many milliseconds a handler's run takes, and how it ends.
    fn run(&self, record: RecordId, which: u64, now_ms: u64) -> (u64, Behaviour) {
        let at = record as usize;
        let mut dice = self.dice.of("handler", which);
        let takes_ms = dice.between(0, TAKES_MS_MAX);
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

/// Which time it is for that record.
fn count(times: &Mutex<Vec<u32>>, record: RecordId) -> u64 {
    let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
    times[record as usize] += 1;
    u64::from(times[record as usize])
}

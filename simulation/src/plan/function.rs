//! The function's settings in a run, and how dice choose them. Used by `plan`.

use std::time::Duration;

use crate::dice::Dice;
use crate::oracle::Pace;

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
    /// *None: handlers only wait.*
    pub(crate) holds: Option<Holds>,
    /// *None: its handler takes one record.*
    pub(crate) batches: Option<Batches>,
}

/// A handler that takes many records in one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batches {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
    pub(crate) is_across: bool,
    pub(crate) bisects: bool,
    /// *None: half of what is left.*
    pub(crate) timeout_ms: Option<u64>,
    /// Of a thousand failures of one record, so many fail its call.
    pub(crate) fails_whole: u32,
}

/// Handlers that hold their processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holds {
    /// For so long at the least and at the most, each.
    pub(crate) ms: (u64, u64),
    /// And wait afterwards, as others do.
    pub(crate) waits_too: bool,
}

impl Function {
    pub(super) fn of(dice: &mut Dice) -> Self {
        Self {
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
            holds: None,
            batches: None,
        }
    }

    /// How fast it is to be.
    pub(super) fn pace(&self) -> Pace {
        Pace {
            timeout_ms: self.timeout_ms,
            progress_ms: self.progress.as_millis() as u64,
            // Lanes that share a call wait for each other's.
            concurrency: match self.batches {
                Some(batches) if batches.is_across => 0,
                _ => self.concurrency,
            },
            attempts: self.attempts,
            holds_ms: self.holds.map_or(0, |holds| holds.ms.1),
        }
    }

    /// That asks for one attempt; and without a destination what may have run is lost, as documented.
    pub(super) fn promise_at_most_once(&mut self) {
        self.attempts = 1;
        self.has_destination = true;
    }

    /// Some processes take several invocations at once, as Lambda Managed Instances do.
    pub(super) fn choose_processes(&mut self, dice: &mut Dice) {
        if dice.per_mille(250) {
            self.at_once = dice.pick(&[2, 3, 10]);
        }
    }

    /// Some functions are deployed anew to be asked for "at most once", while records come.
    pub(super) fn choose_deployment(&mut self, dice: &mut Dice, records_over_ms: u64) {
        if dice.per_mille(400) {
            let most = records_over_ms.max(2_000);
            self.at_least_once_until_ms = Some(dice.between(0, most));
        }
    }
}

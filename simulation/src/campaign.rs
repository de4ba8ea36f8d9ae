//! Many runs, over several threads: each run in one. Called by `cargo msk simulate` and tests.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::limits::SEEDS_AT_ONCE;
use crate::oracle::Violation;
use crate::{SimulationError, run};

/// What came out of many runs.
#[derive(Debug, Default)]
pub struct Campaign {
    /// How many there were.
    pub runs: u64,
    /// How much was seen in them: facts.
    pub facts: u64,
    /// Seeds in which something was broken, and what first; ascending.
    pub broken: Vec<(u64, Violation)>,
    /// Seeds whose second run differed from the first; ascending. Empty, if there was no second.
    pub differing: Vec<u64>,
}

impl Campaign {
    /// Whether all held.
    pub fn is_sound(&self) -> bool {
        self.broken.is_empty() && self.differing.is_empty()
    }

    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.facts += other.facts;
        self.broken.extend(other.broken);
        self.differing.extend(other.differing);
    }
}

/// Makes a run of each seed, over so many threads; with `once_more` twice, and compares what was seen.
///
/// # Errors
///
/// A run that could not be made. The others that had begun are finished, and not told of.
pub fn campaign(
    seeds: Range<u64>,
    threads: usize,
    once_more: bool,
) -> Result<Campaign, SimulationError> {
    let next = AtomicU64::new(seeds.start);
    let all: Mutex<Result<Campaign, SimulationError>> = Mutex::new(Ok(Campaign::default()));
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let from = next.fetch_add(SEEDS_AT_ONCE, Ordering::Relaxed);
                    if from >= seeds.end {
                        return;
                    }
                    let part = some(from..seeds.end.min(from + SEEDS_AT_ONCE), once_more);
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    match (&mut *all, part) {
                        (Ok(all), Ok(part)) => all.add(part),
                        (Ok(_), Err(error)) => *all = Err(error),
                        (Err(_), _) => return,
                    }
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    all.broken.sort_by_key(|(seed, _)| *seed);
    all.differing.sort_unstable();
    Ok(all)
}

fn some(seeds: Range<u64>, once_more: bool) -> Result<Campaign, SimulationError> {
    let mut campaign = Campaign::default();
    for seed in seeds {
        let made = run(seed)?;
        campaign.runs += 1;
        campaign.facts += made.facts.len() as u64;
        if once_more && run(seed)?.hash() != made.hash() {
            campaign.differing.push(seed);
        }
        if let Some(first) = made.violations.into_iter().next() {
            campaign.broken.push((seed, first));
        }
    }
    Ok(campaign)
}

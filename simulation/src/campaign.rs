//! Many runs, over several threads: each run in one. Called by `cargo msk simulate` and tests.

use std::ops::{ControlFlow, Range};
use std::panic::{UnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::limits::SEEDS_AT_ONCE;
use crate::oracle::Violation;
use crate::run::{Run, SimulationError, run};

/// The outcome of many runs.
#[derive(Debug, Default)]
pub struct Campaign {
    /// The number of runs.
    pub runs: u64,
    /// The number of facts seen in them.
    pub facts: u64,
    /// Seeds whose run broke a promise, with the first violation; ascending.
    pub broken: Vec<(u64, Violation)>,
    /// Seeds whose second run differed from the first; ascending. Empty if there was no second run.
    pub differing: Vec<u64>,
    /// Seeds whose run panicked, outside of all that catches a handler's panic; ascending.
    pub panicked: Vec<u64>,
}

impl Campaign {
    /// Whether no run failed.
    pub fn is_sound(&self) -> bool {
        self.failed() == 0
    }

    /// The number of runs that broke a promise, differed when repeated, or panicked.
    pub fn failed(&self) -> usize {
        self.broken.len() + self.differing.len() + self.panicked.len()
    }

    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.facts += other.facts;
        self.broken.extend(other.broken);
        self.differing.extend(other.differing);
        self.panicked.extend(other.panicked);
    }

    fn take(&mut self, seed: u64, once_more: bool) -> Result<(), SimulationError> {
        self.runs += 1;
        let Some(made) = made(seed)? else {
            self.panicked.push(seed);
            return Ok(());
        };
        self.facts += made.facts.len() as u64;
        if once_more && made_again(seed)? != Some(made.hash()) {
            self.differing.push(seed);
        }
        if let Some(first) = made.violations.into_iter().next() {
            self.broken.push((seed, first));
        }
        Ok(())
    }
}

/// *None: it panicked.*
fn made(seed: u64) -> Result<Option<Run>, SimulationError> {
    caught(|| run(seed))
}

/// All that a run touches is its own, or is set anew by the next one: a panic leaves nothing behind.
fn caught<T>(
    run: impl FnOnce() -> Result<T, SimulationError> + UnwindSafe,
) -> Result<Option<T>, SimulationError> {
    catch_unwind(run).ok().transpose()
}

fn made_again(seed: u64) -> Result<Option<u32>, SimulationError> {
    Ok(made(seed)?.map(|run| run.hash()))
}

/// Runs each seed, on so many threads; with `once_more` twice, and compares the two.
///
/// # Errors
///
/// The error of a run that could not be made. Other runs that had started are finished, but not reported.
pub fn campaign(
    seeds: Range<u64>,
    threads: usize,
    once_more: bool,
) -> Result<Campaign, SimulationError> {
    campaign_while(seeds, threads, once_more, |_| ControlFlow::Continue(()))
}

/// Like [`campaign`], but calls a closure with the outcome of each few runs, to follow a long campaign or to stop it. After a break no run is started; runs under way
/// are finished, reported, and counted.
///
/// # Errors
///
/// Like [`campaign`]. Outcomes that were reported before remain valid.
///
/// # Example
///
/// ```
/// use std::ops::ControlFlow;
///
/// let mut runs = 0;
/// let made = msk_simulation::campaign_while(0..1_000_000, 1, false, |some| {
///     runs += some.runs;
///     match runs < 30 {
///         true => ControlFlow::Continue(()),
///         false => ControlFlow::Break(()),
///     }
/// })?;
/// assert!(made.is_sound() && (30..100).contains(&made.runs));
/// # Ok::<(), msk_simulation::SimulationError>(())
/// ```
pub fn campaign_while(
    seeds: Range<u64>,
    threads: usize,
    once_more: bool,
    each: impl FnMut(&Campaign) -> ControlFlow<()> + Send,
) -> Result<Campaign, SimulationError> {
    let next = AtomicU64::new(seeds.start);
    let all = Mutex::new((Ok(Campaign::default()), each));
    let over = || next.store(seeds.end, Ordering::Relaxed);
    let work = || {
        loop {
            let from = next.fetch_add(SEEDS_AT_ONCE, Ordering::Relaxed);
            if from >= seeds.end {
                return;
            }
            let part = some(from..seeds.end.min(from + SEEDS_AT_ONCE), once_more);
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            let (all, each) = &mut *all;
            match (&mut *all, part) {
                (Ok(all), Ok(part)) => {
                    if each(&part).is_break() {
                        over();
                    }
                    all.add(part);
                }
                (Ok(_), Err(error)) => {
                    *all = Err(error);
                    over();
                }
                (Err(_), _) => return,
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let (all, _) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut all = all?;
    all.broken.sort_by_key(|(seed, _)| *seed);
    all.differing.sort_unstable();
    all.panicked.sort_unstable();
    Ok(all)
}

fn some(seeds: Range<u64>, once_more: bool) -> Result<Campaign, SimulationError> {
    let mut campaign = Campaign::default();
    for seed in seeds {
        campaign.take(seed, once_more)?;
    }
    Ok(campaign)
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;

    use super::{Campaign, caught};
    use crate::run::SimulationError;

    #[test]
    fn a_run_that_panics_is_one_that_failed_and_ends_no_campaign() {
        let panics = || -> Result<u8, SimulationError> {
            // Without the panic hook: nothing is printed.
            resume_unwind(Box::new("a bug"))
        };

        let made = (caught(panics).unwrap(), caught(|| Ok(7)).unwrap());

        assert_eq!(made, (None, Some(7)));
        let campaign = Campaign {
            panicked: vec![7],
            ..Campaign::default()
        };
        assert!(!campaign.is_sound());
    }
}

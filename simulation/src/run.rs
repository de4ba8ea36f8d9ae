//! One run, from its seed to its violations.

use std::fmt;

use crate::fact::Fact;
use crate::oracle::{Terms, Violation, judge};
use crate::plan::Plan;
use crate::trace;
use crate::world::World;

/// One run, with its violations.
#[derive(Clone, Debug)]
pub struct Run {
    /// The promises of the run.
    pub terms: Terms,
    /// The facts that were seen, in the order of time.
    pub facts: Vec<Fact>,
    /// The violations that the oracle found. Empty: all promises held.
    pub violations: Vec<Violation>,
}

impl Run {
    /// The hash of all facts: two equal runs have the same.
    pub fn hash(&self) -> u32 {
        trace::hash(&self.facts)
    }

    /// The run as lines of text.
    pub fn trace(&self) -> String {
        trace::text(&self.facts, &self.violations)
    }
}

/// The error of a run that could not be made: a fault of the simulation itself, or of the machine that it runs on.
#[derive(Debug)]
pub struct SimulationError {
    seed: u64,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Display for SimulationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} could not be simulated", self.seed)
    }
}

impl std::error::Error for SimulationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// Makes one run, and judges it.
///
/// # Errors
///
/// [`SimulationError`] if the run could not be made. A broken promise is not an error: see [`Run::violations`].
pub fn run(seed: u64) -> Result<Run, SimulationError> {
    simulate(seed, false)
}

/// Like [`run`], with a line in [`Run::trace`] for everything that happens, even if no promise is concerned.
///
/// # Errors
///
/// As [`run`].
pub fn run_in_detail(seed: u64) -> Result<Run, SimulationError> {
    simulate(seed, true)
}

fn simulate(seed: u64, verbose: bool) -> Result<Run, SimulationError> {
    let plan = Plan::of(seed);
    let terms = plan.terms.clone();
    let world = World::new(seed, plan, verbose);
    let facts = world.and_then(World::run);
    let facts = facts.map_err(|source| SimulationError { seed, source })?;
    let violations = judge(&terms, &facts);
    Ok(Run {
        terms,
        facts,
        violations,
    })
}

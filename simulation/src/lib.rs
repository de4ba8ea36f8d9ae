//! Whole runs from one seed: partitions, pollers, processes, stores and clocks that fail as they do, the real framework in the middle, the real state machine of
//! the mapping around it, and an oracle that judges what came out. `cargo msk simulate` is its command line.
//!
//! A run takes place in one thread, on virtual time, without I/O. The same seed gives the same run, event by event.
//!
//! # Example
//!
//! ```
//! let run = msk_simulation::run(7)?;
//! assert_eq!(run.violations, []);
//! assert_eq!(run.hash(), msk_simulation::run(7)?.hash());
//! # Ok::<(), msk_simulation::SimulationError>(())
//! ```

pub mod limits;

mod dice;
pub mod fact;
pub mod oracle;
mod plan;
mod queue;

mod port;

mod environment;
mod share;

mod kafka;
mod script;

mod ledger;

mod calls;

mod inside;
mod work;

mod function;

mod endings;
mod members;
mod polling;
mod second;
mod service;
mod trouble;
mod wire;
mod world;

pub mod trace;

mod campaign;

use std::fmt;

pub use crate::campaign::{Campaign, campaign, campaign_while};
use crate::fact::Fact;
use crate::oracle::{Terms, Violation, judge};
use crate::plan::Plan;
use crate::world::World;

/// One run, and what was broken in it.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was promised in it.
    pub terms: Terms,
    /// What was seen, in the order of time.
    pub facts: Vec<Fact>,
    /// What the oracle says. Empty: all held.
    pub violations: Vec<Violation>,
}

impl Run {
    /// Tells two runs apart.
    pub fn hash(&self) -> u32 {
        trace::hash(&self.facts)
    }

    /// The run as lines of text.
    pub fn trace(&self) -> String {
        trace::text(&self.facts, &self.violations)
    }
}

/// Why a run could not be made: a fault of the simulation itself, or of the machine that it runs on.
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
/// [`SimulationError`] if the run could not be made; what it breaks is no error, but in [`Run::violations`].
pub fn run(seed: u64) -> Result<Run, SimulationError> {
    simulate(seed, false)
}

/// As [`run`], with a line in [`Run::trace`] for everything that happens, also where no invariant looks.
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

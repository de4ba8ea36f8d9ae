//! Whole runs from one seed: partitions, pollers, processes, stores and clocks with faults, the real framework, the real state machine of
//! the mapping, and an oracle that judges each run. `cargo msk simulate` is its command line.
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

// ── The words ────────────────────────────────────────────────────────────────────────────────────

// What happened in a run: all that the oracle sees of it.
pub mod fact;

// Chance, from the seed.
mod dice;

// ── The judge ────────────────────────────────────────────────────────────────────────────────────

// From facts to broken promises.
pub mod oracle;

// ── What a seed chooses ──────────────────────────────────────────────────────────────────────────

// The settings and faults of a run.
mod plan;

// The records of a run, before they stand anywhere.
mod draft;

// What each handler does.
mod script;

// ── The cluster ──────────────────────────────────────────────────────────────────────────────────

// One partition's log.
mod log;

// The share group of Queue mode.
mod share;

// All logs, and who reads them.
mod kafka;

// ── The function ─────────────────────────────────────────────────────────────────────────────────

// Items of the store, as facts.
mod ledger;

// A process's way out.
mod port;

// The store and the destination, and how each call fares.
mod calls;

// A process with clocks of its own.
mod process;

// What the world can see of a process.
mod inside;

// The handler.
mod work;

// The handler of many records.
mod many;

// The schema registry.
mod registry;

// The function: framework, handler, store and destination.
mod function;

// ── The world ────────────────────────────────────────────────────────────────────────────────────

// A process, as the world knows it.
mod environment;

// An invocation, as the world knows it.
mod delivered;

// What is going to happen, one thing.
mod happening;

// All that is going to happen, in the order of time.
mod agenda;

// The state of a run, and its way through the agenda.
mod world;

// The mapping, and what it asks for.
mod polling;

// The members of a share group.
mod members;

// A second cluster.
mod second;

// Processes and invocations begin.
mod service;

// Invocations end.
mod endings;

// Calls on their way.
mod network;

// What befalls the whole.
mod trouble;

// ── Runs ─────────────────────────────────────────────────────────────────────────────────────────

// A run as text, and its hash.
pub mod trace;

// One run.
mod run;

// Many runs.
mod campaign;

// ── To look up ───────────────────────────────────────────────────────────────────────────────────

// Every bound, with its reason.
pub mod limits;

pub use crate::campaign::{Campaign, campaign, campaign_while};
pub use crate::run::{Run, SimulationError, run, run_in_detail};

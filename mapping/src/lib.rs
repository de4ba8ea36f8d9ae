//! The event source mapping outside AWS.
//!
//! - [`machine`] is the mapping itself: what it batches, redelivers, gives up and commits, as a state machine without
//!   I/O. Its driver polls a cluster, or simulates one.
//! - [`event`] writes the events for the function, [`document`] the documents for on-failure destinations.
//! - `schemas` (feature `schemas`) checks records by the schemas of a registry, before the machine has them.
//! - `driver` (feature `kafka`) drives it over a real cluster, or a broker in this process; with the feature `share` over a
//!   share group too.
//! - [`Environment`] runs a [`Function`] (any command that speaks the Lambda Runtime API, in any language), delivers an
//!   [`Invocation`] to it and [`Report`]s how it [ended](Ending): it never hangs, and names each kind of failure.
//! - [`RuntimeApi`] is the server in it, for a function that was started by another program.
//! - [`response`] reads the function's response as Lambda would: which offsets it commits, which records it redelivers.
//!
//! It speaks JSON to the function and knows no framework.

// ── The words ────────────────────────────────────────────────────────────────────────────────────

// A record, as a cluster keeps it.
pub mod record;

// Time, as whoever drives the machine tells it.
pub mod time;

// What time it is, and ids that nobody else has.
mod clock;

// Why something could not be done.
mod error;

// ── From an event to its answer ──────────────────────────────────────────────────────────────────

// The event, exactly as Lambda sends it.
pub mod event;

// The answer, read as Lambda reads it.
pub mod response;

// One delivery of an event, and how it ended.
mod invocation;

// ── The function ─────────────────────────────────────────────────────────────────────────────────

// The server that a function asks for events.
mod runtime_api;

// The command that is the function, and its log.
mod function;

// One process of the function.
mod process;

// A process, and a new one where it has ended.
mod environment;

// ── The mapping ──────────────────────────────────────────────────────────────────────────────────

// Which records pass.
pub mod filter;

// What is batched, sent again, given up and committed.
pub mod machine;

// What a destination for failures gets.
pub mod document;

// The check of records by a registry's schemas.
#[cfg(feature = "schemas")]
pub mod schemas;

// The machine over a real cluster.
#[cfg(feature = "kafka")]
pub mod driver;

// ── To look up ───────────────────────────────────────────────────────────────────────────────────

// Every bound and default, with its reason.
pub mod limits;

pub use crate::environment::Environment;
pub use crate::error::Error;
pub use crate::function::{Function, LogLine, LogStream, Logs};
pub use crate::invocation::{Crash, Ending, Exit, FunctionError, Invocation, Phase, Report};
pub use crate::runtime_api::{Answer, Delivered, Identity, Readiness, RuntimeApi};

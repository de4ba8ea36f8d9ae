//! The event source mapping outside AWS.
//!
//! - [`machine`] is the mapping itself: what it batches, sends again, gives up and commits, as a state machine without
//!   I/O. Whoever drives it polls a cluster, or simulates one.
//! - [`event`] writes what it sends to the function, [`document`] what it sends to a destination for failures.
//! - `driver` (feature `kafka`) drives it over a real cluster, or a broker in this process; with the feature `share` over a
//!   share group too.
//! - [`Environment`] runs a [`Function`] (any command that speaks the Lambda Runtime API, in any language), delivers an
//!   [`Invocation`] to it and [`Report`]s how that [ended](Ending): never a hang, each kind of failure by its name.
//! - [`RuntimeApi`] is the server in it, for a function that somebody else starts.
//! - [`response`] reads what the function answered as Lambda would: which offsets it commits, which it sends again.
//!
//! It speaks JSON to the function and knows no framework.

pub mod limits;

pub mod record;
pub mod time;

pub mod event;

mod clock;
mod error;
mod invocation;
mod runtime_api;

mod function;
mod process;

mod environment;
pub mod filter;
pub mod response;

pub mod machine;

pub mod document;

#[cfg(feature = "kafka")]
pub mod driver;

pub use crate::environment::Environment;
pub use crate::error::Error;
pub use crate::function::{Function, LogLine, LogStream, Logs};
pub use crate::invocation::{Crash, Ending, Exit, FunctionError, Invocation, Phase, Report};
pub use crate::runtime_api::{Answer, Delivered, Identity, Readiness, RuntimeApi};

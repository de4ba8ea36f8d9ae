//! Tools to test consumers and handlers without Lambda: events to build, invocations to run and inspect.

mod addresses;
mod event;
mod invoke;
mod machine;
mod registry;
mod sample;
pub mod store;
#[cfg(feature = "proptest")]
pub mod strategy;

pub use self::addresses::check_on_failure;
pub use self::event::{Event, EventBuilder, FixtureError};
pub use self::invoke::{Invoke, invoke};
pub use self::machine::Machine;
pub use self::registry::{MemoryRegistry, RegisteredSchema};
pub use self::sample::Sample;
pub use crate::invoked::Invoked;

//! Tests of consumers and handlers without Lambda: events to give, runs to read.

mod invoke;

pub use self::invoke::{Invoke, Invoked, invoke};

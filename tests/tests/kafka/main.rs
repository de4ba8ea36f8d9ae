//! The mapping over Kafka, from outside: `make test-services` runs these with a broker beside them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(unix)]

mod support;

mod consume;
#[cfg(feature = "share")]
mod denied;
mod embedded;
mod emulator;
mod ends;
mod fifo;
mod files;
mod given_up;
mod hand_over;
mod kept;
mod killed;
mod lost_server;
mod once;
mod poison;
mod protocol;
#[cfg(feature = "share")]
mod queue;
#[cfg(feature = "share")]
mod queue_start;
mod records;
mod redriven;
#[cfg(feature = "tls")]
mod secure;
mod starting;
mod sums;
mod there_and_back;
mod transactions;
mod typed;

#[test]
#[ignore = "the function that other tests start"]
fn the_function() {
    support::function::run();
}

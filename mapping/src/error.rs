//! Errors that keep a function from being started or an event from being sent. The function's own failures are an
//! [`Ending`](crate::Ending).

use std::io;
use std::net::SocketAddr;

use crate::limits::{EVENT_BYTES_MAX, TIMEOUT_MAX_MS};

/// Why no invocation took place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Lambda would never send this event.
    #[error("expected an event of at most {EVENT_BYTES_MAX} bytes, found {bytes}")]
    EventTooLarge {
        /// The event's length.
        bytes: usize,
    },
    /// Lambda does not allow this time-out.
    #[error("expected a time-out of 1 to {TIMEOUT_MAX_MS} ms, found {milliseconds} ms")]
    Timeout {
        /// The time-out that was asked for.
        milliseconds: u128,
    },
    /// The Runtime API has no authentication, so it is not served to other machines.
    #[error("expected a loopback address, found {address}")]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The Runtime API has no address to be served on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The function's command does not start: it is missing, or not executable.
    #[error("cannot start `{command}`")]
    Start {
        /// The program, without its arguments.
        command: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The function's process cannot be watched.
    #[error("cannot wait for the function's process")]
    Wait {
        /// The system's reason.
        source: io::Error,
    },
}

//! What keeps a function from being started or an event from being sent. What the function itself does wrong is an
//! [`Ending`](crate::Ending).

use std::io;
use std::net::SocketAddr;

use crate::limits::{EVENT_BYTES_MAX, TIMEOUT_MAX_MS};

/// Why no invocation took place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Lambda would never send this event.
    #[error("the event has {bytes} bytes: Lambda sends at most {EVENT_BYTES_MAX}")]
    EventTooLarge {
        /// The event's length.
        bytes: usize,
    },
    /// No function can be given this time-out.
    #[error("a time-out of {milliseconds} ms: Lambda allows 1 to {TIMEOUT_MAX_MS}")]
    Timeout {
        /// The time-out that was asked for.
        milliseconds: u128,
    },
    /// The Runtime API has no authentication, so it is not served to other machines.
    #[error("{address} is not a loopback address")]
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
    /// The function's process is lost from sight.
    #[error("cannot wait for the function's process")]
    Wait {
        /// The system's reason.
        source: io::Error,
    },
}

//! Every bound of this crate, with where its number comes from.

/// The longest event Lambda sends to a function: 6 MB of JSON (Lambda quotas: invocation payload).
pub const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The longest answer Lambda takes from a function. AWS's runtime interface emulator refuses the next byte.
pub const RESPONSE_BYTES_MAX: usize = 6_291_556;

/// How much of an answer that is too long is still read, so that the function sees the refusal and not a broken pipe.
pub const DISCARD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The longest a function may take from its start to its first request for an event (Lambda: 10 s on demand).
pub const INIT_TIMEOUT_MS: u64 = 10_000;

/// The longest an invocation may take (Lambda quotas: function timeout, 15 minutes).
pub const TIMEOUT_MAX_MS: u64 = 15 * 60 * 1000;

/// How long a function that is stopped may take after `SIGTERM` (Lambda: 500 ms with an internal extension).
pub const SHUTDOWN_GRACE_MS: u64 = 500;

/// How long a process that is about to end by itself is waited for, so that its last log lines come out.
pub const EXIT_GRACE_MS: u64 = 1_000;

/// How long the connections and log pipes of a process that has ended are still read. A grandchild may hold them.
pub const DRAIN_MS: u64 = 500;

/// How many ended invocations are remembered, so that a late answer is told from an unknown one.
pub const ENDED_KEPT_MAX: usize = 256;

/// How many extensions one function may register (Lambda quotas: 10).
pub const EXTENSIONS_MAX: usize = 10;

/// How many events wait for one extension. A slow one loses the oldest.
pub const EXTENSION_EVENTS_MAX: usize = 64;

/// The longest line of captured log: longer ones are cut in pieces (CloudWatch: 256 kB an event).
pub const LOG_LINE_BYTES_MAX: usize = 256 * 1024;

const _: () =
    assert!(EVENT_BYTES_MAX < RESPONSE_BYTES_MAX && RESPONSE_BYTES_MAX < DISCARD_BYTES_MAX);
const _: () = assert!(INIT_TIMEOUT_MS < TIMEOUT_MAX_MS && DRAIN_MS <= EXIT_GRACE_MS);

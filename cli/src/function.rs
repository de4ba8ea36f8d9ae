//! The local function: how it is started, and what it says of its records.

// The command, built with cargo or given.
pub(crate) mod target;

// What its log says.
pub(crate) mod said;

// What lies at its destination, if that is a file.
pub(crate) mod dead_letters;

// Whether its log says so much.
pub(crate) mod log_level;

// Its lines of metrics.
pub(crate) mod emf;

// What they say.
pub(crate) mod measured;

// Its lines as they are shown.
pub(crate) mod log_line;

// Keys and values of its records.
pub(crate) mod payloads;

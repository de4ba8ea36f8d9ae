//! Every bound of this crate, unit last, with its reason.

/// Most message indexes of a Protobuf payload: a message that lies deeper in others is not written by hand.
pub const MESSAGE_INDEXES_MAX: usize = 32;

/// Largest payload behind a frame's compression: five times the size of the largest event, so that six megabytes of an attacker's zeros do not take the function's memory.
pub const INFLATED_BYTES_MAX: usize = 32 * 1024 * 1024;

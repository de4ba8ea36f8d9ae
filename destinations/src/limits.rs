//! Every bound of this crate, with where its number comes from.

/// Longest topic name that Kafka allows (`Topic.MAX_NAME_LENGTH`).
pub const TOPIC_BYTES_MAX: usize = 249;

/// Longest wait before the lock of a dead-letter file is tried again. Held for one write and `fsync`: a few milliseconds.
pub const FILE_LOCK_POLL_MS_MAX: u64 = 5;

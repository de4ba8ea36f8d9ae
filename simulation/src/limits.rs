//! Every bound of the simulation, with its reason.

/// When a run begins, by the one true clock, milliseconds since 1970: 2026-01-01T00:00:00Z.
pub const START_MS: i64 = 1_767_225_600_000;

/// The number of tokens of each process: their ranges do not overlap.
pub const TOKENS_APART: u64 = 1 << 20;

/// The most records of one fetch of a poller.
pub const FETCH_RECORDS_MAX: usize = 8;

/// The seeds that a thread takes at once: few enough that all threads end together, many enough that they seldom wait for each other.
pub const SEEDS_AT_ONCE: u64 = 16;

/// The most deliveries of a record by a share group: the default of Kafka's `group.share.delivery.count.limit`.
pub const SHARE_DELIVERIES_MAX: u16 = 5;

/// The longest wait of a group for a member to hand over a partition: some invocations end meanwhile, and some do not.
pub const HAND_OVER_MS: u64 = 5_000;

/// The time between two checks whether invocations in flight have ended: a few times an invocation.
pub const HAND_OVER_LOOK_MS: u64 = 20;

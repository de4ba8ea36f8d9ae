//! Every bound of the simulation, with its reason.

/// When a run begins, by the one true clock, milliseconds since 1970: 2026-01-01T00:00:00Z.
pub const START_MS: i64 = 1_767_225_600_000;

/// Tokens that one process may draw before it would draw another one's.
pub const TOKENS_APART: u64 = 1 << 20;

/// Records that a poller gets at once.
pub const FETCH_RECORDS_MAX: usize = 8;

/// Seeds that a thread takes at once: few enough that all threads end together, many enough that they do not meet often.
pub const SEEDS_AT_ONCE: u64 = 16;

/// How often a share group's broker delivers a record: Kafka's `group.share.delivery.count.limit`, as it is set when nobody sets it.
pub const SHARE_DELIVERIES_MAX: u16 = 5;

/// How long a group waits at most for a member to hand over a partition: some invocations end meanwhile, and some do not.
pub const HAND_OVER_MS: u64 = 5_000;

/// How often is looked whether what is under way has ended: a few times an invocation.
pub const HAND_OVER_LOOK_MS: u64 = 20;

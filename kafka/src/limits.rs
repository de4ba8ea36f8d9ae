//! Every bound of this crate, with where its number comes from.

/// A document about a record for a topic: past any, since an event of Lambda's has no more than 6 MB, but a record
/// that never went into one is told of too. The broker's own bound counts.
pub const DOCUMENT_BYTES_MAX: usize = 100_000_000;

/// What a partition of the broker in this process holds: librdkafka's mock has no setting for it. Nor for the other bound,
/// 100,000 batches of a producer.
pub const EMBEDDED_PARTITION_BYTES_MAX: usize = 5 * 1024 * 1024;

/// How long a broker may take to answer a question before it is asked again.
pub const CONNECT_MS: u64 = 5_000;

/// How long the first question waits before the client's own errors are looked at: longer than an answer is on its way, and
/// soon enough to say at once that a password is wrong.
pub const CONNECT_LISTEN_MS: u64 = 1_000;

/// How long the client's call-backs are then taken in. Most lie ready, and of those without a result each takes up a poll
/// that does not wait.
pub const CONNECT_HEAR_MS: u64 = 20;

/// The pause while a producer's queue is full.
pub const QUEUE_FULL_MS: u64 = 10;

/// How many records librdkafka keeps ready for each partition: a few default batches.
pub const PREFETCH_RECORDS_MIN: usize = 1_000;

/// How many KiB of records librdkafka keeps ready for each member.
pub const PREFETCH_KIBIBYTES: usize = 16 * 1024;

/// How long librdkafka waits with the next fetch of a partition when enough of it lies ready.
pub const FETCH_BACKOFF_MS: u64 = 10;

/// How often the ends of partitions are read, for the lag.
pub const STATISTICS_MS: u64 = 500;

/// How long a member of a group may be silent before its partitions go to others: the least that a broker allows by default.
pub const SESSION_MS: u64 = 6_000;

/// How often a member is heard of, and hears of a rebalance.
pub const HEARTBEAT_MS: u64 = 500;

const _: () = assert!(CONNECT_HEAR_MS < CONNECT_LISTEN_MS && CONNECT_LISTEN_MS < CONNECT_MS);

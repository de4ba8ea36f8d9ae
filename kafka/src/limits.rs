//! Every limit of this crate, with the source of its number.

/// Maximum size of a document about a record for a topic: larger than any, although an event of Lambda has at most 6 MB, since a record
/// that never fitted into an event has a document too. The broker's own limit applies.
pub const DOCUMENT_BYTES_MAX: usize = 100_000_000;

/// Maximum size of a partition of the broker in this process: librdkafka's mock has no setting for it, nor for its other limit,
/// 100,000 batches of a producer.
pub const EMBEDDED_PARTITION_BYTES_MAX: usize = 5 * 1024 * 1024;

/// Timeout of a request to a broker before it is retried.
pub const CONNECT_MS: u64 = 5_000;

/// Time that the first request waits before the client's own errors are read: longer than a response takes, and
/// short enough to report a wrong password at once.
pub const CONNECT_LISTEN_MS: u64 = 1_000;

/// Time for which the client's call-backs are then read. Most are ready, and each one without a result uses up a poll
/// that does not wait.
pub const CONNECT_HEAR_MS: u64 = 20;

/// Pause while a producer's queue is full.
pub const QUEUE_FULL_MS: u64 = 10;

/// Number of records that librdkafka prefetches for each partition: a few default batches.
pub const PREFETCH_RECORDS_MIN: usize = 1_000;

/// KiB of records that librdkafka prefetches for each member.
pub const PREFETCH_KIBIBYTES: usize = 16 * 1024;

/// Time that librdkafka waits before the next fetch of a partition of which enough records are prefetched.
pub const FETCH_BACKOFF_MS: u64 = 10;

/// Interval at which the ends of partitions are read, for the lag.
pub const STATISTICS_MS: u64 = 500;

/// Session timeout of a group member, after which its partitions go to other members: the shortest that a broker allows by default.
pub const SESSION_MS: u64 = 6_000;

/// Heartbeat interval of a group member, in which it also learns of a rebalance.
pub const HEARTBEAT_MS: u64 = 500;

/// Life of an IAM token: the longest that brokers accept, and what AWS's own signers ask for.
#[cfg(feature = "iam")]
pub const IAM_TOKEN_S: u64 = 900;

/// Part of its life after which an IAM token is renewed. librdkafka asks for the next one at the same part.
#[cfg(feature = "iam")]
pub const IAM_RENEW_AT_PERCENT: u32 = 80;

/// Pause after a token that could not be made, and between two looks at the wall clock. Several fit into what is left of the old one's life.
#[cfg(feature = "iam")]
pub const IAM_TRY_AGAIN_MS: u64 = 10_000;

/// Time for AWS's chain of credentials, which asks services.
#[cfg(feature = "iam")]
pub const IAM_CREDENTIALS_MS: u64 = 30_000;

const _: () = assert!(CONNECT_HEAR_MS < CONNECT_LISTEN_MS && CONNECT_LISTEN_MS < CONNECT_MS);

//! Every limit of this crate, with the source of its number.

/// Longest topic name that Kafka allows (`Topic.MAX_NAME_LENGTH`).
pub const TOPIC_BYTES_MAX: usize = 249;

/// Longest wait before locking a dead-letter file is retried. A lock is held for one write and `fsync`: a few milliseconds.
pub const FILE_LOCK_POLL_MS_MAX: u64 = 5;

/// Maximum number of entries in one `SendMessageBatch` ([quotas](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html)) or `PublishBatch`.
pub const BATCH_ENTRIES_MAX: usize = 10;

/// Maximum size of one message of SNS with its attributes' names, types and values, and of all messages of one `PublishBatch` together: 256 KiB
/// ([`PublishBatch`](https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html)).
pub const SNS_MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Maximum size of one message with its attributes' names, types and values, and of all messages of one `SendMessageBatch` together: 1 MiB (same quotas).
pub const SQS_MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Timeout of one attempt of a request to an AWS service: the network may be slow. It also detects a connection that died while the process was frozen.
pub const TRY_MS_MAX: u64 = 5_000;

/// Timeout of one attempt of an upload, which may carry a whole event.
pub const UPLOAD_MS_MAX: u64 = 25_000;

/// Upper bound of the wait before a send's second attempt; doubled for each further attempt.
pub const SEND_BACKOFF_BASE_MS: u64 = 100;

/// Upper bound of any wait between a send's attempts.
pub const SEND_BACKOFF_MAX_MS: u64 = 10_000;

/// Longest time for which krafka tries to deliver one record: its `delivery_timeout`. A broker that is restarted is back within it.
pub const KAFKA_DELIVERY_MS_MAX: u64 = 10_000;

/// Shortest time in which a record can be delivered: a connection, its handshakes and a write, each a few round trips.
pub const KAFKA_DELIVERY_MS_MIN: u64 = 100;

/// A producer is made anew once it could try this many times as long as it does: not at every call, and not never.
pub const KAFKA_DELIVERY_GROWS: u32 = 4;

/// Maximum size of a produce request. An event has at most 6 MB; the topic's own `max.message.bytes` comes first.
pub const KAFKA_REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Maximum memory of a producer's records on their way: those of one event, and of one more beside it.
pub const KAFKA_BUFFER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Maximum length of a service's reason in an error; the rest is cut.
pub const WHY_BYTES_MAX: usize = 1024;

const _: () = {
    assert!(SEND_BACKOFF_BASE_MS <= SEND_BACKOFF_MAX_MS);
    assert!(KAFKA_DELIVERY_MS_MIN < KAFKA_DELIVERY_MS_MAX);
    assert!(KAFKA_REQUEST_BYTES_MAX < KAFKA_BUFFER_BYTES_MAX);
};

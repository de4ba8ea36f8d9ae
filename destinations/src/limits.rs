//! Every bound of this crate, with where its number comes from.

/// Longest topic name that Kafka allows (`Topic.MAX_NAME_LENGTH`).
pub const TOPIC_BYTES_MAX: usize = 249;

/// Longest wait before the lock of a dead-letter file is tried again. Held for one write and `fsync`: a few milliseconds.
pub const FILE_LOCK_POLL_MS_MAX: u64 = 5;

/// Entries of one `SendMessageBatch` ([quotas](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html)).
pub const SQS_BATCH_ENTRIES_MAX: usize = 10;

/// Bytes of one message with its attributes' names, types and values, and of all messages of one `SendMessageBatch` together: 1 MiB (same quotas).
pub const SQS_MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Longest try of one request to a service in AWS: a desk's network may be slow. A connection that died while the process was frozen is noticed by this.
pub const TRY_MS_MAX: u64 = 5_000;

/// Longest try of one upload: it may carry a whole event.
pub const UPLOAD_MS_MAX: u64 = 25_000;

/// Upper bound of the wait before a send's second try; doubled for each try after it.
pub const SEND_BACKOFF_BASE_MS: u64 = 100;

/// Upper bound of any wait between a send's tries.
pub const SEND_BACKOFF_MAX_MS: u64 = 10_000;

/// Longest text of a service's reason in an error; the rest is cut.
pub const WHY_BYTES_MAX: usize = 1024;

const _: () = assert!(SEND_BACKOFF_BASE_MS <= SEND_BACKOFF_MAX_MS);

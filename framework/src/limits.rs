//! Every bound and default of the framework, each with its reason. Read by all modules below.

/// Largest event that is decoded. Lambda sends at most 6 MB; the room above is for files on a desk and for later growth of Lambda's own limit.
pub const EVENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most records of one event. Lambda's batch size ends at 10,000.
pub const EVENT_RECORDS_MAX: usize = 1_000_000;

/// Deepest nesting of JSON that the event may have. A Kafka event needs seven levels (the array of a header); unknown fields may have more.
pub const EVENT_JSON_DEPTH_MAX: usize = 128;

/// Longest topic name that Kafka allows (`Topic.MAX_NAME_LENGTH`).
pub const TOPIC_BYTES_MAX: usize = 249;

/// Lanes that run side by side when nothing else is said.
pub const CONCURRENCY_DEFAULT: usize = 64;

/// Most lanes side by side: more than a batch has records does nothing.
pub const CONCURRENCY_MAX: usize = 10_000;

/// Tries of a record in one invocation, the first included.
pub const ATTEMPTS_DEFAULT: u32 = 3;

/// Most tries of a record in one invocation: with back-off, a hundred outlast any invocation.
pub const ATTEMPTS_MAX: u32 = 100;

/// Upper bound of the wait before the second try; doubled for each try after it.
pub const RETRY_BACKOFF_BASE_MS: u64 = 100;

/// Upper bound of any wait that back-off chooses.
pub const RETRY_BACKOFF_MAX_MS: u64 = 10_000;

/// Longest wait that a failure can ask for where no deadline is known. Lambda's own time-out for Kafka ends at 14 minutes.
pub const RETRY_AFTER_MS_MAX: u64 = 14 * 60 * 1000;

/// Time kept free before Lambda's deadline, for stores, destinations and the answer.
pub const DEADLINE_MARGIN_MS: u64 = 500;

/// The margin is at most this part of the time given, so that short time-outs still do work.
pub const DEADLINE_MARGIN_PART_MAX: u32 = 5;

/// Largest margin that can be set: Lambda's own time-out for Kafka ends at 14 minutes.
pub const DEADLINE_MARGIN_MS_MAX: u64 = 14 * 60 * 1000;

/// Time that a deadline may lie ahead and still be believed. No function runs longer than 15 minutes; an hour leaves room for clocks that differ.
pub const DEADLINE_AHEAD_MS_MAX: u64 = 60 * 60 * 1000;

/// Time that a shutdown signal leaves to invocations in flight. Lambda kills 500 ms after SIGTERM (a function with an internal extension) or at once.
pub const SHUTDOWN_GRACE_MS: u64 = 400;

/// Longest text of a user's error in a log line or dead letter; the rest is cut.
pub const ERROR_TEXT_BYTES_MAX: usize = 1024;

/// Failed or rejected records that get a log line of their own, an invocation. The report line counts all.
pub const RECORD_LOG_LINES_MAX: usize = 100;

/// Topics without a handler that a process names, each once. A mapping reads one topic.
pub const UNHANDLED_TOPICS_MAX: usize = 100;

/// Dead letters handed to a destination in one call.
pub const DEAD_LETTERS_PER_SEND_MAX: usize = 1_000;

/// Longest that the file and SQS destinations try without a success. Outlasts a throttled or restarted service; what takes longer is the mapping's to try again.
pub const SEND_MS_MAX: u64 = 30_000;

/// Time before the end of a send in which these destinations answer with what was confirmed until then.
pub const SEND_LEAVE_MS: u64 = 20;

/// Longest wait before the lock of a dead-letter file is tried again. Held for one write and `fsync`: a few milliseconds.
pub const FILE_LOCK_POLL_MS_MAX: u64 = 5;

/// Entries of one `SendMessageBatch` ([quotas](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html)).
pub const SQS_BATCH_ENTRIES_MAX: usize = 10;

/// Bytes of one message with its attributes' names, types and values, and of all messages of one `SendMessageBatch` together: 1 MiB (same quotas).
pub const SQS_MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Longest try of one request to SQS. A connection that died while the process was frozen is noticed by this.
pub const SQS_TRY_MS_MAX: u64 = 5_000;

/// How long a partition is its invocation's alone, unless that renews it. Long enough to outlast a slow write, short enough that a successor
/// of a killed process waits little.
pub const LEASE_MS: u64 = 10_000;

/// A lease is at most this part of the time given, so that a successor with as little time can still outwait it.
pub const LEASE_PART_MAX: u32 = 3;

/// Parts of a lease after which it is renewed: two renewals may fail.
pub const LEASE_RENEWALS: u32 = 3;

/// How far clocks of two processes may be apart. AWS keeps them within milliseconds; a second leaves room for a pause between reading a clock and acting.
pub const CLOCK_SKEW_MAX_MS: u64 = 1_000;

/// The skew is at most this part of a lease.
pub const CLOCK_SKEW_PART_MAX: u32 = 4;

/// Time between two writes of a partition's progress when nothing else is said.
pub const PROGRESS_MS: u64 = 250;

/// Longest time between two writes of progress: beyond it, renewals write anyway.
pub const PROGRESS_MS_MAX: u64 = 10_000;

/// First wait before a store is asked again; doubled for each time after it.
pub const STORE_RETRY_BASE_MS: u64 = 100;

/// Longest wait before a store is asked again.
pub const STORE_RETRY_MAX_MS: u64 = 2_000;

/// Time that is left to a store's last call where asking it again has an end: what DynamoDB takes for one, several times over.
pub const STORE_LAST_CALL_MS: u64 = 50;

/// Longest that a store is asked again where no deadline is known.
pub const STORE_WAIT_MS_MAX: u64 = 30_000;

/// Longest that a store is asked again before records run without it, if that was chosen.
pub const STORE_PATIENCE_MS: u64 = 2_000;

/// Time within which a mapping in Queue mode sends a reported record again: its first retry, or the share group's next delivery, takes seconds. Queue mode has
/// later batches meanwhile, so only after it is a record of a self-managed cluster taken for overlooked.
pub const OVERLOOKED_AFTER_MS: u64 = 5 * 60 * 1000;

/// Settled offsets that a partition's ledger keeps below the batch at hand. Each write of a DynamoDB item costs a write unit a kilobyte: so many take five.
pub const LEDGER_OFFSETS_KEPT: usize = 1_000;

/// Time after which a durable ledger forgets an offset. Outlives a batch that comes again after an outage of hours; a replay by hand is skipped that long.
pub const LEDGER_AGE_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// Time after which the ledger in memory forgets an offset. Longer than one invocation of Lambda can last, short enough that a replay by hand soon runs.
pub const MEMORY_LEDGER_AGE_MS_MAX: u64 = 15 * 60 * 1000;

/// Bytes of items, ids included, that the store in memory keeps.
pub const MEMORY_STORE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Longest id of a store's item. DynamoDB allows 2,048 bytes of a partition key.
pub const STORE_ID_BYTES_MAX: usize = 1_024;

/// Longest try of one request to DynamoDB, which answers within tens of milliseconds. A connection that died while the process was frozen is noticed by
/// this.
pub const DYNAMODB_TRY_MS_MAX: u64 = 1_000;

/// Tries of one request to DynamoDB before its caller decides: one over a connection that may be dead, one over a new one.
pub const DYNAMODB_TRIES_MAX: u32 = 2;

/// Upper bound of the wait between them.
pub const DYNAMODB_BACKOFF_MS: u64 = 50;

/// Longest call of the store in DynamoDB: its tries, and the credentials before them. Short beside the time that a partition is held.
pub const DYNAMODB_CALL_MS_MAX: u64 = 3_000;

/// Largest data of a partition's ledger; beyond it the lowest offsets are forgotten. A third of what a DynamoDB item may hold (400 KB).
pub const LEDGER_BYTES_MAX: usize = 128 * 1024;

/// Deepest nesting of a value that a key is made of, or that is compared: what it takes is bounded, and no event has as much.
pub const KEY_JSON_DEPTH_MAX: usize = 128;

/// Longest prefix of ids that is given by hand; a hash of 32 digits follows it.
pub const KEY_PREFIX_BYTES_MAX: usize = 512;

/// Longest time that a key can be kept: a year.
pub const KEY_EXPIRES_AFTER_MS_MAX: u64 = 365 * 24 * 60 * 60 * 1000;

/// Time that a mark of "at most once" is kept at the least: a day longer than `MaximumRecordAgeInSeconds` (at most 604,800) lets a record come again.
pub const AT_MOST_ONCE_MARK_MS: u64 = 8 * 24 * 60 * 60 * 1000;

/// Longest namespace of keys: the longest name of a CloudFormation stack. A function's is half as long.
pub const NAMESPACE_BYTES_MAX: usize = 128;

/// Longest identity of a cluster given by hand.
pub const CLUSTER_BYTES_MAX: usize = 256;

const _: () = {
    assert!(CONCURRENCY_DEFAULT <= CONCURRENCY_MAX);
    assert!(ATTEMPTS_DEFAULT <= ATTEMPTS_MAX);
    assert!(RETRY_BACKOFF_BASE_MS <= RETRY_BACKOFF_MAX_MS);
    assert!(DEADLINE_MARGIN_MS <= DEADLINE_MARGIN_MS_MAX);
    assert!(DEADLINE_AHEAD_MS_MAX > 15 * 60 * 1000);
    assert!(SQS_TRY_MS_MAX < SEND_MS_MAX);
    assert!(CLOCK_SKEW_MAX_MS * CLOCK_SKEW_PART_MAX as u64 <= LEASE_MS);
    assert!(STORE_RETRY_MAX_MS < LEASE_MS / LEASE_RENEWALS as u64);
    assert!(LEDGER_OFFSETS_KEPT * 5 < LEDGER_BYTES_MAX);
    assert!(KEY_PREFIX_BYTES_MAX + 1 + 32 <= STORE_ID_BYTES_MAX);
    assert!(AT_MOST_ONCE_MARK_MS > 604_800 * 1000);
    assert!(AT_MOST_ONCE_MARK_MS <= KEY_EXPIRES_AFTER_MS_MAX);
    assert!(
        (DYNAMODB_TRY_MS_MAX + DYNAMODB_BACKOFF_MS) * (DYNAMODB_TRIES_MAX as u64)
            < DYNAMODB_CALL_MS_MAX
    );
    // Positions in the event and its arena are 32 bits wide.
    assert!(EVENT_BYTES_MAX < u32::MAX as usize);
    assert!(EVENT_RECORDS_MAX < u32::MAX as usize);
};

//! Every bound of this crate, with its origin.

pub use msk_kafka::limits::{
    CONNECT_MS, EMBEDDED_PARTITION_BYTES_MAX, HEARTBEAT_MS, PREFETCH_KIBIBYTES, SESSION_MS,
    STATISTICS_MS,
};

/// The longest event Lambda sends to a function: 6 MB of JSON (Lambda quotas: invocation payload).
pub const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The longest response that Lambda accepts. AWS's runtime interface emulator refuses the next byte.
pub const RESPONSE_BYTES_MAX: usize = 6_291_556;

/// Most bytes that are read of a response that is too long, so that the function sees the refusal and not a broken pipe.
pub const DISCARD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The longest time from a function's start to its first request for an event (Lambda: 10 s on demand).
pub const INIT_TIMEOUT_MS: u64 = 10_000;

/// The longest time-out of an invocation. Lambda's API model (botocore 1.44.8) allows 1,800 s, and 5,400 s for event source mappings on Lambda Managed
/// Instances; the developer guide still says 14 minutes for Kafka.
pub const TIMEOUT_MAX_MS: u64 = 5_400 * 1000;

/// The time of a stopped function after `SIGTERM` (Lambda: 500 ms with an internal extension).
pub const SHUTDOWN_GRACE_MS: u64 = 500;

/// The time to wait for a process that is about to end by itself, so that its last log lines are read.
pub const EXIT_GRACE_MS: u64 = 1_000;

/// The time for which the connections and log pipes of an ended process are still read. A grandchild may hold them.
pub const DRAIN_MS: u64 = 500;

/// The number of ended invocations that are remembered, to tell a late answer from an unknown one.
pub const ENDED_KEPT_MAX: usize = 256;

/// The most extensions of one function (Lambda quotas: 10).
pub const EXTENSIONS_MAX: usize = 10;

/// The most events that wait for one extension. A slow one loses the oldest.
pub const EXTENSION_EVENTS_MAX: usize = 64;

/// The longest line of captured log: longer ones are cut in pieces (CloudWatch: 256 kB an event).
pub const LOG_LINE_BYTES_MAX: usize = 256 * 1024;

/// `BatchSize`, at most (Lambda API).
pub const BATCH_SIZE_MAX: i64 = 10_000;

/// `BatchSize` when it is not set (Lambda API).
pub const BATCH_SIZE_DEFAULT: usize = 100;

/// `MaximumBatchingWindowInSeconds`, at most (Lambda API).
pub const BATCHING_WINDOW_MAX_S: i64 = 300;

/// The batching window when it is not set (Lambda developer guide, Kafka parameters).
pub const BATCHING_WINDOW_DEFAULT_MS: u64 = 500;

/// `MaximumRetryAttempts`, at most (Lambda API).
pub const RETRY_ATTEMPTS_MAX: i64 = 10_000;

/// Retries when they are infinite and there is a destination (Lambda developer guide, Kafka error handling).
pub const RETRY_ATTEMPTS_WITH_DESTINATION: u32 = 10;

/// `MaximumRecordAgeInSeconds`, at least (Lambda API).
pub const RECORD_AGE_MIN_S: i64 = 60;

/// `MaximumRecordAgeInSeconds`, at most: a week (Lambda API).
pub const RECORD_AGE_MAX_S: i64 = 604_800;

/// `MinimumPollers`, at most (Lambda API).
pub const MINIMUM_POLLERS_MAX: i64 = 200;

/// `MaximumPollers`, at most (Lambda API).
pub const MAXIMUM_POLLERS_MAX: i64 = 2_000;

/// `MaximumPollers` when it is not set (Lambda developer guide, Kafka parameters).
pub const MAXIMUM_POLLERS_DEFAULT: i64 = 200;

/// The most concurrent invocations of one poller (Lambda developer guide: 5 MB/s or 5 invocations).
pub const POLLER_INVOCATIONS_MAX: usize = 5;

/// The most deliveries of a record by a share group, unless the cluster says otherwise (Kafka's default of `group.share.delivery.count.limit`).
pub const DELIVERY_COUNT_MAX: u16 = 5;

/// The pause after a first failure. Lambda does not document its own.
pub const BACKOFF_FIRST_MS: u64 = 500;

/// The longest pause between two attempts: half a minute, so that a fixed function is soon tried again.
pub const BACKOFF_MOST_MS: u64 = 30_000;

/// The pause before a refused commit is retried: a rebalance has often ended by then.
pub const COMMIT_AGAIN_MS: u64 = 1_000;

/// The most groups of listed records of one partition that are retried beside its next batches, if these do not wait.
/// It bounds what a poller holds behind a record that always fails.
pub const RETRIED_ASIDE_MAX: usize = 16;

/// The number of waiting batches of one partition at which its polling pauses: one is filled while the other runs.
pub const BATCHES_WAITING_MAX: usize = 2;

/// The number of invalid records of one partition that are on their way to the destination at once: each has a document of its own, and a topic may hold
/// nothing else.
pub const INVALID_DELIVERING_MAX: usize = 16;

/// The number of uncommitted records of one partition at which its polling pauses. Only records that are done
/// behind a record that is retried beside them add up to this.
pub const UNCOMMITTED_MAX: usize = 100_000;

/// The bytes of waiting records at which a poller pauses each partition that has some: enough to fill all
/// its invocations.
pub const POLLER_WAITING_BYTES_MAX: usize = POLLER_INVOCATIONS_MAX * EVENT_BYTES_MAX;

/// The most patterns of a filter (Lambda quotas: 10, on request).
pub const FILTER_PATTERNS_MAX: usize = 10;

/// The most patterns of a filter without a request for more (Lambda quotas: 5).
pub const FILTER_PATTERNS_DEFAULT: usize = 5;

/// The longest pattern (Lambda API: `Filter.Pattern`).
pub const FILTER_PATTERN_CHARACTERS_MAX: usize = 4096;

/// The most combinations of the `$or`s of one pattern (EventBridge refuses more).
pub const FILTER_ALTERNATIVES_MAX: usize = 1000;

/// The most fields of a pattern (AWS's matcher refuses more).
pub const FILTER_FIELDS_MAX: usize = 256;

/// The deepest nesting of a pattern's or a filtered value's JSON: the default of `serde_json`.
pub const FILTER_JSON_DEPTH_MAX: usize = 128;

/// The most pairs of values that one pattern compares in one record. Two fields below one array need the most: as many as the
/// elements in which the first matches times those in which the second does. A record that needs more passes, so that nothing
/// is dropped unseen.
pub const FILTER_STEPS_MAX: usize = 5_000_000;

const _: () =
    assert!(EVENT_BYTES_MAX < RESPONSE_BYTES_MAX && RESPONSE_BYTES_MAX < DISCARD_BYTES_MAX);
const _: () = assert!(INIT_TIMEOUT_MS < TIMEOUT_MAX_MS && DRAIN_MS <= EXIT_GRACE_MS);
const _: () = assert!(BACKOFF_FIRST_MS < BACKOFF_MOST_MS);

/// A function's time-out when none is given (Lambda's own default is 3 s, too short for most batches).
pub const FUNCTION_TIMEOUT_MS: u64 = 30_000;

/// A topic's name, by Kafka's own rule.
pub const TOPIC_CHARS_MAX: usize = 249;

/// The time for which a run that ends by itself continues while the cluster only refuses it: longer than new
/// rights or a new password take to reach all brokers.
pub const REFUSED_MS: u64 = 10_000;

/// The pause before a failed question is repeated.
pub const LOOKUP_RETRY_MS: u64 = 500;

/// The longest time of the last commits of a revoked partition or an ending run: an absent broker must not block them.
pub const LEAVE_MS: u64 = 4_000;

/// The pause before a refused last commit is retried: about the time of a step of a rebalance.
pub const COMMIT_LAST_MS: u64 = 100;

/// The longest time to leave a group: it is one request.
pub const CLOSE_MS: u64 = 1_000;

/// The longest time for which a revoked partition is kept until its invocations have finished: less than the five minutes
/// for which a group waits for a member (`max.poll.interval.ms`).
pub const HAND_OVER_MS: u64 = 240_000;

/// The time of refusals before a refused commit is reported: a rebalance refuses some, and is over by then.
pub const REFUSAL_SAID_MS: u64 = 5_000;

/// The time between two questions of an idle run about what others of its group have left.
pub const LOOK_MS: u64 = 1_000;

/// The time before the records of other members are reported as left: longer than a group takes to assign partitions.
pub const LOOK_SAID_MS: u64 = 5_000;

/// The time for one schema with its references. One that takes longer is asked for again.
pub const SCHEMA_FETCH_MS: u64 = 5_000;

/// The number of schemas that are asked for at once, so that a registry is not flooded by a topic of many schemas.
pub const SCHEMA_FETCHES_MAX: usize = 8;

/// The number of pieces of polled records that wait for their schemas at which a member's polling pauses. With [`POLLED_RECORDS_MAX`] and
/// [`HAPPENINGS_MAX`] this bounds the memory while a registry is slow.
pub const VALIDATIONS_WAITING_MAX: usize = 4;

/// The time for which a run that ends by itself waits for a registry that cannot be asked: as long as for a cluster.
pub const REGISTRY_AWAY_MS: u64 = 30_000;

/// The time for which a run that ends by itself waits for a cluster that does not answer: longer than a broker's restart.
pub const AWAY_MS: u64 = 30_000;

/// The same for a cluster that no longer has the topic: longer than the brokers take to tell each other of a new one.
pub const GONE_MS: u64 = 5_000;

/// The time without a read or commit in the group, beyond the function's time-out, after which a run that waits for the
/// others ends.
pub const STALLED_MS: u64 = 30_000;

/// The most records that a member passes on in one piece: with the pieces in flight this bounds its memory.
pub const POLLED_RECORDS_MAX: usize = 500;

/// The most pieces that wait for the mapping.
pub const HAPPENINGS_MAX: usize = 4;

/// The longest wait of one poll of a share group.
pub const SHARE_POLL_MS: u64 = 500;

/// The duration of a share group's lock on a record until the broker has told it (Kafka's
/// `group.share.record.lock.duration.ms`).
pub const SHARE_LOCK_MS: u64 = 30_000;

/// The number of renewals in the duration of a lock: one may be late, and the next is still in time.
pub const SHARE_RENEWALS: u32 = 3;

/// The time between two statuses of a driver.
pub const STATUS_MS: u64 = 250;

/// The time for which all records have to be settled before a run of a share group ends, if the broker says nothing of
/// some partition: longer than a partition takes from a member that was killed to the next.
pub const CAUGHT_UP_MS: u64 = 10_000;

const _: () = assert!(CAUGHT_UP_MS >= SESSION_MS + 4 * HEARTBEAT_MS);
const _: () = assert!(AWAY_MS > SESSION_MS && AWAY_MS > CONNECT_MS && LOOK_SAID_MS >= LOOK_MS);

/// The longest time of one delivery to a destination.
pub const DELIVER_MS: u64 = 30_000;

/// The time before that at which the destinations here give up by themselves, so that their reason is reported.
pub const DELIVER_LEAVE_MS: u64 = 1_000;

/// The most attempts of a delivery before records are dropped.
pub const DELIVER_ATTEMPTS_MAX: u32 = 3;

const _: () = assert!(DELIVER_LEAVE_MS < DELIVER_MS);
const _: () = assert!(FILTER_PATTERNS_DEFAULT < FILTER_PATTERNS_MAX);

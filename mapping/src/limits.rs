//! Every bound of this crate, with where its number comes from.

pub use msk_kafka::limits::{
    CONNECT_MS, EMBEDDED_PARTITION_BYTES_MAX, HEARTBEAT_MS, PREFETCH_KIBIBYTES, SESSION_MS,
    STATISTICS_MS,
};

/// The longest event Lambda sends to a function: 6 MB of JSON (Lambda quotas: invocation payload).
pub const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The longest answer Lambda takes from a function. AWS's runtime interface emulator refuses the next byte.
pub const RESPONSE_BYTES_MAX: usize = 6_291_556;

/// How much of an answer that is too long is still read, so that the function sees the refusal and not a broken pipe.
pub const DISCARD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The longest a function may take from its start to its first request for an event (Lambda: 10 s on demand).
pub const INIT_TIMEOUT_MS: u64 = 10_000;

/// The longest that an invocation may take. Lambda's API model (botocore 1.44.8) allows 1,800 s, and 5,400 s for event source mappings on Lambda Managed
/// Instances; the developer guide still says 14 minutes for Kafka.
pub const TIMEOUT_MAX_MS: u64 = 5_400 * 1000;

/// How long a function that is stopped may take after `SIGTERM` (Lambda: 500 ms with an internal extension).
pub const SHUTDOWN_GRACE_MS: u64 = 500;

/// How long a process that is about to end by itself is waited for, so that its last log lines come out.
pub const EXIT_GRACE_MS: u64 = 1_000;

/// How long the connections and log pipes of a process that has ended are still read. A grandchild may hold them.
pub const DRAIN_MS: u64 = 500;

/// How many ended invocations are remembered, so that a late answer is told from an unknown one.
pub const ENDED_KEPT_MAX: usize = 256;

/// How many extensions one function may register (Lambda quotas: 10).
pub const EXTENSIONS_MAX: usize = 10;

/// How many events wait for one extension. A slow one loses the oldest.
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

/// How many invocations of one poller are under way at once (Lambda developer guide: 5 MB/s or 5 invocations).
pub const POLLER_INVOCATIONS_MAX: usize = 5;

/// How often a share group delivers a record, unless the cluster says otherwise (Kafka's default of `group.share.delivery.count.limit`).
pub const DELIVERY_COUNT_MAX: u16 = 5;

/// The pause after a first failure. Lambda does not say how long its own is.
pub const BACKOFF_FIRST_MS: u64 = 500;

/// The longest pause between two attempts: half a minute, so that a function that was mended is soon tried again.
pub const BACKOFF_MOST_MS: u64 = 30_000;

/// The pause before a refused commit is sent again: a rebalance that is under way has often ended by then.
pub const COMMIT_AGAIN_MS: u64 = 1_000;

/// How many groups of listed records of one partition are tried again beside its next batches, if they do not wait.
/// It bounds what a poller holds behind a record that always fails.
pub const RETRIED_ASIDE_MAX: usize = 16;

/// How many batches of one partition wait at a poller before its polling pauses: one that is filled while the other runs.
pub const BATCHES_WAITING_MAX: usize = 2;

/// How many polled records of one partition are not committed before its polling pauses. Only records that are done
/// behind one that is tried again beside them add up to that.
pub const UNCOMMITTED_MAX: usize = 100_000;

/// How many bytes of records wait at one poller before it pauses each partition that has some: what it takes to fill all
/// its invocations.
pub const POLLER_WAITING_BYTES_MAX: usize = POLLER_INVOCATIONS_MAX * EVENT_BYTES_MAX;

/// How many patterns a filter may have (Lambda quotas: 10, on request).
pub const FILTER_PATTERNS_MAX: usize = 10;

/// How many patterns a filter may have unless more were asked for (Lambda quotas: 5).
pub const FILTER_PATTERNS_DEFAULT: usize = 5;

/// The longest pattern (Lambda API: `Filter.Pattern`).
pub const FILTER_PATTERN_CHARACTERS_MAX: usize = 4096;

/// How many combinations the `$or`s of one pattern may make (EventBridge refuses more).
pub const FILTER_ALTERNATIVES_MAX: usize = 1000;

/// How many fields a pattern may ask for at once (AWS's matcher refuses more).
pub const FILTER_FIELDS_MAX: usize = 256;

/// How deep the JSON of a pattern or of a filtered value may be nested: what `serde_json` takes by default.
pub const FILTER_JSON_DEPTH_MAX: usize = 128;

/// How many pairs of values one pattern compares in one record. Two fields below one array need the most: as many as the
/// elements in which the first fits times those in which the second does. A record that needs more passes, so that nothing
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

/// How long a run that ends by itself goes on while nothing happens but that the cluster refuses it: longer than new
/// rights or a new password take to reach all brokers.
pub const REFUSED_MS: u64 = 10_000;

/// The pause before a question that failed is asked again.
pub const LOOKUP_RETRY_MS: u64 = 500;

/// How long the last commits may take, of a partition that goes and of a run that ends: a broker that is away must not hold us.
pub const LEAVE_MS: u64 = 4_000;

/// The pause before a last commit that was refused is sent again: a step of a rebalance takes about so long.
pub const COMMIT_LAST_MS: u64 = 100;

/// How long the leaving of a group may take: it is one request.
pub const CLOSE_MS: u64 = 1_000;

/// How long a partition that the group takes is kept until what is under way with it has ended: less than the five minutes
/// for which a group waits for a member (`max.poll.interval.ms`).
pub const HAND_OVER_MS: u64 = 240_000;

/// How long a commit is refused before that is told: a rebalance refuses some, and is over by then.
pub const REFUSAL_SAID_MS: u64 = 5_000;

/// How often a run that has nothing left to do asks what others of its group have left.
pub const LOOK_MS: u64 = 1_000;

/// How long others have to have something left before that is told: longer than a group takes to share partitions out.
pub const LOOK_SAID_MS: u64 = 5_000;

/// How long a run that ends by itself waits for a cluster that does not answer: longer than a broker takes to start again.
pub const AWAY_MS: u64 = 30_000;

/// The same for a cluster that has no such topic any more: longer than the brokers take to tell each other of a new one.
pub const GONE_MS: u64 = 5_000;

/// How long nobody in a group may read or commit anything, beyond the function's time-out, before a run that waits for the
/// others ends.
pub const STALLED_MS: u64 = 30_000;

/// How many records a member passes on in one piece: what bounds its memory, together with the pieces under way.
pub const POLLED_RECORDS_MAX: usize = 500;

/// How many pieces wait for the mapping.
pub const HAPPENINGS_MAX: usize = 4;

/// How long one poll of a share group waits for records.
pub const SHARE_POLL_MS: u64 = 500;

/// How long a share group's lock on a record is taken to last until the broker has said (Kafka's
/// `group.share.record.lock.duration.ms`).
pub const SHARE_LOCK_MS: u64 = 30_000;

/// How often a lock is renewed in its time: one renewal may be late, and the next still comes in time.
pub const SHARE_RENEWALS: u32 = 3;

/// How often a driver says how it stands.
pub const STATUS_MS: u64 = 250;

/// How long everything has to be settled before a run of a share group takes that for the end, if the broker says nothing of
/// some partition: longer than a partition takes from a member that was killed to the next.
pub const CAUGHT_UP_MS: u64 = 10_000;

const _: () = assert!(CAUGHT_UP_MS >= SESSION_MS + 4 * HEARTBEAT_MS);
const _: () = assert!(AWAY_MS > SESSION_MS && AWAY_MS > CONNECT_MS && LOOK_SAID_MS >= LOOK_MS);

/// How long a destination may take for what was given up at once.
pub const DELIVER_MS: u64 = 30_000;

/// Time before that in which the destinations here give up by themselves, so that their reason is told.
pub const DELIVER_LEAVE_MS: u64 = 1_000;

/// How often a destination is asked before records are dropped.
pub const DELIVER_ATTEMPTS_MAX: u32 = 3;

const _: () = assert!(DELIVER_LEAVE_MS < DELIVER_MS);
const _: () = assert!(FILTER_PATTERNS_DEFAULT < FILTER_PATTERNS_MAX);

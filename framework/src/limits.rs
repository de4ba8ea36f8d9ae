//! Every bound and default of the framework, each with its reason. Read by all modules.

pub use msk_destinations::limits::{
    FILE_LOCK_POLL_MS_MAX, SQS_BATCH_ENTRIES_MAX, SQS_MESSAGE_BYTES_MAX, TOPIC_BYTES_MAX,
    TRY_MS_MAX as SQS_TRY_MS_MAX,
};

/// Largest event that is decoded. Lambda sends at most 6 MB; the room above is for files on a desk and for later growth of Lambda's own limit.
pub const EVENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most records of one event. Lambda's batch size ends at 10,000.
pub const EVENT_RECORDS_MAX: usize = 1_000_000;

/// Deepest nesting of JSON that the event may have. A Kafka event needs seven levels (the array of a header); unknown fields may have more.
pub const EVENT_JSON_DEPTH_MAX: usize = 128;

/// Lanes that run side by side when nothing else is said.
pub const CONCURRENCY_DEFAULT: usize = 64;

/// Most lanes side by side: more than a batch has records does nothing.
pub const CONCURRENCY_MAX: usize = 10_000;

/// Lanes beside them that have begun and wait: for their next try, a lease, or another one's claim. Each takes some kilobytes.
pub const LANES_WAITING_MAX: usize = 1_000;

/// Processor time after which lanes leave the turn to openings, progress and renewals: short beside any of their waits, long beside what a turn costs. A handler
/// that keeps the processor busy for longer ends its own turn only; that belongs into `spawn_blocking`.
pub const TURN_MS: u64 = 5;

/// Records after which they do so in any case.
pub const TURN_RECORDS: u32 = 128;

/// Tries of a record in one invocation, the first included.
pub const ATTEMPTS_DEFAULT: u32 = 3;

/// Most tries of a record in one invocation: with back-off, a hundred outlast any invocation.
pub const ATTEMPTS_MAX: u32 = 100;

/// Upper bound of the wait before the second try; doubled for each try after it.
pub const RETRY_BACKOFF_BASE_MS: u64 = 100;

/// Upper bound of any wait that back-off chooses.
pub const RETRY_BACKOFF_MAX_MS: u64 = 10_000;

/// Longest time-out that a function can have. Lambda's API model (botocore 1.44.8) allows 1,800 s, and 5,400 s for event source mappings on Lambda Managed
/// Instances; the developer guide still says 14 minutes for Kafka. Each bound of time below is made for the longest of the three.
pub const FUNCTION_TIMEOUT_MS_MAX: u64 = 5_400 * 1000;

/// Longest wait that a failure can ask for where no deadline is known: no invocation lasts longer.
pub const RETRY_AFTER_MS_MAX: u64 = FUNCTION_TIMEOUT_MS_MAX;

/// Time kept free before Lambda's deadline, for stores, destinations and the answer.
pub const DEADLINE_MARGIN_MS: u64 = 500;

/// The margin is at most this part of the time given, so that short time-outs still do work.
pub const DEADLINE_MARGIN_PART_MAX: u32 = 5;

/// Smallest margin that can be set: half of it is the answer's, which takes a few milliseconds on its way.
pub const DEADLINE_MARGIN_MS_MIN: u64 = 50;

/// Largest margin that can be set: no invocation lasts longer.
pub const DEADLINE_MARGIN_MS_MAX: u64 = FUNCTION_TIMEOUT_MS_MAX;

/// Time that a deadline may lie ahead and still be believed. Half an hour beyond the longest time-out leaves room for clocks that differ.
pub const DEADLINE_AHEAD_MS_MAX: u64 = FUNCTION_TIMEOUT_MS_MAX + 30 * 60 * 1000;

/// Longest that a handler, or the extractors before it, may hold the thread in one go without a warning. While they do, no other record runs, no lease is
/// renewed and no deadline is kept: half of the margin, so that the answer still leaves in time.
pub const HANDLER_POLL_MS_MAX: u64 = 250;

/// Time that a shutdown signal leaves to invocations in flight. Lambda kills 500 ms after SIGTERM (a function with an internal extension) or at once.
pub const SHUTDOWN_GRACE_MS: u64 = 400;

/// Longest text of a user's error in a log line or dead letter; the rest is cut.
pub const ERROR_TEXT_BYTES_MAX: usize = 1024;

/// Failed or rejected records that get a log line of their own, an invocation. The report line counts all.
pub const RECORD_LOG_LINES_MAX: usize = 100;

/// Partitions that have a log line of their own for one kind of finding, an invocation. One more line counts the others.
pub const PARTITION_LOG_LINES_MAX: usize = 100;

/// Topics without a handler that a process names, each once. A mapping reads one topic.
pub const UNHANDLED_TOPICS_MAX: usize = 100;

/// Dead letters handed to a destination in one call.
pub const DEAD_LETTERS_PER_SEND_MAX: usize = 1_000;

/// Longest that the file and SQS destinations try without a success. Outlasts a throttled or restarted service; what takes longer is the mapping's to try again.
pub const SEND_MS_MAX: u64 = 30_000;

/// Time before the end of a send in which these destinations answer with what was confirmed until then.
pub const SEND_LEAVE_MS: u64 = 20;

/// Bytes of a record's key and value together that fit into one message of SQS whatever they are: base64 of bytes that do not compress, packed by gzip, takes 1.3 % more than
/// they do. What compresses may be several times as large.
pub const SQS_RECORD_BYTES_SAFE: usize = 1_000_000;

/// How long a partition is its invocation's alone, unless that renews it. Long enough to outlast a slow write, short enough that a successor
/// of a killed process waits little.
pub const LEASE_MS: u64 = 10_000;

/// A lease is at most this part of the time given, so that a successor with as little time can still outwait it; but never shorter than [`LEASE_MS_MIN`].
pub const LEASE_PART_MAX: u32 = 3;

/// Shortest lease. Its owner can use it until [`LEASE_GAP_MS_MIN`] before its end, and renews it each third of it. With that gap it is outwaited in 2.1 s: within
/// one invocation of 3 s, Lambda's default time-out. One of 2 s may have to come twice, one of 1 s three times.
pub const LEASE_MS_MIN: u64 = 1_500;

/// Parts of a lease after which it is renewed: two renewals may fail.
pub const LEASE_RENEWALS: u32 = 3;

/// Maximum clock skew between two function processes. AWS keeps clocks within milliseconds of each other.
pub const CLOCK_SKEW_MAX_MS: u64 = 1_000;

/// Time around a lease's end in which nobody starts anything: its owner stops that much before it, a successor begins that much after it. Both together
/// outlast the maximum clock skew, and a pause between reading a clock and acting.
pub const LEASE_GAP_MS_MAX: u64 = 1_000;

/// The gap is at most this part of a lease, but never shorter than [`LEASE_GAP_MS_MIN`].
pub const LEASE_GAP_PART_MAX: u32 = 4;

/// Shortest gap. Twice it is the maximum clock skew and a pause of 200 ms.
pub const LEASE_GAP_MS_MIN: u64 = 600;

/// Time between two writes of a partition's progress when nothing else is said.
pub const PROGRESS_MS: u64 = 250;

/// Longest time between two writes of progress: beyond it, renewals write anyway.
pub const PROGRESS_MS_MAX: u64 = 10_000;

/// First wait before a store is asked again; doubled for each time after it.
pub const STORE_RETRY_BASE_MS: u64 = 100;

/// Longest wait before a store is asked again.
pub const STORE_RETRY_MAX_MS: u64 = 2_000;

/// Longest that an unordered ledger waits after it has lost a race for its item, each time anew: a few of DynamoDB's round trips, over which those who lost
/// with it are spread. Ten that write one partition at once are all through within a second.
pub const LEDGER_RACE_WAIT_MS_MAX: u64 = 20;

/// Requests that a process makes of its store at once to take partitions or claims, and to look. Each may be a connection, and a function has 1,024 file
/// descriptors, handlers' connections included.
pub const STORE_REQUESTS_TO_BEGIN_MAX: usize = 128;

/// Requests at once beside them to renew, record and give back what is held. A thousand partitions that write their progress within 250 ms need no more, at
/// ten milliseconds a request.
pub const STORE_REQUESTS_TO_GO_ON_MAX: usize = 128;

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

/// Bytes that so many offsets take, with room for those that do not stand side by side.
pub const LEDGER_BYTES_USUAL: usize = LEDGER_OFFSETS_KEPT * 5;

/// Time that an unordered ledger keeps every offset below the batch at hand, beyond the time that its invocation was given: until then a share group may deliver
/// it again. Five deliveries with locks of 30 s are a broker's defaults (`group.share.delivery.count.limit`, `group.share.record.lock.duration.ms`); half a
/// minute is for the way there.
pub const LEDGER_LOCKS_MS: u64 = 3 * 60 * 1000;

/// Write units a second that one unordered ledger takes at most; what it keeps shrinks with the writes a second. DynamoDB allows one item 1,000; the rest is for
/// writes that are refused.
pub const LEDGER_UNITS_PER_S_MAX: u32 = 500;

/// Time after which a durable ledger forgets an offset. Outlives a batch that comes again after an outage of hours; a replay by hand is skipped that long.
pub const LEDGER_AGE_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// Time after which the ledger in memory forgets an offset, if no invocation lasts as long: short enough that a replay by hand soon runs.
pub const MEMORY_LEDGER_AGE_MS: u64 = 15 * 60 * 1000;

/// Time that any ledger remembers an offset beyond the time that its invocation was given: a batch that ran for all of it, and failed, is delivered again
/// within seconds.
pub const LEDGER_AGE_BEYOND_MS: u64 = 10 * 60 * 1000;

/// Bytes of items, ids included, that the store in memory keeps.
pub const MEMORY_STORE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bits of the number that is drawn for each write of an item: so many that none is drawn twice, and so few that a store may keep numbers as doubles, which are exact
/// up to 2<sup>53</sup>.
pub const SEQ_BITS: u32 = 52;

/// Bits of the number that a taking adds to it. Only those of one holder must differ, so that a million takings one after the other, without a write in between, stay
/// below 2<sup>53</sup>.
pub const SEQ_RAISE_BITS: u32 = 32;

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
    assert!(DEADLINE_MARGIN_MS_MIN <= DEADLINE_MARGIN_MS);
    assert!(DEADLINE_MARGIN_MS <= DEADLINE_MARGIN_MS_MAX);
    assert!(HANDLER_POLL_MS_MAX * 2 <= DEADLINE_MARGIN_MS);
    assert!(SEND_LEAVE_MS < DEADLINE_MARGIN_MS_MIN / 2);
    assert!(DEADLINE_AHEAD_MS_MAX > FUNCTION_TIMEOUT_MS_MAX);
    assert!(LEDGER_AGE_MS_MAX > FUNCTION_TIMEOUT_MS_MAX + LEDGER_AGE_BEYOND_MS);
    assert!(LEDGER_AGE_BEYOND_MS < MEMORY_LEDGER_AGE_MS);
    assert!(SQS_TRY_MS_MAX < SEND_MS_MAX);
    assert!(SQS_RECORD_BYTES_SAFE < SQS_MESSAGE_BYTES_MAX);
    assert!(LEASE_GAP_MS_MAX * LEASE_GAP_PART_MAX as u64 <= LEASE_MS);
    assert!(LEASE_GAP_MS_MIN <= LEASE_GAP_MS_MAX);
    assert!(LEASE_GAP_MS_MIN * 2 >= CLOCK_SKEW_MAX_MS + 200);
    // A renewal that takes a quarter of a second does not stop the owner.
    assert!(LEASE_MS_MIN - LEASE_MS_MIN / LEASE_RENEWALS as u64 >= LEASE_GAP_MS_MIN + 250);
    assert!(LEASE_MS_MIN <= LEASE_MS);
    assert!(LEDGER_RACE_WAIT_MS_MAX < STORE_RETRY_BASE_MS);
    // Three quarters of 1,024 file descriptors are left to everything else.
    assert!(STORE_REQUESTS_TO_BEGIN_MAX + STORE_REQUESTS_TO_GO_ON_MAX <= 256);
    assert!(STORE_RETRY_MAX_MS < LEASE_MS / LEASE_RENEWALS as u64);
    assert!((1 << SEQ_BITS) + (1_000_000 << SEQ_RAISE_BITS) < 1_u64 << f64::MANTISSA_DIGITS);
    assert!(LEDGER_BYTES_USUAL < LEDGER_BYTES_MAX);
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

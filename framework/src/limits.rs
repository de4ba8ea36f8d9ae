//! Every bound and default of the framework, each with its reason. Read by all modules.

pub use msk_destinations::limits::{
    BATCH_ENTRIES_MAX as SQS_BATCH_ENTRIES_MAX, FILE_LOCK_POLL_MS_MAX, SNS_MESSAGE_BYTES_MAX,
    SQS_MESSAGE_BYTES_MAX, TOPIC_BYTES_MAX, TRY_MS_MAX as SQS_TRY_MS_MAX,
};

/// Largest event that is decoded. Lambda sends at most 6 MB; the rest is for local test files and for later growth of Lambda's limit.
pub const EVENT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Maximum number of records in one event. Lambda's batch size is at most 10,000.
pub const EVENT_RECORDS_MAX: usize = 1_000_000;

/// Maximum nesting depth of an event's JSON. A Kafka event needs seven levels (the array of a header); unknown fields may have more.
pub const EVENT_JSON_DEPTH_MAX: usize = 128;

/// Maximum size of a buffer that a warm process keeps from one event to the next; there are two, for bytes and for records. A whole event of 6 MB fits.
pub const SPARE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Default number of lanes that run concurrently.
pub const CONCURRENCY_DEFAULT: usize = 64;

/// Maximum number of concurrent lanes: more lanes than records in a batch have no effect.
pub const CONCURRENCY_MAX: usize = 10_000;

/// Maximum number of lanes that have started and wait, in addition to the running ones: for their next attempt, a lease, or another lane's claim. Each takes some kilobytes.
pub const LANES_WAITING_MAX: usize = 1_000;

/// Processor time after which lanes yield to openings, progress writes and lease renewals: short compared to their waits, long compared to the cost of a turn. A handler
/// that keeps the processor busy for longer is not interrupted; such work belongs in `spawn_blocking`.
pub const TURN_MS: u64 = 5;

/// Number of records after which lanes yield in any case.
pub const TURN_RECORDS: u32 = 128;

/// Default maximum of attempts for a record in one invocation, the first included.
pub const ATTEMPTS_DEFAULT: u32 = 3;

/// Largest maximum of attempts that can be set: with back-off, a hundred attempts outlast any invocation.
pub const ATTEMPTS_MAX: u32 = 100;

/// Default maximum of records in one call of a batch handler: a multi-row insert gains little beyond some hundreds of rows, and a poison record costs a call more for each doubling.
pub const BATCH_RECORDS_DEFAULT: usize = 500;

/// Largest maximum of records in one call of a batch handler that can be set: Lambda's batch size is at most as large.
pub const BATCH_RECORDS_MAX: usize = 10_000;

/// Default maximum size of the keys and values in one call of a batch handler: a request that databases and search indexes take. A single larger record is a chunk of its own.
pub const BATCH_BYTES_DEFAULT: usize = 1024 * 1024;

/// Part of the time left that one call of a batch handler may take if no time-out is set: the rest is for halving after a call that hangs.
pub const BATCH_TIMEOUT_PART: u32 = 2;

/// Milliseconds, the least that this part is: where it would be less, a call may take all that is left. A time-out of a few milliseconds would drop each call as its effect happens.
pub const BATCH_TIMEOUT_MS_MIN: u64 = 1_000;

/// Upper bound of the wait before the second attempt; doubled for each further attempt.
pub const RETRY_BACKOFF_BASE_MS: u64 = 100;

/// Upper bound of any wait that back-off chooses.
pub const RETRY_BACKOFF_MAX_MS: u64 = 10_000;

/// Longest function timeout. Lambda's API model (botocore 1.44.8) allows 1,800 s, and 5,400 s for event source mappings on Lambda Managed
/// Instances; the developer guide still says 14 minutes for Kafka. The time limits below allow for the longest of the three.
pub const FUNCTION_TIMEOUT_MS_MAX: u64 = 5_400 * 1000;

/// Longest wait that a failure can set if there is no deadline: no invocation lasts longer.
pub const RETRY_AFTER_MS_MAX: u64 = FUNCTION_TIMEOUT_MS_MAX;

/// Default margin before Lambda's deadline, for stores, destinations and the response.
pub const DEADLINE_MARGIN_MS: u64 = 500;

/// Divisor for the largest margin: at most a fifth of the invocation's time, so that functions with short timeouts still do work.
pub const DEADLINE_MARGIN_PART_MAX: u32 = 5;

/// Smallest margin that can be set: half of it is for the response, which takes a few milliseconds to arrive.
pub const DEADLINE_MARGIN_MS_MIN: u64 = 50;

/// Largest margin that can be set: no invocation lasts longer.
pub const DEADLINE_MARGIN_MS_MAX: u64 = FUNCTION_TIMEOUT_MS_MAX;

/// Farthest deadline that is accepted as real. Half an hour beyond the longest timeout allows for clock skew.
pub const DEADLINE_AHEAD_MS_MAX: u64 = FUNCTION_TIMEOUT_MS_MAX + 30 * 60 * 1000;

/// Divisor for the time of the flush hook: at most half of the margin, however much time is left, so that a collector that hangs costs each invocation no more than that.
pub const FLUSH_PART_OF_MARGIN: u32 = 2;

/// Divisor for the time that the flush hook leaves before the deadline: a quarter of the margin, for the response.
pub const FLUSH_LEAVES_PART_OF_MARGIN: u32 = 4;

/// Maximum size of a `tracestate` that is passed on: what the standard asks everybody to pass on at the least. A larger one is left out.
pub const TRACE_STATE_BYTES_MAX: usize = 512;

/// Maximum number of members of a `tracestate`, by the standard.
pub const TRACE_STATE_MEMBERS_MAX: usize = 32;

/// Target of the span around each handler's run, by which a filter of `tracing` may leave it out.
pub const RECORD_SPAN_TARGET: &str = "lambda_msk::record";

/// Maximum number of links of an invocation's span: what the specification of OpenTelemetry lets a span have by default.
pub const TRACE_LINKS_MAX: usize = 128;

/// Maximum number of spans, per invocation, of records that were not sampled and failed. OpenTelemetry's queue of spans to export holds 2,048 by default.
pub const TRACE_FAILED_SPANS_MAX: usize = 1_000;

/// Maximum size of a record's key in a span's attribute, if keys are asked for; a longer one is left out.
pub const TRACE_KEY_BYTES_MAX: usize = 256;

/// Longest time that a handler or its extractors may block the thread without a warning. Meanwhile no other record runs, no lease is
/// renewed and no deadline is enforced: half of the margin, so that the response is still sent in time.
pub const HANDLER_POLL_MS_MAX: u64 = 250;

/// Time that invocations in flight have after a shutdown signal. Lambda kills the process 500 ms after SIGTERM (a function with an internal extension) or at once.
pub const SHUTDOWN_GRACE_MS: u64 = 400;

/// Maximum length of a user's error text in a log line or dead letter; the rest is cut.
pub const ERROR_TEXT_BYTES_MAX: usize = 1024;

/// Maximum number of failed or rejected records with a log line of their own, per invocation. The line `batch ended` counts all.
pub const RECORD_LOG_LINES_MAX: usize = 100;

/// Maximum number of lines that count those without one, per invocation: one a code, most frequent first. One more line counts the others.
pub const CODE_LOG_LINES_MAX: usize = 20;

/// Maximum number of records that are settled or unreached with a log line of their own, per invocation, if all records have one: the largest batch of Lambda.
pub const SETTLED_LOG_LINES_MAX: usize = 10_000;

/// Maximum number of partitions with a log line of their own for one kind of finding, per invocation. One more line counts the others.
pub const PARTITION_LOG_LINES_MAX: usize = 100;

/// Longest namespace of metrics: CloudWatch's limit.
pub const METRIC_NAMESPACE_BYTES_MAX: usize = 255;

/// Maximum number of values of one metric in a line: the embedded metric format's limit for an array.
pub const METRIC_BUCKETS_MAX: usize = 100;

/// Maximum number of lines of metrics, per invocation. The last stands for all topics or partitions that have none; a mapping reads one topic, and a batch of Lambda has seldom more than a
/// hundred partitions.
pub const METRIC_LINES_MAX: usize = 1_000;

/// Maximum number of partitions that are properties of a line of metrics, those that lag most: Logs Insights finds at most a thousand fields of a line.
pub const METRIC_PARTITIONS_MAX: usize = 100;

/// How long `MemoryMB` is taken for what it was, in milliseconds: a look at the process's memory takes as long as all the rest of a line, some 11 µs.
pub const METRIC_MEMORY_MS: i64 = 1_000;

/// Maximum size of a line of metrics: CloudWatch and Lambda cut longer lines of a log.
pub const METRIC_LINE_BYTES_MAX: usize = 256 * 1024;

/// Maximum number of topics without a handler that a process logs, each once. A mapping reads one topic.
pub const UNHANDLED_TOPICS_MAX: usize = 100;

/// Maximum number of dead letters in one call of a destination.
pub const DEAD_LETTERS_PER_SEND_MAX: usize = 1_000;

/// Longest time that the file and SQS destinations retry without a success. Outlasts a throttled or restarted service; after a longer outage the mapping redelivers the records.
pub const SEND_MS_MAX: u64 = 30_000;

/// Time before the end of a send at which these destinations return the results so far.
pub const SEND_LEAVE_MS: u64 = 20;

/// Size of a record's key and value together that always fits into one SQS message: base64 of incompressible bytes, compressed with gzip, takes 1.3 % more than
/// the bytes. A compressible record may be several times as large.
pub const SQS_RECORD_BYTES_SAFE: usize = 1_000_000;

/// Most objects that one call of the S3 destination puts at the same time: a thousand letters take a second or two at 20 ms each, over no more connections than a
/// function can spare.
pub const S3_PUTS_AT_ONCE_MAX: usize = 16;

/// Most records that one call of the Kafka destination has on their way. A broker takes them together; the others' time has not begun.
pub const KAFKA_SENDS_AT_ONCE_MAX: usize = 64;

/// Duration of a lease on a partition without renewal. Long enough to outlast a slow write, short enough that the successor
/// of a killed process does not wait long.
pub const LEASE_MS: u64 = 10_000;

/// Divisor for the longest lease: at most a third of the invocation's time, so that a successor with the same time outlasts the lease; but never shorter than [`LEASE_MS_MIN`].
pub const LEASE_PART_MAX: u32 = 3;

/// Shortest lease. Its owner uses it until [`LEASE_GAP_MS_MIN`] before its end, and renews it after each third. With that gap a successor waits at most 2.1 s: within
/// one invocation of 3 s, Lambda's default timeout. With a timeout of 2 s the batch may need two deliveries, with 1 s three.
pub const LEASE_MS_MIN: u64 = 1_500;

/// Number of parts of a lease; it is renewed after each part, so two renewals may fail.
pub const LEASE_RENEWALS: u32 = 3;

/// Maximum clock skew between two function processes. AWS keeps clocks within milliseconds of each other.
pub const CLOCK_SKEW_MAX_MS: u64 = 1_000;

/// Longest gap around lease expiry in which no process starts anything: the owner stops that much before expiry, a successor begins that much after. Both together
/// outlast the maximum clock skew and a pause between reading a clock and acting.
pub const LEASE_GAP_MS_MAX: u64 = 1_000;

/// Divisor for the gap: at most a quarter of the lease, but never shorter than [`LEASE_GAP_MS_MIN`].
pub const LEASE_GAP_PART_MAX: u32 = 4;

/// Shortest gap. Twice the gap covers the maximum clock skew and a pause of 200 ms.
pub const LEASE_GAP_MS_MIN: u64 = 600;

/// Default time between two writes of a partition's progress.
pub const PROGRESS_MS: u64 = 250;

/// Longest time between two writes of progress that can be set: with a longer one, lease renewals would write earlier anyway.
pub const PROGRESS_MS_MAX: u64 = 10_000;

/// First wait before a store request is retried; doubled for each further retry.
pub const STORE_RETRY_BASE_MS: u64 = 100;

/// Longest wait before a store request is retried.
pub const STORE_RETRY_MAX_MS: u64 = 2_000;

/// Longest random wait of an unordered ledger after each lost race for its item: a few round trips to DynamoDB, over which the losers
/// are spread. Ten concurrent writers of one partition all succeed within a second.
pub const LEDGER_RACE_WAIT_MS_MAX: u64 = 20;

/// Maximum concurrent store requests of a process to take partitions or claims, and to read. Each may need a connection, and a function has 1,024 file
/// descriptors, including the handlers' connections.
pub const STORE_REQUESTS_TO_BEGIN_MAX: usize = 128;

/// Maximum additional concurrent requests to renew, record and release leases and claims. A thousand partitions that write their progress within 250 ms need no more, at
/// ten milliseconds per request.
pub const STORE_REQUESTS_TO_GO_ON_MAX: usize = 128;

/// Time reserved for the last call to a store before retries end: several times the duration of a DynamoDB call.
pub const STORE_LAST_CALL_MS: u64 = 50;

/// Longest time that store requests are retried if there is no deadline.
pub const STORE_WAIT_MS_MAX: u64 = 30_000;

/// Longest time that store requests are retried before records run without the store, if that is configured.
pub const STORE_PATIENCE_MS: u64 = 2_000;

/// Time within which a mapping in Queue mode redelivers a reported record: its first retry, or the share group's next delivery, takes seconds. Queue mode delivers
/// later batches meanwhile, so a record of a self-managed cluster counts as overlooked only after this time.
pub const OVERLOOKED_AFTER_MS: u64 = 5 * 60 * 1000;

/// Maximum number of settled offsets that a partition's ledger keeps below the current batch. Each write of a DynamoDB item costs a write unit per kilobyte: these offsets take five.
pub const LEDGER_OFFSETS_KEPT: usize = 1_000;

/// Usual size of these offsets, with room for offsets that are not adjacent.
pub const LEDGER_BYTES_USUAL: usize = LEDGER_OFFSETS_KEPT * 5;

/// Time that an unordered ledger keeps every offset below the current batch, beyond its invocation's time: until then a share group may redeliver
/// it. Five deliveries with locks of 30 s are a broker's defaults (`group.share.delivery.count.limit`, `group.share.record.lock.duration.ms`); half a
/// minute is for the transport.
pub const LEDGER_LOCKS_MS: u64 = 3 * 60 * 1000;

/// Maximum write units per second of one unordered ledger; with more writes per second it keeps fewer offsets. DynamoDB allows 1,000 for one item; the rest is for
/// refused writes.
pub const LEDGER_UNITS_PER_S_MAX: u32 = 500;

/// Time after which a durable ledger forgets an offset. A batch that is redelivered after an outage of hours is still known; a replay by hand is skipped for this long.
pub const LEDGER_AGE_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// Time after which the ledger in memory forgets an offset, if no invocation lasts as long: short enough that a replay by hand runs soon.
pub const MEMORY_LEDGER_AGE_MS: u64 = 15 * 60 * 1000;

/// Time that any ledger remembers an offset beyond its invocation's time: a batch that ran for all of that time, and failed, is redelivered
/// within seconds.
pub const LEDGER_AGE_BEYOND_MS: u64 = 10 * 60 * 1000;

/// Maximum size of all items in the memory store, ids included.
pub const MEMORY_STORE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bits of the random number that is drawn for each write of an item: enough that no number is drawn twice, and few enough that a store may keep numbers as doubles, which are exact
/// up to 2<sup>53</sup>.
pub const SEQ_BITS: u32 = 52;

/// Bits of the number that each acquisition of a lease adds to it. Only the numbers of one holder must differ, and a million acquisitions in a row, without a write in between, stay
/// below 2<sup>53</sup>.
pub const SEQ_RAISE_BITS: u32 = 32;

/// Longest id of a store's item. DynamoDB allows a partition key of 2,048 bytes.
pub const STORE_ID_BYTES_MAX: usize = 1_024;

/// Timeout of one attempt of a request to DynamoDB, which responds within tens of milliseconds. It also detects a connection that died while the process was
/// frozen.
pub const DYNAMODB_TRY_MS_MAX: u64 = 1_000;

/// Maximum attempts of one request to DynamoDB: one over a connection that may be dead, one over a new connection.
pub const DYNAMODB_TRIES_MAX: u32 = 2;

/// Upper bound of the wait between these attempts.
pub const DYNAMODB_BACKOFF_MS: u64 = 50;

/// Timeout of fetching a schema with its references: long for a registry that is well, and short beside an invocation.
pub const SCHEMA_FETCH_MS_MAX: u64 = 2_000;

/// Part of the time left that fetching schemas may take at most: the others are the handlers'.
pub const SCHEMA_FETCH_PART: u32 = 5;

/// Most schemas that one invocation fetches at the same time: a batch needs one or two, and a registry serves others too.
pub const SCHEMA_FETCHES_AT_ONCE_MAX: usize = 8;

/// Most pairs of a writer's and a reader's schema that a route keeps compiled. Beyond it they are compiled anew.
pub const SCHEMA_PAIRS_MAX: usize = 256;

/// Timeout of one call to the DynamoDB store: its attempts, and the credentials before them. Short compared to a lease.
pub const DYNAMODB_CALL_MS_MAX: u64 = 3_000;

/// Timeout of one attempt of a request to Redis, with the connection if one has to be made: Redis responds within a millisecond. It also detects a connection that died while
/// the process was frozen.
pub const REDIS_TRY_MS_MAX: u64 = 1_000;

/// Maximum attempts of one request to Redis: one over a connection that may be dead, one over a new connection.
pub const REDIS_TRIES_MAX: u32 = 2;

/// Wait between these attempts: a server that restarts needs about as long.
pub const REDIS_BACKOFF_MS: u64 = 50;

/// Timeout of the question how a Redis server evicts and persists keys. The first request of a process waits for the answer.
pub const REDIS_INFO_MS_MAX: u64 = 300;

/// How often that question is asked, by one request each, until it is answered or refused; of a cluster as often again.
pub const REDIS_INFO_TRIES_MAX: u32 = 3;

/// Timeout of a connection to a node of a Redis cluster. A try connects to its nodes before it asks one of them, so that one which is gone must leave time for the others.
pub const REDIS_CLUSTER_CONNECT_MS_MAX: u64 = 250;

/// Maximum number of a Redis cluster's nodes that are remembered, to find the others if the one of the address is gone: all of them are connected to at once.
pub const REDIS_NODES_MAX: usize = 16;

/// Time that a key stays in Redis beyond its item's expiry: the server's clock may be ahead of the function's.
pub const REDIS_EXPIRY_SLACK_S: u64 = 60;

/// Latest expiry of a key: the end of the year 9999. Redis refuses times that overflow when counted in milliseconds.
pub const REDIS_EXPIRY_S_MAX: u64 = 253_402_300_799;

/// Timeout of one attempt of a request to Postgres, with the connection if one has to be made. A write responds within ten milliseconds; a connection with TLS and a
/// password takes tens of milliseconds, and more with little memory. It also detects a connection that died while the process was frozen.
pub const POSTGRES_TRY_MS_MAX: u64 = 1_400;

/// Maximum attempts of one request to Postgres: one over a connection that may be dead, one over a new connection.
pub const POSTGRES_TRIES_MAX: u32 = 2;

/// Wait between these attempts.
pub const POSTGRES_BACKOFF_MS: u64 = 50;

/// Maximum number of connections of one process to Postgres. A database has hundreds, and a function may have as many processes; each commit waits for the disk, so one
/// connection alone would bound claims to some hundred a second. The second and later ones are opened while the others are busy.
pub const POSTGRES_CONNECTIONS_MAX: usize = 4;

/// Maximum rounds of one compare-and-swap in Postgres: where it is refused, the current row is read in a second statement, and a row that changed in between is swapped again.
pub const POSTGRES_ROUNDS_MAX: u32 = 4;

/// Longest name of a table, in bytes: a Postgres identifier is cut beyond it (`NAMEDATALEN` is 64).
pub const POSTGRES_NAME_BYTES_MAX: usize = 63;

/// Settled records of a partition that `once` keeps in Postgres at the least: the latest ones. Lambda's largest batch twice, so that a batch which is redelivered while the next one runs is known.
pub const ONCE_KEEP: usize = 20_000;

/// Settled records that are kept beyond these until the oldest ones are deleted together: the notes are looked through once in so many records.
pub const ONCE_KEEP_SLACK: usize = 2_500;

/// Longest time that a transaction of `once` may stand still before Postgres ends it: a process that is frozen in it holds the rows of its partitions for that long.
pub const ONCE_IDLE_MS_MAX: u64 = 15_000;

/// Part of the time left that a transaction of `once` waits for a lock: less than a call may take by default, so that the wait ends with an error and not with a call that is dropped.
pub const ONCE_LOCK_PART: u32 = 3;

/// Longest time that a transaction of `once` waits for a lock: twice that of a frozen process which holds it.
pub const ONCE_LOCK_MS_MAX: u64 = 2 * ONCE_IDLE_MS_MAX;

/// Default number of connections of a process for its handler's own transactions. Lanes beyond them wait; a database has hundreds, and a function may have as many processes.
pub const POSTGRES_SESSIONS_DEFAULT: usize = 4;

/// Largest number of these connections that can be set.
pub const POSTGRES_SESSIONS_MAX: usize = 100;

/// Timeout of one of these connections, from the first packet until the server takes statements: the handler's call has a time-out of its own, and a database that takes many at once needs seconds.
pub const POSTGRES_SESSION_MS_MAX: u64 = 5_000;

/// Time for which a token of IAM authentication holds: what RDS allows. It is asked for once, at the start of a connection.
pub const POSTGRES_TOKEN_S: u64 = 900;

/// Time in which a session that is thrown away answers if nothing of it runs. If it does not, what runs is cancelled.
pub const POSTGRES_AT_REST_MS_MAX: u64 = 100;

/// Timeout of the request to cancel what a dropped call has left running in the database.
pub const POSTGRES_CANCEL_MS_MAX: u64 = 1_000;

/// Maximum size of a partition's ledger; beyond it the lowest offsets are forgotten. A third of the maximum size of a DynamoDB item (400 KB).
pub const LEDGER_BYTES_MAX: usize = 128 * 1024;

/// Maximum nesting depth of a value that is used as a key or compared: it bounds the cost, and no event nests as deep.
pub const KEY_JSON_DEPTH_MAX: usize = 128;

/// Longest configured prefix of ids; a hash of 32 digits follows it.
pub const KEY_PREFIX_BYTES_MAX: usize = 512;

/// Longest time that a key can be kept: a year.
pub const KEY_EXPIRES_AFTER_MS_MAX: u64 = 365 * 24 * 60 * 60 * 1000;

/// Minimum time that a mark of "at most once" is kept: a day longer than a record can be redelivered under `MaximumRecordAgeInSeconds` (at most 604,800).
pub const AT_MOST_ONCE_MARK_MS: u64 = 8 * 24 * 60 * 60 * 1000;

/// Longest namespace of keys: the longest name of a CloudFormation stack. A function's name is at most half as long.
pub const NAMESPACE_BYTES_MAX: usize = 128;

/// Longest configured name of a cluster.
pub const CLUSTER_BYTES_MAX: usize = 256;

const _: () = {
    assert!(CONCURRENCY_DEFAULT <= CONCURRENCY_MAX);
    // A name, seven counts of twenty digits, and two arrays: a property of a partition or of a bucket takes less than these.
    assert!(
        METRIC_PARTITIONS_MAX * 320 + METRIC_BUCKETS_MAX * 2 * 48 + 8_192 < METRIC_LINE_BYTES_MAX
    );
    assert!(METRIC_LINES_MAX > 1);
    assert!(ATTEMPTS_DEFAULT <= ATTEMPTS_MAX);
    assert!(BATCH_RECORDS_DEFAULT <= BATCH_RECORDS_MAX);
    assert!(BATCH_RECORDS_MAX <= EVENT_RECORDS_MAX);
    assert!(BATCH_BYTES_DEFAULT <= EVENT_BYTES_MAX);
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
    // Short compared to a lease.
    assert!((REDIS_TRY_MS_MAX + REDIS_BACKOFF_MS) * (REDIS_TRIES_MAX as u64) < LEASE_MS / 3);
    assert!(
        (POSTGRES_TRY_MS_MAX + POSTGRES_BACKOFF_MS) * (POSTGRES_TRIES_MAX as u64) < LEASE_MS / 3
    );
    // A batch that is redelivered while the next one runs.
    assert!(ONCE_KEEP >= 2 * BATCH_RECORDS_MAX);
    assert!(ONCE_LOCK_PART > BATCH_TIMEOUT_PART);
    assert!(POSTGRES_SESSIONS_DEFAULT <= POSTGRES_SESSIONS_MAX);
    assert!(REDIS_INFO_MS_MAX < REDIS_TRY_MS_MAX / 2);
    assert!(REDIS_INFO_MS_MAX + 2 * REDIS_CLUSTER_CONNECT_MS_MAX < REDIS_TRY_MS_MAX);
    assert!(REDIS_EXPIRY_SLACK_S * 1000 > CLOCK_SKEW_MAX_MS);
    assert!(REDIS_EXPIRY_S_MAX + REDIS_EXPIRY_SLACK_S < i64::MAX as u64 / 1000);
    // Positions in the event and its arena are 32 bits wide.
    assert!(EVENT_BYTES_MAX < u32::MAX as usize);
    assert!(EVENT_RECORDS_MAX < u32::MAX as usize);
};

/// Shortest time for one schema while many are fetched: time for a registry that is well.
pub const SCHEMA_FETCH_MS_MIN: u64 = 100;

/// Maximum of the bytes that all compressed payloads of an invocation have behind their compression: ten times the largest event. Handlers may hold what was read until the end.
pub const INFLATED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most schemas of a batch that are searched one after the other, which is quicker than a tree. All others are found in one.
pub const SCHEMAS_SEARCHED_MAX: usize = 8;

//! The lines that the framework logs. Constant messages and fields; coordinates, sizes and codes, never payload. Called by `consumer` and `lambda`.

mod records;
mod traps;

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tracing::{error, info, warn};

use crate::error::Error;
use crate::idempotency::{Guarantee, IdempotencyStore};
use crate::limits::{PARTITION_LOG_LINES_MAX, RECORD_LOG_LINES_MAX, UNHANDLED_TOPICS_MAX};
use crate::log::records::{left_out, settled};
use crate::outcome::Outcome;
use crate::process::Keeping;
use crate::record::{Batch, EventSource, EventSourceKind};
use crate::report::{LogRecords, LongPoll, RecordReport, Report};
use crate::response::FailureReporting;
use crate::schemas::SchemaId;
use crate::settings::{Settings, Unread};
use crate::trace::TraceParent;

/// Once a process: which advice was given already.
#[derive(Debug, Default)]
pub(crate) struct Advice {
    no_deadline: AtomicBool,
    no_progress: AtomicBool,
    by_brokers: AtomicBool,
    disorder: AtomicBool,
    two_named: AtomicBool,
    /// The ARN of the first event whose cluster was named by hand. *None inside: it had none.*
    named: OnceLock<Option<String>>,
    unread: Unread,
    unnamed_cluster: AtomicBool,
    unnamed_namespace: AtomicBool,
    unhandled: Mutex<BTreeSet<String>>,
}

fn first_time(said: &AtomicBool) -> bool {
    !said.swap(true, Ordering::Relaxed)
}

/// Logs the whole configuration in effect, and warns of its dangers.
pub(crate) fn started(
    settings: &Settings,
    topics: &str,
    unknown_variables: &[String],
    advice: &Advice,
) {
    info!(
        version = env!("CARGO_PKG_VERSION"),
        topics,
        configuration = %settings,
        "consumer started"
    );
    match settings.failure_reporting.value {
        FailureReporting::Partial => info!(
            needs = "FunctionResponseTypes: [ReportBatchItemFailures] in the event source mapping: without it Lambda ignores the response and commits failed records",
            "failure reporting is partial"
        ),
        FailureReporting::WholeBatch => info!(
            "failure reporting is whole-batch: if any record is not done, Lambda redelivers the whole batch"
        ),
    }
    if settings.destination.value.is_none() {
        warn!(
            cure = advice
                .unread
                .amend("`.on_failure(…)`, or LAMBDA_MSK_ON_FAILURE"),
            "no destination for rejected records: one bad record blocks its partition"
        );
        if settings.guarantee.value == Guarantee::AtMostOnce {
            warn!(
                cure = advice
                    .unread
                    .amend("`.on_failure(…)`, or LAMBDA_MSK_ON_FAILURE"),
                "at most once without a destination loses records: a record whose handler fails or is cut off is not started again and not stored"
            );
        }
    }
    if !unknown_variables.is_empty() {
        warn!(
            variables = unknown_variables.join(", "),
            "unknown environment variables are ignored"
        );
    }
    traps::warn_of(settings, &advice.unread);
}

/// A schema that should be there before the first event is not.
pub(crate) fn not_warm(id: SchemaId, why: &str) {
    warn!(
        schema = %id,
        problem = why,
        "a schema could not be fetched at init: it is fetched when a record needs it"
    );
}

impl Advice {
    pub(crate) fn new(unread: Unread) -> Self {
        Self {
            unread,
            ..Self::default()
        }
    }

    pub(crate) fn deadline_unknown(&self, request_id: &str, deadline_ms: u64) {
        if first_time(&self.no_deadline) {
            warn!(
                request_id,
                deadline_ms,
                "the deadline is missing or passed before the work began: no time limit applies, and Lambda may cut the invocation off"
            );
        }
    }

    pub(crate) fn cluster_by_brokers(&self, cluster: &str) {
        if first_time(&self.by_brokers) {
            warn!(
                cluster,
                cure = self.unread.amend("LAMBDA_MSK_CLUSTER"),
                "the self-managed cluster has no name, so any change in its list of brokers changes every idempotency key"
            );
        }
    }

    /// The cluster bears the name that was given by hand, whatever the event says of it: of two clusters, both do.
    pub(crate) fn named_cluster(&self, source: &EventSource) {
        let first = self.named.get_or_init(|| source.arn.clone());
        if *first != source.arn && first_time(&self.two_named) {
            let shown = |arn: &Option<String>| arn.clone().unwrap_or_default();
            warn!(
                first = shown(first),
                now = shown(&source.arn),
                cure = "deploy one function for each cluster, or set neither LAMBDA_MSK_CLUSTER nor `.cluster(…)`",
                "events with two cluster ARNs share the one cluster name that is set: if these are two clusters, records of one may be mistaken for records of the other"
            );
        }
    }

    /// Offsets that did not ascend. Of a share group that is no news, and only a self-managed cluster has those; a record that stands in an event twice always is.
    pub(crate) fn disorder(&self, request_id: &str, batch: &Batch) {
        let Some(disorder) = batch.disorder else {
            return;
        };
        let odd = batch.source.kind == EventSourceKind::Msk || disorder.repeats > 0;
        if odd && first_time(&self.disorder) {
            let at = &batch.partitions[disorder.partition as usize].topic_partition;
            warn!(
                request_id,
                topic = &*at.topic,
                partition = at.partition,
                sorted_partitions = disorder.sorted,
                repeated_records = disorder.repeats,
                "the event's offsets do not ascend: its records run in the order of their offsets, and a record that occurs several times in it runs once"
            );
        }
    }

    /// The event names no cluster, and no setting does.
    pub(crate) fn cluster_unnamed(&self, keeping: Option<&Keeping>) {
        if !first_time(&self.unnamed_cluster) {
            return;
        }
        let means = match keeping {
            Some(keeping) if keeping.per_record.is_some() => {
                "all clusters without a name share their idempotency keys"
            }
            Some(_) => {
                "its records are not recorded, so they run again in each delivery; two clusters may share an IdempotencyKey"
            }
            None => "two clusters may share an IdempotencyKey",
        };
        warn!(
            means,
            cure = "LAMBDA_MSK_CLUSTER",
            "the event names neither an ARN nor a broker, so its cluster cannot be told from any other"
        );
    }

    /// An invocation outside Lambda without a function's name. A store of its own process has no other function's keys.
    pub(crate) fn namespace_unnamed(&self, namespace: &str, keeping: Option<&Keeping>) {
        let shared = keeping.is_some_and(|keeping| keeping.store.is_durable());
        if shared && first_time(&self.unnamed_namespace) {
            warn!(
                namespace,
                cure = "set `Invocation::function_name`, `.namespace(…)` or LAMBDA_MSK_NAMESPACE",
                "neither a function name nor a namespace is set: all consumers without one share their idempotency keys, and skip each other's records"
            );
        }
    }

    /// One line an invocation, one for each record that was chosen to have one, and what to do where nothing moves.
    pub(crate) fn ended(
        &self,
        request_id: &str,
        report: &Report,
        reporting: FailureReporting,
        keeping: Option<&Keeping>,
        which: LogRecords,
    ) {
        let chosen = |report: &&RecordReport| which != LogRecords::None || report.is_lost();
        let mut records = worth_a_line(report).filter(chosen);
        for record in records.by_ref().take(RECORD_LOG_LINES_MAX) {
            record_ended(request_id, record);
        }
        left_out(request_id, records);
        if which == LogRecords::All {
            settled(request_id, report);
        }
        self.unhandled(report);
        self.partitions_ended(request_id, report, keeping);
        let lost = report.lost();
        let skipped = report.count(Outcome::Skipped) - lost;
        let unreached = report.count(Outcome::Unreached);
        info!(
            request_id,
            records = report.records.len(),
            done = report.count(Outcome::Done),
            skipped,
            rejected = report.count(Outcome::Rejected),
            failed = report.count(Outcome::Failed),
            unreached,
            lost,
            unhandled = report.unhandled.values().sum::<usize>(),
            overlooked = report.overlooked.iter().map(|of| of.records).sum::<u64>(),
            lanes = report.lanes,
            ms = u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
            "batch ended"
        );
        if let Some(keeping) = keeping.filter(|_| skipped > 0) {
            let (reason, to_run_them) = match keeping.store.is_durable() {
                _ if keeping.per_record.is_some() => (
                    "a record with the same idempotency key was settled before",
                    "wait until their keys expire, delete their items, or set LAMBDA_MSK_IDEMPOTENCY=none",
                ),
                true => (
                    "they were settled in an earlier delivery",
                    "run `cargo msk ledger forget` for their partitions, or set LAMBDA_MSK_IDEMPOTENCY=none during the replay",
                ),
                false => (
                    "this process settled the same records in an earlier delivery",
                    "wait for `for_minutes`, start new processes (deploy), or set LAMBDA_MSK_IDEMPOTENCY=none",
                ),
            };
            info!(
                request_id,
                skipped,
                reason,
                store = keeping.store.describe(),
                for_minutes = keeping.kept_for().as_secs() / 60,
                to_run_them = self.unread.amend(to_run_them),
                "records skipped"
            );
        }
        let ran_out = report.out_of_time && unreached > 0;
        let whole_batch = reporting == FailureReporting::WholeBatch;
        if let Some(poll) = report.longest_poll.as_ref().filter(|_| ran_out) {
            warn!(
                request_id,
                unreached,
                cause = %poll,
                cure = LongPoll::CURE,
                "time ran out while a record's code blocked the thread: some records were not started"
            );
        } else if ran_out && whole_batch && first_time(&self.no_progress) {
            warn!(
                request_id,
                unreached,
                cure = "set a longer function timeout, a smaller BatchSize, or partial failure reporting in function and mapping",
                "time ran out before the end of the batch, and whole-batch reporting makes Lambda redeliver all of it: if this happens each time, the partition makes no progress"
            );
        }
    }

    /// What the partitions' ledgers have shown: of each kind the first partitions, and how many more there are.
    fn partitions_ended(&self, request_id: &str, report: &Report, keeping: Option<&Keeping>) {
        let is_shared = keeping.is_none_or(|keeping| keeping.store.is_durable());
        let cure = "set FunctionResponseTypes: [ReportBatchItemFailures] in the mapping; until then set LAMBDA_MSK_FAILURE_REPORTING=whole-batch";
        let others = |kind: &'static str, more: usize| {
            if more > 0 {
                warn!(
                    request_id,
                    kind, more, "more partitions with this finding have no log line of their own"
                );
            }
        };
        let more = |kind, partitions: usize| {
            others(kind, partitions.saturating_sub(PARTITION_LOG_LINES_MAX));
        };
        for (kind, more) in report.lines_left_out {
            others(kind, more);
        }
        let unless = match is_shared {
            true => {
                "MaximumRetryAttempts is 0, the record was too old for the mapping or the topic's retention, or offsets were reset"
            }
            false => {
                "another process was sent it (a ledger in memory does not show that), MaximumRetryAttempts is 0, the record was too old for the mapping or the topic's retention, or offsets were reset"
            }
        };
        for of in report.overlooked.iter().take(PARTITION_LOG_LINES_MAX) {
            error!(
                request_id,
                topic = &*of.at.topic,
                partition = of.at.partition,
                offset = of.first,
                last_offset = of.last,
                records = of.records,
                cause =
                    "the event source mapping ignores the list of failed records, and commits them",
                cure = self.unread.amend(cure),
                unless,
                "a record that was reported as failed was not redelivered: it is lost"
            );
        }
        more("overlooked", report.overlooked.len());
        for (at, problem) in report.unrecorded.iter().take(PARTITION_LOG_LINES_MAX) {
            warn!(
                request_id,
                topic = &*at.topic,
                partition = at.partition,
                code = problem.code,
                problem = problem.message,
                "settled records may not have been saved: if Lambda redelivers them, they run again"
            );
        }
        more("unrecorded", report.unrecorded.len());
        if let Some((id, why)) = report.unavailable_schemas.first() {
            warn!(
                request_id,
                schema = %id,
                schemas = report.unavailable_schemas.len(),
                problem = &**why,
                "the schema registry did not deliver: the records that need its schemas are failed and will be redelivered; other lanes ran"
            );
        }
        for (at, why) in report.without_store.iter().take(PARTITION_LOG_LINES_MAX) {
            warn!(
                request_id,
                topic = &*at.topic,
                partition = at.partition,
                problem = why,
                "the idempotency store failed, and the partition's records ran without it, as configured: records that were done before ran again"
            );
        }
        more("without_store", report.without_store.len());
    }
}

impl Advice {
    /// Once a process for each topic: every batch of it is the same.
    fn unhandled(&self, report: &Report) {
        for (topic, records) in &report.unhandled {
            let mut said = self
                .unhandled
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if said.len() < UNHANDLED_TOPICS_MAX && said.insert(topic.clone()) {
                error!(
                    topic,
                    records,
                    cure = "add `.topic(…)` or `.fallback(…)` to the function, or correct the topic of the event source mapping",
                    "no handler for the records of a topic: LAMBDA_MSK_WHEN_UNHANDLED says whether they are rejected or failed"
                );
            }
        }
    }
}

/// Failed, rejected and lost records. Of the records of a partition that could not be opened, the first stands for all.
fn worth_a_line(report: &Report) -> impl Iterator<Item = &RecordReport> {
    let mut said = None;
    report.records.iter().filter(move |record| {
        let code = record.problem.as_ref().map(|problem| problem.code.as_str());
        let unclaimed =
            code.filter(|code| code.starts_with("idempotency.") && record.attempts == 0);
        let unclaimed = unclaimed.map(|code| (record.record.partition_index(), code.to_owned()));
        let repeats = unclaimed.is_some() && unclaimed == said;
        said = unclaimed;
        record.has_failed() && !repeats
    })
}

fn record_ended(request_id: &str, report: &RecordReport) {
    let record = &report.record;
    let problem = report.problem.as_ref();
    let code = problem.map_or("", |problem| problem.code.as_str());
    let destination = problem.and_then(|problem| problem.destination);
    let problem = problem.map_or("", |problem| problem.message.as_str());
    let trace = TraceParent::of(record);
    let traceparent = trace.as_ref().map(TraceParent::as_str);
    let tracestate = trace.as_ref().and_then(TraceParent::state);
    macro_rules! line {
        ($level:ident, $message:literal) => {
            $level!(
                request_id,
                topic = record.topic(),
                partition = record.partition(),
                offset = record.offset(),
                attempts = report.attempts,
                code,
                destination,
                problem,
                traceparent,
                tracestate,
                $message
            )
        };
    }
    match report.outcome {
        Outcome::Rejected => line!(warn, "record rejected"),
        Outcome::Skipped => line!(
            error,
            "record lost: it may not be started again, and there is no destination for it (LAMBDA_MSK_ON_FAILURE)"
        ),
        _ => line!(error, "record failed"),
    }
}

/// An invocation that nothing ran in.
pub(crate) fn refused(request_id: &str, bytes: usize, error: &Error) {
    error!(
        request_id,
        bytes,
        code = error.code(),
        problem = error.text(),
        "event refused"
    );
}

#[cfg(test)]
#[cfg(feature = "logging")]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use crate::builder::Builder;
    use crate::consumer::Consumer;
    use crate::destination::MemoryDestination;
    use crate::idempotency::{
        BoxStore, Guarantee, IdempotencyStore, Item, MemoryStore, PerRecord, StoreError, Swap,
        Swapped,
    };
    use crate::lane::{NullKeys, ProcessingOrder};
    use crate::response::FailureReporting;
    use crate::testing::{Event, Sample, invoke};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a function says at its start.
    fn said(consumer: &Consumer) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || consumer.log_start());
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_function_says_its_topics_its_settings_and_what_is_dangerous_in_them() {
        let consumer = Consumer::builder()
            .topic(["returns", "orders"], async || {})
            .fallback(async || {})
            .from_vars([("LAMBDA_MSK_CONCURENCY", "8")])
            .build()
            .unwrap();

        let said = said(&consumer);

        assert!(said.contains("orders, returns, (fallback)"), "{said}");
        assert!(
            said.contains("failure_reporting=whole-batch (default)"),
            "{said}"
        );
        assert!(said.contains("failure reporting is whole-batch"), "{said}");
        assert!(
            said.contains("one bad record blocks its partition"),
            "{said}"
        );
        assert!(said.contains("LAMBDA_MSK_CONCURENCY"), "{said}");
    }

    #[test]
    fn variables_that_are_set_and_not_read_are_named_and_no_advice_is_to_set_them() {
        let set = ["PATH", "LAMBDA_MSK_ON_FAILURE", "LAMBDA_MSK_ATTEMPTS"];
        let build = |builder: Builder<()>| {
            let names = set.iter().map(|name| (*name).to_owned());
            builder.build_beside(names).unwrap()
        };
        let builder = || Consumer::builder().topic("orders", async || {});

        let unread = said(&build(builder()));
        let read = said(&build(builder().from_vars([("LAMBDA_MSK_ATTEMPTS", "2")])));

        assert!(
            unread.contains("LAMBDA_MSK_ATTEMPTS, LAMBDA_MSK_ON_FAILURE"),
            "{unread}"
        );
        let corrected = "or LAMBDA_MSK_ON_FAILURE (LAMBDA_MSK_ON_FAILURE is set, but was not read: call `.from_env()`)";
        assert!(unread.contains(corrected), "{unread}");
        assert!(!read.contains(".from_env()"), "{read}");
    }

    #[test]
    fn keys_that_no_other_process_can_see_are_warned_of() {
        let by_key = || {
            let builder = Consumer::builder().topic("orders", async || {});
            builder.per_record(PerRecord::by_key())
        };
        let said = |builder: Builder<()>| said(&builder.build().unwrap());
        let kept_nowhere = "the keys of `.per_record(…)` are not stored";
        let in_memory = "only in this process's memory";

        let off = said(by_key().from_vars([("LAMBDA_MSK_IDEMPOTENCY", "none")]));
        let memory = said(by_key());
        let own = said(by_key().idempotency(MemoryStore::new()));
        let by_offset = said(Consumer::builder().topic("orders", async || {}));

        assert!(off.contains(kept_nowhere), "{off}");
        assert!(memory.contains(in_memory), "{memory}");
        assert!(own.contains(in_memory), "{own}");
        assert!(!by_offset.contains("per_record"), "{by_offset}");
    }

    #[test]
    fn what_has_no_effect_is_warned_of() {
        let builder = || Consumer::builder().topic("orders", async || {});
        let said = |builder: Builder<()>| said(&builder.build().unwrap());
        let no_effect = "which has an effect only in key order";
        let unordered = || builder().null_keys(NullKeys::Unordered);

        let twice = said(builder().attempts(2).attempts(2));
        let alone = said(unordered());
        let by_key = said(unordered().order(ProcessingOrder::Key));

        assert!(twice.contains("settings=\".attempts(…)\""), "{twice}");
        assert!(alone.contains(no_effect), "{alone}");
        assert!(!by_key.contains(no_effect), "{by_key}");
        assert!(!by_key.contains("more than once"), "{by_key}");
    }

    #[test]
    fn a_function_with_a_destination_and_partial_answers_says_what_these_need() {
        let consumer = Consumer::builder()
            .topic("orders", async || {})
            .on_failure(MemoryDestination::new())
            .failure_reporting(FailureReporting::Partial)
            .build()
            .unwrap();

        let said = said(&consumer);

        assert!(said.contains("ReportBatchItemFailures"), "{said}");
        assert!(said.contains("on_failure=memory (code)"), "{said}");
        assert!(!said.contains("blocks its partition"), "{said}");
        assert!(!said.contains("unknown environment"), "{said}");
    }

    /// A table that is never asked.
    struct Table;

    impl IdempotencyStore for Table {
        async fn read(&self, _: &str) -> Result<Option<Item>, StoreError> {
            Ok(None)
        }

        async fn swap(&self, _: &Swap) -> Result<Swapped, StoreError> {
            Ok(Swapped::Refused(None))
        }

        fn describe(&self) -> String {
            "table".to_owned()
        }
    }

    #[test]
    fn at_most_once_without_a_destination_says_what_it_loses() {
        let builder = || {
            Consumer::builder()
                .topic("orders", async || {})
                .idempotency(BoxStore::new(Table))
                .per_record(PerRecord::by_key())
                .attempts(1)
        };
        let once = builder().guarantee(Guarantee::AtMostOnce);
        let kept = builder()
            .guarantee(Guarantee::AtMostOnce)
            .on_failure(MemoryDestination::new());

        let loses = "at most once without a destination loses records";
        assert!(said(&once.build().unwrap()).contains(loses));
        assert!(!said(&kept.build().unwrap()).contains(loses));
        assert!(!said(&builder().build().unwrap()).contains(loses));
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_without_a_handler_is_an_error_line_once_and_counted_in_each_batch() {
        let consumer = Consumer::builder()
            .topic("orders", async || {})
            .build()
            .unwrap();
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);

        for offset in 0..2 {
            let returned = Sample::new("returns", 0).offset(offset).value("1");
            let event = Event::msk().record(returned).build();
            invoke(&consumer, event).await;
        }

        let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line = "no handler for the records of a topic";
        assert_eq!(said.matches(line).count(), 1, "{said}");
        assert_eq!(said.matches("unhandled=1").count(), 2, "{said}");
    }
}

//! The lines that the framework logs. Constant messages and fields; coordinates, sizes and codes, never payload. Called by `consumer` and `lambda`.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tracing::{error, info, warn};

use crate::error::Error;
use crate::idempotency::IdempotencyStore;
use crate::limits::{RECORD_LOG_LINES_MAX, UNHANDLED_TOPICS_MAX};
use crate::outcome::Outcome;
use crate::process::Keeping;
use crate::report::{RecordReport, Report};
use crate::response::FailureReporting;
use crate::settings::Settings;

/// Once a process: which advice was given already.
#[derive(Debug, Default)]
pub(crate) struct Advice {
    no_deadline: AtomicBool,
    no_progress: AtomicBool,
    by_brokers: AtomicBool,
    unhandled: Mutex<BTreeSet<String>>,
}

fn first_time(said: &AtomicBool) -> bool {
    !said.swap(true, Ordering::Relaxed)
}

/// The whole configuration in effect, and what a deployer must not learn the hard way.
pub(crate) fn started(settings: &Settings, topics: &str, unknown_variables: &[String]) {
    info!(
        version = env!("CARGO_PKG_VERSION"),
        topics,
        configuration = %settings,
        "consumer started"
    );
    match settings.failure_reporting.value {
        FailureReporting::Partial => info!(
            needs = "FunctionResponseTypes: [ReportBatchItemFailures] in the event source mapping: without it Lambda ignores the answer and commits failed records",
            "failure reporting is partial"
        ),
        FailureReporting::WholeBatch => info!(
            "failure reporting is whole-batch: any record that is not done makes Lambda send the whole batch again"
        ),
    }
    if settings.destination.value.is_none() {
        warn!(
            cure = "LAMBDA_MSK_ON_FAILURE",
            "no destination for rejected records: one bad record blocks its partition"
        );
    }
    if !unknown_variables.is_empty() {
        warn!(
            variables = unknown_variables.join(", "),
            "environment variables that this version does not know: not read"
        );
    }
}

impl Advice {
    pub(crate) fn deadline_unknown(&self, request_id: &str, deadline_ms: u64) {
        if first_time(&self.no_deadline) {
            warn!(
                request_id,
                deadline_ms,
                "the deadline is missing or has passed before the work began: no limit is kept, and Lambda may cut the invocation off"
            );
        }
    }

    pub(crate) fn cluster_by_brokers(&self, cluster: &str) {
        if first_time(&self.by_brokers) {
            warn!(
                cluster,
                cure = "LAMBDA_MSK_CLUSTER",
                "a self-managed cluster without a name: another broker in its list changes every idempotency key"
            );
        }
    }

    /// One line an invocation, one for each record that was failed or rejected, and what to do where nothing moves.
    pub(crate) fn ended(
        &self,
        request_id: &str,
        report: &Report,
        reporting: FailureReporting,
        keeping: Option<&Keeping>,
    ) {
        for record in worth_a_line(report).take(RECORD_LOG_LINES_MAX) {
            record_ended(request_id, record);
        }
        self.unhandled(report);
        partitions_ended(request_id, report);
        let skipped = report.count(Outcome::Skipped);
        let unreached = report.count(Outcome::Unreached);
        info!(
            request_id,
            records = report.records.len(),
            done = report.count(Outcome::Done),
            skipped,
            rejected = report.count(Outcome::Rejected),
            failed = report.count(Outcome::Failed),
            unreached,
            unhandled = report.unhandled.values().sum::<usize>(),
            overlooked = report.overlooked.len(),
            lanes = report.lanes,
            ms = u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
            "batch ended"
        );
        if let Some(keeping) = keeping.filter(|_| skipped > 0) {
            let (reason, to_run_them) = match keeping.store.is_durable() {
                _ if keeping.per_record.is_some() => (
                    "a record of the same idempotency key was settled before",
                    "wait until their keys expire, delete their items, or set LAMBDA_MSK_IDEMPOTENCY=none",
                ),
                true => (
                    "they were settled in an earlier delivery",
                    "`cargo msk ledger forget` for their partitions, or LAMBDA_MSK_IDEMPOTENCY=none while a replay lasts",
                ),
                false => (
                    "this process settled the same records in an earlier delivery",
                    "wait that long, start new processes (deploy), or set LAMBDA_MSK_IDEMPOTENCY=none",
                ),
            };
            info!(
                request_id,
                skipped,
                reason,
                store = keeping.store.describe(),
                for_minutes = keeping.kept_for().as_secs() / 60,
                to_run_them,
                "records skipped"
            );
        }
        let whole_batch = reporting == FailureReporting::WholeBatch;
        if report.out_of_time && unreached > 0 && whole_batch && first_time(&self.no_progress) {
            warn!(
                request_id,
                unreached,
                cure = "a longer function timeout, a smaller BatchSize, or partial failure reporting in function and mapping",
                "time ran out before the batch's end, and whole-batch reporting makes Lambda send all of it again: if that is so each time, nothing moves"
            );
        }
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
                    cure = "`.topic(…)` or `.fallback(…)` in the function, or the topic of the event source mapping",
                    "no handler for the records of a topic: LAMBDA_MSK_WHEN_UNHANDLED says whether they are rejected or failed"
                );
            }
        }
    }
}

/// Failed, rejected and lost records. Of those of a partition that could not be had at all, the first stands for all.
fn worth_a_line(report: &Report) -> impl Iterator<Item = &RecordReport> {
    let mut said = None;
    report.records.iter().filter(move |record| {
        let code = record.problem.as_ref().map(|problem| problem.code.as_str());
        let unclaimed =
            code.filter(|code| code.starts_with("idempotency.") && record.attempts == 0);
        let unclaimed = unclaimed.map(|code| (record.record.partition_index(), code.to_owned()));
        let repeats = unclaimed.is_some() && unclaimed == said;
        said = unclaimed;
        // A skipped record with a problem is lost.
        let ended_well = match record.outcome {
            Outcome::Failed | Outcome::Rejected => false,
            _ => record.problem.is_none(),
        };
        !ended_well && !repeats
    })
}

/// What the partitions' ledgers have shown.
fn partitions_ended(request_id: &str, report: &Report) {
    for (at, offset) in &report.overlooked {
        error!(
            request_id,
            topic = &*at.topic,
            partition = at.partition,
            offset,
            cause = "the event source mapping does not read which records failed, and commits them",
            cure = "FunctionResponseTypes: [ReportBatchItemFailures] in the mapping; until then LAMBDA_MSK_FAILURE_REPORTING=whole-batch",
            unless = "MaximumRetryAttempts is 0, or the record's age, the topic's retention or a reset of offsets has ended it",
            "a record that was reported as failed never came again: it is lost"
        );
    }
    for (at, problem) in &report.unrecorded {
        warn!(
            request_id,
            topic = &*at.topic,
            partition = at.partition,
            code = problem.code,
            problem = problem.message,
            "what was settled may not be recorded: should it come again, it runs again"
        );
    }
    for (at, why) in &report.without_store {
        warn!(
            request_id,
            topic = &*at.topic,
            partition = at.partition,
            problem = why,
            "the idempotency store failed, and the partition's records ran without it, as was chosen: what was done before was done again"
        );
    }
}

fn record_ended(request_id: &str, report: &RecordReport) {
    let record = &report.record;
    let problem = report.problem.as_ref();
    let code = problem.map_or("", |problem| problem.code.as_str());
    let problem = problem.map_or("", |problem| problem.message.as_str());
    macro_rules! line {
        ($level:ident, $message:literal) => {
            $level!(
                request_id,
                topic = record.topic(),
                partition = record.partition(),
                offset = record.offset().0,
                attempts = report.attempts,
                code,
                problem,
                $message
            )
        };
    }
    match report.outcome {
        Outcome::Rejected => line!(warn, "record rejected"),
        Outcome::Skipped => line!(
            error,
            "record lost: it is not started again, and there is no destination for it (LAMBDA_MSK_ON_FAILURE)"
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

    use crate::consumer::Consumer;
    use crate::destination::MemoryDestination;
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
        assert!(!said.contains("does not know"), "{said}");
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

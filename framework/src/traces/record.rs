//! The spans of a batch's records. Called by `process`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::global::BoxedTracer;
use opentelemetry::trace::{
    Link, SpanContext, SpanKind, Status, TraceContextExt, TraceFlags, Tracer,
};
use opentelemetry::{Context, KeyValue};

use crate::limits::{TRACE_FAILED_SPANS_MAX, TRACE_KEY_BYTES_MAX};
use crate::outcome::Outcome;
use crate::record::Record;
use crate::report::RecordReport;
use crate::trace::TraceParent;
use crate::traces::invocation::Provided;
use crate::traces::{
    Parent, TracedRecords, Traces, names, producer, span_context, tracer, under_nobody,
};

/// The spans of a batch's records, while they run.
#[derive(Debug)]
pub(crate) struct BatchTraces {
    traces: Traces,
    tracer: BoxedTracer,
    /// The consumer's name.
    group: Arc<str>,
    /// The invocation's span.
    invocation: Context,
    /// What a record hangs under that has neither a span nor a producer's.
    untraced: Context,
    /// When the batch began: times of runs are from then.
    began: SystemTime,
    /// Of records that have begun, by their index.
    open: Mutex<BTreeMap<usize, Context>>,
    /// By the record's index. All lanes are polled by one task: the parts of a run are never written at once.
    runs: Vec<Run>,
}

/// From the first start of a record's handler to its last end.
#[derive(Debug, Default)]
struct Run {
    /// Nanoseconds, and one. Zero: it has not started.
    first: AtomicU64,
    /// Nanoseconds.
    last_ns: AtomicU64,
}

impl BatchTraces {
    /// *None: there are no spans.*
    pub(crate) fn of(
        traces: Traces,
        group: &Arc<str>,
        began: SystemTime,
        records: usize,
    ) -> Option<Self> {
        if traces.records == TracedRecords::None {
            return None;
        }
        let invocation = Context::current();
        invocation.get::<Provided>()?;
        let mut runs = Vec::new();
        runs.resize_with(records, Run::default);
        Some(Self {
            traces,
            tracer: tracer(),
            group: Arc::clone(group),
            untraced: under_nobody(&invocation),
            invocation,
            began,
            open: Mutex::default(),
            runs,
        })
    }

    /// What the record's handler hangs under: the record's span, or one that is not sampled.
    #[inline]
    pub(crate) fn begin(&self, record: &Record, now_ns: u64) -> Cow<'_, Context> {
        match TraceParent::of(record) {
            // Of most batches almost all records are such.
            None if !self.is_traced(None) => Cow::Borrowed(&self.untraced),
            trace => Cow::Owned(self.begin_under(record, trace, now_ns)),
        }
    }

    #[inline(never)]
    fn begin_under(&self, record: &Record, trace: Option<TraceParent>, now_ns: u64) -> Context {
        if let Some(open) = self.open().get(&record.index()) {
            return open.clone();
        }
        if self.is_traced(trace.as_ref()) {
            // It may have run before, in a call in which another record was the first.
            let began_ns = self.first_ns(record.index()).unwrap_or(now_ns);
            let context = self.start(record, trace.as_ref(), self.at(began_ns));
            self.open().insert(record.index(), context.clone());
            return context;
        }
        match trace {
            Some(trace) => {
                let producer = span_context(&trace, TraceFlags::NOT_SAMPLED);
                self.invocation.with_remote_span_context(producer)
            }
            None => self.untraced.clone(),
        }
    }

    /// When the record's handler first started. *None: it has not.*
    fn first_ns(&self, index: usize) -> Option<u64> {
        self.runs[index].first.load(Relaxed).checked_sub(1)
    }

    fn is_traced(&self, trace: Option<&TraceParent>) -> bool {
        match self.traces.records {
            TracedRecords::All => true,
            TracedRecords::Sampled => trace.is_some_and(TraceParent::is_sampled),
            TracedRecords::Failed | TracedRecords::None => false,
        }
    }

    /// A handler has run, or has been dropped.
    pub(crate) fn ran(&self, record: &Record, first_ns: u64, last_ns: u64) {
        if let Some(run) = self.runs.get(record.index()) {
            if run.first.load(Relaxed) == 0 {
                run.first.store(first_ns + 1, Relaxed);
            }
            run.last_ns.store(last_ns, Relaxed);
        }
    }

    /// Ends the spans of a batch, and makes those of records that failed without one.
    pub(crate) fn end(&self, reports: &[RecordReport], now_ns: u64) {
        let mut open = std::mem::take(&mut *self.open());
        let wanted = |report: &RecordReport| {
            let has_run = self.first_ns(report.record.index()).is_some();
            (has_run || report.has_failed())
                && self.is_traced(TraceParent::of(&report.record).as_ref())
        };
        // Those whose handler has run tell more than those that nothing could read.
        let afterwards = reports.iter().filter(|report| {
            let index = report.record.index();
            let is_left = report.has_failed() && !open.contains_key(&index);
            is_left && self.first_ns(index).is_some() && !wanted(report)
        });
        let mut have_run = TRACE_FAILED_SPANS_MAX;
        let mut have_not_run = TRACE_FAILED_SPANS_MAX.saturating_sub(afterwards.count());
        for report in reports {
            let index = report.record.index();
            let (first, last, afterwards) = match self.first_ns(index) {
                None => (now_ns, now_ns, &mut have_not_run),
                Some(first) => (first, self.runs[index].last_ns.load(Relaxed), &mut have_run),
            };
            let context = match open.remove(&index) {
                Some(context) => context,
                // Of the records of one call only the first has a span meanwhile.
                None if wanted(report) => {
                    let trace = TraceParent::of(&report.record);
                    self.start(&report.record, trace.as_ref(), self.at(first))
                }
                None if report.has_failed() && *afterwards > 0 => {
                    *afterwards -= 1;
                    let trace = TraceParent::of(&report.record);
                    self.start(&report.record, trace.as_ref(), self.at(first))
                }
                None => continue,
            };
            end(&context, report, self.at(last));
        }
    }

    fn start(&self, record: &Record, trace: Option<&TraceParent>, at: SystemTime) -> Context {
        let producer = trace.map(producer);
        let builder = self
            .tracer
            .span_builder(format!("{} {}", names::PROCESS, record.topic()))
            .with_kind(SpanKind::Consumer)
            .with_start_time(at)
            .with_attributes(self.attributes(record));
        let (parent, linked) = match (self.traces.parent, producer) {
            (Parent::Producer, Some(producer)) if producer.is_sampled() => {
                let parent = self.invocation.with_remote_span_context(producer);
                (parent, Some(self.invocation.span().span_context().clone()))
            }
            (_, producer) => (self.invocation.clone(), producer),
        };
        let linked = linked.filter(SpanContext::is_valid);
        let builder = match linked {
            Some(linked) => builder.with_links(vec![Link::with_context(linked)]),
            None => builder,
        };
        let span = self.tracer.build_with_context(builder, &parent);
        parent.with_span(span)
    }

    fn attributes(&self, record: &Record) -> Vec<KeyValue> {
        let bytes = |value: &[u8]| i64::try_from(value.len()).unwrap_or(i64::MAX);
        let mut attributes = vec![
            KeyValue::new(names::SYSTEM, names::KAFKA),
            KeyValue::new(names::OPERATION_NAME, names::PROCESS),
            KeyValue::new(names::OPERATION_TYPE, names::PROCESS),
            KeyValue::new(names::DESTINATION, record.topic().to_owned()),
            KeyValue::new(names::PARTITION, record.partition().to_string()),
            KeyValue::new(names::CONSUMER_GROUP, Arc::clone(&self.group)),
            KeyValue::new(names::OFFSET, record.offset()),
        ];
        attributes.push(match record.value() {
            Some(value) => KeyValue::new(names::BODY_SIZE, bytes(value)),
            None => KeyValue::new(names::TOMBSTONE, true),
        });
        let key = record
            .key()
            .filter(|key| self.traces.key && key.len() <= TRACE_KEY_BYTES_MAX);
        if let Some(key) = key.and_then(|key| std::str::from_utf8(key).ok()) {
            attributes.push(KeyValue::new(names::KEY, key.to_owned()));
        }
        attributes
    }

    fn at(&self, ns: u64) -> SystemTime {
        self.began + Duration::from_nanos(ns)
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<usize, Context>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(context: &Context, report: &RecordReport, at: SystemTime) {
    let span = context.span();
    let outcome = match report.outcome {
        Outcome::Done => "done",
        Outcome::Skipped => "skipped",
        Outcome::Rejected => "rejected",
        Outcome::Failed => "failed",
        Outcome::Unreached => "unreached",
    };
    span.set_attribute(KeyValue::new(names::OUTCOME, outcome));
    span.set_attribute(KeyValue::new(names::ATTEMPTS, i64::from(report.attempts)));
    if let Some(problem) = report.problem.as_ref().filter(|_| report.has_failed()) {
        span.set_attribute(KeyValue::new(names::ERROR_TYPE, problem.code.clone()));
        span.set_status(Status::error(problem.in_short()));
    }
    span.end_with_timestamp(at);
}

//! What is around a handler each time that it is polled: the record's coordinates for its log lines, and the record's span of OpenTelemetry. Used by `polled`.

#[cfg(feature = "otel")]
use std::borrow::Cow;

use tracing::Span;

use crate::current::{Current, do_lines_name_records, in_the_name_of};
use crate::limits::RECORD_SPAN_TARGET;
use crate::process::batch::BatchRun;
use crate::record::Record;

/// What is around one try of a record.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    /// For the framework's own log lines, which ask for it: no span is made of each record. *None: another subscriber logs, or nobody.*
    named: Option<&'a Record>,
    /// The number of the try.
    attempt: u32,
    /// The number of records of the call: the named one is the first.
    records: u32,
    /// OpenTelemetry's context of all records that have no span: nothing is allocated for them. *None: it has one of its own, or there is none.*
    #[cfg(feature = "otel")]
    shared: Option<&'a opentelemetry::Context>,
    /// On the heap: each lane would be larger by it. *None: nothing.*
    spans: Option<Box<Spans>>,
}

#[derive(Debug)]
struct Spans {
    /// It is none where nobody logs, or the framework's own lines do.
    log: Span,
    /// *None: there are no spans.*
    #[cfg(feature = "otel")]
    trace: Option<opentelemetry::Context>,
}

impl<'a> Scope<'a> {
    /// Nothing is around it.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self {
            named: None,
            attempt: 1,
            records: 1,
            #[cfg(feature = "otel")]
            shared: None,
            spans: None,
        }
    }

    #[inline]
    pub(super) fn around<T>(&self, run: impl FnOnce() -> T) -> T {
        #[cfg(feature = "otel")]
        let _shared = self.shared.cloned().map(opentelemetry::Context::attach);
        let run = || match &self.spans {
            None => run(),
            Some(spans) => {
                #[cfg(feature = "otel")]
                let _trace = spans.trace.clone().map(opentelemetry::Context::attach);
                spans.log.in_scope(run)
            }
        };
        let Some(record) = self.named else {
            return run();
        };
        let current = Current {
            partition: record.topic_partition().clone(),
            offset: record.offset(),
            attempt: self.attempt,
            records: self.records,
        };
        in_the_name_of(current, run)
    }
}

impl BatchRun<'_> {
    /// What is around a try of the record.
    #[inline]
    pub(super) fn scope<'a>(&'a self, record: &'a Record, attempt: u32) -> Scope<'a> {
        self.scope_of(record, attempt, 1)
    }

    /// What is around a call with so many records, of which this is the first.
    pub(super) fn scope_of<'a>(
        &'a self,
        record: &'a Record,
        attempt: u32,
        records: usize,
    ) -> Scope<'a> {
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        let named = do_lines_name_records().then_some(record);
        let log = match named {
            Some(_) => Span::none(),
            // At the level of errors: a line of any level is to have the fields.
            None => tracing::error_span!(
                target: RECORD_SPAN_TARGET,
                "record",
                request_id = self.invocation.request_id,
                topic = record.topic(),
                partition = record.partition(),
                offset = record.offset(),
                attempt,
                records = (records > 1).then_some(records),
            ),
        };
        #[cfg(feature = "otel")]
        let (shared, trace) = {
            let now_ns = self.turns.seen_ns();
            let traces = self.traces.as_ref();
            match traces.map(|traces| traces.begin(record, now_ns)) {
                None => (None, None),
                Some(Cow::Borrowed(shared)) => (Some(shared), None),
                Some(Cow::Owned(trace)) => (None, Some(trace)),
            }
        };
        #[cfg(feature = "otel")]
        let is_traced = trace.is_some();
        #[cfg(not(feature = "otel"))]
        let is_traced = false;
        let spans = (!log.is_disabled() || is_traced).then(|| {
            Box::new(Spans {
                log,
                #[cfg(feature = "otel")]
                trace,
            })
        });
        Scope {
            named,
            attempt,
            records,
            #[cfg(feature = "otel")]
            shared,
            spans,
        }
    }
}

//! What is around a handler each time that it is polled: the record's coordinates for its log lines, and the record's span of OpenTelemetry. Used by `polled`.

use tracing::Span;

use crate::current::{Current, do_lines_name_records, in_the_name_of};
use crate::limits::RECORD_SPAN_TARGET;
use crate::process::batch::BatchRun;
use crate::record::Record;

/// What is around one try of a record.
#[derive(Debug)]
pub(super) struct Scope {
    /// For the framework's own log lines, which ask for it: no span is made of each record. *None: another subscriber logs, or nobody.*
    current: Option<Current>,
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

impl Scope {
    /// Nothing is around it.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self {
            current: None,
            spans: None,
        }
    }

    #[inline]
    pub(super) fn around<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let Self { current, spans } = self;
        let Some(spans) = spans else {
            return in_the_name_of(current, run);
        };
        #[cfg(feature = "otel")]
        let _trace = spans.trace.clone().map(opentelemetry::Context::attach);
        in_the_name_of(current, || spans.log.in_scope(run))
    }
}

impl BatchRun<'_> {
    /// What is around a try of the record.
    #[inline]
    pub(super) fn scope(&self, record: &Record, attempt: u32) -> Scope {
        let current = do_lines_name_records().then(|| Current {
            partition: record.topic_partition().clone(),
            offset: record.offset(),
            attempt,
        });
        let log = match current {
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
            ),
        };
        #[cfg(feature = "otel")]
        let trace = self
            .traces
            .as_ref()
            .map(|traces| traces.begin(record, self.turns.seen_ns()));
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
        Scope { current, spans }
    }
}

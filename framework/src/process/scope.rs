//! What is around a handler each time that it is polled: a span of `tracing` with the record's coordinates, for its log lines, and the record's span of OpenTelemetry. Used by `polled`.

use tracing::Span;

use crate::limits::RECORD_SPAN_TARGET;
use crate::process::batch::BatchRun;
use crate::record::Record;

/// What is around one try of a record. On the heap, and only where somebody logs or traces: each lane would be larger by it. *None: nothing.*
#[derive(Debug)]
pub(super) struct Scope(Option<Box<Around>>);

#[derive(Debug)]
struct Around {
    log: Span,
    /// *None: there are no spans.*
    #[cfg(feature = "otel")]
    trace: Option<opentelemetry::Context>,
}

impl Scope {
    /// Nothing is around it.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self(None)
    }

    #[inline]
    pub(super) fn around<T>(&self, run: impl FnOnce() -> T) -> T {
        let Some(around) = &self.0 else {
            return run();
        };
        #[cfg(feature = "otel")]
        let _trace = around.trace.clone().map(opentelemetry::Context::attach);
        around.log.in_scope(run)
    }
}

impl BatchRun<'_> {
    /// What is around a try of the record.
    #[inline]
    pub(super) fn scope(&self, record: &Record, attempt: u32) -> Scope {
        // At the level of errors: a line of any level is to have the fields.
        let log = tracing::error_span!(
            target: RECORD_SPAN_TARGET,
            "record",
            request_id = self.invocation.request_id,
            topic = record.topic(),
            partition = record.partition(),
            offset = record.offset(),
            attempt,
        );
        #[cfg(feature = "otel")]
        let trace = self
            .traces
            .as_ref()
            .map(|traces| traces.begin(record, self.turns.seen_ns()));
        #[cfg(feature = "otel")]
        let is_traced = trace.is_some();
        #[cfg(not(feature = "otel"))]
        let is_traced = false;
        if log.is_none() && !is_traced {
            return Scope(None);
        }
        Scope(Some(Box::new(Around {
            log,
            #[cfg(feature = "otel")]
            trace,
        })))
    }
}

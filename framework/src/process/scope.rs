//! What is around a handler each time that it is polled: a span of `tracing` with the record's coordinates, for its log lines, and the record's span of OpenTelemetry. Used by `polled`.

use tracing::Span;

use crate::limits::RECORD_SPAN_TARGET;
use crate::process::batch::BatchRun;
use crate::record::Record;

/// What is around one try of a record.
#[derive(Debug)]
pub(super) struct Scope {
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
            log: Span::none(),
            #[cfg(feature = "otel")]
            trace: None,
        }
    }

    #[inline]
    pub(super) fn around<T>(&self, run: impl FnOnce() -> T) -> T {
        #[cfg(feature = "otel")]
        let _trace = self.trace.clone().map(opentelemetry::Context::attach);
        if self.log.is_none() {
            return run();
        }
        self.log.in_scope(run)
    }
}

impl BatchRun<'_> {
    /// What is around a try of the record.
    #[inline]
    pub(super) fn scope(&self, record: &Record, attempt: u32) -> Scope {
        Scope {
            // At the level of errors: a line of any level is to have the fields.
            log: tracing::error_span!(
                target: RECORD_SPAN_TARGET,
                "record",
                request_id = self.invocation.request_id,
                topic = record.topic(),
                partition = record.partition(),
                offset = record.offset(),
                attempt,
            ),
            #[cfg(feature = "otel")]
            trace: self
                .traces
                .as_ref()
                .map(|traces| traces.begin(record, self.turns.seen_ns())),
        }
    }
}

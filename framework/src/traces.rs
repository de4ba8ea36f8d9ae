//! Spans of invocations and records, for OpenTelemetry: which there are, and how they hang together. Set by `builder`, made by `consumer` and `process`.
//!
//! The framework asks OpenTelemetry's API for spans; the function installs an SDK and an exporter, and flushes it: see [`Builder::flush`](crate::builder::Builder::flush). `examples/traced` has all of it.
//!
//! | span | kind | parent | links |
//! |---|---|---|---|
//! | the function's name, one an invocation | SERVER | the current span, or else that of the header `Lambda-Runtime-Trace-Id` (AWS X-Ray) | the producers' of at most [`TRACE_LINKS_MAX`](crate::limits::TRACE_LINKS_MAX) records, failed ones first |
//! | `process TOPIC`, one a record | CONSUMER | the invocation's | the producer's |
//!
//! While a record's handler runs, the record's span is the current one, so spans of the handler are its children. A handler whose record has no span runs under a parent that is not sampled, so that a
//! parent-based sampler (the SDK's default) exports nothing of it.

mod invocation;
mod layer;
mod names;
mod record;
mod xray;

pub(crate) use self::invocation::InvocationSpan;
pub use self::layer::layer;
pub(crate) use self::record::BatchTraces;

use opentelemetry::global::{BoxedTracer, tracer_with_scope};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, InstrumentationScope};

use crate::trace::TraceParent;
pub use crate::trace::TracedRecords;

/// The parent of a record's span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Parent {
    /// The invocation's span; the producer's is linked. One trace shows a batch.
    #[default]
    Invocation,
    /// The producer's span, if its trace is sampled; the invocation's is linked. One trace shows a record from its producer on.
    Producer,
}

/// Which spans there are: for [`Builder::traces`](crate::builder::Builder::traces).
///
/// # Example
///
/// ```
/// use lambda_msk::traces::{Parent, TracedRecords, Traces};
/// use lambda_msk::{Consumer, Record};
///
/// async fn ship(_: Record) {}
///
/// let consumer = Consumer::builder()
///     .topic("orders", ship)
///     .traces(Traces::of(TracedRecords::All).parent(Parent::Producer))
///     .build();
/// # consumer.unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    pub(crate) records: TracedRecords,
    pub(crate) parent: Parent,
    pub(crate) key: bool,
}

impl Traces {
    /// Spans of these records. `LAMBDA_MSK_TRACES` takes precedence.
    pub fn of(records: TracedRecords) -> Self {
        Self {
            records,
            ..Self::default()
        }
    }

    /// Sets the parent of records' spans.
    pub fn parent(mut self, parent: Parent) -> Self {
        self.parent = parent;
        self
    }

    /// Sets whether spans have the record's key, if it is UTF-8 of at most [`TRACE_KEY_BYTES_MAX`](crate::limits::TRACE_KEY_BYTES_MAX) bytes. The key is payload, so by default they do not.
    pub fn key(mut self, key: bool) -> Self {
        self.key = key;
        self
    }
}

fn tracer() -> BoxedTracer {
    let scope = InstrumentationScope::builder("lambda-msk");
    tracer_with_scope(scope.with_version(env!("CARGO_PKG_VERSION")).build())
}

/// A context below a span that is not sampled and that nobody has made: what hangs under it is not sampled either.
pub(crate) fn under_nobody(context: &Context) -> Context {
    context.with_remote_span_context(SpanContext::new(
        TraceId::from(fastrand::u128(1..)),
        SpanId::from(fastrand::u64(1..)),
        TraceFlags::NOT_SAMPLED,
        true,
        TraceState::NONE,
    ))
}

/// The context of an invocation without spans. *None: the program has a span around it, and those of handlers are its own affair.*
pub(crate) fn without_spans() -> Option<Context> {
    let current = Context::current();
    (!current.span().span_context().is_valid()).then(|| under_nobody(&current))
}

/// The producer's span. `flags`: as it has them, or others.
fn span_context(trace: &TraceParent, flags: TraceFlags) -> SpanContext {
    let trace_id = TraceId::from_hex(trace.trace_id()).unwrap_or(TraceId::INVALID);
    let parent_id = SpanId::from_hex(trace.parent_id()).unwrap_or(SpanId::INVALID);
    let state = trace
        .state()
        .and_then(|state| state.parse::<TraceState>().ok());
    SpanContext::new(trace_id, parent_id, flags, true, state.unwrap_or_default())
}

/// The producer's span, as it has said.
fn producer(trace: &TraceParent) -> SpanContext {
    span_context(trace, TraceFlags::new(trace.flags()))
}

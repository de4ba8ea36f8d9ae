//! The span of an invocation. Called by `consumer`.

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, Tracer,
};
use opentelemetry::{Context, KeyValue};

use crate::invocation::Invocation;
use crate::limits::TRACE_LINKS_MAX;
use crate::report::RecordReport;
use crate::trace::TraceParent;
use crate::traces::{names, producer, tracer, xray};

/// The span of an invocation, from its start to its end.
#[derive(Debug)]
pub(crate) struct InvocationSpan(Context);

/// In the context of an invocation that has a span: those of its records are worth their cost.
#[derive(Debug)]
pub(super) struct Provided;

impl InvocationSpan {
    /// *None: the program has set no provider of spans.*
    pub(crate) fn start(invocation: &Invocation) -> Option<Self> {
        let mut parent = Context::current();
        if !parent.span().span_context().is_valid()
            && let Some(of) = xray::span_context(&invocation.xray)
        {
            parent = parent.with_remote_span_context(of);
        }
        let name = match invocation.function_name.as_str() {
            "" => "invocation",
            name => name,
        };
        let tracer = tracer();
        let mut attributes = vec![
            KeyValue::new(names::SYSTEM, names::KAFKA),
            KeyValue::new(names::TRIGGER, names::PUBSUB),
        ];
        for (key, value) in [
            (names::INVOCATION_ID, &invocation.request_id),
            (names::RESOURCE_ID, &invocation.function_arn),
        ] {
            if !value.is_empty() {
                attributes.push(KeyValue::new(key, value.clone()));
            }
        }
        let builder = tracer
            .span_builder(name.to_owned())
            .with_kind(SpanKind::Server)
            .with_attributes(attributes);
        let span = tracer.build_with_context(builder, &parent);
        // A provider gives each span an id of its own, also one that is not sampled. Without one, a span has its parent's, or none.
        let id = span.span_context().span_id();
        let is_provided = id != SpanId::INVALID && id != parent.span().span_context().span_id();
        is_provided.then(|| Self(parent.with_span(span).with_value(Provided)))
    }

    /// What the invocation's own spans hang under.
    pub(crate) fn context(&self) -> Context {
        self.0.clone()
    }

    /// `records`: none of an event that could not be read. `error`: the code of an answer that is none.
    pub(crate) fn end(self, records: &[RecordReport], error: Option<&str>) {
        let span = self.0.span();
        if span.is_recording() {
            let count = i64::try_from(records.len()).unwrap_or(i64::MAX);
            span.set_attribute(KeyValue::new(names::BATCH_COUNT, count));
            for producer in producers(records) {
                span.add_link(producer, Vec::new());
            }
            if let Some(error) = error {
                span.set_attribute(KeyValue::new(names::ERROR_TYPE, error.to_owned()));
                span.set_status(Status::error(error.to_owned()));
            }
        }
        span.end();
    }
}

/// The producers' spans, each once: those of records that failed first.
fn producers(records: &[RecordReport]) -> Vec<SpanContext> {
    let (failed, others): (Vec<_>, Vec<_>) = records.iter().partition(|report| report.has_failed());
    let mut found: Vec<SpanContext> = Vec::new();
    for report in failed.into_iter().chain(others) {
        if found.len() == TRACE_LINKS_MAX {
            break;
        }
        if let Some(trace) = TraceParent::of(&report.record) {
            let producer = producer(&trace);
            if !found.contains(&producer) {
                found.push(producer);
            }
        }
    }
    found
}

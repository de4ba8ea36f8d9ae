//! `tracing`'s spans as children of the framework's. Called by `main`.

use opentelemetry::trace::{Span, Tracer};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::limits::RECORD_SPAN_TARGET;

/// A layer for `tracing_subscriber` that exports spans of `tracing` (`#[instrument]`, `info_span!`) as OpenTelemetry's: inside a handler, as children of the record's span.
///
/// Left out are levels below `info`, at which other crates may show payload; the framework's own span around a handler's log lines; and `lambda_runtime`'s around an invocation. [`logging::init_with`](crate::logging::init_with) takes it.
pub fn layer<S, T>(tracer: T) -> impl Layer<S> + Send + Sync + 'static
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync + 'static,
    T: Tracer + Send + Sync + 'static,
    T::Span: Span + Send + Sync + 'static,
{
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    layer.with_filter(filter_fn(is_exported))
}

fn is_exported(of: &Metadata<'_>) -> bool {
    *of.level() <= Level::INFO
        && of.target() != RECORD_SPAN_TARGET
        && !(of.is_span() && of.target().starts_with("lambda_runtime"))
}

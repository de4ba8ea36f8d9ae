//! OpenTelemetry's SDK: spans are exported over HTTP to a collector, and flushed before each answer. Called by `main`.
//!
//! `OTEL_EXPORTER_OTLP_ENDPOINT` is the collector; without it, no span is exported. `OTEL_SERVICE_NAME` names the
//! service; without it, the function's name does.

use lambda_msk::error::ConfigurationFault;
use lambda_msk::{logging, traces};
use opentelemetry::trace::{Link, SpanKind, TraceId, TracerProvider};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SamplingResult, SdkTracerProvider,
    ShouldSample,
};

/// The most spans that wait for their export: those of a batch that is traced as a whole, with children.
const SPANS_WAITING_MAX: usize = 32_768;

/// The sampler, and the part of traces that one with a ratio takes: the SDK reads both.
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The samplers that the SDK takes by `OTEL_TRACES_SAMPLER`. It passes over any other name without a word.
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// The SDK with its exporter. A clone is the same.
#[derive(Clone, Debug)]
pub struct Exporter {
    /// *None: no span is exported.*
    provider: Option<SdkTracerProvider>,
}

impl Exporter {
    /// The exporter that the environment asks for, and what is wrong with it.
    pub fn from_env() -> (Self, Vec<ConfigurationFault>) {
        const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let mut faults = sampler_faults();
        let Some(endpoint) = variable(ENDPOINT) else {
            return (Self { provider: None }, faults);
        };
        let service = variable("OTEL_SERVICE_NAME")
            .or_else(|| variable("AWS_LAMBDA_FUNCTION_NAME"))
            .unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned());
        let sampler_named = variable(SAMPLER).is_some();
        let exporter = Self::to(&endpoint, service, sampler_named).unwrap_or_else(|reason| {
            faults.push(ConfigurationFault::new(ENDPOINT, reason));
            Self { provider: None }
        });
        (exporter, faults)
    }

    /// An exporter to the collector at that URL. `sampler_named`: the SDK reads the sampler from the environment.
    ///
    /// # Errors
    ///
    /// The text is not the URL of a collector, or no client can be made.
    pub fn to(endpoint: &str, service: String, sampler_named: bool) -> Result<Self, String> {
        let expected = "expected `http://HOST:PORT` or `https://HOST:PORT`";
        let url = reqwest::Url::parse(endpoint)
            .map_err(|error| format!("{expected}, found no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{expected}, found `{}:`", url.scheme()));
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()
            .map_err(|error| format!("cannot make an exporter: {error}"))?;
        let waiting = BatchConfigBuilder::default().with_max_queue_size(SPANS_WAITING_MAX);
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(waiting.build());
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor.build())
            .with_resource(Resource::builder().with_service_name(service).build());
        let provider = match sampler_named {
            true => provider,
            false => provider.with_sampler(Invocations::default()),
        };
        Ok(Self {
            provider: Some(provider.build()),
        })
    }

    /// Makes it the exporter of all spans of this process, and begins to log.
    pub fn install(&self) {
        match &self.provider {
            None => logging::init(),
            Some(provider) => {
                global::set_tracer_provider(provider.clone());
                logging::init_with(traces::layer(provider.tracer(env!("CARGO_PKG_NAME"))));
            }
        }
    }

    /// Waits until all spans are exported. The SDK's own call blocks, so it runs on a thread where that harms nobody.
    pub async fn flush(self) {
        let Some(provider) = self.provider else {
            return;
        };
        let flushed = tokio::task::spawn_blocking(move || provider.force_flush()).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(%error, "the collector did not take all spans");
        }
    }
}

/// A variable's value. An empty one counts as unset; one that is not UTF-8 is set, and is no address of a collector.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty());
    value.map(|value| value.to_string_lossy().into_owned())
}

fn sampler_faults() -> Vec<ConfigurationFault> {
    let mut faults = Vec::new();
    let sampler = variable(SAMPLER).filter(|name| !SAMPLERS.contains(&name.as_str()));
    if let Some(found) = sampler {
        let known = SAMPLERS.join("`, `");
        let reason = format!("expected one of `{known}`, found `{found}`");
        faults.push(ConfigurationFault::new(SAMPLER, reason));
    }
    let is_part = |text: &str| {
        text.parse()
            .is_ok_and(|part: f64| (0.0..=1.0).contains(&part))
    };
    if let Some(found) = variable(SAMPLER_ARG).filter(|text| !is_part(text)) {
        let reason = format!("expected a number from 0 to 1, found `{found}`");
        faults.push(ConfigurationFault::new(SAMPLER_ARG, reason));
    }
    faults
}

/// Samples each invocation, and below it as the parent says. Lambda's X-Ray header says `Sampled=0` unless active
/// tracing is on: a sampler by the parent alone, the SDK's default, would then export nothing.
#[derive(Clone, Debug)]
struct Invocations {
    by_parent: Sampler,
}

impl Default for Invocations {
    fn default() -> Self {
        Self {
            by_parent: Sampler::ParentBased(Box::new(Sampler::AlwaysOn)),
        }
    }
}

impl ShouldSample for Invocations {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        // The framework's span of an invocation is the function's only one of this kind.
        let sampler = match kind {
            SpanKind::Server => &Sampler::AlwaysOn,
            _ => &self.by_parent,
        };
        sampler.should_sample(parent, trace_id, name, kind, attributes, links)
    }
}

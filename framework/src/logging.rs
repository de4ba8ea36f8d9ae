//! Log lines as Lambda's tools read them. Called once, in `main`; the rest of the framework only emits `tracing` events.

use tracing::warn;
use tracing_subscriber::EnvFilter;

/// What the AWS SDK and HTTP clients say at their lower levels holds the bodies that they send: payload. A level for all does not turn these on.
const QUIET: &str = "aws_config=info,aws_runtime=info,aws_sdk_sqs=info,aws_smithy_http_client=info,aws_smithy_runtime=info,\
                     h2=info,hyper=info,hyper_util=info,rustls=info";

/// Writes log lines to standard output, as JSON, from level `info` on. Does nothing where a global subscriber is set already.
///
/// - `AWS_LAMBDA_LOG_LEVEL` (`TRACE` to `ERROR`, `FATAL`): Lambda's own setting, wins over
/// - `RUST_LOG`: filters as [`EnvFilter`] reads them, taken as they are: `trace` for all may show payload that other crates log.
/// - `AWS_LAMBDA_LOG_FORMAT=Text`: lines to read instead of JSON.
///
/// Lines inside an invocation carry its request id.
pub fn init() {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (filter, fault) = filter(variable("AWS_LAMBDA_LOG_LEVEL"), variable("RUST_LOG"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false);
    let text =
        variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("text"));
    let set = if text {
        lines.try_init()
    } else {
        let json = lines.json().flatten_event(true);
        json.with_current_span(true)
            .with_span_list(false)
            .try_init()
    };
    if let (Ok(()), Some(fault)) = (set, fault) {
        warn!(fault, "the log level cannot be read: `info` is used");
    }
}

/// The filter, and what could not be read of the variables.
fn filter(level: Option<String>, directives: Option<String>) -> (EnvFilter, Option<String>) {
    let for_all = |level: &str| EnvFilter::new(format!("{level},{QUIET}"));
    if let Some(level) = level {
        return match level.to_ascii_lowercase().as_str() {
            level @ ("trace" | "debug" | "info" | "warn" | "error") => (for_all(level), None),
            "fatal" => (for_all("error"), None),
            _ => (
                for_all("info"),
                Some(
                    "AWS_LAMBDA_LOG_LEVEL is not one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL"
                        .to_owned(),
                ),
            ),
        };
    }
    match directives.map(EnvFilter::try_new) {
        None => (for_all("info"), None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (for_all("info"), Some(format!("RUST_LOG: {error}"))),
    }
}

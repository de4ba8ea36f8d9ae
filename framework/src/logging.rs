//! Log lines as Lambda's tools read them. Called once, in `main`; the rest of the framework only emits `tracing` events.

mod json;
mod scope;

use tracing::warn;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use self::json::JsonLines;
pub use self::scope::LogScope;
use crate::current;
use crate::limits::RECORD_SPAN_TARGET;

/// What the AWS SDK and HTTP clients say at their lower levels holds the bodies that they send: payload. A level for all does not turn these on. A target stands
/// for all that begin with it, so `aws_` is the SDK with each of its services.
const QUIET: &str = "aws_=info,h2=info,hyper=info,krafka=info,rustls=info";

/// Where `lambda_runtime` logs each refused batch a second time, as if it were a panic. A real one stands on standard error, by Rust's own hook.
const TWICE: &str = "lambda_runtime::layers::panic";

/// Installs a global subscriber that writes log lines of level `info` and above to standard output, as JSON. Does nothing if one is set already.
///
/// - `AWS_LAMBDA_LOG_LEVEL` (`TRACE` to `ERROR`, `FATAL`): Lambda's own setting, which takes precedence over
/// - `RUST_LOG`: filters for [`EnvFilter`], used unchanged: with `trace` for all crates, other crates may log payload.
/// - `AWS_LAMBDA_LOG_FORMAT=Text`: plain text instead of JSON.
///
/// A JSON line has the fields of its event and of the spans around it, each name once; within an invocation its `request_id` is among them, and within a handler topic, partition, offset and attempt of the record: at any level, with any filter. [`LogScope`] carries them to another
/// thread or task. `lambda_runtime` would log a refused batch a second time, under `lambda_runtime::layers::panic`: that target is off
/// unless `RUST_LOG` names it.
pub fn init() {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (filter, fault) = filter(variable("AWS_LAMBDA_LOG_LEVEL"), variable("RUST_LOG"));
    let text =
        variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("text"));
    let lines = tracing_subscriber::fmt().with_ansi(false);
    let set = if text {
        lines.with_env_filter(naming_records(filter)).try_init()
    } else {
        current::lines_name_records();
        lines
            .with_env_filter(filter)
            .fmt_fields(JsonFields::new())
            .event_format(JsonLines)
            .try_init()
    };
    if let (Ok(()), Some(fault)) = (set, fault) {
        warn!(fault, "cannot read the log level: `info` is used");
    }
}

/// [`init`], with one more layer beside the log lines, which their filter does not concern: [`traces::layer`](crate::traces::layer), for one.
pub fn init_with<L>(layer: L)
where
    L: Layer<Registry> + Send + Sync + 'static,
{
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (filter, fault) = filter(variable("AWS_LAMBDA_LOG_LEVEL"), variable("RUST_LOG"));
    let lines = tracing_subscriber::fmt::layer().with_ansi(false);
    let text =
        variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("text"));
    let registry = tracing_subscriber::registry().with(layer);
    let set = if text {
        let lines = lines.with_filter(naming_records(filter));
        registry.with(lines).try_init()
    } else {
        current::lines_name_records();
        let json = lines.fmt_fields(JsonFields::new()).event_format(JsonLines);
        registry.with(json.with_filter(filter)).try_init()
    };
    if let (Ok(()), Some(fault)) = (set, fault) {
        warn!(fault, "cannot read the log level: `info` is used");
    }
}

/// With the span that names records on, whatever is said of other targets: a line of any of them is to have its fields. One that lets no line through stays as it is.
fn naming_records(filter: EnvFilter) -> EnvFilter {
    let says_nothing = filter.max_level_hint() == Some(LevelFilter::OFF);
    let is_named = filter.to_string().contains(RECORD_SPAN_TARGET);
    match format!("{RECORD_SPAN_TARGET}=error").parse() {
        Ok(directive) if !says_nothing && !is_named => filter.add_directive(directive),
        _ => filter,
    }
}

/// The filter, and what could not be read of the variables.
fn filter(level: Option<String>, directives: Option<String>) -> (EnvFilter, Option<String>) {
    let for_all = |level: &str| {
        EnvFilter::new(match level {
            "trace" | "debug" => format!("{level},{QUIET},{TWICE}=off"),
            // At these levels they are quiet, and `info` for them alone would say more than was asked for.
            _ => format!("{level},{TWICE}=off"),
        })
    };
    if let Some(level) = level {
        return match level.to_ascii_lowercase().as_str() {
            level @ ("trace" | "debug" | "info" | "warn" | "error") => (for_all(level), None),
            "fatal" => (for_all("error"), None),
            _ => (
                for_all("info"),
                Some(
                    "expected AWS_LAMBDA_LOG_LEVEL to be one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL"
                        .to_owned(),
                ),
            ),
        };
    }
    let directives = directives.map(|text| {
        if text.contains(TWICE) {
            text
        } else {
            format!("{text},{TWICE}=off")
        }
    });
    match directives.map(EnvFilter::try_new) {
        None => (for_all("info"), None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (for_all("info"), Some(format!("RUST_LOG: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;
    use tracing::{Level, enabled};
    use tracing_subscriber::layer::SubscriberExt;

    use super::{TWICE, filter, naming_records};

    fn shown(level: Option<&str>, directives: Option<&str>) -> (String, bool) {
        let (filter, fault) = filter(level.map(str::to_owned), directives.map(str::to_owned));
        (filter.to_string(), fault.is_some())
    }

    /// The filter of a level for all.
    fn said(level: &str) -> String {
        format!("{TWICE}=off,{level}")
    }

    #[test]
    fn the_level_is_info_if_nothing_is_said() {
        assert_eq!(shown(None, None), (said("info"), false));
    }

    #[test]
    fn lambdas_level_wins_over_rust_log() {
        let (filter, fault) = shown(Some("WARN"), Some("trace"));

        assert_eq!((filter, fault), (said("warn"), false));
    }

    #[test]
    fn fatal_is_the_nearest_level_that_there_is() {
        assert_eq!(shown(Some("FATAL"), None), (said("error"), false));
    }

    #[test]
    fn a_low_level_for_all_leaves_crates_quiet_that_log_bodies() {
        for level in ["TRACE", "debug"] {
            let (filter, _) = filter(Some(level.to_owned()), None);
            let subscriber = tracing_subscriber::registry().with(filter);

            with_default(subscriber, || {
                assert!(enabled!(target: "handler", Level::DEBUG));
                assert!(enabled!(target: "aws_sdk_sqs::operation", Level::INFO));
                assert!(!enabled!(target: "aws_sdk_sqs::operation", Level::DEBUG));
                assert!(!enabled!(target: "aws_sdk_dynamodb::operation", Level::DEBUG));
                assert!(!enabled!(target: "aws_smithy_runtime::client", Level::DEBUG));
                assert!(!enabled!(target: "hyper_util::client", Level::DEBUG));
            });
        }
    }

    #[test]
    fn a_high_level_makes_no_crate_say_more() {
        for level in ["WARN", "ERROR"] {
            assert_eq!(
                shown(Some(level), None).0,
                said(&level.to_ascii_lowercase())
            );
        }
    }

    #[test]
    fn rust_log_is_taken_as_it_is() {
        assert_eq!(shown(None, Some("debug")), (said("debug"), false));
    }

    #[test]
    fn the_runtimes_second_line_for_a_refused_batch_is_off_unless_it_is_asked_for() {
        let asked = "info,lambda_runtime::layers::panic=error";

        assert!(!shown(None, Some(asked)).0.contains("off"));
        assert!(
            shown(None, Some("info,lambda_runtime=warn"))
                .0
                .contains(&format!("{TWICE}=off"))
        );
    }

    #[test]
    fn lines_of_text_name_their_records_whatever_targets_are_chosen() {
        let is_on = |directives: &str| {
            let (filter, _) = filter(None, Some(directives.to_owned()));
            let subscriber = tracing_subscriber::registry().with(naming_records(filter));
            with_default(
                subscriber,
                || enabled!(target: "lambda_msk::record", Level::ERROR),
            )
        };

        assert!(is_on("handler=debug"));
        assert!(is_on("off,handler=debug"));
        assert!(is_on("warn"));
        assert!(!is_on("off"));
        assert!(!is_on("handler=debug,lambda_msk::record=off"));
    }

    #[test]
    fn a_level_that_cannot_be_read_is_info_and_said() {
        assert_eq!(shown(Some("LOUD"), None), (said("info"), true));
        assert_eq!(shown(None, Some("a=b=c")), (said("info"), true));
    }
}

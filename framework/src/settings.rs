//! A consumer's settings, with their origin: default, code, environment, in rising precedence. Read by `consumer`.

mod destination;
mod guarantee;
mod line;
mod repeated;
mod schemas;
mod seen;
mod traces;
mod unread;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::destination::{BoxDestination, Overflow};
use crate::error::ConfigurationFault;
use crate::idempotency::{Guarantee, Idempotency, PerRecord, WhenStoreFails, choose_store};
use crate::lane::{NullKeys, ProcessingOrder};
use crate::limits::{
    ATTEMPTS_DEFAULT, ATTEMPTS_MAX, CLUSTER_BYTES_MAX, CONCURRENCY_DEFAULT, CONCURRENCY_MAX,
    DEADLINE_MARGIN_MS, DEADLINE_MARGIN_MS_MAX, DEADLINE_MARGIN_MS_MIN, NAMESPACE_BYTES_MAX,
    PROGRESS_MS, PROGRESS_MS_MAX,
};
use crate::metrics::{MetricsBy, Output};
use crate::process::{WhenExhausted, WhenUnhandled};
use crate::report::LogRecords;
use crate::response::FailureReporting;
use crate::schemas::{Auth, Choice, Framing, RecordFormat, SchemaId};
use crate::trace::TracedRecords;
#[cfg(feature = "otel")]
use crate::traces::Traces;

pub(crate) use self::unread::Unread;

/// What all of the framework's own variables begin with.
const PREFIX: &str = "LAMBDA_MSK_";

/// Where a setting came from. A later one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    Code,
    Environment,
}

/// A setting and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    origin: Origin,
    /// Code has set it more than once.
    repeated: bool,
}

impl<T> Setting<T> {
    fn default(value: T) -> Self {
        Self {
            value,
            origin: Origin::Default,
            repeated: false,
        }
    }

    pub(crate) fn by_code(&mut self, value: T) {
        *self = Self {
            value,
            repeated: self.origin == Origin::Code,
            origin: Origin::Code,
        };
    }

    /// For the start line: `64 (default)`.
    pub(crate) fn shown(&self, show: impl FnOnce(&T) -> String) -> String {
        let origin = match self.origin {
            Origin::Default => "default",
            Origin::Code => "code",
            Origin::Environment => "environment",
        };
        format!("{} ({origin})", show(&self.value))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) destination: Setting<Option<BoxDestination>>,
    /// *None: a letter that the destination has no room for is not sent.*
    pub(crate) overflow: Setting<Option<Overflow>>,
    pub(crate) idempotency: Setting<Idempotency>,
    pub(crate) progress: Setting<Duration>,
    pub(crate) when_store_fails: Setting<WhenStoreFails>,
    /// *None: by offset.*
    pub(crate) per_record: Setting<Option<Arc<PerRecord>>>,
    pub(crate) guarantee: Setting<Guarantee>,
    pub(crate) failure_reporting: Setting<FailureReporting>,
    pub(crate) order: Setting<ProcessingOrder>,
    pub(crate) null_keys: Setting<NullKeys>,
    pub(crate) concurrency: Setting<usize>,
    pub(crate) attempts: Setting<u32>,
    pub(crate) when_exhausted: Setting<WhenExhausted>,
    /// *None: reject, but fail where the whole batch has no handler.*
    pub(crate) when_unhandled: Setting<Option<WhenUnhandled>>,
    pub(crate) deadline_margin: Setting<Duration>,
    /// *None: the function's name.*
    pub(crate) namespace: Setting<Option<Arc<str>>>,
    /// *None: the ARN that the event names, or else its brokers.*
    pub(crate) cluster: Setting<Option<Arc<str>>>,
    pub(crate) schema_registry: Setting<Choice>,
    /// *None: without credentials.*
    pub(crate) schema_auth: Setting<Option<Auth>>,
    pub(crate) schema_framing: Setting<Framing>,
    pub(crate) schema_format: Setting<RecordFormat>,
    /// Fetched at init.
    pub(crate) warm_schemas: Vec<SchemaId>,
    /// The URL that credentials in code are for. *None: code has no credentials, or no URL.*
    schema_auth_url: Option<String>,
    /// The namespace of metrics in the embedded metric format. *None: there are no metrics.*
    pub(crate) metrics: Setting<Option<Arc<str>>>,
    pub(crate) metrics_by: Setting<MetricsBy>,
    pub(crate) metrics_output: Output,
    pub(crate) log_records: Setting<LogRecords>,
    pub(crate) traces: Setting<TracedRecords>,
    /// What no variable sets.
    #[cfg(feature = "otel")]
    pub(crate) trace_form: Traces,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            destination: Setting::default(None),
            overflow: Setting::default(None),
            idempotency: Setting::default(Idempotency::default()),
            progress: Setting::default(Duration::from_millis(PROGRESS_MS)),
            when_store_fails: Setting::default(WhenStoreFails::default()),
            per_record: Setting::default(None),
            guarantee: Setting::default(Guarantee::default()),
            failure_reporting: Setting::default(FailureReporting::default()),
            order: Setting::default(ProcessingOrder::default()),
            null_keys: Setting::default(NullKeys::default()),
            concurrency: Setting::default(CONCURRENCY_DEFAULT),
            attempts: Setting::default(ATTEMPTS_DEFAULT),
            when_exhausted: Setting::default(WhenExhausted::default()),
            when_unhandled: Setting::default(None),
            deadline_margin: Setting::default(Duration::from_millis(DEADLINE_MARGIN_MS)),
            namespace: Setting::default(None),
            cluster: Setting::default(None),
            schema_registry: Setting::default(Choice::None),
            schema_auth: Setting::default(None),
            schema_framing: Setting::default(Framing::default()),
            schema_format: Setting::default(RecordFormat::default()),
            warm_schemas: Vec::new(),
            schema_auth_url: None,
            metrics: Setting::default(None),
            metrics_by: Setting::default(MetricsBy::default()),
            metrics_output: Output::default(),
            log_records: Setting::default(LogRecords::default()),
            traces: Setting::default(TracedRecords::default()),
            #[cfg(feature = "otel")]
            trace_form: Traces::default(),
        }
    }
}

impl Settings {
    /// Reads the variables over what is set so far. Answers with the names that begin as ours do and are not known.
    pub(crate) fn read(
        &mut self,
        variables: &BTreeMap<String, String>,
        faults: &mut Vec<ConfigurationFault>,
    ) -> Vec<String> {
        let mut reader = VariableReader {
            variables,
            faults,
            known: Vec::new(),
        };
        self.read_destination(&mut reader);
        reader.read("IDEMPOTENCY", &mut self.idempotency, idempotency);
        reader.read("PROGRESS_MS", &mut self.progress, |text| {
            number(text, 0..=PROGRESS_MS_MAX).map(Duration::from_millis)
        });
        reader.read("WHEN_STORE_FAILS", &mut self.when_store_fails, |text| {
            let allowed = [
                ("fail", WhenStoreFails::Fail),
                ("process", WhenStoreFails::Process),
            ];
            one_of(text, &allowed)
        });
        reader.read("FAILURE_REPORTING", &mut self.failure_reporting, |text| {
            let allowed = [
                ("whole-batch", FailureReporting::WholeBatch),
                ("partial", FailureReporting::Partial),
            ];
            one_of(text, &allowed)
        });
        reader.read("ORDER", &mut self.order, |text| {
            let allowed = [
                ("partition", ProcessingOrder::Partition),
                ("key", ProcessingOrder::Key),
                ("unordered", ProcessingOrder::Unordered),
            ];
            one_of(text, &allowed)
        });
        reader.read("NULL_KEYS", &mut self.null_keys, |text| {
            let allowed = [
                ("ordered", NullKeys::Ordered),
                ("unordered", NullKeys::Unordered),
            ];
            one_of(text, &allowed)
        });
        reader.read("CONCURRENCY", &mut self.concurrency, |text| {
            number(text, 1..=CONCURRENCY_MAX)
        });
        reader.read("ATTEMPTS", &mut self.attempts, |text| {
            number(text, 1..=ATTEMPTS_MAX)
        });
        reader.read("WHEN_EXHAUSTED", &mut self.when_exhausted, |text| {
            let allowed = [
                ("fail", WhenExhausted::Fail),
                ("reject", WhenExhausted::Reject),
            ];
            one_of(text, &allowed)
        });
        reader.read("WHEN_UNHANDLED", &mut self.when_unhandled, |text| {
            let allowed = [
                ("fail", WhenUnhandled::Fail),
                ("reject", WhenUnhandled::Reject),
            ];
            one_of(text, &allowed).map(Some)
        });
        reader.read("DEADLINE_MARGIN_MS", &mut self.deadline_margin, |text| {
            number(text, DEADLINE_MARGIN_MS_MIN..=DEADLINE_MARGIN_MS_MAX).map(Duration::from_millis)
        });
        reader.read("NAMESPACE", &mut self.namespace, |text| {
            check_namespace(text).map(|()| Some(text.into()))
        });
        reader.read("CLUSTER", &mut self.cluster, |text| {
            check_cluster(text).map(|()| Some(text.into()))
        });
        self.read_schemas(&mut reader);
        self.read_seen(&mut reader);
        self.read_traces(&mut reader);
        let known = reader.known;
        let ours = variables.keys().filter(|name| name.starts_with(PREFIX));
        ours.filter(|name| !known.contains(name)).cloned().collect()
    }

    /// Faults of what code has set. What the environment has set was checked as it was read.
    pub(crate) fn check(&self, faults: &mut Vec<ConfigurationFault>) {
        let mut check = |origin: Origin, place: &str, result: Result<(), String>| {
            if let (Origin::Code, Err(reason)) = (origin, result) {
                faults.push(ConfigurationFault::new(place, reason));
            }
        };
        let Setting { value, origin, .. } = self.concurrency;
        check(
            origin,
            ".concurrency(…)",
            within(value, &(1..=CONCURRENCY_MAX)),
        );
        let Setting { value, origin, .. } = self.attempts;
        check(origin, ".attempts(…)", within(value, &(1..=ATTEMPTS_MAX)));
        for (setting, place, allowed_ms) in [
            (
                &self.deadline_margin,
                ".deadline_margin(…)",
                DEADLINE_MARGIN_MS_MIN..=DEADLINE_MARGIN_MS_MAX,
            ),
            (&self.progress, ".progress(…)", 0..=PROGRESS_MS_MAX),
        ] {
            let Setting { value, origin, .. } = setting;
            let (low, high) = allowed_ms.into_inner();
            let (low, high) = (Duration::from_millis(low), Duration::from_millis(high));
            let fault = || Err(format!("expected {low:?} to {high:?}, found {value:?}"));
            let fits = (low..=high).contains(value);
            check(*origin, place, if fits { Ok(()) } else { fault() });
        }
        if let Some(namespace) = &self.namespace.value {
            check(
                self.namespace.origin,
                ".namespace(…)",
                check_namespace(namespace),
            );
        }
        if let Some(cluster) = &self.cluster.value {
            check(self.cluster.origin, ".cluster(…)", check_cluster(cluster));
        }
        if let Some(per_record) = &self.per_record.value {
            let Setting { origin, .. } = self.per_record;
            check(origin, ".per_record(…)", per_record.check());
        }
        self.check_seen(faults);
    }
}

struct VariableReader<'a> {
    variables: &'a BTreeMap<String, String>,
    faults: &'a mut Vec<ConfigurationFault>,
    known: Vec<String>,
}

impl VariableReader<'_> {
    /// An empty variable counts as unset: templates set one to say "none".
    fn read<T>(
        &mut self,
        name: &str,
        setting: &mut Setting<T>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) {
        let name = format!("{PREFIX}{name}");
        let text = self.variables.get(&name).map(|text| text.trim());
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            match parse(text) {
                Ok(value) => {
                    setting.value = value;
                    setting.origin = Origin::Environment;
                }
                Err(reason) => self
                    .faults
                    .push(ConfigurationFault::new(name.as_str(), reason)),
            }
        }
        self.known.push(name);
    }
}

pub(crate) fn within<T>(value: T, allowed: &RangeInclusive<T>) -> Result<(), String>
where
    T: PartialOrd + fmt::Display + Copy,
{
    if allowed.contains(&value) {
        return Ok(());
    }
    let (low, high) = (allowed.start(), allowed.end());
    Err(format!("expected {low} to {high}, found {value}"))
}

fn number<T>(text: &str, allowed: RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + fmt::Display + Copy,
{
    let (low, high) = (allowed.start(), allowed.end());
    let Ok(value) = text.parse() else {
        let shown = shown(text);
        return Err(format!(
            "expected a whole number from {low} to {high}, found {shown}"
        ));
    };
    within(value, &allowed).map(|()| value)
}

fn one_of<T: Copy>(text: &str, allowed: &[(&str, T)]) -> Result<T, String> {
    let found = allowed.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = allowed
            .iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        format!(
            "expected one of {}, found {}",
            names.join(", "),
            shown(text)
        )
    })
}

fn idempotency(text: &str) -> Result<Idempotency, String> {
    match text {
        "memory" => Ok(Idempotency::Memory),
        "none" => Ok(Idempotency::None),
        store => choose_store(store).map(Idempotency::Store),
    }
}

/// No `/`: it separates the parts of a key.
fn check_namespace(text: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=NAMESPACE_BYTES_MAX).contains(&text.len()) && text.bytes().all(legal) {
        return Ok(());
    }
    let shown = shown(text);
    Err(format!(
        "expected a name of 1 to {NAMESPACE_BYTES_MAX} letters, digits, `-`, `_` and `.`, found {shown}"
    ))
}

/// Keys travel in HTTP headers.
fn check_cluster(text: &str) -> Result<(), String> {
    let legal = (1..=CLUSTER_BYTES_MAX).contains(&text.len());
    if legal && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let shown = shown(text);
    Err(format!(
        "expected a name of 1 to {CLUSTER_BYTES_MAX} visible ASCII characters, found {shown}"
    ))
}

/// A value as a fault shows it: quoted, and cut where it is long.
fn shown(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 40;
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests;

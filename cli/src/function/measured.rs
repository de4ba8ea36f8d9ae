//! What a function of lambda-msk measures of its records, from its lines of metrics. Other functions measure nothing. Kept by
//! `dev` and `invoke`, which show it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::dead_letters::variable;
use super::emf::Emf;
use crate::text::spark;

/// The variable that turns the lines of metrics on.
const VARIABLE: &str = "LAMBDA_MSK_METRICS";
/// What the variable is set to here, as on Lambda.
const DEFAULT: &str = "emf:lambda-msk";

/// The outcomes of records: they add up to the records of an invocation.
const OUTCOMES: [&str; 5] = ["Done", "Skipped", "Rejected", "Failed", "Unreached"];
/// What is summed up, too.
const SUMS: [&str; 7] = [
    "Retried",
    "Unhandled",
    "RecordBytes",
    "StoreErrors",
    "DestinationErrors",
    "OverlookedRecords",
    "ClockAhead",
];
/// The span of time of one bar.
const BUCKET: Duration = Duration::from_secs(1);
/// So many bars are kept.
const BUCKETS_MAX: usize = 20;
/// So many topics are kept: a local run has few.
const TOPICS_MAX: usize = 1_000;
/// So many partitions of a topic have a lag of their own, if partition is a dimension.
const PARTITIONS_MAX: usize = 10_000;

/// The partition of a line that tells none.
const ALL: &str = "";

/// The setting for a function that has none of its own.
pub(crate) fn setting(env: &[(String, String)]) -> Option<(&'static str, &'static str)> {
    let is_set = env.iter().any(|(name, _)| name == VARIABLE) || variable(env, VARIABLE).is_some();
    (!is_set).then_some((VARIABLE, DEFAULT))
}

/// What was measured of each topic.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    topics: BTreeMap<String, Topic>,
}

/// What was measured of a topic's records.
#[derive(Debug, Default)]
pub(crate) struct Topic {
    sums: BTreeMap<&'static str, f64>,
    handler: Spread,
    /// By partition, if lines tell them: the time lag of its last line, in milliseconds. The mapping ends it, if what lagged was given up.
    lags: BTreeMap<String, f64>,
    lag_max: f64,
    began: Option<Instant>,
    ended: Option<Instant>,
    buckets: VecDeque<Bucket>,
}

/// A second of a run.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    from: Instant,
    records: f64,
    /// The greatest. None: it has not changed.
    lag: Option<f64>,
    /// At the end of the second. None: it has not changed.
    lag_at_end: Option<f64>,
}

impl Measured {
    /// A batch of the topic is on its way: the time of its first one is the start of the topic's rate.
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "an event's rate is that of its invocation")
    )]
    pub(crate) fn begins(&mut self, topic: &str, now: Instant) {
        if let Some(topic) = self.topic(topic) {
            topic.began.get_or_insert(now);
        }
    }

    /// A line of metrics. One that the framework has not written, which has no topic, is passed over.
    pub(crate) fn add(&mut self, emf: &Emf, now: Instant) {
        let Some(topic) = emf.dimensions.get("Topic") else {
            return;
        };
        if !emf.metrics.contains_key(OUTCOMES[0]) {
            return;
        }
        if let Some(topic) = self.topic(topic) {
            topic.add(emf, now);
        }
    }

    /// Which partitions a run has of the topic, each with whether all its records are settled. Nothing lags any more in those that are, nor for this run in others than these.
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "an event has no mapping")
    )]
    pub(crate) fn stands(
        &mut self,
        topic: &str,
        partitions: &BTreeMap<String, bool>,
        now: Instant,
    ) {
        if let Some(topic) = self.topics.get_mut(topic) {
            topic.stands(partitions, now);
        }
    }

    /// None: there are too many already.
    fn topic(&mut self, name: &str) -> Option<&mut Topic> {
        if !self.topics.contains_key(name) {
            if self.topics.len() >= TOPICS_MAX {
                return None;
            }
            self.topics.insert(name.to_owned(), Topic::default());
        }
        self.topics.get_mut(name)
    }

    /// None: the function has written no line of metrics about it.
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "invoke shows all topics of its event")
    )]
    pub(crate) fn of(&self, topic: &str) -> Option<&Topic> {
        self.topics.get(topic).filter(|topic| topic.has_lines())
    }

    /// Those of which there is a line.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Topic)> {
        let topics = self.topics.iter().filter(|(_, topic)| topic.has_lines());
        topics.map(|(name, topic)| (name.as_str(), topic))
    }
}

impl Topic {
    fn has_lines(&self) -> bool {
        self.ended.is_some()
    }

    fn add(&mut self, emf: &Emf, now: Instant) {
        for name in OUTCOMES.into_iter().chain(SUMS) {
            if let Some(sum) = emf.sum(name) {
                *self.sums.entry(name).or_default() += sum;
            }
        }
        for (value, count) in emf.metrics.get("HandlerMs").into_iter().flatten() {
            self.handler.add(*value, *count);
        }
        let of_line = emf.greatest("TimeLagMs");
        if let Some(lag) = of_line {
            self.lags(emf, lag);
            self.lag_max = self.lag_max.max(lag);
        }
        self.began.get_or_insert(now);
        self.ended = Some(now);
        let outcomes = OUTCOMES.iter().filter_map(|name| emf.sum(name));
        let records: f64 = outcomes.sum();
        self.bucket(now).records += records;
        if of_line.is_some() {
            self.lag_changed(now);
        }
    }

    /// A partition of which the line says nothing lags as before.
    fn lags(&mut self, emf: &Emf, greatest: f64) {
        let one = emf.dimensions.get("Partition").cloned();
        let lags = match one {
            None if !emf.lags.is_empty() => {
                self.lags.remove(ALL);
                emf.lags.clone()
            }
            one => BTreeMap::from([(one.unwrap_or_else(|| ALL.to_owned()), greatest)]),
        };
        for (partition, lag) in lags {
            if self.lags.len() < PARTITIONS_MAX || self.lags.contains_key(&partition) {
                self.lags.insert(partition, lag);
            }
        }
    }

    fn lag_changed(&mut self, now: Instant) {
        let lag = self.lag_ms();
        let bucket = self.bucket(now);
        bucket.lag_at_end = lag;
        bucket.lag = bucket.lag.into_iter().chain(lag).reduce(f64::max);
    }

    fn stands(&mut self, partitions: &BTreeMap<String, bool>, now: Instant) {
        // Those of a run that has none are not known yet.
        if partitions.is_empty() {
            return;
        }
        let all_are_settled = partitions.values().all(|is_settled| *is_settled);
        let mut changed = false;
        for (partition, lag) in &mut self.lags {
            let is_settled = match partition.as_str() {
                ALL => all_are_settled,
                partition => partitions.get(partition).is_none_or(|settled| *settled),
            };
            if is_settled && *lag > 0.0 {
                *lag = 0.0;
                changed = true;
            }
        }
        if changed {
            self.lag_changed(now);
        }
    }

    /// The bar of now, with an empty one for each second since the last.
    fn bucket(&mut self, now: Instant) -> &mut Bucket {
        let empty = |from| Bucket {
            from,
            records: 0.0,
            lag: None,
            lag_at_end: None,
        };
        if self.buckets.is_empty() {
            self.buckets.push_back(empty(now));
        }
        let mut at = self.buckets.len() - 1;
        let mut from = self.buckets[at].from;
        // After a pause that is longer than all bars, the old ones are gone.
        if now.saturating_duration_since(from) > BUCKET * u32::try_from(BUCKETS_MAX).unwrap_or(1) {
            self.buckets.clear();
            self.buckets.push_back(empty(now));
            (at, from) = (0, now);
        }
        while now.saturating_duration_since(from) >= BUCKET {
            from += BUCKET;
            self.buckets.push_back(empty(from));
            if self.buckets.len() > BUCKETS_MAX {
                self.buckets.pop_front();
            }
            at = self.buckets.len() - 1;
        }
        &mut self.buckets[at]
    }

    /// The number of records, whatever became of them.
    pub(crate) fn records(&self) -> f64 {
        let sums = OUTCOMES.iter().filter_map(|name| self.sums.get(name));
        sums.sum()
    }

    /// Over the time from the first batch to the last line. None: no time has passed.
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "an event's rate is that of its invocation")
    )]
    pub(crate) fn records_per_second(&self) -> Option<f64> {
        let over = self.ended?.checked_duration_since(self.began?)?;
        (!over.is_zero()).then(|| self.records() / over.as_secs_f64())
    }

    /// The greatest of its partitions, as the function knew it last. None: no line told it.
    pub(crate) fn lag_ms(&self) -> Option<f64> {
        self.lags.values().copied().reduce(f64::max)
    }

    /// `820 records/s, handler p50 1.2 ms, p99 8.0 ms, lag in time 3.2 s`.
    pub(crate) fn text(&self, rate: Option<f64>) -> String {
        let rate = rate.map(|rate| format!("{rate:.0} records/s"));
        let lag = self.lag_ms();
        let lag = lag.map(|lag| format!("lag in time {}", time(lag)));
        let parts = [rate, self.handler_text(), lag];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// None: no handler has run.
    fn handler_text(&self) -> Option<String> {
        let percentile = |of| self.handler.percentile(of).map(run_time);
        let (p50, p99) = (percentile(50)?, percentile(99)?);
        Some(format!("handler p50 {p50}, p99 {p99}"))
    }

    /// How throughput and lag went in the last seconds: a line of bars each, with where they stand.
    #[cfg_attr(
        not(feature = "dev"),
        allow(dead_code, reason = "only dev has a live view")
    )]
    pub(crate) fn bars(&self) -> Vec<String> {
        let records = spark::line(self.buckets.iter().map(|bucket| bucket.records));
        // A second in which nothing came changed nothing.
        let mut last = 0.0;
        let lags = self.buckets.iter().map(|bucket| {
            let shown = bucket.lag.unwrap_or(last);
            last = bucket.lag_at_end.unwrap_or(last);
            shown
        });
        let lags = spark::line(lags);
        let width = BUCKETS_MAX;
        let handler = self.handler_text().unwrap_or_default();
        let lag = self.lag_ms().map(time).unwrap_or_default();
        let lines = [
            format!("  throughput  {records:<width$}  {handler}"),
            format!("  lag in time {lags:<width$}  {lag}"),
        ];
        lines.map(|line| line.trim_end().to_owned()).into()
    }

    /// The object in a program's output.
    pub(crate) fn json(&self, rate: Option<f64>) -> Value {
        let handler = self.handler.count() > 0;
        let percentile = |of| self.handler.percentile(of);
        let sums = self
            .sums
            .iter()
            .map(|(name, sum)| ((*name).to_owned(), number(*sum)));
        json!({
            "records": number(self.records()),
            "recordsPerSecond": rate.map(rounded),
            "handlerMs": handler.then(|| json!({
                "runs": self.handler.count(),
                "p50": percentile(50).map(rounded),
                "p99": percentile(99).map(rounded),
                "max": percentile(100).map(rounded),
            })),
            "timeLagMs": self.lag_ms().map(rounded),
            "timeLagMsMax": rounded(self.lag_max),
            "sums": sums.collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// Values with three significant digits, and how often each was seen.
#[derive(Debug, Default)]
struct Spread {
    /// In nanoseconds.
    counts: BTreeMap<u64, u64>,
}

impl Spread {
    fn add(&mut self, ms: f64, count: u64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let nanos = (ms * 1_000_000.0).round() as u64;
        let digits = nanos.checked_ilog10().unwrap_or_default();
        let unit = 10_u64.pow(digits.saturating_sub(2));
        let kept = self.counts.entry(nanos / unit * unit).or_default();
        *kept = kept.saturating_add(count);
    }

    fn count(&self) -> u64 {
        let sum = |sum: u64, count: &u64| sum.saturating_add(*count);
        self.counts.values().fold(0, sum)
    }

    /// The smallest value that so many of a hundred do not exceed. None: there is no value.
    fn percentile(&self, percent: u64) -> Option<f64> {
        let wanted = u128::from(self.count()) * u128::from(percent);
        let mut seen = 0;
        #[expect(clippy::cast_precision_loss, reason = "three digits count")]
        self.counts.iter().find_map(|(nanos, count)| {
            seen += u128::from(*count);
            (*count > 0 && seen * 100 >= wanted).then(|| *nanos as f64 / 1_000_000.0)
        })
    }
}

/// The time of a handler, which is never nothing: a function measures whole microseconds.
fn run_time(ms: f64) -> String {
    match ms < 0.001 {
        true => "<1 µs".to_owned(),
        false => time(ms),
    }
}

/// `820 µs`, `1.2 ms`, `3.2 s`, `2 min 5 s`, `3 h 20 min`.
fn time(ms: f64) -> String {
    if ms <= 0.0 {
        "0 s".to_owned()
    } else if ms < 1.0 {
        format!("{:.0} µs", ms * 1_000.0)
    } else if ms < 100.0 {
        format!("{ms:.1} ms")
    } else if ms < 1_000.0 {
        format!("{ms:.0} ms")
    } else if ms < 60_000.0 {
        format!("{:.1} s", ms / 1_000.0)
    } else if ms < 3_600_000.0 {
        let seconds = (ms / 1_000.0).floor();
        format!(
            "{:.0} min {:.0} s",
            (seconds / 60.0).floor(),
            seconds % 60.0
        )
    } else {
        let minutes = (ms / 60_000.0).floor();
        format!(
            "{:.0} h {:.0} min",
            (minutes / 60.0).floor(),
            minutes % 60.0
        )
    }
}

/// To three digits behind the point.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// A whole number without a point.
fn number(of: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let whole = of as u64;
    #[expect(
        clippy::cast_precision_loss,
        reason = "compared with where it came from"
    )]
    let is_whole = (whole as f64 - of).abs() < f64::EPSILON;
    if is_whole { whole.into() } else { of.into() }
}

#[cfg(test)]
mod tests;

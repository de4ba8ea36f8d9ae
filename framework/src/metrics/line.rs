//! One line of metrics as JSON: CloudWatch's embedded metric format, and what Lambda's and CloudWatch's tools need beside it. Called by `metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::context::Context;
use crate::meter::MetricsBy;
use crate::metrics::tally::{Counts, OUTCOMES, Tally};

/// What is the same for all lines of a consumer.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) namespace: Arc<str>,
    pub(crate) by: MetricsBy,
    /// Lambda drops lines below the function's level.
    pub(crate) level: &'static str,
}

/// Instead of the name of a topic or the number of a partition: all that have no line of their own.
const OTHERS: &str = "(others)";

/// The value of one metric.
enum Value {
    Count(u64),
    Number(f64),
    Distribution(Vec<(f64, u64)>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Distribution(counts) => {
                let (values, counts): (Vec<f64>, Vec<u64>) = counts.iter().copied().unzip();
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("Values", &values)?;
                map.serialize_entry("Counts", &counts)?;
                map.end()
            }
        }
    }
}

struct Metric {
    name: &'static str,
    unit: &'static str,
    value: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition<'a> {
    name: &'a str,
    unit: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: &'a [&'a [&'a str]],
    metrics: Vec<Definition<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: i64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

/// What Logs Insights finds of one partition: `Partitions.3.TimeLagMs`.
impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2 + OUTCOMES.len()))?;
        map.serialize_entry("Records", &self.records)?;
        for ((_, name), count) in OUTCOMES.iter().zip(self.outcomes) {
            map.serialize_entry(name, &count)?;
        }
        map.serialize_entry("TimeLagMs", &self.time_lag_ms)?;
        map.end()
    }
}

/// A line, without its end.
pub(super) fn write_line(
    line: &mut Vec<u8>,
    form: &Form,
    tally: &Tally<'_>,
    context: &Context,
    (now, memory_mb): (Timestamp, Option<f64>),
) -> serde_json::Result<()> {
    let metrics = metrics(tally, context, memory_mb);
    let definition = |metric: &Metric| Definition {
        name: metric.name,
        unit: metric.unit,
    };
    // With partitions the topic's metrics stay, so that alarms on them do: but for the partitions behind the bound of lines, which are others'.
    let dimensions: &[&[&str]] = match form.by {
        MetricsBy::Topic => &[&["Consumer", "Topic"]],
        MetricsBy::Partition => &[&["Consumer", "Topic", "Partition"], &["Consumer", "Topic"]],
    };
    let metadata = Metadata {
        timestamp: now.as_millisecond(),
        cloud_watch_metrics: [Directive {
            namespace: &form.namespace,
            dimensions,
            metrics: metrics.iter().map(definition).collect(),
        }],
    };
    let at = tally.measures.of.as_ref();
    let mut serializer = serde_json::Serializer::new(line);
    let mut map = serializer.serialize_map(None)?;
    // Lambda reads a level only beside a time in this form.
    map.serialize_entry("timestamp", &now.to_string())?;
    map.serialize_entry("level", form.level)?;
    map.serialize_entry("request_id", &context.request_id)?;
    map.serialize_entry("Consumer", &*context.namespace)?;
    map.serialize_entry("Topic", at.map_or(OTHERS, |at| &*at.topic))?;
    if form.by == MetricsBy::Partition {
        let partition = at.map_or_else(|| OTHERS.to_owned(), |at| at.partition.to_string());
        map.serialize_entry("Partition", &partition)?;
    }
    map.serialize_entry("Records", &tally.counts.records)?;
    for metric in &metrics {
        map.serialize_entry(metric.name, &metric.value)?;
    }
    if !tally.partitions.is_empty() {
        let partitions: &BTreeMap<i32, Counts> = &tally.partitions;
        map.serialize_entry("Partitions", partitions)?;
    }
    if tally.partitions_left_out > 0 {
        map.serialize_entry("PartitionsLeftOut", &tally.partitions_left_out)?;
    }
    map.serialize_entry("_aws", &metadata)?;
    map.end()
}

fn metrics(tally: &Tally<'_>, context: &Context, memory_mb: Option<f64>) -> Vec<Metric> {
    let Tally {
        measures, counts, ..
    } = tally;
    let count = |name, count| Metric {
        name,
        unit: "Count",
        value: Value::Count(count),
    };
    let ms = |name, value| Metric {
        name,
        unit: "Milliseconds",
        value,
    };
    let outcomes = OUTCOMES.iter().zip(counts.outcomes);
    let mut metrics: Vec<Metric> = outcomes
        .map(|((_, name), outcome)| count(name, outcome))
        .collect();
    metrics.extend([
        count("Retried", counts.retried),
        count("Unhandled", counts.unhandled),
        count("StoreErrors", measures.store_errors()),
        count("DestinationErrors", counts.destination_errors),
        count("OverlookedRecords", counts.overlooked),
        count("ClockAhead", measures.clock_ahead()),
        Metric {
            name: "RecordBytes",
            unit: "Bytes",
            value: Value::Count(counts.bytes),
        },
        ms("TimeLagMs", Value::Count(counts.time_lag_ms)),
        ms("LeaseWaitMs", Value::Number(millis(measures.lease_wait()))),
    ]);
    let ages = distribution(measures.ages_ms(), 1.0);
    metrics.extend(ages.map(|ages| ms("RecordAgeMs", ages)));
    let runs = distribution(measures.runs_us(), 1_000.0);
    metrics.extend(runs.map(|runs| ms("HandlerMs", runs)));
    let left = context.deadline.time_left();
    metrics.extend(left.map(|left| ms("DeadlineLeftMs", Value::Number(millis(left)))));
    metrics.extend(memory_mb.map(|memory| Metric {
        name: "MemoryMB",
        unit: "Megabytes",
        value: Value::Number(four_digits(memory)),
    }));
    metrics
}

/// *None: there is nothing to distribute.*
fn distribution(mut counts: Vec<(f64, u64)>, part: f64) -> Option<Value> {
    for (value, _) in &mut counts {
        *value = four_digits(*value / part);
    }
    (!counts.is_empty()).then_some(Value::Distribution(counts))
}

/// A number with four digits of its own: more would say more than a bucket knows.
fn four_digits(value: f64) -> f64 {
    if value == 0.0 {
        return value;
    }
    // A hundred for 12.34, one for 1,234.
    let scale = 10_f64.powi(3 - value.log10().floor() as i32);
    (value * scale).round() / scale
}

/// Milliseconds with whole microseconds.
fn millis(duration: std::time::Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::four_digits;

    #[test]
    fn numbers_are_cut_to_four_digits() {
        for (value, cut) in [
            (0.0, 0.0),
            (1234.5, 1235.0),
            (17.448, 17.45),
            (0.012_345, 0.012_35),
        ] {
            assert!((four_digits(value) - cut).abs() < 1e-9, "{value}");
        }
    }
}

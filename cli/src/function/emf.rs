//! Lines in CloudWatch's embedded metric format, as a function writes them to its standard output. Read by `measured`.
//!
//! The format: one JSON object a line. `_aws.CloudWatchMetrics` lists the names of dimensions and metrics; their values are
//! members of the object itself. A value is a number, several of them, or `Values` with their `Counts`.

use std::collections::BTreeMap;

use msk_mapping::{LogLine, LogStream};
use serde::Deserialize;
use serde_json::{Map, Value};

/// So many values of a metric are read. CloudWatch takes 100.
const VALUES_MAX: usize = 1_000;

/// The values of a metric, each with how often it was seen.
pub(crate) type Values = Vec<(f64, u64)>;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Emf {
    pub(crate) dimensions: BTreeMap<String, String>,
    pub(crate) metrics: BTreeMap<String, Values>,
    /// The lag in time of each partition, in milliseconds, if partitions are properties.
    pub(crate) lags: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "_aws")]
    metadata: Metadata,
    #[serde(flatten)]
    members: Map<String, Value>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "CloudWatchMetrics")]
    directives: Vec<Directive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    #[serde(default)]
    dimensions: Vec<Vec<String>>,
    #[serde(default)]
    metrics: Vec<Definition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: String,
}

/// None: it is no line of metrics. On Lambda both streams go to the log; here the standard output alone is read.
pub(crate) fn of(line: &LogLine) -> Option<Emf> {
    (line.stream == LogStream::Stdout)
        .then(|| read(&line.text))
        .flatten()
}

/// None: it is no line of metrics.
pub(crate) fn read(line: &str) -> Option<Emf> {
    // Most lines are others.
    if !line.trim_start().starts_with('{') || !line.contains("\"CloudWatchMetrics\"") {
        return None;
    }
    let Document { metadata, members } = serde_json::from_str(line).ok()?;
    let mut read = Emf {
        dimensions: BTreeMap::new(),
        metrics: BTreeMap::new(),
        lags: lags(&members),
    };
    for directive in metadata.directives {
        for name in directive.dimensions.into_iter().flatten() {
            if let Some(Value::String(value)) = members.get(&name) {
                read.dimensions.insert(name, value.clone());
            }
        }
        for Definition { name } in directive.metrics {
            if let Some(values) = members.get(&name).and_then(values) {
                read.metrics.insert(name, values);
            }
        }
    }
    Some(read)
}

impl Emf {
    /// The sum of a metric's values. None: the line does not have it.
    pub(crate) fn sum(&self, name: &str) -> Option<f64> {
        let values = self.metrics.get(name)?;
        #[expect(clippy::cast_precision_loss, reason = "counts of one invocation")]
        let sum = values.iter().map(|(value, count)| value * *count as f64);
        Some(sum.sum())
    }

    /// The greatest of a metric's values. None: the line does not have it.
    pub(crate) fn greatest(&self, name: &str) -> Option<f64> {
        let values = self.metrics.get(name)?.iter();
        values.map(|(value, _)| *value).reduce(f64::max)
    }
}

/// What the framework writes beside the metrics of a topic: `"Partitions":{"0":{"TimeLagMs":5}}`.
fn lags(members: &Map<String, Value>) -> BTreeMap<String, f64> {
    let partitions = members.get("Partitions").and_then(Value::as_object);
    let partitions = partitions.into_iter().flatten();
    let lag = |(partition, of): (&String, &Value)| {
        Some((partition.clone(), of.get("TimeLagMs")?.as_f64()?))
    };
    partitions.filter_map(lag).collect()
}

/// None: it is no value of a metric.
fn values(value: &Value) -> Option<Values> {
    match value {
        Value::Number(number) => Some(vec![(number.as_f64()?, 1)]),
        Value::Array(numbers) => numbers
            .iter()
            .take(VALUES_MAX)
            .map(|number| Some((number.as_f64()?, 1)))
            .collect(),
        Value::Object(set) => {
            let numbers = set.get("Values")?.as_array()?;
            let counts = set.get("Counts")?.as_array()?;
            let pairs = numbers.iter().zip(counts).take(VALUES_MAX);
            pairs
                .map(|(number, count)| Some((number.as_f64()?, count.as_u64()?)))
                .collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn dimensions_and_metrics_are_the_members_that_the_directive_names() {
        let line = r#"{"_aws":{"Timestamp":1764212926000,"CloudWatchMetrics":[{"Namespace":"lambda-msk","Dimensions":[["Consumer","Topic"]],"Metrics":[{"Name":"Done","Unit":"Count"},{"Name":"HandlerMs","Unit":"Milliseconds"},{"Name":"AgeMs"}]}]},"level":"INFO","Consumer":"shop","Topic":"orders","partitions":[0,1],"Done":3,"HandlerMs":{"Values":[1.5,20],"Counts":[2,1]},"AgeMs":[4,5],"Other":9}"#;

        let emf = read(line).unwrap();

        let dimensions: Vec<(&str, &str)> = emf
            .dimensions
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(dimensions, [("Consumer", "shop"), ("Topic", "orders")]);
        assert_eq!(emf.sum("Done"), Some(3.0));
        assert_eq!(emf.sum("HandlerMs"), Some(23.0));
        assert_eq!(emf.greatest("AgeMs"), Some(5.0));
        assert_eq!(emf.sum("Other"), None);
    }

    #[test]
    fn a_line_that_is_not_in_the_format_is_none_of_metrics() {
        for line in [
            "",
            r#"{"CloudWatchMetrics":[]}"#,
            r#"{"_aws":{"CloudWatchMetrics":3}}"#,
            r#"{"message":"the \"CloudWatchMetrics\" of a line"}"#,
            r#"{"_aws":{"CloudWatchMetrics":[]}"#,
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn a_value_that_is_no_number_is_left_out() {
        let line = r#"{"_aws":{"CloudWatchMetrics":[{"Metrics":[{"Name":"A"},{"Name":"B"},{"Name":"C"}]}]},"A":"3","B":{"Values":[1],"Counts":[-1]}}"#;

        assert!(read(line).unwrap().metrics.is_empty());
    }
}

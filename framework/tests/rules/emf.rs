//! What the tests of metrics share: lines that are kept, and held against AWS's schema.

use std::io;
use std::sync::{Arc, Mutex};

use lambda_msk::metrics::Emf;
use serde_json::Value;

/// What every write of metrics held.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<Vec<u8>>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    pub(crate) fn emf(&self) -> Emf {
        Emf::namespace("shop/orders").output(self.clone())
    }

    pub(crate) fn writes(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// All lines so far, each valid.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().concat()).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines().map(valid).collect()
    }

    /// The one line.
    pub(crate) fn line(&self) -> Value {
        let [line] = self.lines().try_into().unwrap();
        line
    }
}

/// A line, held against AWS's schema and the rules in the text around it.
pub(crate) fn valid(line: &str) -> Value {
    let schema: Value = serde_json::from_str(include_str!("../emf.schema.json")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    jsonschema::draft7::new(&schema)
        .unwrap()
        .validate(&line)
        .unwrap();
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    for directive in directives {
        for name in directive["Dimensions"].as_array().unwrap() {
            for name in name.as_array().unwrap() {
                assert!(line[name.as_str().unwrap()].is_string(), "{name}");
            }
        }
        for metric in directive["Metrics"].as_array().unwrap() {
            let value = &line[metric["Name"].as_str().unwrap()];
            assert!(value.is_number() || is_distribution(value), "{metric}");
        }
    }
    line
}

fn is_distribution(value: &Value) -> bool {
    let (values, counts) = distribution(value);
    let ascend = values.is_sorted_by(|low, high| low < high);
    let counted = counts.iter().all(|count| *count > 0);
    values.len() == counts.len() && (1..=100).contains(&values.len()) && ascend && counted
}

/// Values and counts.
pub(crate) fn distribution(value: &Value) -> (Vec<f64>, Vec<u64>) {
    let values = value["Values"].as_array().unwrap().iter();
    let counts = value["Counts"].as_array().unwrap().iter();
    (
        values.map(|value| value.as_f64().unwrap()).collect(),
        counts.map(|count| count.as_u64().unwrap()).collect(),
    )
}

/// These members of a line, as numbers.
pub(crate) fn numbers<const N: usize>(line: &Value, names: [&str; N]) -> [f64; N] {
    names.map(|name| {
        let value = line[name].as_f64();
        value.unwrap_or_else(|| panic!("{name} of {line}"))
    })
}

pub(crate) const OUTCOMES: [&str; 5] = ["Done", "Skipped", "Rejected", "Failed", "Unreached"];

//! The settings of metrics and of log lines about records. Called by `settings` and `builder`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::ConfigurationFault;
use crate::metrics::{Emitter, Form, Metrics, MetricsBy, check_namespace, level_of};
use crate::report::LogRecords;
use crate::settings::{Origin, Setting, Settings, VariableReader, one_of, shown};

/// The namespace in Lambda, if nothing is set.
const NAMESPACE_DEFAULT: &str = "lambda-msk";

/// What Lambda sets in every function, or in those of its managed runtimes.
const IN_LAMBDA: [&str; 2] = ["AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_EXECUTION_ENV"];

/// Lambda's setting for the level below which it drops lines.
const LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";

impl Settings {
    pub(super) fn read_seen(&mut self, reader: &mut VariableReader<'_>) {
        reader.read("METRICS", &mut self.metrics, |text| match text {
            "none" => Ok(None),
            text => match text.strip_prefix("emf:") {
                None => Err(format!(
                    "expected `emf:NAMESPACE` or `none`, found {}",
                    shown(text)
                )),
                Some(namespace) => check_namespace(namespace)
                    .map(|()| Some(namespace.into()))
                    .map_err(|reason| format!("{reason}, found {}", shown(namespace))),
            },
        });
        reader.read("METRICS_BY", &mut self.metrics_by, |text| {
            let allowed = [
                ("topic", MetricsBy::Topic),
                ("partition", MetricsBy::Partition),
            ];
            one_of(text, &allowed)
        });
        reader.read("LOG_RECORDS", &mut self.log_records, |text| {
            let allowed = [
                ("failed", LogRecords::Failed),
                ("all", LogRecords::All),
                ("none", LogRecords::None),
            ];
            one_of(text, &allowed)
        });
    }

    /// Takes what code says of metrics.
    pub(crate) fn metrics_by_code(&mut self, metrics: Metrics) {
        let Metrics::Emf(emf) = metrics else {
            return self.metrics.by_code(None);
        };
        self.metrics.by_code(Some(emf.namespace));
        if let Some(by) = emf.by {
            self.metrics_by.by_code(by);
        }
        self.metrics_output = emf.output;
    }

    /// Metrics are on by default in Lambda, and nowhere else. `names` are those of the variables that are set.
    pub(crate) fn default_metrics<'n>(&mut self, mut names: impl Iterator<Item = &'n str>) {
        if self.metrics.origin == Origin::Default && names.any(|name| IN_LAMBDA.contains(&name)) {
            self.metrics = Setting::default(Some(Arc::from(NAMESPACE_DEFAULT)));
        }
    }

    pub(super) fn check_seen(&self, faults: &mut Vec<ConfigurationFault>) {
        let Setting { value, origin, .. } = &self.metrics;
        if let (Origin::Code, Some(namespace)) = (origin, value)
            && let Err(reason) = check_namespace(namespace)
        {
            let reason = format!("{reason}, found {}", shown(namespace));
            faults.push(ConfigurationFault::new(".metrics(…)", reason));
        }
    }

    /// *None: there are no metrics.*
    pub(crate) fn emitter(&self, variables: &BTreeMap<String, String>) -> Option<Emitter> {
        let namespace = self.metrics.value.clone()?;
        let level = variables.get(LEVEL).cloned();
        let level = level.or_else(|| std::env::var(LEVEL).ok());
        let form = Form {
            namespace,
            by: self.metrics_by.value,
            level: level_of(level.as_deref()),
        };
        Some(Emitter::new(form, self.metrics_output.clone()))
    }
}

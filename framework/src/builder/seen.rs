//! What is seen of a consumer from outside: metrics, and log lines about records. Part of `builder`.

use crate::builder::Builder;
use crate::metrics::Metrics;
use crate::report::LogRecords;

impl<S: Send + Sync + 'static> Builder<S> {
    /// Sets the metrics of each invocation (`LAMBDA_MSK_METRICS`, `LAMBDA_MSK_METRICS_BY`): an [`Emf`](crate::metrics::Emf), or [`Metrics::None`]. Default: `emf:lambda-msk` in Lambda, none elsewhere.
    pub fn metrics(mut self, metrics: impl Into<Metrics>) -> Self {
        self.settings.metrics_by_code(metrics.into());
        self
    }

    /// Sets which records have a log line of their own (`LAMBDA_MSK_LOG_RECORDS`).
    pub fn log_records(mut self, records: LogRecords) -> Self {
        self.settings.log_records.by_code(records);
        self
    }

    /// The names of the variables that tell where the consumer runs: those that were given, or else the environment's.
    pub(super) fn names(&self, environment: impl Iterator<Item = String>) -> Vec<String> {
        match self.reads_variables {
            true => self.variables.keys().cloned().collect(),
            false => environment.collect(),
        }
    }
}

//! Settings that code has set more than once. Called by `log`.

use crate::settings::Settings;

impl Settings {
    /// What code has set more than once, by its method: only the last one counts.
    pub(crate) fn repeated(&self) -> Vec<&'static str> {
        let settings = [
            (self.destination.repeated, ".on_failure(…)"),
            (self.overflow.repeated, ".overflow(…)"),
            (self.idempotency.repeated, ".idempotency(…)"),
            (self.progress.repeated, ".progress(…)"),
            (self.when_store_fails.repeated, ".when_store_fails(…)"),
            (self.per_record.repeated, ".per_record(…)"),
            (self.guarantee.repeated, ".guarantee(…)"),
            (self.failure_reporting.repeated, ".failure_reporting(…)"),
            (self.order.repeated, ".order(…)"),
            (self.null_keys.repeated, ".null_keys(…)"),
            (self.concurrency.repeated, ".concurrency(…)"),
            (self.attempts.repeated, ".attempts(…)"),
            (self.when_exhausted.repeated, ".when_exhausted(…)"),
            (self.deadline_margin.repeated, ".deadline_margin(…)"),
            (self.namespace.repeated, ".namespace(…)"),
            (self.cluster.repeated, ".cluster(…)"),
            (self.schema_registry.repeated, ".schemas(…)"),
            (self.metrics.repeated, ".metrics(…)"),
            (self.log_records.repeated, ".log_records(…)"),
            (self.traces.repeated, ".traces(…)"),
        ];
        let repeated = settings.into_iter().filter(|(repeated, _)| *repeated);
        repeated.map(|(_, method)| method).collect()
    }
}

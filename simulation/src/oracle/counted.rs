//! *Counted:* the five outcomes that an invocation's metrics count add up to the records that it was given, and its retries to the starts of handlers beyond each record's first.

use crate::fact::InvocationId;
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

impl Judge<'_> {
    pub(super) fn counts_all(&mut self, invocation: InvocationId, counted: u64, retried: u64) {
        let given = self.model.invocations[&invocation].records.len() as u64;
        if counted != given {
            let text = format!(
                "the metrics of invocation {invocation} count {counted} records, and it was given {given}"
            );
            self.broken(Invariant::Counted, text);
        }
        self.counts_retries(invocation, retried);
    }

    fn counts_retries(&mut self, invocation: InvocationId, retried: u64) {
        let of = &self.model.invocations[&invocation];
        let (starts, records) = (of.starts, of.started.len() as u64);
        if retried != starts - records {
            let text = format!(
                "the metrics of invocation {invocation} count {retried} retries, and it has started handlers {starts} times for {records} records"
            );
            self.broken(Invariant::Counted, text);
        }
    }
}

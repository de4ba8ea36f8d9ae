//! *Counted:* the five outcomes that an invocation's metrics count add up to the records that it was given.

use crate::fact::InvocationId;
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

impl Judge<'_> {
    pub(super) fn counts_all(&mut self, invocation: InvocationId, counted: u64) {
        let given = self.model.invocations[&invocation].records.len() as u64;
        if counted != given {
            let text = format!(
                "the metrics of invocation {invocation} count {counted} records, and it was given {given}"
            );
            self.broken(Invariant::Counted, text);
        }
    }
}

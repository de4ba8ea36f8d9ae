//! *Live:* when faults end, the lag is 0 within a bound; and a partition is given back as soon as its own records are settled.

use crate::fact::InvocationId;
use crate::oracle::judge::Judge;
use crate::oracle::violation::Invariant;

/// From a partition's last settling to its giving back, where nothing is slow: a write that is on its way, and the last one.
const HANDOVER_MS: u64 = 500;

impl Judge<'_> {
    pub(super) fn all_done(&mut self, lag: usize) {
        if lag > 0 {
            let text = format!("{lag} records are not committed long after the last fault");
            self.broken(Invariant::Live, text);
            return;
        }
        self.none_left();
    }

    pub(super) fn hands_over(&mut self, invocation: InvocationId) {
        let of = &self.model.invocations[&invocation];
        if of.faulted {
            return;
        }
        let mut late = Vec::new();
        for (partition, hold) in &of.holds {
            let mut records = of
                .records
                .iter()
                .filter(|record| self.model.records[record].partition == *partition);
            // Of a partition with a record that failed, or was skipped as its turn came, it cannot be seen from here when its lanes had ended.
            let settled = |record| Some(of.settled.get(record)?.1);
            let last = records.try_fold(hold.taken_ms, |last, record| {
                Some(last.max(settled(record)?))
            });
            let Some(last) = last else { continue };
            // A slow destination may have left none.
            if !self.leaves_time(invocation, last) {
                continue;
            }
            if hold
                .given_back_ms
                .is_none_or(|at| at > last + HANDOVER_MS + self.slack_ms())
                && !hold.superseded
            {
                late.push((*partition, last));
            }
        }
        for (partition, last) in late {
            let text = format!(
                "invocation {invocation} had settled all of orders-{partition} at {last} ms, and did not give it back then"
            );
            self.broken(Invariant::Live, text);
        }
    }
}

//! *Halved:* one record that fails its calls costs few of them beside the tries of its chunk and its own, and its neighbours end as they would without it: done, but for those behind it in its lane if it has failed.
//!
//! Asked of a chunk whose calls have failed because of one record alone, and of which nothing else was said.

use crate::fact::{How, InvocationId, RecordId, What};
use crate::oracle::accounts::Chunk;
use crate::oracle::judge::Judge;
use crate::oracle::terms::Ledger;
use crate::oracle::violation::Invariant;

/// An invocation that has answered within this part of its time has had time for whatever was to run.
const IN_TIME_PART: u64 = 4;

impl Judge<'_> {
    /// Whatever a chunk has to do with.
    pub(super) fn halves(&mut self, what: &What) {
        match what {
            What::Called {
                invocation,
                records,
                ..
            } => self.is_called(*invocation, records),
            What::Spoiled {
                invocation,
                call,
                record,
                nobodys_fault,
            } => self.is_spoiled(*invocation, (*call, *record), *nobodys_fault),
            What::Ended {
                invocation,
                record,
                how,
            } => self.ends_in_call(*invocation, *record, *how),
            // What is left of a chunk may be cut in other places.
            What::Looked {
                invocation,
                panics: true,
                ..
            }
            | What::Unread { invocation, .. } => {
                self.chunks.mixed.insert(*invocation);
            }
            What::Answered { invocation, .. } => self.neighbours_are_done(*invocation),
            _ => {}
        }
    }

    /// A call with several records.
    fn is_called(&mut self, invocation: InvocationId, records: &[RecordId]) {
        let Some(first) = records.first() else {
            return;
        };
        let chunks = self.chunks.of.entry(invocation).or_default();
        let Some(chunk) = chunks
            .iter_mut()
            .find(|chunk| chunk.records.contains(first))
        else {
            chunks.push(Chunk {
                records: records.iter().copied().collect(),
                calls: 1,
                ..Chunk::default()
            });
            return;
        };
        chunk.is_mixed |= !records.iter().all(|record| chunk.records.contains(record));
        if records.len() == 1 && chunk.culprit() == Some(*first) {
            chunk.stood_alone = true;
            return;
        }
        chunk.calls += 1;
        let (size, calls) = (chunk.records.len(), chunk.calls);
        let levels = u64::from(size.next_power_of_two().ilog2());
        let most = u64::from(self.terms.pace.attempts) + 2 * levels;
        let Some(culprit) = chunk.culprit() else {
            return;
        };
        let is_asked = self.terms.pace.attempts > 0 && !self.chunks.mixed.contains(&invocation);
        if is_asked && calls > most {
            let text = format!(
                "invocation {invocation} has made {calls} calls because of {} in a chunk of {size}, beside those of that record alone: expected at most {most}",
                self.name(culprit)
            );
            self.broken(Invariant::Halved, text);
        }
    }

    fn is_spoiled(
        &mut self,
        invocation: InvocationId,
        (call, record): (u64, RecordId),
        nobodys_fault: bool,
    ) {
        self.chunks.spoiled.insert((invocation, call));
        if let Some(chunk) = self.chunks.chunk(invocation, record) {
            chunk.culprits.insert(record);
            chunk.is_mixed |= nobodys_fault;
        }
    }

    /// What was said of a record by itself, or a call that was dropped.
    fn ends_in_call(&mut self, invocation: InvocationId, record: RecordId, how: How) {
        let call = self.model.invocations.get(&invocation);
        let call = call.and_then(|of| of.called.get(&record));
        let is_spoiled =
            call.is_some_and(|call| self.chunks.spoiled.contains(&(invocation, *call)));
        if how == How::Ok || is_spoiled {
            return;
        }
        if let Some(chunk) = self.chunks.chunk(invocation, record) {
            chunk.is_mixed |= chunk.culprit() != Some(record);
        }
    }

    /// The answer leaves.
    fn neighbours_are_done(&mut self, invocation: InvocationId) {
        let chunks = self.chunks.of.remove(&invocation).unwrap_or_default();
        let of = &self.model.invocations[&invocation];
        let time = self.terms.pace.timeout_ms / IN_TIME_PART;
        let is_disturbed = of.faulted
            || of.held_up
            || of.killed
            || of.holds.values().any(|hold| hold.superseded)
            || self.chunks.mixed.contains(&invocation);
        let is_asked = self.now_ms < of.delivered_ms + time && !is_disturbed;
        let found = chunks.iter().filter(|chunk| is_asked && chunk.stood_alone);
        let mut faults = Vec::new();
        for chunk in found {
            let Some(culprit) = chunk.culprit() else {
                continue;
            };
            let lane =
                |record: RecordId| self.terms.order.lane(record, &self.model.records[&record]);
            let offset = |record: RecordId| self.model.records[&record].offset;
            let has_failed = self.is_open(invocation, culprit);
            for record in chunk.records.iter().copied() {
                let is_behind = lane(record) == lane(culprit) && offset(record) > offset(culprit);
                let is_lost = self.terms.ledger == Ledger::PerRecord
                    && self.model.records[&record].claimant != Some(invocation);
                let may_be_open = record == culprit || is_lost || is_behind && has_failed;
                if !may_be_open && self.is_open(invocation, record) {
                    faults.push(format!(
                        "invocation {invocation} has not done {}, a neighbour of {}, which stood alone",
                        self.name(record),
                        self.name(culprit)
                    ));
                }
            }
        }
        for text in faults {
            self.broken(Invariant::Halved, text);
        }
    }
}

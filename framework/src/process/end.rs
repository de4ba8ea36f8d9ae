//! How a record ended, what its lane came to, and what the batch: what `report` is made of.

use crate::failure::Reason;
use crate::idempotency::Refusal;
use crate::outcome::Outcome;
use crate::partition::TopicPartition;
use crate::record::Record;
use crate::report::{LongPoll, Overlooked, Problem, RecordReport};

/// How one record ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) attempts: u32,
    /// Boxed: of thousands of records hardly one has any.
    pub(super) problem: Option<Box<Problem>>,
}

impl End {
    pub(super) fn of(outcome: Outcome, attempts: u32, problem: Option<Problem>) -> Self {
        Self {
            outcome,
            attempts,
            problem: problem.map(Box::new),
        }
    }

    pub(super) fn unreached() -> Self {
        Self::of(Outcome::Unreached, 0, None)
    }

    /// Its tries are over. `why` says how.
    pub(super) fn failed(reason: &Reason, why: &str, attempts: u32) -> Self {
        let code = reason.code.unwrap_or("handler.failed");
        let message = format!("{} ({why})", reason.text);
        Self::of(Outcome::Failed, attempts, Some(Problem::new(code, message)))
    }

    /// Its handler was dropped at the deadline's margin.
    pub(super) fn dropped(attempts: u32) -> Self {
        let problem = Problem::new(
            "handler.dropped",
            "the handler was still running at the deadline's margin and was dropped: its effect may have happened",
        );
        Self::of(Outcome::Failed, attempts, Some(problem))
    }

    /// No store is heard while something holds the thread: then its silence is not its own.
    pub(super) fn beside(mut self, poll: Option<&LongPoll>) -> Self {
        if let (Some(poll), Some(problem)) = (poll, &mut self.problem)
            && self.attempts == 0
            && Refusal::is_code(&problem.code)
        {
            problem.message.push_str(&format!("; meanwhile {poll}"));
        }
        self
    }

    pub(super) fn report(self, record: Record) -> RecordReport {
        RecordReport {
            record,
            outcome: self.outcome,
            attempts: self.attempts,
            problem: self.problem,
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code, refusal.message)
    }
}

/// What a lane has come to. Records that are not in `ends` are Unreached.
#[derive(Default)]
pub(super) struct LaneEnd {
    pub(super) ends: Vec<(u32, End)>,
    pub(super) out_of_time: bool,
    /// *Some: how a record ended may not be recorded.*
    pub(super) unrecorded: Option<Problem>,
    /// *Some: records ran without the store, which failed.*
    pub(super) without_store: Option<String>,
}

/// What a batch has come to.
#[derive(Debug, Default)]
pub(super) struct BatchEnd {
    /// By the record's index. *None: it was not reached.*
    pub(super) ends: Vec<Option<End>>,
    pub(super) out_of_time: bool,
    pub(super) overlooked: Vec<Overlooked>,
    pub(super) unrecorded: Vec<(TopicPartition, Problem)>,
    pub(super) without_store: Vec<(TopicPartition, String)>,
}

impl BatchEnd {
    /// Takes in what the lane has come to, and leaves it empty for the next.
    pub(super) fn add(&mut self, at: &TopicPartition, lane: &mut LaneEnd) {
        for (index, end) in lane.ends.drain(..) {
            self.ends[index as usize] = Some(end);
        }
        self.out_of_time |= std::mem::take(&mut lane.out_of_time);
        // Lanes of one partition have one line together.
        if let Some(problem) = lane.unrecorded.take()
            && self.unrecorded.iter().all(|(said, _)| said != at)
        {
            self.unrecorded.push((at.clone(), problem));
        }
        if let Some(why) = lane.without_store.take()
            && self.without_store.iter().all(|(said, _)| said != at)
        {
            self.without_store.push((at.clone(), why));
        }
    }

    /// Nothing of the partition runs.
    pub(super) fn refuse(&mut self, lanes: &[&[u32]], refusal: &Refusal) {
        for index in lanes.iter().flat_map(|lane| lane.iter()) {
            let problem = Problem::new(refusal.code, refusal.message.as_str());
            let end = End::of(Outcome::Failed, 0, Some(problem));
            self.ends[*index as usize] = Some(end);
        }
    }
}

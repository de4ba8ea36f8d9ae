//! One lane: what comes next after each record. Decides; the leaves of `process` do.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::destination::DeadLetter;
use crate::failure::{Next, Reason, Rejection};
use crate::handler::Route;
use crate::idempotency::{Claim, ClaimEnd, Claims, Held, Recorder, Settled, Undone};
use crate::limits::{
    DEAD_LETTERS_PER_SEND_MAX, RETRY_AFTER_MS_MAX, RETRY_BACKOFF_BASE_MS, RETRY_BACKOFF_MAX_MS,
};
use crate::outcome::Outcome;
use crate::process::claimed::keeping;
use crate::process::turns::NotNow;
use crate::process::{End, Known, NotRun, Run, Taken, Tried, WhenExhausted};
use crate::record::Record;
use crate::report::Problem;

const RETRY_AFTER_MAX: Duration = Duration::from_millis(RETRY_AFTER_MS_MAX);

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

/// Records of a lane that are rejected before their handler and stand one behind the other: sent in one call.
#[derive(Default)]
struct Pending {
    indices: Vec<u32>,
    letters: Vec<DeadLetter>,
}

impl<'a> Run<'a> {
    /// Runs the records of a lane in order until one fails or time is up. How a claimed record has ended is recorded beside whatever the lane does next.
    pub(super) async fn run_lane(&self, lane: &[u32]) -> LaneEnd {
        let mut end = LaneEnd::default();
        end.ends.reserve_exact(lane.len());
        let recorder = Recorder::default();
        let records = self.run_records(lane, &recorder, &mut end);
        match &self.claims {
            Some(_) => recorder.beside(records).await,
            None => records.await,
        }
        if let Some(refusal) = recorder.refused() {
            end.unrecorded = Some(refusal.into());
        }
        end
    }

    async fn run_records<'r>(&'r self, lane: &[u32], recorder: &Recorder<'r>, end: &mut LaneEnd) {
        let mut pending = Pending::default();
        for &index in lane {
            self.turns.record().await;
            let record = &self.records[index as usize];
            if self.skips(record) {
                end.ends.push((index, End::of(Outcome::Skipped, 0, None)));
                continue;
            }
            if !self.has_room_after(Duration::ZERO) {
                end.out_of_time = true;
                break;
            }
            let (known, first) = match self.prepare(record) {
                Ok(ready) => ready,
                Err(NotRun::Unhandled(problem)) => {
                    if self.settle(&mut pending, end).await {
                        let over = End::of(Outcome::Failed, 0, Some(problem));
                        end.ends.push((index, over));
                    }
                    return;
                }
                Err(NotRun::Rejected(rejection)) => {
                    pending.indices.push(index);
                    pending.letters.push(self.letter(record, &rejection, 0));
                    let full = pending.letters.len() == DEAD_LETTERS_PER_SEND_MAX;
                    if full && !self.settle(&mut pending, end).await {
                        return;
                    }
                    continue;
                }
            };
            if !self.settle(&mut pending, end).await {
                return;
            }
            let claim = match self.begin(record, &known, recorder, end).await {
                Ok(claim) => claim,
                Err(over) => {
                    let settled = over.outcome.is_settled();
                    end.ends.push((index, over));
                    if settled {
                        continue;
                    }
                    return;
                }
            };
            // The destination or the store may have taken what time there was.
            if !self.has_room_after(Duration::ZERO) {
                end.out_of_time = true;
                break;
            }
            let run = self.run_record(record, known.route, first, claim.as_deref());
            let over = keeping(claim.as_deref(), run).await;
            if let Some(claim) = claim {
                over.hand_over(claim);
                recorder.under_way().await;
            }
            end.out_of_time |= over.outcome == Outcome::Unreached;
            let settled = over.outcome.is_settled();
            end.ends.push((index, over));
            if !settled {
                return;
            }
        }
        self.settle(&mut pending, end).await;
    }

    /// *Err: its handler will not run.*
    fn prepare(&self, record: &Record) -> Result<(Known<'a>, Taken), NotRun> {
        let known = self.know(record)?;
        let first = self.take(record, known.route, 1)?;
        Ok((known, first))
    }

    /// Whether the record's handler may start. *Err: how it ended without.*
    async fn begin<'l, 'r>(
        &'r self,
        record: &Record,
        known: &Known<'_>,
        recorder: &'l Recorder<'r>,
        end: &mut LaneEnd,
    ) -> Result<Option<Held<'l, 'r>>, End> {
        match (&self.claims, &known.key) {
            (Some(claims), Some(key)) => self.claim(claims, key, record, recorder, end).await,
            _ => Ok(None),
        }
    }

    /// Sends what is pending. False: a record of it failed, so the lane stops.
    async fn settle(&self, pending: &mut Pending, end: &mut LaneEnd) -> bool {
        let Pending { indices, letters } = std::mem::take(pending);
        if letters.is_empty() {
            return true;
        }
        let ends = match &self.claims {
            Some(claims) => self.deliver_unclaimed(claims, letters, end).await,
            None => self.deliver(&letters).await,
        };
        let settled = ends.iter().all(|end| end.outcome.is_settled());
        end.ends.extend(indices.into_iter().zip(ends));
        settled
    }

    /// Tries one record until it is done, rejected, or Failed.
    async fn run_record(
        &self,
        record: &Record,
        route: &'a Route,
        first: Taken,
        claim: Option<&Claim<'_>>,
    ) -> End {
        let attempts_max = route.attempts.unwrap_or(self.processor.attempts);
        let mut tries = Tries::default();
        let mut next = first;
        let mut before: Option<Reason> = None;
        loop {
            match (self.turn(record, claim).await, before) {
                (Ok(()), _) => {}
                (Err(NotNow::Lost(problem)), _) => {
                    return End::of(Outcome::Failed, tries.started, Some(problem));
                }
                (Err(NotNow::Settled), _) => return End::of(Outcome::Skipped, tries.started, None),
                (Err(NotNow::NoTime), None) => return End::unreached(),
                (Err(NotNow::NoTime), Some(reason)) => {
                    return failed(&reason, NO_TIME, tries.started);
                }
            }
            let reason = match self.try_once_more(record, next, claim, &mut tries).await {
                ControlFlow::Continue(reason) => reason,
                ControlFlow::Break(over) => return over,
            };
            if reason.next == Next::Reject {
                let code = reason.code.unwrap_or(Rejection::BY_HANDLER);
                let rejection = Rejection::new(code, reason.text);
                return self.reject(record, &rejection, tries.started).await;
            }
            if tries.made >= attempts_max {
                return self.exhausted(record, &reason, tries).await;
            }
            let wait = back_off(tries.made).max(reason.after.unwrap_or_default());
            if wait > RETRY_AFTER_MAX || !self.has_room_after(wait) {
                return failed(&reason, NO_TIME, tries.started);
            }
            // A place is for what runs, not for what waits.
            self.places.outside(tokio::time::sleep(wait)).await;
            next = match self.take(record, route, tries.made + 1) {
                Ok(taken) => taken,
                Err(rejection) => return self.reject(record, &rejection, tries.started).await,
            };
            before = Some(reason);
        }
    }

    /// One try; its claim is told how far it came. *Break: the record has ended. Continue: why it was not done.*
    async fn try_once_more(
        &self,
        record: &Record,
        next: Taken,
        claim: Option<&Claim<'_>>,
        tries: &mut Tries,
    ) -> ControlFlow<End, Reason> {
        let stands = |end| claim.into_iter().for_each(|claim| claim.ends(end));
        tries.made += 1;
        let run = match next {
            Ok(run) => run,
            // An extractor has panicked: the handler is not started.
            Err(reason) => return ControlFlow::Continue(reason),
        };
        tries.started += 1;
        stands(ClaimEnd::Released(None));
        match self.try_once(record, run).await {
            Tried::Done => {
                self.remember(record, Settled::Done);
                ControlFlow::Break(End::of(Outcome::Done, tries.started, None))
            }
            Tried::Failed(reason, undone) => {
                stands(ClaimEnd::Released(Some(undone)));
                ControlFlow::Continue(reason)
            }
            Tried::Dropped => {
                stands(ClaimEnd::Released(Some(Undone::Dropped)));
                ControlFlow::Break(dropped(tries.started))
            }
        }
    }

    async fn exhausted(&self, record: &Record, reason: &Reason, tries: Tries) -> End {
        let never_again = self.claims.as_ref().is_some_and(Claims::is_at_most_once);
        match self.processor.when_exhausted {
            WhenExhausted::Fail if never_again && tries.started > 0 => {
                let code = reason.code.unwrap_or(Rejection::AT_MOST_ONCE);
                let why = "it was started once, and at most once is its guarantee";
                let rejection = Rejection::new(code, format!("{} ({why})", reason.text));
                self.reject(record, &rejection, tries.started).await
            }
            WhenExhausted::Fail => failed(reason, &tries.to_string(), tries.started),
            WhenExhausted::Reject => {
                let code = reason.code.unwrap_or(Rejection::EXHAUSTED);
                let message = format!("{} ({tries})", reason.text);
                let rejection = Rejection::new(code, message);
                self.reject(record, &rejection, tries.started).await
            }
        }
    }

    pub(super) async fn reject(
        &self,
        record: &Record,
        rejection: &Rejection,
        attempts: u32,
    ) -> End {
        let letter = self.letter(record, rejection, attempts);
        let ends = self.deliver(std::slice::from_ref(&letter)).await;
        // `deliver` answers with one end for each letter.
        ends.into_iter().next().unwrap_or_else(End::unreached)
    }

    fn letter(&self, record: &Record, rejection: &Rejection, attempts: u32) -> DeadLetter {
        DeadLetter::new(
            record.clone(),
            rejection.code,
            rejection.message.clone(),
            attempts,
            self.invocation,
        )
    }
}

/// How often a record was tried in this invocation.
#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    made: u32,
    /// Of these, how often its handler was started: an extractor that panics comes before.
    started: u32,
}

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.made {
            1 => f.write_str("it was tried once")?,
            made => write!(f, "it was tried {made} times")?,
        }
        match self.started {
            0 => f.write_str(", and its handler was not started"),
            _ => Ok(()),
        }
    }
}

const NO_TIME: &str = "no time is left for another try";

fn failed(reason: &Reason, why: &str, attempts: u32) -> End {
    let code = reason.code.unwrap_or("handler.failed");
    let message = format!("{} ({why})", reason.text);
    End::of(Outcome::Failed, attempts, Some(Problem::new(code, message)))
}

fn dropped(attempts: u32) -> End {
    let problem = Problem::new(
        "handler.dropped",
        "the handler still ran at the deadline's margin and was dropped: its effect may have happened",
    );
    End::of(Outcome::Failed, attempts, Some(problem))
}

/// Full jitter: anything up to a bound that doubles with each try, so that many functions do not come back at once.
fn back_off(attempt: u32) -> Duration {
    let doublings = (attempt - 1).min(u64::BITS - 1);
    let bound = RETRY_BACKOFF_BASE_MS
        .saturating_mul(1 << doublings)
        .min(RETRY_BACKOFF_MAX_MS);
    Duration::from_millis(fastrand::u64(0..=bound))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::back_off;

    #[test]
    fn a_wait_is_anything_up_to_a_bound_that_doubles() {
        let bounds = [
            (1, 100),
            (2, 200),
            (3, 400),
            (7, 6_400),
            (8, 10_000),
            (100, 10_000),
        ];

        for (attempt, bound_ms) in bounds {
            let waits: Vec<Duration> = (0..1_000).map(|_| back_off(attempt)).collect();

            let longest = waits.iter().max().unwrap();
            let shortest = waits.iter().min().unwrap();
            // Of a thousand, one at least lies in each tenth.
            assert!(
                *longest <= Duration::from_millis(bound_ms),
                "{attempt}: {longest:?}"
            );
            assert!(
                *longest >= Duration::from_millis(bound_ms * 9 / 10),
                "{attempt}: {longest:?}"
            );
            assert!(
                *shortest <= Duration::from_millis(bound_ms / 10),
                "{attempt}: {shortest:?}"
            );
        }
    }
}

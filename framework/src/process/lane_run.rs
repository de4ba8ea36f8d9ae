//! One lane: what comes next after each record. Decides; the leaves of `process` do.

use std::sync::Arc;
use std::time::Duration;

use crate::destination::DeadLetter;
use crate::failure::{Failure, Next, Rejection};
use crate::handler::{Prepared, Route};
use crate::idempotency::{Claim, ClaimEnd, Claims, Settled};
use crate::limits::{
    DEAD_LETTERS_PER_SEND_MAX, RETRY_AFTER_MS_MAX, RETRY_BACKOFF_BASE_MS, RETRY_BACKOFF_MAX_MS,
};
use crate::outcome::Outcome;
use crate::process::claimed::{Ended, keeping};
use crate::process::{Before, End, Run, Tried, WhenExhausted};
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
    /// Runs the records of a lane in order until one fails or time is up.
    pub(super) async fn run_lane(&self, lane: &[u32]) -> LaneEnd {
        let mut end = LaneEnd::default();
        end.ends.reserve_exact(lane.len());
        let mut ended = None;
        self.run_records(lane, &mut end, &mut ended).await;
        self.record(ended, &mut end).await;
        end
    }

    /// `ended` is the claim of the record that ran last, until its end is recorded.
    async fn run_records<'r>(
        &'r self,
        lane: &[u32],
        end: &mut LaneEnd,
        ended: &mut Option<Ended<'r>>,
    ) {
        let mut pending = Pending::default();
        for &index in lane {
            // A handler that never waits would keep the other lanes from their turn.
            tokio::task::consume_budget().await;
            let record = &self.records[index as usize];
            if self.skips(record) {
                end.ends.push((index, End::of(Outcome::Skipped, 0, None)));
                continue;
            }
            if !self.has_room_after(Duration::ZERO) {
                end.out_of_time = true;
                break;
            }
            let (route, first, key) = match self.prepare(record, 1) {
                Before::Rejected(rejection) => {
                    pending.indices.push(index);
                    pending.letters.push(self.letter(record, &rejection, 0));
                    let full = pending.letters.len() == DEAD_LETTERS_PER_SEND_MAX;
                    if full && !self.settle(&mut pending, end).await {
                        return;
                    }
                    continue;
                }
                Before::Ready(route, prepared, key) => (route, Ok(prepared), key),
                Before::Failed(route, failure) => (route, Err(failure), None),
                Before::Unhandled(problem) => {
                    if self.settle(&mut pending, end).await {
                        let over = End::of(Outcome::Failed, 0, Some(problem));
                        end.ends.push((index, over));
                    }
                    return;
                }
            };
            if !self.settle(&mut pending, end).await {
                return;
            }
            let claim = match self.begin(record, key, ended.take(), end).await {
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
                *ended = claim.map(|claim| (claim, ClaimEnd::Unstarted));
                end.out_of_time = true;
                break;
            }
            let run = self.run_record(record, route, first, claim.as_ref());
            let over = keeping(claim.as_ref(), run).await;
            let settled = over.outcome.is_settled();
            *ended = claim.map(|claim| (claim, over.of_claim()));
            end.ends.push((index, over));
            if !settled {
                return;
            }
        }
        self.settle(&mut pending, end).await;
    }

    /// Whether the record's handler may start. *Err: how it ended without.*
    async fn begin<'r>(
        &'r self,
        record: &Record,
        key: Option<Arc<str>>,
        before: Option<Ended<'r>>,
        end: &mut LaneEnd,
    ) -> Result<Option<Claim<'r>>, End> {
        let failed = |problem| End::of(Outcome::Failed, 0, Some(problem));
        self.may_start(record).await.map_err(failed)?;
        match (&self.claims, key) {
            (Some(claims), Some(key)) => self.claim(claims, key, record, before, end).await,
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
        first: Result<Prepared, Failure>,
        claim: Option<&Claim<'_>>,
    ) -> End {
        let attempts_max = route.attempts.unwrap_or(self.processor.attempts);
        let mut attempt = 1;
        let mut next = first;
        loop {
            let failure = match next {
                Err(failure) => failure,
                Ok(prepared) => match self.try_once(route, prepared).await {
                    Tried::Failed(failure) => failure,
                    Tried::Done => {
                        self.remember(record, Settled::Done);
                        return End::of(Outcome::Done, attempt, None);
                    }
                    Tried::Dropped => return dropped(attempt),
                },
            };
            if failure.next() == Next::Reject {
                let code = failure.given_code().unwrap_or(Rejection::BY_HANDLER);
                let rejection = Rejection::new(code, failure.text());
                return self.reject(record, &rejection, attempt).await;
            }
            if attempt >= attempts_max {
                return self.exhausted(record, &failure, attempt).await;
            }
            let wait = back_off(attempt).max(failure.wait().unwrap_or_default());
            if wait > RETRY_AFTER_MAX || !self.has_room_after(wait) {
                return failed(&failure, "no time is left for another try", attempt);
            }
            tokio::time::sleep(wait).await;
            let held = match claim {
                Some(claim) => claim.may_start().await.map_err(Problem::from),
                None => self.may_start(record).await,
            };
            if let Err(problem) = held {
                return End::of(Outcome::Failed, attempt, Some(problem));
            }
            // Another lane's run may have shown meanwhile how long a run can take.
            if !self.has_room_after(Duration::ZERO) {
                return failed(&failure, "no time is left for another try", attempt);
            }
            attempt += 1;
            next = match self.prepare(record, attempt) {
                Before::Ready(_, prepared, _) => Ok(prepared),
                Before::Failed(_, failure) => Err(failure),
                Before::Unhandled(problem) => {
                    return End::of(Outcome::Failed, attempt - 1, Some(problem));
                }
                Before::Rejected(rejection) => {
                    return self.reject(record, &rejection, attempt - 1).await;
                }
            };
        }
    }

    async fn exhausted(&self, record: &Record, failure: &Failure, attempts: u32) -> End {
        let why = match attempts {
            1 => "it was tried once".to_owned(),
            _ => format!("it was tried {attempts} times"),
        };
        let never_again = self.claims.as_ref().is_some_and(Claims::is_at_most_once);
        match self.processor.when_exhausted {
            WhenExhausted::Fail if never_again => {
                let code = failure.given_code().unwrap_or(Rejection::AT_MOST_ONCE);
                let why = "it was started once, and at most once is its guarantee";
                let rejection = Rejection::new(code, format!("{} ({why})", failure.text()));
                self.reject(record, &rejection, attempts).await
            }
            WhenExhausted::Fail => failed(failure, &why, attempts),
            WhenExhausted::Reject => {
                let code = failure.given_code().unwrap_or(Rejection::EXHAUSTED);
                let message = format!("{} ({why})", failure.text());
                let rejection = Rejection::new(code, message);
                self.reject(record, &rejection, attempts).await
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

fn failed(failure: &Failure, why: &str, attempts: u32) -> End {
    let code = failure.given_code().unwrap_or("handler.failed");
    let message = format!("{} ({why})", failure.text());
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

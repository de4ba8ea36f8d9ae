//! The tries of one record: whether it may be tried now, and what comes after a try that has failed. Decides; `attempt` tries.

use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::delivery::Delivery;
use crate::failure::{Next, Reason, Rejection};
use crate::handler::Route;
use crate::idempotency::{Claim, ClaimEnd, Claims, Settled, Undone};
use crate::limits::{RETRY_AFTER_MS_MAX, RETRY_BACKOFF_BASE_MS, RETRY_BACKOFF_MAX_MS};
use crate::outcome::Outcome;
use crate::process::attempt::{First, Tried};
use crate::process::batch::BatchRun;
use crate::process::end::End;
use crate::process::processor::WhenExhausted;
use crate::record::Record;
use crate::report::Problem;

pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_millis(RETRY_AFTER_MS_MAX);

pub(super) const NO_TIME: &str = "no time is left for another attempt";

/// Why a record is not tried now.
enum NotNow {
    /// Its partition or its claim is not held any more.
    Lost(Problem),
    /// Without order: another invocation has settled it meanwhile.
    Settled,
    NoTime,
}

impl<'a> BatchRun<'a> {
    /// Tries one record until it has ended.
    pub(super) async fn run_record(
        &self,
        record: &Record,
        (route, delivery): (&Route, &mut Delivery),
        first: First<'_>,
        claim: Option<&Claim<'_>>,
    ) -> End {
        let attempts_max = route.attempts.unwrap_or(self.processor.attempts);
        let mut tries = Tries::default();
        let mut next = first;
        let mut before: Option<Reason> = None;
        loop {
            let may = match &next {
                First::Taken(_) => self.turn(record, claim).await,
                First::Begun(_) => Ok(()),
            };
            match (may, before) {
                (Ok(()), _) => {}
                (Err(NotNow::Lost(problem)), _) => {
                    return End::of(Outcome::Failed, tries.started, Some(problem));
                }
                (Err(NotNow::Settled), _) => return End::of(Outcome::Skipped, tries.started, None),
                (Err(NotNow::NoTime), None) => return End::unreached(),
                (Err(NotNow::NoTime), Some(reason)) => {
                    return End::failed(&reason, NO_TIME, tries.started);
                }
            }
            let reason = match self.try_once_more(record, next, claim, &mut tries).await {
                ControlFlow::Continue(reason) => reason,
                ControlFlow::Break(over) => return over,
            };
            if reason.next == Next::Reject {
                let code = reason.code.unwrap_or(Rejection::BY_HANDLER);
                let rejection = Rejection::new(code, reason.text);
                return Box::pin(self.reject(record, rejection, tries.started)).await;
            }
            if tries.made >= attempts_max {
                return Box::pin(self.exhausted(record, &reason, tries)).await;
            }
            let wait = back_off(tries.made).max(reason.after.unwrap_or_default());
            if wait > RETRY_AFTER_MAX || !self.has_room_after(wait) {
                return End::failed(&reason, NO_TIME, tries.started);
            }
            // A place is for what runs, not for what waits.
            self.places.outside(tokio::time::sleep(wait)).await;
            next = match self.take(record, route, delivery, tries.made + 1) {
                Ok(taken) => First::Taken(taken),
                Err(Rejection {
                    code,
                    message,
                    next: Next::Retry,
                }) => {
                    let problem = Problem::new(code, message);
                    return End::of(Outcome::Failed, tries.started, Some(problem));
                }
                Err(rejection) => {
                    return Box::pin(self.reject(record, rejection, tries.started)).await;
                }
            };
            before = Some(reason);
        }
    }

    /// One try; its claim is told how far it came. *Break: the record has ended. Continue: why it was not done.*
    async fn try_once_more(
        &self,
        record: &Record,
        next: First<'_>,
        claim: Option<&Claim<'_>>,
        tries: &mut Tries,
    ) -> ControlFlow<End, Reason> {
        let stands = |end| claim.into_iter().for_each(|claim| claim.ends(end));
        tries.made += 1;
        tries.started += 1;
        let tried = match next {
            First::Begun(begun) => self.end(record, begun).await,
            First::Taken(Ok(run)) => {
                stands(ClaimEnd::Released(None));
                if tries.started == 1 {
                    self.starts(record);
                }
                self.try_once(record, run, tries.made).await
            }
            First::Taken(Err(reason)) => {
                // An extractor has panicked: the handler is not started.
                tries.started -= 1;
                return ControlFlow::Continue(reason);
            }
        };
        match tried {
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
                ControlFlow::Break(End::dropped(tries.started))
            }
        }
    }

    async fn exhausted(&self, record: &Record, reason: &Reason, tries: Tries) -> End {
        match self.when_exhausted(reason, tries) {
            Ok(rejection) => self.reject(record, rejection, tries.started).await,
            Err(failed) => failed,
        }
    }

    /// What becomes of a record whose attempts are used up. *Err: it has failed.*
    pub(super) fn when_exhausted(&self, reason: &Reason, tries: Tries) -> Result<Rejection, End> {
        let never_again = self.claims.as_ref().is_some_and(Claims::is_at_most_once);
        match self.processor.when_exhausted {
            WhenExhausted::Fail if never_again && tries.started > 0 => {
                let code = reason.code.unwrap_or(Rejection::AT_MOST_ONCE);
                let why = "it was started once, and its guarantee is at most once";
                Ok(Rejection::new(code, format!("{} ({why})", reason.text)))
            }
            WhenExhausted::Fail => Err(End::failed(reason, &tries.to_string(), tries.started)),
            WhenExhausted::Reject => {
                let code = reason.code.unwrap_or(Rejection::EXHAUSTED);
                let message = format!("{} ({tries})", reason.text);
                Ok(Rejection::new(code, message))
            }
        }
    }

    /// Whether the record may be tried now, without any wait since it was looked at. False: [`turn`](Self::turn) says.
    pub(super) fn is_its_turn(&self, record: &Record) -> bool {
        let ledger = self.ledger(record);
        let may = ledger.is_none_or(|ledger| {
            ledger
                .may_start_at(self.turns.seen())
                .is_some_and(|may| may.is_ok())
        });
        may && self.turns.is_fresh()
    }

    /// Waits until the record's lane has its turn, and says whether the record may be tried then.
    async fn turn(&self, record: &Record, claim: Option<&Claim<'_>>) -> Result<(), NotNow> {
        loop {
            let held = match claim {
                Some(claim) => claim.may_start().await.map_err(Problem::from),
                None => self.may_start(record).await,
            };
            held.map_err(NotNow::Lost)?;
            if self.turns.is_fresh() {
                // Nothing has waited since the record was looked at.
                return Ok(());
            }
            // Whatever has waited looks again.
            if !self.turns.wait().await {
                break;
            }
        }
        let ledger = self.ledger(record);
        let settled = ledger.and_then(|ledger| ledger.settled_meanwhile(record));
        if settled.is_some_and(|settled| settled.skips(record)) {
            return Err(NotNow::Settled);
        }
        // Another lane's run may have shown meanwhile how long a run can take.
        match self.has_room_after(Duration::ZERO) {
            true => Ok(()),
            false => Err(NotNow::NoTime),
        }
    }
}

/// How often a record was tried in this invocation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tries {
    pub(super) made: u32,
    /// Of these, how often its handler was started: an extractor that panics comes before.
    pub(super) started: u32,
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

/// Full jitter: anything up to a bound that doubles with each try, so that many functions do not come back at once.
pub(super) fn back_off(attempt: u32) -> Duration {
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

//! Records that are known by key: claimed before they run, recorded after. Called by `lane_run`.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::{join, join_all};

use crate::destination::DeadLetter;
use crate::failure::Rejection;
use crate::idempotency::{Claim, ClaimEnd, Claimed, Claims, Refusal, Settled};
use crate::limits::CONCURRENCY_DEFAULT;
use crate::outcome::Outcome;
use crate::process::lane_run::LaneEnd;
use crate::process::{End, Run};
use crate::record::Record;
use crate::report::Problem;

/// A claim whose record has ended: recorded beside the claiming of the next one, so that a lane waits for one round trip a record and not for two.
pub(super) type Ended<'r> = (Claim<'r>, ClaimEnd);

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code, refusal.message)
    }
}

impl End {
    /// What becomes of the record's claim.
    pub(super) fn of_claim(&self) -> ClaimEnd {
        match self.outcome {
            Outcome::Done | Outcome::Skipped => ClaimEnd::Settled(Settled::Done),
            Outcome::Rejected => ClaimEnd::Settled(Settled::Rejected),
            Outcome::Failed | Outcome::Unreached if self.attempts == 0 => ClaimEnd::Unstarted,
            Outcome::Failed | Outcome::Unreached => ClaimEnd::Released,
        }
    }
}

/// Runs it while the claim is renewed beside it.
pub(super) async fn keeping<T>(claim: Option<&Claim<'_>>, run: impl Future<Output = T>) -> T {
    let Some(claim) = claim else {
        return run.await;
    };
    tokio::select! {
        biased;
        over = run => over,
        never = claim.keep() => match never {},
    }
}

impl Run<'_> {
    /// Claims the record, and records beside it how the one before it ended.
    pub(super) async fn claim<'r>(
        &'r self,
        claims: &'r Claims<'_>,
        key: Arc<str>,
        record: &Record,
        before: Option<Ended<'r>>,
        end: &mut LaneEnd,
    ) -> Result<Option<Claim<'r>>, End> {
        let claiming = claims.claim(key, record);
        let ((), claimed) = join(self.record(before, end), claiming).await;
        let failed = |refusal| End::of(Outcome::Failed, 0, Some(Problem::from(refusal)));
        match claimed.map_err(failed)? {
            Claimed::Ours(claim) => {
                claim.may_start().await.map_err(failed)?;
                Ok(Some(claim))
            }
            Claimed::Settled => Err(End::of(Outcome::Skipped, 0, None)),
            Claimed::Mismatch => {
                let message =
                    "a record of the same idempotency key came before with another payload";
                let rejection = Rejection::new(Rejection::PAYLOAD_MISMATCH, message);
                Err(self.reject(record, &rejection, 0).await)
            }
            Claimed::Unknown(claim) => Err(self.give_up(record, claim, end).await),
            Claimed::WithoutStore(why) => {
                end.without_store = Some(why);
                Ok(None)
            }
        }
    }

    /// Records how a claimed record ended.
    pub(super) async fn record(&self, ended: Option<Ended<'_>>, end: &mut LaneEnd) {
        if let Some((claim, how)) = ended
            && let Err(refusal) = claim.end(how).await
        {
            end.unrecorded = Some(refusal.into());
        }
    }

    /// At most once: it was started and never will be again, and nobody knows how it ended.
    async fn give_up(&self, record: &Record, claim: Claim<'_>, end: &mut LaneEnd) -> End {
        let message = "its handler was started by an earlier invocation, which ended without a word: the outcome is unknown, and it is not started again";
        let rejection = Rejection::new(Rejection::AT_MOST_ONCE, message);
        let over = match self.processor.destination {
            Some(_) => self.reject(record, &rejection, 0).await,
            None => {
                let problem = Problem::new(rejection.code, rejection.message);
                End::of(Outcome::Skipped, 0, Some(problem))
            }
        };
        if over.outcome.is_settled() {
            let ended = (claim, ClaimEnd::Settled(Settled::Rejected));
            self.record(Some(ended), end).await;
        }
        over
    }

    /// [`deliver`](Self::deliver) of letters whose records never ran, so were not claimed: one whose record is settled is not sent again.
    pub(super) async fn deliver_unclaimed(
        &self,
        claims: &Claims<'_>,
        letters: Vec<DeadLetter>,
        end: &mut LaneEnd,
    ) -> Vec<End> {
        let mut ends: Vec<End> = Vec::with_capacity(letters.len());
        let mut sent = Vec::new();
        for some in letters.chunks(CONCURRENCY_DEFAULT) {
            let asked = some.iter().map(|letter| self.is_settled(claims, letter));
            for (letter, settled) in some.iter().zip(join_all(asked).await) {
                if !settled {
                    sent.push((ends.len(), letter.clone()));
                }
                ends.push(End::of(Outcome::Skipped, 0, None));
            }
        }
        let (places, sent): (Vec<usize>, Vec<DeadLetter>) = sent.into_iter().unzip();
        let delivered = match sent.as_slice() {
            [] => Vec::new(),
            sent => self.deliver(sent).await,
        };
        let there = sent.iter().zip(&delivered);
        let there: Vec<&DeadLetter> = there
            .filter(|(_, end)| end.outcome == Outcome::Rejected)
            .map(|(letter, _)| letter)
            .collect();
        for some in there.chunks(CONCURRENCY_DEFAULT) {
            let noted = some.iter().map(|letter| self.note(claims, letter));
            if let Some(refusal) = join_all(noted).await.into_iter().find_map(Result::err) {
                end.unrecorded = Some(refusal.into());
            }
        }
        for (place, over) in places.into_iter().zip(delivered) {
            ends[place] = over;
        }
        ends
    }

    async fn is_settled(&self, claims: &Claims<'_>, letter: &DeadLetter) -> bool {
        let record = letter.record();
        match self.invocation.record_key(record) {
            Ok(Some(key)) => claims.is_settled(&key, record).await,
            Ok(None) | Err(_) => false,
        }
    }

    async fn note(&self, claims: &Claims<'_>, letter: &DeadLetter) -> Result<(), Refusal> {
        let record = letter.record();
        match self.invocation.record_key(record) {
            Ok(Some(key)) => claims.rejected(key, record).await,
            Ok(None) | Err(_) => Ok(()),
        }
    }
}

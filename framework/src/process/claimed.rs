//! Records that are known by key: claimed before they run, recorded after. Called by `lane`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::delivery::Delivery;
use crate::destination::DeadLetter;
use crate::failure::Rejection;
use crate::handler::Route;
use crate::idempotency::{Claim, Claimed, Claims, Held, Recorder, Refusal, Settled, Undone};
use crate::limits::CONCURRENCY_DEFAULT;
use crate::outcome::Outcome;
use crate::process::attempt::First;
use crate::process::batch::BatchRun;
use crate::process::end::{End, LaneEnd};
use crate::record::Record;
use crate::report::Problem;

impl End {
    /// Hands over the record's claim, to be recorded: now that the record is settled, or else as its last try has left it.
    pub(super) fn hand_over(&self, claim: Held<'_, '_>) {
        match self.outcome {
            Outcome::Done | Outcome::Skipped => claim.settle(Settled::Done),
            Outcome::Rejected => claim.settle(Settled::Rejected),
            Outcome::Failed | Outcome::Unreached => drop(claim),
        }
    }
}

/// Runs it while the claim is renewed beside it.
async fn keeping<T>(claim: Option<&Claim<'_>>, run: impl Future<Output = T>) -> T {
    let Some(claim) = claim else {
        return run.await;
    };
    tokio::select! {
        biased;
        over = run => over,
        never = claim.keep() => match never {},
    }
}

/// As [`keeping`], with the claims of a chunk.
pub(super) async fn keeping_all<T>(claims: &[Arc<Claim<'_>>], run: impl Future<Output = T>) -> T {
    if claims.is_empty() {
        return run.await;
    }
    let kept = join_all(claims.iter().map(|claim| claim.keep()));
    tokio::select! {
        biased;
        over = run => over,
        // None of them ends.
        _ = kept => std::future::pending().await,
    }
}

impl BatchRun<'_> {
    /// Claims the record, and tries it until it has ended. *None: no time was left to start it.*
    pub(super) async fn run_claimed<'r>(
        &'r self,
        record: &Record,
        key: &Arc<str>,
        with: (&Route, &mut Delivery),
        first: First<'_>,
        recorder: &Recorder<'r>,
        end: &mut LaneEnd,
    ) -> Option<End> {
        let claim = match &self.claims {
            Some(claims) => self.claim(claims, key, record, recorder, end).await,
            None => Ok(None),
        };
        let claim = match claim {
            Ok(claim) => claim,
            Err(over) => return Some(over),
        };
        // The store may have taken what time there was.
        if !self.has_room_after(Duration::ZERO) {
            end.out_of_time = true;
            return None;
        }
        let over = keeping(
            claim.as_deref(),
            self.run_record(record, with, first, claim.as_deref()),
        )
        .await;
        if let Some(claim) = claim {
            over.hand_over(claim);
            recorder.under_way().await;
        }
        Some(over)
    }

    /// Claims the record. *Err: how it ended without its handler. None: it runs unclaimed, as was chosen.*
    async fn claim<'l, 'r>(
        &'r self,
        claims: &'r Claims<'_>,
        key: &Arc<str>,
        record: &Record,
        recorder: &'l Recorder<'r>,
        end: &mut LaneEnd,
    ) -> Result<Option<Held<'l, 'r>>, End> {
        let failed = |refusal| End::of(Outcome::Failed, 0, Some(Problem::from(refusal)));
        let claimed = claims.claim(recorder, Arc::clone(key), record, true).await;
        self.turns.look();
        let claim = match claimed.map_err(failed)? {
            Claimed::Ours(claim) => Some(claim),
            // Who waits is not told so.
            Claimed::Busy => return Err(End::unreached()),
            Claimed::WithoutStore(why) => {
                end.without_store = Some(why);
                None
            }
            Claimed::Settled => return Err(End::of(Outcome::Skipped, 0, None)),
            Claimed::Mismatch => {
                return Err(self.reject(record, Rejection::mismatch(), 0).await);
            }
            Claimed::Unknown(claim, undone) => {
                let over = self.give_up(record, undone).await;
                if over.outcome.is_settled() {
                    recorder.hold(claim).settle(Settled::Rejected);
                }
                return Err(over);
            }
        };
        // Recorded beside this claim, so that a lane waits for one round trip a record; and before the handler, so that a kill costs one record a lane.
        keeping(claim.as_deref(), recorder.recorded()).await;
        if let Some(claim) = &claim {
            claim.may_start().await.map_err(failed)?;
        }
        self.turns.look();
        Ok(claim)
    }

    /// At most once: it may have been started, and never will be again.
    async fn give_up(&self, record: &Record, undone: Option<Undone>) -> End {
        let how = match undone {
            Some(Undone::Failed) => "its handler returned a failure in an earlier invocation",
            Some(Undone::Panicked) => "its handler panicked in an earlier invocation",
            Some(Undone::Dropped) => {
                "its handler was still running at the deadline's margin of an earlier invocation and was dropped: its effect may have happened"
            }
            Some(Undone::Otherwise) => {
                "its handler was started by an earlier invocation and is not done"
            }
            None => {
                "its handler may have been started by an earlier invocation, which ended without recording an outcome: the outcome is unknown"
            }
        };
        let message = format!("{how}; with the guarantee at most once it is not started again");
        let rejection = Rejection::new(Rejection::AT_MOST_ONCE, message);
        match self.processor.destination {
            Some(_) => self.reject(record, rejection, 0).await,
            None => {
                let problem = Problem::new(rejection.code, rejection.message);
                End::of(Outcome::Skipped, 0, Some(problem))
            }
        }
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
        self.turns.look();
        let (places, sent): (Vec<usize>, Vec<DeadLetter>) = sent.into_iter().unzip();
        let delivered = match sent.as_slice() {
            [] => Vec::new(),
            sent => self.deliver_all(sent).await,
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
        self.turns.look();
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

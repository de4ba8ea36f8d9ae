//! A lane's claims: each is held while its record runs, and its end is recorded beside whatever the lane does next. Used by `process`.
//!
//! No claim that is held is lost: wherever it is dropped, it is handed over to be recorded as it stands.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use futures_util::future::{join, join_all};

use crate::idempotency::claims::claim::{Claim, ClaimEnd};
use crate::idempotency::watched::Watched;
use crate::idempotency::words::{Refusal, Settled};

/// Records how the claimed records of one lane have ended.
#[derive(Debug, Default)]
pub(crate) struct Recorder<'c> {
    queue: Watched<Handed<'c>>,
}

#[derive(Debug, Default)]
struct Handed<'c> {
    claims: VecDeque<Arc<Claim<'c>>>,
    /// Some are on their way to the store.
    recording: bool,
    /// The lane has ended.
    closed: bool,
    /// *Some: what was settled may not be recorded, for this reason.*
    refused: Option<Refusal>,
}

impl<'c> Recorder<'c> {
    /// Runs the lane to its end and records beside it what it hands over: no wait of the lane holds that up.
    pub(crate) async fn beside<T>(&self, lane: impl Future<Output = T>) -> T {
        let lane = async {
            let over = lane.await;
            self.queue.change(|queue| queue.closed = true);
            over
        };
        let (over, ()) = join(lane, self.record()).await;
        over
    }

    async fn record(&self) {
        while let Some(claims) = self.next().await {
            // Those of a chunk together: one after the other they would take as many round trips.
            let recorded = join_all(claims.iter().map(|claim| claim.record())).await;
            let refused = recorded.into_iter().find_map(Result::err);
            self.queue.change(|queue| {
                queue.recording = false;
                queue.refused = queue.refused.take().or(refused);
            });
        }
    }

    /// *None: there is no more, and there will be none.*
    async fn next(&self) -> Option<VecDeque<Arc<Claim<'c>>>> {
        let due = |queue: &Handed<'_>| (queue.closed || !queue.claims.is_empty()).then_some(());
        self.queue.wait_for(due).await;
        let mut next = VecDeque::new();
        self.queue.change(|queue| {
            next = std::mem::take(&mut queue.claims);
            queue.recording = !next.is_empty();
        });
        (!next.is_empty()).then_some(next)
    }

    /// Waits until everything that was handed over is on its way to the store.
    pub(crate) async fn under_way(&self) {
        let none_waits = |queue: &Handed<'_>| queue.claims.is_empty().then_some(());
        self.queue.wait_for(none_waits).await;
    }

    /// Waits until everything that was handed over is recorded, or cannot be.
    pub(crate) async fn recorded(&self) {
        let idle = |queue: &Handed<'_>| !queue.recording && queue.claims.is_empty();
        self.queue.wait_for(|queue| idle(queue).then_some(())).await;
    }

    /// Why what was settled may not be recorded. *None: all of it is.*
    pub(crate) fn refused(&self) -> Option<Refusal> {
        self.queue.read(|queue| queue.refused.clone())
    }

    /// The lane holds a claim from now on.
    pub(crate) fn hold<'l>(&'l self, claim: Claim<'c>) -> Held<'l, 'c> {
        let claim = Arc::new(claim);
        Held {
            recorder: self,
            claim,
        }
    }
}

/// A claim that a lane holds. When it is dropped it goes to be recorded: as settled, if that was [said](Self::settle); else as what its handler came to.
#[must_use = "its end is recorded when it is dropped"]
pub(crate) struct Held<'l, 'c> {
    recorder: &'l Recorder<'c>,
    claim: Arc<Claim<'c>>,
}

impl<'c> Held<'_, 'c> {
    /// The claim, to be renewed while it is held.
    pub(crate) fn shared(&self) -> Arc<Claim<'c>> {
        Arc::clone(&self.claim)
    }

    /// The record has ended so.
    pub(crate) fn settle(self, settled: Settled) {
        self.claim.ends(ClaimEnd::Settled(settled));
    }
}

impl Drop for Held<'_, '_> {
    fn drop(&mut self) {
        let claim = Arc::clone(&self.claim);
        self.recorder
            .queue
            .change(|queue| queue.claims.push_back(claim));
    }
}

impl<'c> Deref for Held<'_, 'c> {
    type Target = Claim<'c>;

    fn deref(&self) -> &Claim<'c> {
        &self.claim
    }
}

impl fmt::Debug for Held<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.claim).finish()
    }
}

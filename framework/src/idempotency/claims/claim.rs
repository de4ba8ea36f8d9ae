//! One claim: renewed while its handler runs, completed or released when it has ended. Every write is conditional on the version that it wrote before.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::failure::error_text;
use crate::idempotency::claims::keys::Work;
use crate::idempotency::claims::note::{Note, Undone, is_of, mark};
use crate::idempotency::claims::terms::ClaimTerms;
use crate::idempotency::lease::Hold;
use crate::idempotency::lease::holder::Holder;
use crate::idempotency::store::patience::Patience;
use crate::idempotency::store::requests::Purpose;
use crate::idempotency::store::{
    Change, Expect, IdempotencyStore, Item, Status, Swap, Swapped, Version,
};
use crate::idempotency::words::{Guarantee, Refusal, Settled};
use crate::limits::STORE_PATIENCE_MS;

/// A record's item, while this lane holds it.
#[derive(Debug)]
pub(crate) struct Claim<'c> {
    on: &'c ClaimTerms<'c>,
    id: Arc<str>,
    owner: Holder,
    /// Of its record: index into the event's partitions.
    partition: usize,
    pub(super) validation: Option<Arc<str>>,
    /// It stood at the destination, and was fed back.
    pub(super) was_rejected: bool,
    /// *None: a record of the key is settled, or nothing of this invocation waits for this claim.*
    pub(super) work: Option<Work<'c>>,
    state: Mutex<ClaimState>,
}

#[derive(Clone, Debug)]
struct ClaimState {
    /// How the item must stand for the next write.
    expect: Expect,
    hold: Hold,
    /// What is recorded, if nothing more becomes of its record.
    end: ClaimEnd,
}

/// How a claimed record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimEnd {
    /// Its handler was not started.
    Unstarted,
    /// Its handler was started, and it is not done: it is to be run again; at most once: never again. *None: the handler has not ended.*
    Released(Option<Undone>),
    Settled(Settled),
}

impl<'c> Claim<'c> {
    pub(super) fn new(
        on: &'c ClaimTerms<'c>,
        id: Arc<str>,
        owner: Holder,
        partition: usize,
        hold: Hold,
    ) -> Self {
        Self {
            on,
            id,
            owner,
            partition,
            validation: None,
            was_rejected: false,
            work: None,
            state: Mutex::new(ClaimState {
                expect: Expect::Absent,
                hold,
                end: ClaimEnd::Unstarted,
            }),
        }
    }

    /// As it was claimed.
    pub(super) fn at(self, version: Option<Version>, hold: Hold) -> Self {
        let expect = version.map_or(Expect::Absent, Expect::Version);
        let end = ClaimEnd::Unstarted;
        *self.lock() = ClaimState { expect, hold, end };
        self
    }

    /// From now on its record counts as ended so.
    pub(crate) fn ends(&self, end: ClaimEnd) {
        self.lock().end = end;
    }

    /// To be settled over another one's item, which nobody holds any more.
    pub(super) fn over(self, item: &Item) -> Self {
        let terms = self.on.terms;
        let at_ms = terms.times.free_at_ms(&terms.clock);
        // Powertools' items have no version.
        let free = Expect::Free { at_ms };
        self.lock().expect = item.version.clone().map_or(free, Expect::Version);
        self
    }

    /// The item while its record runs.
    pub(super) fn in_progress(&self, hold: Hold) -> Item {
        let expires_s = self.on.expires_s();
        let mut item = Item::new(Some(self.owner.version()), expires_s);
        item.validation.clone_from(&self.validation);
        match self.on.guarantee {
            Guarantee::AtLeastOnce => item.held_until_ms = hold.until_wall_ms,
            Guarantee::AtMostOnce => mark(&mut item, hold.until_wall_ms, None),
        }
        item
    }

    fn ended(&self, end: ClaimEnd) -> Change {
        let expires_s = self.on.expires_s();
        let mut item = Item::new(Some(self.owner.version()), expires_s);
        item.validation.clone_from(&self.validation);
        let rejected = match end {
            ClaimEnd::Settled(settled) => settled == Settled::Rejected,
            ClaimEnd::Released(undone) if self.on.is_at_most_once() => {
                mark(&mut item, 0, undone);
                return Change::Put(item);
            }
            ClaimEnd::Released(_) | ClaimEnd::Unstarted if self.was_rejected => true,
            ClaimEnd::Released(_) | ClaimEnd::Unstarted => return Change::Delete,
        };
        item.status = Status::Completed;
        if rejected {
            item.data = Note::Rejected.bytes();
        }
        Change::Put(item)
    }

    /// Whether the handler may start (again): the item is held for certain. Renews it where that is due.
    pub(crate) async fn may_start(&self) -> Result<(), Refusal> {
        if self.is_live() {
            return Ok(());
        }
        self.renew().await?;
        match self.is_live() {
            true => Ok(()),
            false => Err(self.lost("it expired before it could be renewed")),
        }
    }

    fn is_live(&self) -> bool {
        let terms = self.on.terms;
        self.lock().hold.is_live(&terms.times, &terms.clock)
    }

    /// Renews the claim for as long as this is polled; it does not end. What is lost is told when something is to start, or is written.
    pub(crate) async fn keep(&self) -> Infallible {
        let times = self.on.terms.times;
        loop {
            let until = self.lock().hold.until;
            sleep_until(until - times.lease + times.renewed_each).await;
            if self.renew().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    async fn renew(&self) -> Result<(), Refusal> {
        let terms = self.on.terms;
        let hold = terms.times.hold(&terms.clock);
        let end = terms.deadline.work_end();
        self.write(
            || Change::Put(self.in_progress(hold)),
            terms.patient_until(end),
        )
        .await?;
        self.lock().hold = hold;
        Ok(())
    }

    /// Records how it ended. *Err: why what was settled may not be recorded.*
    pub(super) async fn record(&self) -> Result<(), Refusal> {
        let terms = self.on.terms;
        let end = self.lock().end;
        let until = terms.patient_until(terms.deadline.settle_end());
        let recorded = self.write(|| self.ended(end), until).await;
        if !matches!(end, ClaimEnd::Settled(_)) {
            // What could not be given back is free once its lease is over.
            return Ok(());
        }
        recorded?;
        self.work.iter().for_each(Work::settled);
        Ok(())
    }

    /// Records a rejection over whatever is free, without having claimed it.
    pub(super) async fn note_rejected(&self) -> Result<(), Refusal> {
        let terms = self.on.terms;
        let at_ms = terms.times.free_at_ms(&terms.clock);
        self.lock().expect = Expect::Free { at_ms };
        // Without it a dead letter may be sent twice, which is not worth waiting for until the deadline.
        let patient = Instant::now() + Duration::from_millis(STORE_PATIENCE_MS);
        let until = terms.patient_until(terms.deadline.settle_end());
        let end = ClaimEnd::Settled(Settled::Rejected);
        self.write(|| self.ended(end), until.min(patient)).await
    }

    /// One write, until its fate is known.
    async fn write(&self, change: impl Fn() -> Change, until: Instant) -> Result<(), Refusal> {
        let terms = self.on.terms;
        let mut patience = Patience::until(Some(until));
        loop {
            let expect = self.lock().expect.clone();
            let change = change();
            let deletes = change == Change::Delete;
            let swap = Swap::new(Arc::clone(&self.id), expect, change);
            let refused = loop {
                // The same content each time: if an earlier try was applied and its answer lost, the item's version says so.
                let swapping = terms.store.swap(&swap);
                match terms.call(Purpose::GoOn, self.partition, swapping).await {
                    Ok(Swapped::Applied(_)) => {
                        return self.written(&swap.change);
                    }
                    Ok(Swapped::Refused(item)) => break item,
                    Err(error) if error.is_transient() && patience.wait(Duration::MAX).await => {}
                    Err(error) => return Err(self.lost(&error_text(&error))),
                }
            };
            match refused {
                None if deletes => return Ok(()),
                // The item is gone, so nobody works on it: what ended is written all the same.
                None if swap.expect != Expect::Absent => self.lock().expect = Expect::Absent,
                Some(item) if swap.change == Change::Put(item.clone()) => {
                    return self.written(&swap.change);
                }
                // A renewal that was dropped on its way has come through.
                Some(item)
                    if is_of(&item, self.owner.name()) && !swap.expect.holds(Some(&item)) =>
                {
                    self.stands(item.version);
                }
                _ => return Err(self.lost("another invocation has taken it")),
            }
        }
    }

    fn written(&self, change: &Change) -> Result<(), Refusal> {
        if let Change::Put(item) = change {
            self.stands(item.version.clone());
        }
        Ok(())
    }

    /// The next write is made over that.
    fn stands(&self, version: Option<Version>) {
        if let Some(version) = version {
            self.lock().expect = Expect::Version(version);
        }
    }

    fn lost(&self, why: &str) -> Refusal {
        let store = self.on.terms.store.describe();
        Refusal::new(
            Refusal::LOST,
            format!("the claim on the record's key in {store} was lost: {why}"),
        )
    }

    fn lock(&self) -> MutexGuard<'_, ClaimState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

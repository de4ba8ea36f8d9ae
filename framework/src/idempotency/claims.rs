//! Claims by key: a record's item is claimed before its handler starts, and completed or released after it has ended. Called by `process`, for lanes.
//!
//! A lane holds one claim at a time. Claiming ahead was left out on purpose: two lanes that had each claimed what the other one comes to next would wait for each
//! other until time is up.

// What is the same for all claims of an invocation.
mod terms;

// What an item says of its record.
pub(super) mod note;

// Which lane works on a key.
mod keys;

// One claim.
pub(super) mod claim;

// A lane's claims.
pub(super) mod recorder;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout_at;

use crate::idempotency::claims::claim::Claim;
use crate::idempotency::claims::keys::{Keys, Work};
use crate::idempotency::claims::note::{Note, Undone, is_of, is_rejected};
use crate::idempotency::claims::recorder::{Held, Recorder};
use crate::idempotency::claims::terms::ClaimTerms;
use crate::idempotency::lease::holder::Holder;
use crate::idempotency::lease::{millis, now_ms};
use crate::idempotency::per_record::PerRecord;
use crate::idempotency::store::patience::Patience;
use crate::idempotency::store::requests::Purpose;
use crate::idempotency::store::{Change, Expect, IdempotencyStore, Item, Status, Swap, Swapped};
use crate::idempotency::terms::Terms;
use crate::idempotency::words::{Guarantee, Refusal, Settled, WhenStoreFails};
use crate::record::Record;

/// The claims of one invocation.
#[derive(Debug)]
pub(crate) struct Claims<'a> {
    on: ClaimTerms<'a>,
    /// This invocation; drawn with its first claim.
    holder: OnceLock<Holder>,
    /// Why the store failed, where records run without it, as was chosen.
    off: OnceLock<String>,
    keys: Keys,
}

/// What claiming has come to.
#[derive(Debug)]
pub(crate) enum Claimed<'l, 'c> {
    /// The record is this lane's.
    Ours(Held<'l, 'c>),
    /// A record of the same key is settled.
    Settled,
    /// A record of the same key had another payload.
    Mismatch,
    /// At most once: a record of the same key was started, and is not done. How its handler left it, if its owner said so. The claim is of what stands: it
    /// can be settled, and is not held.
    Unknown(Claim<'c>, Option<Undone>),
    /// The store fails for this reason, and records run without it.
    WithoutStore(String),
    /// Another one works on the key, and nobody was to wait for it.
    Busy,
}

/// What an item that was not free means for a claim.
enum Stands {
    Settled,
    Mismatch,
    /// Until then another one works on it, milliseconds since 1970.
    Held(u64),
    /// Nobody holds it, and it may be taken as it stands.
    Takeable(Item),
    Unknown(Item, Option<Undone>),
}

impl<'a> Claims<'a> {
    pub(crate) fn new(terms: &'a Terms, per_record: &'a PerRecord, guarantee: Guarantee) -> Self {
        Self {
            on: ClaimTerms {
                terms,
                per_record,
                guarantee,
            },
            holder: OnceLock::new(),
            off: OnceLock::new(),
            keys: Keys::default(),
        }
    }

    /// Claims the record's key for a lane. If another one works on it: waits for that one, or does not, as `waits` says. Who holds another claim must not wait.
    pub(crate) async fn claim<'l, 'c>(
        &'c self,
        recorder: &'l Recorder<'c>,
        id: Arc<str>,
        record: &Record,
        waits: bool,
    ) -> Result<Claimed<'l, 'c>, Refusal> {
        let off = || self.off.get().cloned().map(Claimed::WithoutStore);
        if let Some(without_store) = off() {
            return Ok(without_store);
        }
        let work = match waits {
            true => self.work_on(&id).await?,
            false => match self.keys.work_on(&id).now_or_never() {
                Some(work) => work,
                None => return Ok(Claimed::Busy),
            },
        };
        // The lane that was waited for may have found so.
        if let Some(without_store) = off() {
            return Ok(without_store);
        }
        match self.take(recorder, id, record, (work, waits)).await {
            Err(refusal) if refusal.is_the_stores() && self.runs_without() => {
                let why = self.off.get_or_init(|| refusal.message);
                Ok(Claimed::WithoutStore(why.clone()))
            }
            claimed => claimed,
        }
    }

    pub(crate) fn is_at_most_once(&self) -> bool {
        self.on.is_at_most_once()
    }

    /// Whether records run where the store fails.
    fn runs_without(&self) -> bool {
        self.on.terms.when_store_fails == WhenStoreFails::Process
    }

    /// Waits while another lane of this invocation works on a record of that key.
    async fn work_on(&self, id: &Arc<str>) -> Result<Option<Work<'_>>, Refusal> {
        let work = async {
            let work = self.keys.work_on(id);
            match self.on.terms.deadline.work_end() {
                Some(end) => timeout_at(end, work).await.map_err(|_| self.held()),
                None => Ok(work.await),
            }
        };
        // The other lane needs a place to end.
        self.on.terms.places.outside(work).await
    }

    async fn take<'l, 'c>(
        &'c self,
        recorder: &'l Recorder<'c>,
        id: Arc<str>,
        record: &Record,
        (work, waits): (Option<Work<'c>>, bool),
    ) -> Result<Claimed<'l, 'c>, Refusal> {
        let Terms {
            clock,
            deadline,
            times,
            store,
            ..
        } = self.on.terms;
        let validation = self.on.per_record.validation(record);
        let owner = self.owner(record)?;
        let partition = record.partition_index();
        let mut failing = Patience::until(Some(self.on.terms.patient_until(deadline.work_end())));
        let mut held = Patience::until(deadline.work_end());
        let mut stands: Option<Item> = None;
        let first = times.hold(clock);
        loop {
            let hold = times.hold(clock);
            let free = Expect::Free {
                at_ms: times.free_at_ms(clock),
            };
            let expect = match &stands {
                Some(item) => item.version.clone().map_or(free, Expect::Version),
                // What anybody has begun is looked at first.
                None if self.is_at_most_once() => Expect::Absent,
                None => free,
            };
            let mut claim = Claim::new(&self.on, Arc::clone(&id), owner.clone(), partition, hold);
            claim.validation.clone_from(&validation);
            claim.was_rejected = stands.as_ref().is_some_and(is_rejected);
            let item = claim.in_progress(hold);
            let version = item.version.clone();
            let swap = Swap::new(Arc::clone(&id), expect, Change::Put(item));
            let swapping = self
                .on
                .terms
                .call(Purpose::Begin, partition, store.swap(&swap));
            let refused = match swapping.await {
                Ok(Swapped::Applied(_)) => {
                    return Ok(ours(recorder, claim.at(version, hold), work));
                }
                Ok(Swapped::Refused(item)) => item,
                Err(error) if error.is_transient() && failing.wait(Duration::MAX).await => continue,
                Err(error) => {
                    // It may have been applied: then it is given back.
                    if error.is_transient() && !self.runs_without() {
                        drop(recorder.hold(claim.at(version, hold)));
                    }
                    return Err(self.on.terms.unavailable(ITEM, &error));
                }
            };
            let stood = match refused {
                Some(item) if is_of(&item, owner.name()) => {
                    // An earlier try was applied and its answer lost: held since then at the least.
                    return Ok(ours(recorder, claim.at(item.version, first), work));
                }
                Some(item) => self.judge(&item, validation.as_deref(), record),
                // It went between the two.
                None => Stands::Held(0),
            };
            let free_ms = match stood {
                Stands::Settled => {
                    work.iter().for_each(Work::settled);
                    return Ok(Claimed::Settled);
                }
                Stands::Mismatch => return Ok(Claimed::Mismatch),
                Stands::Unknown(item, undone) => {
                    claim.work = work;
                    return Ok(Claimed::Unknown(claim.over(&item), undone));
                }
                Stands::Takeable(item) => {
                    stands = Some(item);
                    continue;
                }
                Stands::Held(_) if !waits => return Ok(Claimed::Busy),
                Stands::Held(until_ms) => until_ms.saturating_add(millis(times.gap) + 1),
            };
            stands = None;
            let left_ms = free_ms.saturating_sub(now_ms(clock)).max(1);
            let waited = self.on.terms.wait_for_lease(partition, &mut held, left_ms);
            // It may be another lane's of this invocation, which needs a place to end.
            if !self.on.terms.places.outside(waited).await {
                return Err(self.held());
            }
        }
    }

    fn judge(&self, item: &Item, validation: Option<&str>, record: &Record) -> Stands {
        let at_ms = self.on.terms.times.free_at_ms(&self.on.terms.clock);
        if item.expires_s < at_ms / 1000 {
            return Stands::Takeable(item.clone());
        }
        let other = |theirs: &Arc<str>| validation.is_some_and(|ours| ours != &**theirs);
        if item.validation.as_ref().is_some_and(other) {
            return Stands::Mismatch;
        }
        // Both need the version that it has: another program's item is not compared and swapped.
        let versioned = item.version.is_some();
        match (item.status, Note::of(item)) {
            (Status::Completed, note) => {
                let settled = match note {
                    Some(Note::Rejected) => Settled::Rejected,
                    _ => Settled::Done,
                };
                match settled.skips(record) || !versioned {
                    true => Stands::Settled,
                    false => Stands::Takeable(item.clone()),
                }
            }
            (
                Status::InProgress,
                Some(Note::Started {
                    owner_until_ms,
                    undone,
                }),
            ) if versioned => {
                if owner_until_ms >= at_ms {
                    return Stands::Held(owner_until_ms);
                }
                match self.on.guarantee {
                    // Who runs a consumer at least once again wants it to run.
                    Guarantee::AtLeastOnce => Stands::Takeable(item.clone()),
                    Guarantee::AtMostOnce => Stands::Unknown(item.clone(), undone),
                }
            }
            // Begun at least once, or by Powertools: whoever ended without a word may have done it.
            (Status::InProgress, _) if self.is_at_most_once() && item.held_until_ms < at_ms => {
                Stands::Unknown(item.clone(), None)
            }
            (Status::InProgress, _) => Stands::Held(item.held_until_ms),
        }
    }

    /// Whether a record of the same key is settled, for one that is about to go to the destination without having run. If the store cannot say, it is not.
    pub(crate) async fn is_settled(&self, id: &str, record: &Record) -> bool {
        if self.off.get().is_some() {
            return false;
        }
        let Ok(Some(item)) = self
            .on
            .terms
            .call(
                Purpose::Begin,
                record.partition_index(),
                self.on.terms.store.read(id),
            )
            .await
        else {
            return false;
        };
        let validation = self.on.per_record.validation(record);
        let stands = self.judge(&item, validation.as_deref(), record);
        matches!(stands, Stands::Settled)
    }

    /// Notes that a record which never ran is at the destination.
    pub(crate) async fn rejected(&self, id: Arc<str>, record: &Record) -> Result<(), Refusal> {
        if self.off.get().is_some() {
            return Ok(());
        }
        let hold = self.on.terms.times.hold(&self.on.terms.clock);
        let partition = record.partition_index();
        let mut claim = Claim::new(&self.on, id, self.owner(record)?, partition, hold);
        claim.validation = self.on.per_record.validation(record);
        claim.note_rejected().await
    }

    /// One holder: this record in this invocation.
    fn owner(&self, record: &Record) -> Result<Holder, Refusal> {
        let holder = match self.holder.get() {
            Some(holder) => holder,
            None => {
                let holder = Holder::draw(&self.on.terms.clock)
                    .map_err(|error| self.on.terms.unavailable(ITEM, &error))?;
                self.holder.get_or_init(|| holder)
            }
        };
        let (at, offset) = (record.identifier(), record.offset());
        Ok(holder.of(format_args!("{at}@{offset}")))
    }

    fn held(&self) -> Refusal {
        let store = self.on.terms.store.describe();
        Refusal::new(
            Refusal::HELD,
            format!(
                "another record with the same key was still being processed (in {store}) when time was up"
            ),
        )
    }
}

/// The record is this lane's from now on, and nobody else's of this invocation.
fn ours<'l, 'c>(
    recorder: &'l Recorder<'c>,
    mut claim: Claim<'c>,
    work: Option<Work<'c>>,
) -> Claimed<'l, 'c> {
    claim.work = work;
    Claimed::Ours(recorder.hold(claim))
}

/// What is asked for, in messages.
const ITEM: &str = "the record's item";

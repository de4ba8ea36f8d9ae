//! One partition's ledger in one invocation: taken, kept, given back. The rules of leases, fences and merges stand here, once for all stores.
//! Called by `process`: lanes ask and tell, and two futures beside them open the ledger and keep it.

// What is known of a partition.
mod book;

// What tells a record from another one at its offset.
pub(crate) mod fingerprint;

// A book as bytes.
mod format;

// How a ledger begins.
mod open;

// How a ledger is written.
mod write;

// What a store holds of a partition, for people.
pub(super) mod inspect;

use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::idempotency::lease::holder::Holder;
use crate::idempotency::lease::{Hold, now_ms};
use crate::idempotency::ledger::book::{Book, Entry, Reported};
use crate::idempotency::ledger::fingerprint::fingerprint;
use crate::idempotency::store::{IdempotencyStore, StoreError, Version};
use crate::idempotency::terms::Terms;
use crate::idempotency::watched::Watched;
use crate::idempotency::words::{Refusal, Settled};
use crate::limits::LEDGER_LOCKS_MS;
use crate::record::Record;

/// One partition's ledger in one invocation.
#[derive(Debug)]
pub(crate) struct PartitionLedger<'a> {
    terms: &'a Terms,
    id: Arc<str>,
    /// Of this partition, in order; at least one.
    records: &'a [Record],
    /// Without a lease: how long what stands below the batch may come again.
    lock_minutes: u32,
    state: Mutex<LedgerState>,
    /// No record above is known to be settled: most are new, and need not ask.
    known_up_to: AtomicI64,
    /// What lanes wait for.
    standing: Watched<Standing>,
    /// Lanes have something to be written, or have ended.
    wake: Notify,
}

#[derive(Debug, Default)]
struct LedgerState {
    book: Book,
    /// Settled since the last write was begun.
    fresh: Vec<Entry>,
    fresh_since: Option<Instant>,
    /// How many were settled in this invocation.
    settled: u64,
    holder: Holder,
    /// Of the item as we wrote or read it last. *None: there is none.*
    version: Option<Version>,
    /// Without a lease: another invocation was seen to write it.
    has_rivals: bool,
    /// No write of progress begins before. *None: none has to wait.*
    rests_until: Option<Instant>,
    /// What a batch had held before this one.
    highest_before: Option<i64>,
    /// The book's entries at the offsets of this batch are of its records: all fingerprints were compared, or made here.
    is_compared: bool,
    finished: bool,
}

/// How the ledger stands, for lanes.
#[derive(Clone, Debug, Default)]
struct Standing {
    hold: Option<Hold>,
    /// How many of those settled are recorded.
    recorded: u64,
    /// *Some: it is not ours any more, for that reason.*
    lost: Option<Arc<str>>,
    /// The store failed, and records run all the same.
    off: bool,
}

/// What opening has shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Opened {
    /// A record that was reported and has come again: the mapping reads the function's answers.
    pub(crate) mapping_is_sound: bool,
    /// A record that was reported, has never come again, and never will; so with what was reported beside it.
    pub(crate) overlooked: Option<Reported>,
    /// *Some: the store failed for that reason, and records run without it.*
    pub(crate) without_store: Option<String>,
}

impl<'a> PartitionLedger<'a> {
    pub(crate) fn new(terms: &'a Terms, id: Arc<str>, records: &'a [Record]) -> Self {
        let given = terms.deadline.time_left().unwrap_or_default();
        let locks = given + Duration::from_millis(LEDGER_LOCKS_MS);
        // A minute that has begun counts as one, at both ends.
        let minutes = u32::try_from(locks.as_secs() / 60 + 2).unwrap_or(u32::MAX);
        Self {
            terms,
            id,
            records,
            lock_minutes: if terms.leased { 0 } else { minutes },
            state: Mutex::default(),
            known_up_to: AtomicI64::new(i64::MIN),
            standing: Watched::default(),
            wake: Notify::new(),
        }
    }

    fn is_redrive(&self) -> bool {
        self.records[0].is_redriven()
    }

    /// Index into the event's partitions.
    fn partition(&self) -> usize {
        self.records[0].partition_index()
    }

    fn batch_start(&self) -> i64 {
        self.records[0].offset()
    }

    /// How an earlier delivery of this very record ended. *None: it was not settled, or that is forgotten, or another record stood at its offset.*
    pub(crate) fn settled(&self, record: &Record) -> Option<Settled> {
        if record.offset() > self.known_up_to.load(Relaxed) {
            return None;
        }
        let mut state = self.lock();
        let is_compared = state.is_compared;
        let entry = state.book.find_mut(record.offset())?;
        let minute = self.minute();
        let young = minute.saturating_sub(entry.minute) < self.age_minutes();
        if !young || !is_compared && entry.fingerprint != fingerprint(record) {
            return None;
        }
        entry.touch(minute);
        Some(entry.settled)
    }

    /// As [`settled`](Self::settled), of what others have written since the partition was opened.
    pub(crate) fn settled_meanwhile(&self, record: &Record) -> Option<Settled> {
        if self.terms.leased {
            return None;
        }
        let may_be = self.lock().has_rivals;
        may_be.then(|| self.settled(record)).flatten()
    }

    /// Notes how a record ended.
    pub(crate) fn settle(&self, record: &Record, settled: Settled) {
        let entry = Entry {
            offset: record.offset(),
            fingerprint: fingerprint(record),
            settled,
            // Set by the write that it waits for.
            minute: 0,
        };
        let mut state = self.lock();
        state.fresh.push(entry);
        state.settled += 1;
        if state.fresh_since.is_none() {
            state.fresh_since = Some(Instant::now());
            self.wake.notify_one();
        }
    }

    /// Whether a record may start at `now`, without waiting. *None: that has to be waited for.*
    pub(crate) fn may_start_at(&self, now: Instant) -> Option<Result<(), Refusal>> {
        let needed = self.needed();
        let decided = self.standing.read(|standing| match &standing.lost {
            Some(why) => Some(Some(Arc::clone(why))),
            None => {
                let ready = standing.recorded >= needed && self.is_held_at(standing, now);
                (standing.off || ready).then_some(None)
            }
        })?;
        Some(decided.map_or(Ok(()), |why| Err(self.lost(&why))))
    }

    /// How many have to be recorded before the next one may start.
    fn needed(&self) -> u64 {
        match self.terms.progress.is_zero() {
            true => self.lock().settled,
            false => 0,
        }
    }

    /// Waits, where that was asked for, until all that was settled before is recorded.
    pub(crate) async fn recorded(&self) -> Result<(), Refusal> {
        let needed = self.needed();
        self.stands(|standing| standing.recorded >= needed).await
    }

    /// Waits until the partition is held for certain: for the lease's renewal, where that is due.
    pub(crate) async fn held(&self) -> Result<(), Refusal> {
        self.stands(|standing| self.is_held_at(standing, Instant::now()))
            .await
    }

    /// Waits for that, but not past the deadline's margin. *Err: nothing more of the partition may start.*
    async fn stands(&self, ready: impl Fn(&Standing) -> bool) -> Result<(), Refusal> {
        // *Some(None): it may. Some(why): it never will.*
        let decide = |standing: &Standing| match &standing.lost {
            Some(why) => Some(Some(Arc::clone(why))),
            None => (standing.off || ready(standing)).then_some(None),
        };
        let decided = self.standing.wait_for(decide);
        let lost = match self.terms.deadline.work_end() {
            Some(end) => timeout_at(end, decided)
                .await
                .unwrap_or_else(|_| Some("its progress could not be written in time".into())),
            None => decided.await,
        };
        lost.map_or(Ok(()), |why| Err(self.lost(&why)))
    }

    fn is_held_at(&self, standing: &Standing, now: Instant) -> bool {
        let Terms { times, clock, .. } = self.terms;
        let live = |hold: Hold| hold.is_live_at(now, times, clock);
        !self.terms.leased || standing.hold.is_some_and(live)
    }

    /// All lanes of the partition have ended. What is reported is the lowest record that is not settled: to be seen again, if the mapping is sound. If it is not, what
    /// stands unsettled above is lost, too.
    pub(crate) fn finish<'u>(&self, mut unsettled: impl Iterator<Item = &'u Record>) {
        let mut state = self.lock();
        let first_delivery = |record: &&Record| Some(record.offset()) > state.highest_before;
        let first = unsettled.next();
        if self.terms.leased && self.terms.reports_partially && !self.is_redrive() {
            let reported = first.filter(first_delivery).map(|record| {
                let mut reported = Reported {
                    offset: record.offset(),
                    fingerprint: fingerprint(record),
                    minute: self.minute(),
                    records: 1,
                    last: record.offset(),
                };
                for record in unsettled {
                    reported.records = reported.records.saturating_add(1);
                    reported.last = record.offset();
                }
                reported
            });
            state.book.reported = match (state.book.reported, reported) {
                (Some(earlier), Some(reported)) => Some(earlier.and(reported)),
                (earlier, reported) => earlier.or(reported),
            };
        }
        state.finished = true;
        self.wake.notify_one();
    }

    /// Writes progress and renews the lease while lanes run, and gives the partition back when they have ended. *Err: why the last write is not there.*
    pub(crate) async fn keep(&self) -> Result<(), Refusal> {
        loop {
            let (finished, due) = {
                let state = self.lock();
                (state.finished, self.due(&state))
            };
            if self.standing.read(|standing| standing.off) {
                return Ok(());
            }
            if finished {
                return self.write(true).await;
            }
            if due.is_some_and(|due| due <= Instant::now()) {
                self.write(false).await?;
                continue;
            }
            let timer = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.wake.notified() => {}
                () = timer => {}
            }
        }
    }

    /// When something is to be written. *None: nothing is.*
    fn due(&self, state: &LedgerState) -> Option<Instant> {
        let progress = state.fresh_since.map(|since| since + self.terms.progress);
        let progress = progress.max(progress.and(state.rests_until));
        let times = &self.terms.times;
        let hold = self.standing.read(|standing| standing.hold);
        let renewal = hold.map(|hold| hold.until - times.lease + times.renewed_each);
        progress.into_iter().chain(renewal).min()
    }

    /// The book has taken in what others have written.
    fn learn(&self, book: &Book) {
        let last = book.entries.last();
        self.known_up_to
            .store(last.map_or(i64::MIN, |entry| entry.offset), Relaxed);
    }

    fn minute(&self) -> u32 {
        u32::try_from(now_ms(&self.terms.clock) / 60_000).unwrap_or(u32::MAX)
    }

    fn age_minutes(&self) -> u32 {
        u32::try_from(self.terms.age.as_secs() / 60).unwrap_or(u32::MAX)
    }

    fn unavailable(&self, error: &StoreError) -> Refusal {
        self.terms.unavailable("the partition's ledger", error)
    }

    fn held_by_another(&self) -> Refusal {
        let store = self.terms.store.describe();
        Refusal::new(
            Refusal::HELD,
            format!("another invocation still held the partition (in {store}) when time was up"),
        )
    }

    fn lost(&self, why: &str) -> Refusal {
        let store = self.terms.store.describe();
        Refusal::new(
            Refusal::LOST,
            format!("the partition's lease in {store} was lost: {why}"),
        )
    }

    fn lock(&self) -> MutexGuard<'_, LedgerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

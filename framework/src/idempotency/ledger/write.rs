//! A ledger's writes: fenced by version, repeated as they were until their fate is known.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use crate::failure::error_text;
use crate::idempotency::lease::Hold;
use crate::idempotency::ledger::PartitionLedger;
use crate::idempotency::ledger::book::{Book, Entry, Keeps};
use crate::idempotency::ledger::fingerprint::fingerprint;
use crate::idempotency::ledger::format::{decode, encode};
use crate::idempotency::store::patience::Patience;
use crate::idempotency::store::requests::Purpose;
use crate::idempotency::store::{
    Change, Expect, IdempotencyStore, Item, StoreError, Swap, Swapped, Version,
};
use crate::idempotency::words::{Refusal, WhenStoreFails};
use crate::limits::{LEDGER_BYTES_USUAL, LEDGER_RACE_WAIT_MS_MAX};
use crate::record::Record;

/// One write, until its fate is known.
struct Write {
    swap: Swap,
    version: Version,
    /// *None: it gives the partition back, or there is no lease.*
    hold: Option<Hold>,
    /// How many of those settled in this invocation it holds.
    settled: u64,
    /// Of its data.
    bytes: usize,
}

impl PartitionLedger<'_> {
    /// Records what was settled; renews the lease, or gives the partition back.
    pub(super) async fn write(&self, last: bool) -> Result<(), Refusal> {
        let began = Instant::now();
        let until = self.terms.patient_until(self.terms.deadline.settle_end());
        let mut patience = Patience::until(Some(until));
        let mut races_lost = 0;
        loop {
            if races_lost > 1 && !self.make_room().await {
                return Err(self.end("other invocations kept writing it until time was up"));
            }
            // Where others write it too, it looks first: that costs a twentieth of a write which is refused. The first refusal brings what stands.
            if self.lock().has_rivals && races_lost != 1 {
                match self.read_patiently(Purpose::GoOn, &mut patience).await {
                    Ok(item) => self.merge(item),
                    Err(error) => return self.fail(&error, last),
                }
            }
            let write = self.next_write(last);
            let refused = match self.swap_patiently(&write.swap, &mut patience).await {
                Ok(Swapped::Applied(_)) => return self.written(write, began),
                Ok(Swapped::Refused(item)) => item,
                Err(error) => return self.fail(&error, last),
            };
            let stands = refused.as_ref().and_then(|item| item.version.as_ref());
            if stands == Some(&write.version) {
                return self.written(write, began);
            }
            if self.terms.leased {
                return Err(self.end("another invocation has taken it, or the item was deleted"));
            }
            self.lock().has_rivals = true;
            self.merge(refused);
            races_lost += 1;
        }
    }

    /// One write, until its fate is known. The same content each time: if an earlier try was applied and its answer lost, the item's version says so.
    async fn swap_patiently(
        &self,
        swap: &Swap,
        patience: &mut Patience,
    ) -> Result<Swapped, StoreError> {
        loop {
            match self
                .terms
                .call(Purpose::GoOn, self.partition(), self.terms.store.swap(swap))
                .await
            {
                Err(error) if error.is_transient() && patience.wait(Duration::MAX).await => {}
                known => return known,
            }
        }
    }

    /// A moment by chance, never longer however often it was lost. False: the time is over; it was not waited.
    async fn make_room(&self) -> bool {
        let moment = Duration::from_millis(fastrand::u64(0..=LEDGER_RACE_WAIT_MS_MAX));
        let end = self.terms.deadline.settle_end();
        if end.is_some_and(|end| Instant::now() + moment >= end) {
            return false;
        }
        sleep(moment).await;
        true
    }

    fn next_write(&self, last: bool) -> Write {
        let minute = self.minute();
        let mut state = self.lock();
        let mut fresh = std::mem::take(&mut state.fresh);
        for entry in &mut fresh {
            entry.minute = minute;
        }
        state.fresh_since = None;
        state.book.add(fresh);
        if !self.is_redrive() {
            let end = self.records[self.records.len() - 1].offset();
            state.book.highest = state.book.highest.max(Some(end));
        }
        if !self.terms.leased {
            state.book.count_write(minute);
        }
        let data = self.fitting(&mut state.book, minute);
        let hold = (self.terms.leased && !last).then(|| self.terms.times.hold(&self.terms.clock));
        // Never a version that has stood before, so that no write which lands late finds the one that it expects.
        let version = state.holder.version();
        let mut item = Item::new(Some(version.clone()), self.terms.expires_s());
        item.held_until_ms = hold.map_or(0, |hold| hold.until_wall_ms);
        let bytes = data.len();
        item.data = data;
        let expect = state
            .version
            .clone()
            .map_or(Expect::Absent, Expect::Version);
        Write {
            swap: Swap::new(Arc::clone(&self.id), expect, Change::Put(item)),
            version,
            hold,
            settled: state.settled,
            bytes,
        }
    }

    /// The book as bytes, without what is forgotten.
    fn fitting(&self, book: &mut Book, minute: u32) -> Bytes {
        book.forget(Keeps {
            now: minute,
            age: self.age_minutes(),
            batch_start: self.batch_start(),
            lock: self.lock_minutes,
        });
        let most = book.bytes_max();
        let mut data = encode(book);
        while data.len() > most && !book.entries.is_empty() {
            // A fingerprint is four bytes: so many at the least have to go.
            let excess = (data.len() - most).div_ceil(8).max(1);
            let count = excess.min(book.entries.len());
            match self.terms.leased {
                true => book.forget_lowest(count),
                false => book.forget_oldest(count),
            }
            data = encode(book);
        }
        data
    }

    fn written(&self, write: Write, began: Instant) -> Result<(), Refusal> {
        let rest = self.rest_after(&write, began.elapsed());
        {
            let mut state = self.lock();
            state.version = Some(write.version);
            state.rests_until = (!self.terms.leased).then(|| Instant::now() + rest);
        }
        self.standing.change(|standing| {
            standing.recorded = write.settled;
            standing.hold = write.hold;
        });
        Ok(())
    }

    /// Without a lease others write it too, and one that writes again at once would win each race against them. A large item is written as much less often as it
    /// is larger than usual: each of its kilobytes costs a unit.
    fn rest_after(&self, write: &Write, took: Duration) -> Duration {
        let times_usual = write.bytes / LEDGER_BYTES_USUAL;
        let size = u32::try_from(times_usual).unwrap_or(u32::MAX);
        let progress = self.terms.progress.saturating_mul(size);
        progress.max(took.mul_f64(fastrand::f64()))
    }

    /// Without a lease: takes in what another one has written meanwhile.
    fn merge(&self, item: Option<Item>) {
        let mut state = self.lock();
        let theirs = item.as_ref().and_then(|item| decode(&item.data).ok());
        let theirs = theirs.unwrap_or_default();
        // What was only read, and is another record's place by now, is out of date: the partition was made anew meanwhile.
        state.book.entries.retain(|ours| {
            let their = theirs.find(ours.offset);
            their.is_none_or(|their| their.fingerprint == ours.fingerprint) || self.has(ours)
        });
        state.book.merge(theirs);
        state.is_compared = false;
        self.learn(&state.book);
        state.version = item.and_then(|item| item.version);
    }

    /// Whether the entry is of a record of this batch.
    fn has(&self, entry: &Entry) -> bool {
        let offset = |record: &Record| record.offset();
        let at = self.records.binary_search_by_key(&entry.offset, offset);
        at.is_ok_and(|at| fingerprint(&self.records[at]) == entry.fingerprint)
    }

    /// The store has failed. Records run on without it only if that was chosen.
    fn fail(&self, error: &StoreError, last: bool) -> Result<(), Refusal> {
        let why = error_text(error);
        if self.terms.when_store_fails == WhenStoreFails::Fail || last {
            return Err(self.end(&why));
        }
        self.standing.change(|standing| standing.off = true);
        if self.terms.lines.store_failed.one_more() {
            tracing::warn!(
                id = &*self.id,
                store = self.terms.store.describe(),
                problem = why,
                "the idempotency store failed: the partition's remaining records run without it, as configured"
            );
        }
        Ok(())
    }

    /// Nothing is written any more, and nothing of the partition starts.
    fn end(&self, why: &str) -> Refusal {
        let why = Arc::from(why);
        self.standing
            .change(|standing| standing.lost = Some(Arc::clone(&why)));
        self.lost(&why)
    }
}

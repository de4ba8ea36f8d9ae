//! A ledger's writes: fenced by version, repeated as they were until their fate is known.

use std::sync::Arc;
use std::time::Duration;

use crate::failure::error_text;
use crate::idempotency::book::Entry;
use crate::idempotency::fingerprint::fingerprint;
use crate::idempotency::format::{decode, encode};
use crate::idempotency::lease::Hold;
use crate::idempotency::ledger::PartitionLedger;
use crate::idempotency::patience::Patience;
use crate::idempotency::store::{
    Change, Expect, IdempotencyStore, Item, StoreError, Swap, Swapped, Version,
};
use crate::idempotency::{Refusal, WhenStoreFails};
use crate::limits::{LEDGER_BYTES_MAX, STORE_RETRY_BASE_MS};
use crate::record::Record;

/// One write, until its fate is known.
struct Write {
    swap: Swap,
    version: Version,
    /// *None: it gives the partition back, or there is no lease.*
    hold: Option<Hold>,
    /// How many settled records it holds.
    settled: u64,
}

impl PartitionLedger<'_> {
    /// Records what was settled; renews the lease, or gives the partition back.
    pub(super) async fn write(&self, last: bool) -> Result<(), Refusal> {
        let mut write = self.next_write(last);
        let until = self.terms.patient_until(self.terms.deadline.settle_end());
        let mut patience = Patience::until(Some(until));
        loop {
            // The same content each time: if an earlier try was applied and its answer lost, the item's version says so.
            let refused = match self.terms.call(self.terms.store.swap(&write.swap)).await {
                Ok(Swapped::Applied(_)) => return self.written(write),
                Ok(Swapped::Refused(item)) => item,
                Err(error) if error.is_transient() && patience.wait(Duration::MAX).await => {
                    continue;
                }
                Err(error) => return self.fail(&error, last),
            };
            let stands = refused.as_ref().and_then(|item| item.version.as_ref());
            if stands == Some(&write.version) {
                return self.written(write);
            }
            if self.terms.leased {
                return Err(self.end("another invocation has taken it, or the item was deleted"));
            }
            self.merge(refused);
            write = self.next_write(last);
            if !patience
                .wait(Duration::from_millis(STORE_RETRY_BASE_MS))
                .await
            {
                return Err(self.end("others wrote it again and again until time was up"));
            }
        }
    }

    fn next_write(&self, last: bool) -> Write {
        let minute = self.minute();
        let mut state = self.lock();
        let fresh = std::mem::take(&mut state.fresh);
        state.fresh_since = None;
        state.book.add(fresh);
        if !self.is_redrive() {
            let end = self.records[self.records.len() - 1].offset().0;
            state.book.highest = state.book.highest.max(Some(end));
        }
        let (age, start) = (self.age_minutes(), self.batch_start());
        state.book.forget(minute, age, start);
        let mut data = encode(&state.book);
        while data.len() > LEDGER_BYTES_MAX {
            // A fingerprint is four bytes: so many at the least have to go.
            let excess = (data.len() - LEDGER_BYTES_MAX).div_ceil(8).max(1);
            let count = excess.min(state.book.entries.len());
            state.book.forget_lowest(count);
            data = encode(&state.book);
        }
        let hold = (self.terms.leased && !last).then(|| self.terms.times.hold(&self.terms.clock));
        // Never a version that has stood before, so that no write which lands late finds the one that it expects.
        let version = state.holder.version();
        let mut item = Item::new(Some(version.clone()), self.terms.expires_s());
        item.held_until_ms = hold.map_or(0, |hold| hold.until_wall_ms);
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
        }
    }

    fn written(&self, write: Write) -> Result<(), Refusal> {
        self.lock().version = Some(write.version);
        self.standing.change(|standing| {
            standing.recorded = write.settled;
            standing.hold = write.hold;
        });
        Ok(())
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
        state.version = item.and_then(|item| item.version);
    }

    /// Whether the entry is of a record of this batch.
    fn has(&self, entry: &Entry) -> bool {
        let offset = |record: &Record| record.offset().0;
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
        tracing::warn!(
            id = &*self.id,
            store = self.terms.store.describe(),
            problem = why,
            "the idempotency store failed: the partition's records run on without it, as was chosen"
        );
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

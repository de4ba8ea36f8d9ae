//! How a ledger begins: taken or read, and what that shows. Called by `process` through `PartitionLedger::open`.

use std::sync::Arc;
use std::time::Duration;

use crate::idempotency::lease::holder::Holder;
use crate::idempotency::lease::{Hold, millis, now_ms};
use crate::idempotency::ledger::book::{Book, Reported};
use crate::idempotency::ledger::fingerprint::fingerprint;
use crate::idempotency::ledger::format::decode;
use crate::idempotency::ledger::{Opened, PartitionLedger};
use crate::idempotency::store::patience::Patience;
use crate::idempotency::store::requests::Purpose;
use crate::idempotency::store::{
    Change, Expect, IdempotencyStore, Item, StoreError, Swap, Swapped,
};
use crate::idempotency::terms::Terms;
use crate::idempotency::words::{Refusal, WhenStoreFails};
use crate::limits::OVERLOOKED_AFTER_MS;
use crate::record::{EventSourceKind, Record};

impl PartitionLedger<'_> {
    /// Takes the partition and reads what is known of it, in one request; waits while another invocation holds it.
    pub(crate) async fn open(&self) -> Result<Opened, Refusal> {
        let opened = match self.terms.leased {
            true => self.take().await,
            false => self.read().await,
        };
        match (opened, self.terms.when_store_fails) {
            (Err(refusal), WhenStoreFails::Process) if refusal.is_the_stores() => {
                self.standing.change(|standing| standing.off = true);
                Ok(Opened {
                    without_store: Some(refusal.message),
                    ..Opened::default()
                })
            }
            (opened, _) => opened,
        }
    }

    async fn take(&self) -> Result<Opened, Refusal> {
        let Terms {
            clock,
            deadline,
            times,
            ..
        } = self.terms;
        let holder = Holder::draw(clock).map_err(|error| self.unavailable(&error))?;
        let mut failing = Patience::until(Some(self.terms.patient_until(deadline.work_end())));
        let mut held = Patience::until(deadline.work_end());
        let first = times.hold(clock);
        loop {
            let hold = times.hold(clock);
            let change = Change::Hold {
                owner: Arc::clone(holder.name()),
                raise: holder.raise(),
                held_until_ms: hold.until_wall_ms,
                expires_s: self.terms.expires_s(),
            };
            let free = Expect::Free {
                at_ms: times.free_at_ms(clock),
            };
            let swap = Swap::new(Arc::clone(&self.id), free, change);
            match self
                .terms
                .call(
                    Purpose::Begin,
                    self.partition(),
                    self.terms.store.swap(&swap),
                )
                .await
            {
                Ok(Swapped::Applied(item)) => return Ok(self.opened(item, holder, Some(hold))),
                Ok(Swapped::Refused(Some(item))) if is_of(&item, holder.name()) => {
                    // An earlier try was applied and its answer lost: held since then at the least.
                    let hold = Hold {
                        until: first.until,
                        until_wall_ms: item.held_until_ms,
                    };
                    return Ok(self.opened(Some(item), holder, Some(hold)));
                }
                Ok(Swapped::Refused(item)) => {
                    let free_ms = item.map_or(0, |item| item.held_until_ms) + millis(times.gap);
                    let left_ms = free_ms.saturating_sub(now_ms(clock)) + 1;
                    let partition = self.partition();
                    let waits = self.terms.wait_for_lease(partition, &mut held, left_ms);
                    if !waits.await {
                        return Err(self.held_by_another());
                    }
                }
                Err(error) if error.is_transient() && failing.wait(Duration::MAX).await => {}
                Err(error) => return Err(self.unavailable(&error)),
            }
        }
    }

    async fn read(&self) -> Result<Opened, Refusal> {
        let holder = Holder::draw(&self.terms.clock).map_err(|error| self.unavailable(&error))?;
        let mut failing = Patience::until(Some(
            self.terms.patient_until(self.terms.deadline.work_end()),
        ));
        match self.read_patiently(Purpose::Begin, &mut failing).await {
            Ok(item) => Ok(self.opened(item, holder, None)),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    pub(super) async fn read_patiently(
        &self,
        purpose: Purpose,
        patience: &mut Patience,
    ) -> Result<Option<Item>, StoreError> {
        loop {
            match self
                .terms
                .call(purpose, self.partition(), self.terms.store.read(&self.id))
                .await
            {
                Err(error) if error.is_transient() && patience.wait(Duration::MAX).await => {}
                known => return known,
            }
        }
    }

    fn opened(&self, item: Option<Item>, holder: Holder, hold: Option<Hold>) -> Opened {
        let mut opened = Opened::default();
        let mut state = self.lock();
        state.holder = holder;
        if let Some(item) = item {
            state.version = item.version;
            state.book = decode(&item.data).unwrap_or_else(|error| {
                if self.terms.lines.unreadable.one_more() {
                    tracing::warn!(
                        id = &*self.id,
                        problem = %error,
                        "cannot read a partition's ledger: its records run again, and the ledger is rewritten"
                    );
                }
                Book::default()
            });
        }
        let was_made_anew = self.was_made_anew(&state.book);
        if was_made_anew {
            state.book.highest = None;
            state.book.reported = None;
        }
        state.is_compared = !was_made_anew;
        self.learn(&state.book);
        state.highest_before = state.book.highest;
        let reported = state.book.reported.filter(|_| !self.is_redrive());
        if let Some(reported) = reported {
            opened.mapping_is_sound = self
                .records
                .iter()
                .any(|record| came_again(record, reported));
            let passed = reported.offset < self.batch_start() && self.is_missed(reported);
            opened.overlooked = passed.then_some(reported);
            if opened.mapping_is_sound || passed {
                state.book.reported = None;
            }
        }
        drop(state);
        self.standing.change(|standing| standing.hold = hold);
        opened
    }

    /// Whether a record that was reported would have come again by now, before any that stands above it. The event does not tell Queue mode, in which
    /// others go on at once; but Lambda has that for self-managed clusters only.
    fn is_missed(&self, reported: Reported) -> bool {
        let source = self.records[0].event_source().kind;
        let may_be_a_queue = source == EventSourceKind::SelfManaged;
        let waited = self.minute().saturating_sub(reported.minute);
        !may_be_a_queue || u64::from(waited) * 60_000 > OVERLOOKED_AFTER_MS
    }

    /// Whether other records stand where settled ones stood: a topic made anew, restored, or refilled.
    fn was_made_anew(&self, book: &Book) -> bool {
        let start = self.batch_start();
        let below = book.entries.partition_point(|entry| entry.offset < start);
        let mut entries = book.entries[below..].iter().peekable();
        // Offsets ascend on both sides.
        self.records.iter().any(|record| {
            while entries
                .next_if(|entry| entry.offset < record.offset())
                .is_some()
            {}
            let entry = entries.next_if(|entry| entry.offset == record.offset());
            entry.is_some_and(|entry| entry.fingerprint != fingerprint(record))
        })
    }
}

fn is_of(item: &Item, owner: &str) -> bool {
    let version = item.version.as_ref();
    version.is_some_and(|version| *version.owner == *owner)
}

/// Whether a record was reported: that one, or one up to the last of those that were reported since. Where others were, nothing comes for the first time.
fn came_again(record: &Record, reported: Reported) -> bool {
    let offset = record.offset();
    let is_it = offset == reported.offset && fingerprint(record) == reported.fingerprint;
    is_it || (reported.offset < offset && offset <= reported.last)
}

//! Reads a partition's ledger from a store, and deletes from it. For operators; `cargo msk ledger` uses it.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::idempotency::item_id::ledger_id;
use crate::idempotency::lease::holder::Holder;
use crate::idempotency::ledger::book::{Book, Entry};
use crate::idempotency::ledger::format::{FormatError, decode, encode};
use crate::idempotency::store::patience::{Patience, answer};
use crate::idempotency::store::{
    Change, Expect, IdempotencyStore, Item, StoreError, Swap, Swapped, Version,
};
use crate::idempotency::words::Settled;
use crate::limits::{LEASE_GAP_MS_MAX, STORE_WAIT_MS_MAX};
use crate::partition::TopicPartition;

/// A partition's ledger as it was read from a store: the recently settled offsets, and the lease on the partition.
///
/// For tools and tests. A consumer reads and writes its ledgers by itself.
///
/// # Example
///
/// ```
/// use lambda_msk::idempotency::{MemoryStore, PartitionState};
/// use lambda_msk::testing::{Event, Sample, invoke};
/// use lambda_msk::{Consumer, Failure, TopicPartition};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let consumer = Consumer::builder()
///     .topic("orders", async || Ok::<(), Failure>(()))
///     .idempotency(store.clone())
///     .namespace("shop")
///     .cluster("main")
///     .build()?;
/// let event = Event::self_managed().record(Sample::new("orders", 3).offset(7));
/// invoke(&consumer, event).await;
///
/// let at = TopicPartition::new("orders", 3);
/// let state = PartitionState::read(&store, "shop", "main", &at).await?;
/// let state = state.ok_or("nothing is known of the partition")?;
/// assert_eq!(state.settled(..)[0].first, 7);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PartitionState {
    id: Arc<str>,
    item: Item,
    book: Result<Book, FormatError>,
}

/// A range of settled offsets with the same outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettledRange {
    /// The lowest offset.
    pub first: i64,
    /// The highest offset.
    pub last: i64,
    /// True: the records went to the destination. False: they were done.
    pub rejected: bool,
    /// The time at which one of them was last settled or skipped, in milliseconds since 1970, to the minute. Their age counts from this time.
    pub at_ms: u64,
}

impl SettledRange {
    /// The number of offsets.
    pub fn count(&self) -> u64 {
        self.last.abs_diff(self.first) + 1
    }
}

/// The lease on a partition, of its current holder or of the last one, who did not release it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The holder, and the number of its last write.
    pub holder: Version,
    /// The lease expiry by the holder's clock, in milliseconds since 1970.
    pub until_ms: u64,
}

impl Lease {
    /// The time from which any other invocation may take the partition: lease expiry plus the [gap](crate::limits::LEASE_GAP_MS_MAX). Milliseconds since
    /// 1970.
    pub fn free_ms(&self) -> u64 {
        self.until_ms.saturating_add(LEASE_GAP_MS_MAX) + 1
    }

    /// Returns true if the holder may still run records at that time, in milliseconds since 1970.
    pub fn is_live(&self, now_ms: u64) -> bool {
        now_ms < self.free_ms()
    }
}

/// The reason why no offset was forgotten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForgetError {
    /// An invocation holds the partition: it would overwrite the change. Stop the mapping, or wait for lease expiry.
    #[error("an invocation holds the partition")]
    Held(Lease),
    /// The ledger was written or deleted after it was read. Read it again, since its content has changed.
    #[error("the partition's ledger was changed after it was read")]
    Changed,
    /// This version cannot read the ledger's bytes, so it cannot delete a part of them. The whole ledger can be forgotten.
    #[error("cannot read the partition's ledger: {0}")]
    Unreadable(String),
    /// Another program wrote the item, without a version to compare.
    #[error("the item was not written by this framework: it has no version")]
    NoVersion,
    /// The store failed, so the result is unknown.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

impl PartitionState {
    /// Reads a partition's ledger. *None: there is no ledger, so all records run.*
    ///
    /// `namespace` is the consumer's (`LAMBDA_MSK_NAMESPACE`, or the function's name). `cluster` is the configured name (`LAMBDA_MSK_CLUSTER`), or the cluster's ARN, or for a
    /// self-managed cluster its brokers, sorted and separated by commas.
    ///
    /// # Errors
    ///
    /// The store failed. A failure that may pass is retried for up to [`STORE_WAIT_MS_MAX`].
    pub async fn read<S: IdempotencyStore>(
        store: &S,
        namespace: &str,
        cluster: &str,
        at: &TopicPartition,
    ) -> Result<Option<Self>, StoreError> {
        let id = ledger_id(namespace, cluster, at);
        let end = end();
        let mut patience = Patience::until(Some(end));
        let item = loop {
            match answer(store.read(&id), end).await {
                Ok(item) => break item,
                Err(error) if error.is_transient() && patience.wait(Duration::MAX).await => {}
                Err(error) => return Err(error),
            }
        };
        Ok(item.map(|item| Self {
            id,
            book: decode(&item.data),
            item,
        }))
    }

    /// The item's id in the store: `namespace/cluster/topic/partition`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The settled offsets within `offsets`, ascending; `..` returns all. A record at such an offset is skipped if it is the same record that was settled; a different record
    /// at the offset runs.
    pub fn settled(&self, offsets: impl RangeBounds<i64>) -> Vec<SettledRange> {
        let entries = self.book.iter().flat_map(|book| &book.entries);
        let entries: Vec<&Entry> = entries
            .filter(|entry| offsets.contains(&entry.offset))
            .collect();
        let neighbours = |a: &&Entry, b: &&Entry| {
            a.offset.checked_add(1) == Some(b.offset) && a.settled == b.settled
        };
        let range = |run: &[&Entry]| {
            let newest = run.iter().map(|entry| entry.minute).max();
            SettledRange {
                first: run[0].offset,
                last: run[run.len() - 1].offset,
                rejected: run[0].settled == Settled::Rejected,
                at_ms: u64::from(newest.unwrap_or_default()) * 60_000,
            }
        };
        entries.chunk_by(neighbours).map(range).collect()
    }

    /// The highest offset that a batch held. *None: no offset is recorded yet.*
    pub fn highest(&self) -> Option<i64> {
        self.book.as_ref().ok()?.highest
    }

    /// The offset of a record that was reported to Lambda as failed and is not yet redelivered. *None: there is no such record.*
    ///
    /// If it stays while higher offsets are delivered, the mapping ignores the function's responses: it lacks `ReportBatchItemFailures`.
    pub fn reported(&self) -> Option<i64> {
        Some(self.book.as_ref().ok()?.reported?.offset)
    }

    /// The lease on the partition. *None: no invocation holds the partition, and the last holder released it.*
    pub fn lease(&self) -> Option<Lease> {
        let holder = self.item.version.clone()?;
        let until_ms = self.item.held_until_ms;
        (until_ms > 0).then_some(Lease { holder, until_ms })
    }

    /// The size of the item's data in bytes: the settled offsets. Id and lease take a few more.
    pub fn data_bytes(&self) -> usize {
        self.item.data.len()
    }

    /// The expiry of the whole item, in seconds since 1970: a store may delete it from then on.
    pub fn expires_s(&self) -> u64 {
        self.item.expires_s
    }

    /// The reason why this version cannot read the data: the next batch's records run, and the ledger is rewritten. *None: the data can be read.*
    pub fn unreadable(&self) -> Option<String> {
        Some(self.book.as_ref().err()?.to_string())
    }

    /// Deletes those offsets from the ledger, settled or reported, if it has not changed since it was read; `..` deletes the whole ledger.
    /// The records at these offsets run again when they are redelivered.
    ///
    /// `now_ms` is the wall time, milliseconds since 1970: a lease is live until its expiry plus the [gap](crate::limits::LEASE_GAP_MS_MAX). An
    /// [unordered](crate::ProcessingOrder::Unordered) consumer takes no lease: if one of its invocations runs at the same time, it writes the offsets back that it has read.
    /// A failure of the store that may pass is retried for up to [`STORE_WAIT_MS_MAX`].
    ///
    /// # Errors
    ///
    /// [`ForgetError`]: no offset was forgotten; only after [`ForgetError::Store`] some may have been.
    pub async fn forget<S: IdempotencyStore>(
        &self,
        store: &S,
        offsets: impl RangeBounds<i64>,
        now_ms: u64,
    ) -> Result<(), ForgetError> {
        let live = self.lease().filter(|lease| lease.is_live(now_ms));
        if let Some(lease) = live {
            return Err(ForgetError::Held(lease));
        }
        let version = self.item.version.clone().ok_or(ForgetError::NoVersion)?;
        let change = match (offsets.start_bound(), offsets.end_bound()) {
            (Bound::Unbounded, Bound::Unbounded) => Change::Delete,
            _ => Change::Put(self.without(&offsets)?),
        };
        let id = Arc::clone(&self.id);
        swap(store, &Swap::new(id, Expect::Version(version), change)).await
    }

    /// The item without those offsets, as a holder of its own that has given it back: one that wakes late finds that it is not the last any more.
    fn without(&self, offsets: &impl RangeBounds<i64>) -> Result<Item, ForgetError> {
        let unreadable = |error: &FormatError| ForgetError::Unreadable(error.to_string());
        let mut book = self.book.clone().map_err(|error| unreadable(&error))?;
        book.entries
            .retain(|entry| !offsets.contains(&entry.offset));
        let reported = book.reported;
        book.reported = reported.filter(|reported| !offsets.contains(&reported.offset));
        let holder = Holder::draw(&Clock::System).map_err(ForgetError::Store)?;
        let mut item = Item::new(Some(holder.version()), self.item.expires_s);
        item.data = encode(&book);
        Ok(item)
    }
}

/// One conditional write, repeated as it is until its fate is known.
async fn swap<S: IdempotencyStore>(store: &S, swap: &Swap) -> Result<(), ForgetError> {
    let end = end();
    let mut patience = Patience::until(Some(end));
    let mut unsure = false;
    loop {
        match answer(store.swap(swap), end).await {
            Ok(Swapped::Applied(_)) => return Ok(()),
            // Ours, if an earlier try may have been applied and its answer lost.
            Ok(Swapped::Refused(stands)) => {
                let ours = match &swap.change {
                    Change::Put(item) => stands.as_ref() == Some(item),
                    Change::Hold { .. } | Change::Delete => stands.is_none(),
                };
                return (unsure && ours).then_some(()).ok_or(ForgetError::Changed);
            }
            Err(error) if error.is_transient() && patience.wait(Duration::MAX).await => {
                unsure = true;
            }
            Err(error) => return Err(ForgetError::Store(error)),
        }
    }
}

fn end() -> Instant {
    Instant::now() + Duration::from_millis(STORE_WAIT_MS_MAX)
}

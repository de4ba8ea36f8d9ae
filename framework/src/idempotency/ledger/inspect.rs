//! What a store holds of a partition, for people: read, and forgotten. Called by whoever operates a consumer; `cargo msk ledger` stands on it.

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

/// A partition's ledger as it stood in a store when it was read: what was settled lately, and who holds the partition.
///
/// For tools and tests. A consumer reads and writes it by itself.
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

/// Neighbouring offsets that ended alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettledRange {
    /// The lowest of them.
    pub first: i64,
    /// The highest of them.
    pub last: i64,
    /// Whether they went to the destination. Else they were done.
    pub rejected: bool,
    /// When one of them was settled or skipped last, milliseconds since 1970; kept to the minute. Their age counts from then.
    pub at_ms: u64,
}

impl SettledRange {
    /// How many they are.
    pub fn count(&self) -> u64 {
        self.last.abs_diff(self.first) + 1
    }
}

/// Who holds a partition, or held it last and did not give it back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The holder, and which of its writes renewed it last.
    pub holder: Version,
    /// When it ends, by the holder's clock, milliseconds since 1970.
    pub until_ms: u64,
}

impl Lease {
    /// From when on any other invocation may take the partition: the lease's end, and the [gap](crate::limits::LEASE_GAP_MS_MAX) behind it. Milliseconds since
    /// 1970.
    pub fn free_ms(&self) -> u64 {
        self.until_ms.saturating_add(LEASE_GAP_MS_MAX) + 1
    }

    /// Whether its holder may still run records at that time, milliseconds since 1970.
    pub fn is_live(&self, now_ms: u64) -> bool {
        now_ms < self.free_ms()
    }
}

/// Why nothing was forgotten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForgetError {
    /// An invocation holds the partition: it would write what it has read and settled over it. Stop the mapping, or wait until its lease is over.
    #[error("an invocation holds the partition")]
    Held(Lease),
    /// It has been written or deleted since it was read. Read it again: what it holds now is not what was seen.
    #[error("the partition's ledger was changed after it was read")]
    Changed,
    /// A part of it cannot be taken out of bytes that this version does not read. The whole can be forgotten.
    #[error("the partition's ledger cannot be read: {0}")]
    Unreadable(String),
    /// Another program wrote the item, without a version that could be compared.
    #[error("the item is none that this framework wrote: it has no version")]
    NoVersion,
    /// The store could not say whether it did.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

impl PartitionState {
    /// Reads what is known of a partition. *None: nothing is; its records run.*
    ///
    /// `namespace` is the consumer's (`LAMBDA_MSK_NAMESPACE`, else the function's name). `cluster` is the name given by hand (`LAMBDA_MSK_CLUSTER`), else its ARN; of a
    /// self-managed one its brokers, sorted and joined by commas.
    ///
    /// # Errors
    ///
    /// The store could not say. A failure that may pass is waited for, up to [`STORE_WAIT_MS_MAX`].
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

    /// Which of those offsets are settled, ascending: `..` for all. A record of theirs is skipped if it is the very record that was settled; another one that
    /// stands at such an offset runs.
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

    /// The highest offset that a batch held. *None: nothing was recorded yet.*
    pub fn highest(&self) -> Option<i64> {
        self.book.as_ref().ok()?.highest
    }

    /// A record that Lambda was told to send again, and has not sent again yet. *None: all is well.*
    ///
    /// If it stays while higher offsets are delivered, the mapping does not read the function's answers: it lacks `ReportBatchItemFailures`.
    pub fn reported(&self) -> Option<i64> {
        Some(self.book.as_ref().ok()?.reported?.offset)
    }

    /// *None: nobody holds the partition; whoever held it last gave it back.*
    pub fn lease(&self) -> Option<Lease> {
        let holder = self.item.version.clone()?;
        let until_ms = self.item.held_until_ms;
        (until_ms > 0).then_some(Lease { holder, until_ms })
    }

    /// Bytes of the item's data: what was settled. Id and lease take a few more.
    pub fn data_bytes(&self) -> usize {
        self.item.data.len()
    }

    /// When the whole item counts as gone, seconds since 1970: a store may delete it from then on.
    pub fn expires_s(&self) -> u64 {
        self.item.expires_s
    }

    /// Why its data is none that this version reads: the next batch's records run, and it is written anew. *None: it can be read.*
    pub fn unreadable(&self) -> Option<String> {
        Some(self.book.as_ref().err()?.to_string())
    }

    /// Forgets that those offsets were settled or reported, if the ledger still stands as it was read; with `..` all that is known of the partition.
    /// Records of theirs run again when they come again.
    ///
    /// `now_ms` is the wall time, milliseconds since 1970: a lease is live until its end and the [gap](crate::limits::LEASE_GAP_MS_MAX) behind it. An
    /// [unordered](crate::ProcessingOrder::Unordered) consumer takes no lease: an invocation of it that runs meanwhile writes back what it has read.
    /// A failure of the store that may pass is waited for, up to [`STORE_WAIT_MS_MAX`].
    ///
    /// # Errors
    ///
    /// Why nothing was forgotten; after [`ForgetError::Store`] it may have been.
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

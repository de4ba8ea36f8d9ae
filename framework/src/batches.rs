//! Batch handlers: many records in one call, for a database, a search index or a file.
//!
//! A batch handler is an `async fn` whose first argument is a [`Batch`]; [`batch`](crate::batch) gives it its settings, and [`Builder::route`](crate::builder::Builder::route) takes it.
//! The records of a call are a *chunk*: the next records of one lane, or of all lanes of the topic ([`across_partitions`](crate::handler::BatchOptions::across_partitions)). No lane has two chunks out.
//!
//! # Example
//!
//! ```
//! use lambda_msk::{Batch, Consumer, Failure, Json, Outcomes, State, batch};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Order {
//!     order_id: u64,
//! }
//!
//! #[derive(Clone)]
//! struct Db;
//!
//! impl Db {
//!     /// Writes what can be written, and says what cannot.
//!     async fn insert(&self, orders: &[Json<Order>]) -> Result<Vec<(usize, &'static str)>, std::io::Error> {
//!         # let _ = orders.iter().map(|Json(order)| order.order_id);
//!         Ok(Vec::new())
//!     }
//! }
//!
//! async fn store(orders: Batch<Json<Order>>, State(db): State<Db>) -> Result<Outcomes, Failure> {
//!     let mut outcomes = orders.outcomes(); // all Done until said otherwise
//!     for (index, why) in db.insert(&orders).await? {
//!         outcomes.reject(index, Failure::reject(why).code("order.exists"));
//!     }
//!     Ok(outcomes)
//! }
//!
//! let consumer = Consumer::builder()
//!     .state(Db)
//!     .route("orders", batch(store).records(500).bytes(1 << 20).across_partitions())
//!     .build()?;
//! # let _ = consumer;
//! # Ok::<(), lambda_msk::Error>(())
//! ```
//!
//! # What becomes of a chunk
//!
//! | the handler | the chunk |
//! |---|---|
//! | returns `Ok(())`, or [`Outcomes`] of which nothing was said | all records are Done |
//! | says `outcomes.reject(index, …)` | that record goes to the destination |
//! | says `outcomes.retry(index, …)` | that record is tried again, in a call with the later records of its lane that are not done either; its lane waits. Whatever else was written stays Done |
//! | returns an error, panics, or runs into its time-out | it is tried again whole, with back-off, as often as `attempts` says; then it is halved, one try for each part, until the culprit stands alone. The culprit then has its own attempts |
//! | returns `Failure::retry(…).whole()` | it is tried again whole as often as `attempts` says, and never halved |
//! | returns `Failure::reject(…)` | it is halved at once, until the culprit stands alone, which goes to the destination |
//!
//! A record that an extractor cannot read never reaches the chunk: it goes to the destination first. If a record fails, the records behind it in its lane are Unreached, and those before it stay Done.

mod arguments;
mod collect;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use self::arguments::{BatchArgs, BatchHandler, FromChunk};
pub(crate) use self::collect::{ChunkRoute, Collection, collector};
pub use crate::chunk::Chunk;
use crate::delivery::IdempotencyKey;
pub use crate::outcomes::{IntoOutcomes, Outcomes};
use crate::record::Record;

/// What a batch handler takes first: an argument `E` of each record of a chunk, in order. `E` is any extractor of a record, or a tuple of extractors:
/// `Batch<(Key<String>, Json<Order>)>`.
///
/// Dereferences to a slice. An index in it is the index in [`Outcomes`]. [`record::Batch`](crate::record::Batch) is another type: the records of a whole event.
///
/// # Example
///
/// ```
/// use lambda_msk::{Batch, Failure, Json, Key};
///
/// async fn index(orders: Batch<(Key<String>, Json<u64>)>) -> Result<(), Failure> {
///     for ((Key(customer), Json(order)), record) in orders.iter().zip(orders.records()) {
///         println!("{customer} has ordered {order} ({record})");
///     }
///     Ok(())
/// }
/// ```
pub struct Batch<E> {
    items: Vec<E>,
    chunk: Arc<Chunk>,
}

impl<E> Batch<E> {
    pub(crate) fn new(items: Vec<E>, chunk: Arc<Chunk>) -> Self {
        Self { items, chunk }
    }

    /// The outcomes of its records: all Done until something else is said of one.
    pub fn outcomes(&self) -> Outcomes {
        Outcomes::done(self.chunk.len())
    }

    /// The records, each at the index of its item.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record> + '_ {
        self.chunk.records()
    }

    /// The key that identifies the record at that index, the same in every delivery of it. *None: the index is out of range.*
    pub fn idempotency_key(&self, index: usize) -> Option<IdempotencyKey> {
        let record = self.chunk.record(index)?;
        Some(IdempotencyKey::in_invocation(
            self.chunk.invocation(),
            &record,
        ))
    }

    /// The chunk: its records, and the data of its invocation.
    pub fn chunk(&self) -> &Chunk {
        &self.chunk
    }

    /// The items without their records. Make the [`outcomes`](Self::outcomes) first.
    pub fn into_items(self) -> Vec<E> {
        self.items
    }
}

impl<E> Deref for Batch<E> {
    type Target = [E];

    fn deref(&self) -> &[E] {
        &self.items
    }
}

impl<E> IntoIterator for Batch<E> {
    type Item = E;
    type IntoIter = std::vec::IntoIter<E>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a Batch<E> {
    type Item = &'a E;
    type IntoIter = std::slice::Iter<'a, E>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<E> fmt::Debug for Batch<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("chunk", &self.chunk)
            .finish_non_exhaustive()
    }
}

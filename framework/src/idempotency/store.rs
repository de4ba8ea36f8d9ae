//! The interface of a store of idempotency items: compare and swap. Leases, fences and merges are above it, in `ledger`.

// How often a store is asked again.
pub(super) mod patience;

// How many requests are made at once.
pub(super) mod requests;

// A store whose kind is chosen at run time.
pub(super) mod box_store;

// In this process's memory.
pub(super) mod memory;

// Why a server could not say.
#[cfg(any(feature = "redis", feature = "postgres"))]
mod fault;

// In a table.
#[cfg(feature = "dynamodb")]
pub(super) mod dynamodb;

// A key an item, in Redis.
#[cfg(feature = "redis")]
pub(super) mod redis;

// A row an item, in Postgres.
#[cfg(feature = "postgres")]
pub(super) mod postgres;

// A store from a text.
pub(super) mod choose;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use crate::failure::{BoxError, told};

/// A store of idempotency items: a table of versioned items that are compared and swapped.
///
/// [`MemoryStore`](crate::idempotency::MemoryStore), `DynamoDbStore`, `RedisStore` and `PostgresStore` are included; a store of your own is one read and one conditional write.
/// `testing::store::check` (feature `testing`) tests its guarantees.
///
/// Write plain `async fn`s; values that they hold across an await must be `Send`. Both are dropped when time is up, and may be called again: a write whose response was
/// lost is repeated with the same content, and the returned item then shows that it had been applied. A panic, also in a `drop`, counts as an error that may pass;
/// a second panic while the first one unwinds ends the process.
///
/// # Example
///
/// ```
/// use lambda_msk::idempotency::{IdempotencyStore, Item, StoreError, Swap, Swapped};
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// #[derive(Default)]
/// struct Table(Mutex<BTreeMap<String, Item>>);
///
/// impl IdempotencyStore for Table {
///     async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
///         Ok(self.0.lock().unwrap().get(id).cloned())
///     }
///
///     async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
///         let mut table = self.0.lock().unwrap();
///         let stands = table.get(&*swap.id);
///         if !swap.expect.holds(stands) {
///             return Ok(Swapped::Refused(stands.cloned()));
///         }
///         let item = swap.change.applied(stands);
///         match &item {
///             Some(item) => table.insert(swap.id.to_string(), item.clone()),
///             None => table.remove(&*swap.id),
///         };
///         Ok(Swapped::Applied(item))
///     }
///
///     fn describe(&self) -> String {
///         "table".into()
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # #[cfg(feature = "testing")]
/// lambda_msk::testing::store::check(Table::default()).await;
/// # }
/// ```
pub trait IdempotencyStore: Send + Sync + 'static {
    /// Reads the current item. The read must see every write that was confirmed before it.
    ///
    /// # Errors
    ///
    /// The store failed.
    fn read(&self, id: &str) -> impl Future<Output = Result<Option<Item>, StoreError>> + Send;

    /// Changes the item if it meets the expectation, in one atomic step; otherwise returns the current item.
    ///
    /// # Errors
    ///
    /// The store failed, so the result is unknown.
    fn swap(&self, swap: &Swap) -> impl Future<Output = Result<Swapped, StoreError>> + Send;

    /// A short description for logs and errors, without secrets: `dynamodb:orders-idempotency`.
    fn describe(&self) -> String;

    /// Returns true if other processes see the items, and the items outlive this process.
    fn is_durable(&self) -> bool {
        true
    }
}

/// One item of a store: a partition's ledger, or one record's claim in the format of Powertools.
///
/// The fields are those of Powertools for AWS Lambda, and a version.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// The last writer, and the number of its write. *None: another program wrote the item, without a version.*
    pub version: Option<Version>,
    /// The status: in progress or completed.
    pub status: Status,
    /// The time until which its owner holds it, in milliseconds since 1970 (`in_progress_expiration`). 0: it is free.
    pub held_until_ms: u64,
    /// The item's expiry, in seconds since 1970 (`expiration`): a store may delete it from then on.
    pub expires_s: u64,
    /// A ledger's settled offsets, or a record's data.
    pub data: Bytes,
    /// The hash of the claim's payload. *None: payloads are not compared.*
    pub validation: Option<Arc<str>>,
}

impl Item {
    /// Creates a free item without data.
    pub fn new(version: Option<Version>, expires_s: u64) -> Self {
        Self {
            version,
            status: Status::InProgress,
            held_until_ms: 0,
            expires_s,
            data: Bytes::new(),
            validation: None,
        }
    }

    /// Returns true if any owner may take the item at that time: it has expired, or is in progress without a holder.
    pub fn is_free(&self, at_ms: u64) -> bool {
        let expired = self.expires_s < at_ms / 1000;
        expired || (self.status == Status::InProgress && self.held_until_ms < at_ms)
    }
}

impl fmt::Debug for Item {
    /// The data's size only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("version", &self.version)
            .field("status", &self.status)
            .field("held_until_ms", &self.held_until_ms)
            .field("expires_s", &self.expires_s)
            .field("data_bytes", &self.data.len())
            .field("validation", &self.validation)
            .finish()
    }
}

/// The status of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Every ledger, and a record from its claim to its end (`INPROGRESS`).
    InProgress,
    /// A settled record (`COMPLETED`).
    Completed,
}

impl Status {
    /// The text in a table: `INPROGRESS`, `COMPLETED`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "INPROGRESS",
            Self::Completed => "COMPLETED",
        }
    }
}

/// The version that a swap compares: the item's last writer, and the number of its write.
///
/// A version identifies one state of an item, even if the item is deleted and created again: so a write that arrives late, or twice, replaces the state
/// on which it was based, or nothing. For this, each [`Change::Put`] has a unique number, and each [`Change::Hold`] adds a unique number to the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The unique name of one holder: drawn from the system's entropy when it begins to hold.
    pub owner: Arc<str>,
    /// The number of the write, below 2<sup>53</sup>, so that a store may keep it as a double. A higher number does not mean a later version.
    pub seq: u64,
}

/// One conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swap {
    /// The item's id: at most [`STORE_ID_BYTES_MAX`](crate::limits::STORE_ID_BYTES_MAX) bytes of visible ASCII.
    pub id: Arc<str>,
    /// The expected state of the item.
    pub expect: Expect,
    /// The change of the item.
    pub change: Change,
}

impl Swap {
    /// Creates a write that changes the item if it is in the expected state.
    pub fn new(id: Arc<str>, expect: Expect, change: Change) -> Self {
        Self { id, expect, change }
    }
}

/// The state that an item must have for a swap to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The item does not exist.
    Absent,
    /// The item has exactly this version.
    Version(Version),
    /// The item does not exist, or [is free](Item::is_free) at that time.
    Free {
        /// The time, in milliseconds since 1970.
        at_ms: u64,
    },
}

impl Expect {
    /// Returns true if this item is in the expected state. *None: there is no item.*
    pub fn holds(&self, item: Option<&Item>) -> bool {
        match (self, item) {
            (Self::Absent | Self::Free { .. }, None) => true,
            (Self::Absent, Some(_)) | (Self::Version(_), None) => false,
            (Self::Version(version), Some(item)) => item.version.as_ref() == Some(version),
            (Self::Free { at_ms }, Some(item)) => item.is_free(*at_ms),
        }
    }
}

/// The change of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Replaces the item with this one.
    Put(Item),
    /// Holds the item, in progress; its data and validation stay unchanged (empty, if there was no item). Its seq is raised by a given number: a request that arrives
    /// late, and a second time, creates another version of other data.
    Hold {
        /// The new version's owner.
        owner: Arc<str>,
        /// The number to add to the version's seq. It is the new seq if there was no item, or an item without a version. Each request has another number, so that no two
        /// requests of one owner create the same version.
        raise: u64,
        /// The new [`Item::held_until_ms`].
        held_until_ms: u64,
        /// The new [`Item::expires_s`].
        expires_s: u64,
    },
    /// Deletes the item.
    Delete,
}

impl Change {
    /// The item after the change.
    pub fn applied(&self, item: Option<&Item>) -> Option<Item> {
        match self {
            Self::Put(item) => Some(item.clone()),
            Self::Hold {
                owner,
                raise,
                held_until_ms,
                expires_s,
            } => Some(Item {
                version: Some(Version {
                    owner: Arc::clone(owner),
                    seq: item
                        .and_then(|item| item.version.as_ref())
                        .map_or(0, |version| version.seq)
                        .saturating_add(*raise),
                }),
                status: Status::InProgress,
                held_until_ms: *held_until_ms,
                expires_s: *expires_s,
                data: item.map(|item| item.data.clone()).unwrap_or_default(),
                validation: item.and_then(|item| item.validation.clone()),
            }),
            Self::Delete => None,
        }
    }
}

/// The result of a swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swapped {
    /// The swap was applied: the item after it. *None: it was deleted.*
    Applied(Option<Item>),
    /// The swap was refused: the current item, which is not in the expected state. *None: there is no item.*
    Refused(Option<Item>),
}

/// An error of a store. Its text goes to the log.
#[derive(Debug)]
pub struct StoreError {
    passes: bool,
    source: BoxError,
}

impl StoreError {
    /// Creates an error that may pass: throttled, no connection, no response. The request is retried while there is time.
    pub fn transient(why: impl Into<BoxError>) -> Self {
        Self {
            passes: true,
            source: why.into(),
        }
    }

    /// Creates an error that will not pass by itself: no such table, no permission. The request is not retried.
    pub fn permanent(why: impl Into<BoxError>) -> Self {
        Self {
            passes: false,
            source: why.into(),
        }
    }

    /// What is kept of it: its text. The error itself is the store's own, also in its `drop`.
    pub(crate) fn kept(self) -> Self {
        Self {
            passes: self.passes,
            source: told(self.source).into(),
        }
    }

    /// Returns true if the error may pass.
    pub fn is_transient(&self) -> bool {
        self.passes
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.source()
    }
}

impl<S: IdempotencyStore> IdempotencyStore for Arc<S> {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        S::read(self, id).await
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        S::swap(self, swap).await
    }

    fn describe(&self) -> String {
        S::describe(self)
    }

    fn is_durable(&self) -> bool {
        S::is_durable(self)
    }
}

#[cfg(all(test, any(feature = "redis", feature = "postgres")))]
mod tests;

//! What a store of idempotency items can do: compare and swap. Leases, fences and merges stand above it, in `ledger`.

// How often a store is asked again.
pub(super) mod patience;

// How many requests are made at once.
pub(super) mod requests;

// A store whose kind is chosen at run time.
pub(super) mod box_store;

// In this process's memory.
pub(super) mod memory;

// In a table.
#[cfg(feature = "dynamodb")]
pub(super) mod dynamodb;

// A store from a text.
pub(super) mod choose;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use crate::failure::{BoxError, told};

/// Where idempotency items are kept: a table of versioned items that are compared and swapped.
///
/// [`MemoryStore`](crate::idempotency::MemoryStore) and `DynamoDbStore` are two; a store of your own is one read and one conditional write. What it must hold
/// to is tested by [`testing::store::check`](crate::testing::store::check).
///
/// Write plain `async fn`s; what they hold across an await must be `Send`. Both are dropped when time is up, and may be called again: a write whose answer was
/// lost is repeated with the same content, and the item that then comes back tells that it had been applied. A panic counts as an error that may pass, also one
/// of a `drop`; a second one while the first one unwinds ends the process.
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
    /// The item as it stands now: a read that sees every write which was answered before.
    ///
    /// # Errors
    ///
    /// The store could not say.
    fn read(&self, id: &str) -> impl Future<Output = Result<Option<Item>, StoreError>> + Send;

    /// Changes the item if it stands as expected, in one atomic step; else answers with the item that stands there.
    ///
    /// # Errors
    ///
    /// The store could not say whether it did.
    fn swap(&self, swap: &Swap) -> impl Future<Output = Result<Swapped, StoreError>> + Send;

    /// For logs and errors: `dynamodb:orders-idempotency`. Nothing secret.
    fn describe(&self) -> String;

    /// Whether other processes see what is written here, and it outlives this one.
    fn is_durable(&self) -> bool {
        true
    }
}

/// One item of a store: a partition's ledger; the format has room for one record's claim, as Powertools makes them.
///
/// The fields are what Powertools for AWS Lambda keeps, and a version.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// Who wrote it last, and which of its writes that was. *None: another program wrote it, which knows no versions.*
    pub version: Option<Version>,
    /// Whether more is to come.
    pub status: Status,
    /// Until when it is its owner's alone, milliseconds since 1970 (`in_progress_expiration`). 0: it is free.
    pub held_until_ms: u64,
    /// When it counts as gone, seconds since 1970 (`expiration`): a store may delete it from then on.
    pub expires_s: u64,
    /// A ledger's settled offsets, or what is known of a record.
    pub data: Bytes,
    /// Of the payload that the claim was for. *None: payloads are not compared.*
    pub validation: Option<Arc<str>>,
}

impl Item {
    /// A free item without data.
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

    /// Whether anyone may take it at that time: it has expired, or is in progress and held by nobody.
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

/// Whether more is to come of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// A ledger always; a record from its claim to its end (`INPROGRESS`).
    InProgress,
    /// A record that is settled (`COMPLETED`).
    Completed,
}

impl Status {
    /// As it stands in a table: `INPROGRESS`, `COMPLETED`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "INPROGRESS",
            Self::Completed => "COMPLETED",
        }
    }
}

/// Who wrote an item last, and which of its writes that was. What a swap compares.
///
/// A version stands for one state of an item and for no other, even if the item is deleted and made anew: so a write that lands late, or twice, replaces the state
/// that it was made from, or nothing. For that each [`Change::Put`] bears a number that no other write has, and each [`Change::Hold`] adds one of its own to what it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Names one holder and no other: drawn from the system's entropy when it begins to hold.
    pub owner: Arc<str>,
    /// Below 2<sup>53</sup>, so that a store may keep it as a double. Of two versions, the higher number need not be the later one.
    pub seq: u64,
}

/// One conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swap {
    /// Which item. At most [`STORE_ID_BYTES_MAX`](crate::limits::STORE_ID_BYTES_MAX) bytes of visible ASCII.
    pub id: Arc<str>,
    /// How the item must stand.
    pub expect: Expect,
    /// What becomes of it.
    pub change: Change,
}

impl Swap {
    /// That change of that item, if it stands as expected.
    pub fn new(id: Arc<str>, expect: Expect, change: Change) -> Self {
        Self { id, expect, change }
    }
}

/// How an item must stand for a swap to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is none.
    Absent,
    /// It has exactly this version.
    Version(Version),
    /// There is none, or [it is free](Item::is_free) at that time, milliseconds since 1970.
    Free {
        /// The time.
        at_ms: u64,
    },
}

impl Expect {
    /// Whether this item stands as expected. *None: there is no item.*
    pub fn holds(&self, item: Option<&Item>) -> bool {
        match (self, item) {
            (Self::Absent | Self::Free { .. }, None) => true,
            (Self::Absent, Some(_)) | (Self::Version(_), None) => false,
            (Self::Version(version), Some(item)) => item.version.as_ref() == Some(version),
            (Self::Free { at_ms }, Some(item)) => item.is_free(*at_ms),
        }
    }
}

/// What becomes of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is this one.
    Put(Item),
    /// It is held, in progress; its data and validation stay as they are (empty, if there was none). Its seq is raised by a given number: a request that lands
    /// late, and once more, makes another version of other data.
    Hold {
        /// The new version's owner.
        owner: Arc<str>,
        /// What is added to the version's seq, or is the new one, if there was no item, or one without a version. Another number in each request, so that no two
        /// of one owner make one version, whatever they find.
        raise: u64,
        /// As [`Item::held_until_ms`].
        held_until_ms: u64,
        /// As [`Item::expires_s`].
        expires_s: u64,
    },
    /// There is none.
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

/// What a store did with a swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swapped {
    /// The item as it stands after it. *None: it was deleted.*
    Applied(Option<Item>),
    /// The item as it stands, which is not as expected. *None: there is none.*
    Refused(Option<Item>),
}

/// Why a store could not say. Its text goes to the log.
#[derive(Debug)]
pub struct StoreError {
    passes: bool,
    source: BoxError,
}

impl StoreError {
    /// It may pass: throttled, no connection, no answer. Tried again while there is time.
    pub fn transient(why: impl Into<BoxError>) -> Self {
        Self {
            passes: true,
            source: why.into(),
        }
    }

    /// It will not pass by itself: no such table, no permission. Not tried again.
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

    /// Whether it may pass.
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

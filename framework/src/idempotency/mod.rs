//! What was settled in an earlier delivery, so that it is skipped: ledgers, and the stores below them. Asked and told by `process`.
//!
//! Lambda delivers at least once: after a failure, a time-out or a rebalance the same records come again, perhaps while the first invocation still runs.
//!
//! # The promise
//!
//! - *At least once:* every offset that Lambda commits was Done, Skipped after a recorded Done, confirmed at the destination, or given up by the mapping under
//!   its own rules. A handler may run again for a record: by retry in place; when it was dropped or Failed (its effect may have happened); when it was Done but
//!   not yet recorded as its owner died or lost its lease or store; when the ledger has forgotten it. With clocks within
//!   [`CLOCK_SKEW_MAX_MS`](crate::limits::CLOCK_SKEW_MAX_MS), an old owner overlaps its successor only in handlers that started before its lease ended.
//! - *At most once:* while its mark is kept, a handler starts at most once a key; its effect may be missing; such records go to the destination, or are logged
//!   and counted as lost.
//! - *With the key passed on:* one effect, if the receiver applies key and effect atomically, keeps keys longer than the longest redelivery, and the request
//!   depends only on the record.
//!
//! # The ledger
//!
//! By offset, the default. One item a partition: which offsets were settled lately, each with a fingerprint of timestamp, key, value and headers, and who may run
//! the partition now. A batch costs two writes a partition (taking it with what is known, giving it back with what was settled), and one more each
//! [`PROGRESS_MS`](crate::limits::PROGRESS_MS) that it lasts, where others pay two writes a record.
//!
//! Skipped is only what has the same offset *and* the same fingerprint: a topic made anew, restored from a backup or refilled is never skipped. What is forgotten
//! runs again: [`LEDGER_AGE_MS_MAX`](crate::limits::LEDGER_AGE_MS_MAX) after it was met last, and below the batch at hand all but the highest
//! [`LEDGER_OFFSETS_KEPT`](crate::limits::LEDGER_OFFSETS_KEPT) offsets.
//!
//! After a kill, what was started since the last confirmed write runs again; with progress at zero that is at most one record a lane.
//!
//! A replay by hand (offsets reset) inside that age is skipped as well: the log counts what it skipped. `cargo msk ledger forget` makes it run.
//!
//! # Per record
//!
//! By key, with [`PerRecord`]: two records that bear one key are one to the business, though they stand at two offsets. A record's item is claimed before its
//! handler starts, renewed while that runs, and completed after it: two writes a record. A claim's owner is one record in one invocation, and every write is
//! conditional on it, so that an invocation which was thought dead changes nothing of its successor's. Another record of the key waits for how the first one
//! ends. With [`Guarantee::AtMostOnce`] the claim is a mark that nobody takes over.
//!
//! How a record ended is on its way to the store before its lane does anything else, and is there before the lane's next handler starts: after a kill, at most
//! one record a lane that was done runs again.
//!
//! The items bear the names of Powertools for AWS Lambda, and either reads what the other wrote. Powertools itself completes and deletes without a
//! condition: what an invocation of *it* does after its time is not fenced.
//!
//! # An effect that happens once
//!
//! No framework can make a call over the network and its own note of it one step. The receiver can: give it the [`IdempotencyKey`](crate::IdempotencyKey), and
//! let it keep key and effect together.
//!
//! ```
//! use lambda_msk::{Failure, IdempotencyKey, Json};
//! # use lambda_msk::BoxError;
//! # async fn send(_: http::Request<Vec<u8>>) -> Result<http::Response<()>, BoxError> { Ok(http::Response::new(())) }
//!
//! async fn charge(Json(order): Json<serde_json::Value>, key: IdempotencyKey) -> Result<(), Failure> {
//!     // The same key in every delivery and every retry: the service answers a repeated one with what it did the first time.
//!     let request = http::Request::post("https://payments.example/charges").header("Idempotency-Key", key.as_str());
//!     let response = send(request.body(serde_json::to_vec(&order)?)?).await?;
//!     match response.status().as_u16() {
//!         200..=299 => Ok(()),
//!         408 | 425 | 429 | 500.. => Err(Failure::retry("the payment service is busy")),
//!         _ => Err(Failure::reject("the payment service refused the charge")),
//!     }
//! }
//! ```
//!

mod book;
mod canonical;
mod choose;
mod claims;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod fingerprint;
mod format;
mod inspect;
mod item_id;
mod lease;
mod ledger;
mod memory;
mod patience;
mod per_record;
mod store;
mod terms;
mod watched;

use std::sync::Arc;

use crate::invocation::Clock;
use crate::record::{EventSource, Record};

pub(crate) use self::choose::choose_store;
pub(crate) use self::claims::{Claim, ClaimEnd, Claimed, Claims, Held, Recorder, Undone};
#[cfg(feature = "dynamodb")]
pub use self::dynamodb::{DynamoDbStore, DynamoDbTableError};
pub use self::inspect::{ForgetError, Lease, PartitionState, SettledRange};
pub(crate) use self::item_id::ledger_id;
pub(crate) use self::lease::LeaseTimes;
pub(crate) use self::ledger::{Opened, PartitionLedger};
pub use self::memory::MemoryStore;
pub use self::per_record::PerRecord;
pub use self::store::{
    BoxStore, Change, Expect, IdempotencyStore, Item, Status, StoreError, Swap, Swapped, Version,
};
pub(crate) use self::terms::Terms;

/// What keeps a record's effect from happening twice: where it is kept what was settled.
///
/// Any [`IdempotencyStore`] becomes one: `.idempotency(DynamoDbStore::new("orders-idempotency")?)`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Idempotency {
    /// In this process's memory: what was settled is skipped when the same process gets it again, for up to
    /// [`MEMORY_LEDGER_AGE_MS_MAX`](crate::limits::MEMORY_LEDGER_AGE_MS_MAX). Another process knows nothing of it.
    ///
    /// A batch that is replayed by hand into a warm process is skipped as well: the log says so.
    #[default]
    Memory,
    /// In a store of all processes, which outlives them.
    Store(BoxStore),
    /// Nowhere: every record runs in every delivery.
    None,
}

impl<S: IdempotencyStore> From<S> for Idempotency {
    fn from(store: S) -> Self {
        Self::Store(BoxStore::new(store))
    }
}

/// How often a record's handler may start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guarantee {
    /// Until the record is done: what was started and may not have ended is started again.
    #[default]
    AtLeastOnce,
    /// Once a key at most, while its mark is kept: the record is marked before its handler starts. For effects that are better missing than done twice.
    ///
    /// A record that is found marked, unsettled and without its owner goes to the destination with the code `reject.at_most_once`; the message says how its
    /// handler left it, if that is known. So does one that was begun before this guarantee was asked for, or by Powertools. One whose handler failed is rejected
    /// at once. A record whose handler did not start (an extractor panicked, time was up) is not marked, and comes again.
    ///
    /// *Without a destination such a record is lost:* it is Skipped, so Lambda commits it; an error line names it, the line of the invocation counts it, and
    /// [`RecordReport::is_lost`](crate::RecordReport::is_lost) tells it. The function warns of that when it starts.
    ///
    /// Needs [`PerRecord`] keys, a store that outlives the process, one attempt, and [`WhenStoreFails::Fail`]: anything else is a build error. A tower layer that
    /// repeats its call starts the handler again: use none. Marks are kept for
    /// [`AT_MOST_ONCE_MARK_MS`](crate::limits::AT_MOST_ONCE_MARK_MS) at the least, longer than Lambda's `MaximumRecordAgeInSeconds` can be.
    AtMostOnce,
}

/// What becomes of records while the store fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenStoreFails {
    /// They are Failed, and come again: nothing runs unclaimed.
    #[default]
    Fail,
    /// They run without it, after [two seconds](crate::limits::STORE_PATIENCE_MS): what was done already is done again, two invocations may run a record
    /// side by side, and the log says so. For effects that may happen twice and must not wait.
    Process,
}

/// Why a record does not run now: it is Failed, and comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    /// Names the store.
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) const UNAVAILABLE: &str = "idempotency.unavailable";
    pub(crate) const HELD: &str = "idempotency.held";
    pub(crate) const LOST: &str = "idempotency.lost";

    fn new(code: &'static str, message: String) -> Self {
        Self { code, message }
    }

    /// Whether a problem's code is that of a refusal.
    pub(crate) fn is_code(code: &str) -> bool {
        [Self::UNAVAILABLE, Self::HELD, Self::LOST].contains(&code)
    }

    fn is_the_stores(&self) -> bool {
        self.code == Self::UNAVAILABLE
    }
}

/// A name that no other holder has. Drawn when something begins to be held, never at the start: SnapStart makes many processes of one.
fn owner_token(clock: &Clock) -> Result<Arc<str>, StoreError> {
    let token = clock.token().map_err(StoreError::permanent)?;
    Ok(format!("{token:032x}").into())
}

/// How an earlier delivery of a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Done,
    Rejected,
}

impl Settled {
    /// Whether a record that ended so is skipped. A dead letter that is fed back runs though it was rejected; if it was done since, it does not.
    pub(crate) fn skips(self, record: &Record) -> bool {
        match self {
            Self::Done => true,
            Self::Rejected => record.redrive().is_none(),
        }
    }
}

/// The cluster's part of every key: the ARN; self-managed: the name given by hand, else its brokers, sorted.
pub(crate) fn cluster_of(source: &EventSource, given: Option<&str>) -> Cluster {
    if let Some(arn) = &source.arn {
        return Cluster::Named(arn.as_str().into());
    }
    if let Some(given) = given {
        return Cluster::Named(given.into());
    }
    let servers = source.bootstrap_servers.as_deref().unwrap_or_default();
    let mut servers: Vec<&str> = servers.split(',').map(str::trim).collect();
    servers.sort_unstable();
    Cluster::ByBrokers(servers.join(",").into())
}

/// A cluster's identity in keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cluster {
    Named(Arc<str>),
    /// Another broker in the list makes other keys.
    ByBrokers(Arc<str>),
}

impl Cluster {
    pub(crate) fn identity(&self) -> &Arc<str> {
        match self {
            Self::Named(identity) | Self::ByBrokers(identity) => identity,
        }
    }
}

#[cfg(test)]
mod tests;

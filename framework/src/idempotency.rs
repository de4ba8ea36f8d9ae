//! What was settled in an earlier delivery, so that it is skipped: ledgers, and the stores below them. Asked and told by `process`.
//!
//! Lambda delivers at least once: after a failure, a time-out or a rebalance the same records come again, perhaps while the first invocation still runs.
//!
//! # The promise
//!
//! - *At least once:* every offset that Lambda commits was Done, Skipped after a recorded Done, confirmed at the destination, or given up by the mapping under
//!   its own rules. A handler may run again for a record: by retry in place; when it was dropped or Failed (its effect may have happened); when it was Done but
//!   not yet recorded as its owner died or lost its lease or store; when the ledger has forgotten it. With clocks within
//!   [`CLOCK_SKEW_MAX_MS`](crate::limits::CLOCK_SKEW_MAX_MS), an old owner overlaps its successor only in handlers that started before its lease ended. That
//!   holds with any time-out of the function; below three seconds a successor of a killed process may have to be redelivered until the lease is over.
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
//! Without order (Queue mode) other batches go on while a record waits for its next delivery. So there every offset is kept for the function's time-out and
//! [three minutes](crate::limits::LEDGER_LOCKS_MS), as far as the item has room: [128 KiB](crate::limits::LEDGER_BYTES_MAX), and less if it is written more than
//! four times a second. With locks of 30 s that is enough for 600 records a second of one partition in batches of a hundred, and for 1,000 in batches of a thousand.
//! What is beyond may run twice after a lock that ended; then keep records [per record](#per-record). A large item costs more write units: it is written less often
//! while a batch runs, so that more runs again after a kill.
//!
//! An event that names neither an ARN nor a broker could be of any cluster. Unless a name is given (`LAMBDA_MSK_CLUSTER`), nothing is kept of its records by
//! offset: they run in each delivery, and one warning says so.
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
mod box_store;
mod canonical;
mod choose;
mod claims;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod fingerprint;
mod format;
mod holder;
mod inspect;
mod item_id;
mod lease;
mod ledger;
mod memory;
mod patience;
mod per_record;
mod requests;
mod store;
mod terms;
mod watched;

use std::sync::Arc;

use crate::record::{EventSource, Record};

pub use self::box_store::BoxStore;
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
    Change, Expect, IdempotencyStore, Item, Status, StoreError, Swap, Swapped, Version,
};
pub(crate) use self::terms::Terms;

/// What keeps a record's effect from happening twice: where it is kept what was settled.
///
/// Any [`IdempotencyStore`] becomes one: `.idempotency(DynamoDbStore::new("orders-idempotency")?)`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Idempotency {
    /// In this process's memory: what was settled is skipped when the same process gets it again, for up to
    /// [`MEMORY_LEDGER_AGE_MS`](crate::limits::MEMORY_LEDGER_AGE_MS), or [ten minutes](crate::limits::LEDGER_AGE_BEYOND_MS) beyond a longer time-out of the
    /// function. Another process knows nothing of it.
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

/// The cluster's part of every key: the name given by hand, else the ARN; self-managed: its brokers, sorted. One cluster may have several ARNs: each connection
/// from another account has its own. An event may have none of them.
pub(crate) fn cluster_of(source: &EventSource, given: Option<&str>) -> Cluster {
    if let Some(given) = given {
        return Cluster::Named(given.into());
    }
    if let Some(arn) = source.arn.as_deref().filter(|arn| !arn.is_empty()) {
        return Cluster::Named(arn.into());
    }
    let servers = source.bootstrap_servers.as_deref().unwrap_or_default();
    let servers = servers.split(',').map(str::trim);
    let mut servers: Vec<&str> = servers.filter(|server| !server.is_empty()).collect();
    if servers.is_empty() {
        return Cluster::Unnamed;
    }
    servers.sort_unstable();
    Cluster::ByBrokers(servers.join(",").into())
}

/// A cluster's identity in keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cluster {
    Named(Arc<str>),
    /// Another broker in the list makes other keys.
    ByBrokers(Arc<str>),
    /// Nobody can tell it from another cluster.
    Unnamed,
}

impl Cluster {
    /// Empty: nobody can tell it from another cluster.
    pub(crate) fn identity(&self) -> Arc<str> {
        match self {
            Self::Named(identity) | Self::ByBrokers(identity) => Arc::clone(identity),
            Self::Unnamed => "".into(),
        }
    }
}

#[cfg(test)]
mod tests;

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
//! # use lambda_msk::failure::BoxError;
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

// What a function asks for, and how an earlier delivery ended.
mod words;

// A cluster's identity in keys.
mod cluster;

// The ids of a store's items.
mod item_id;

// Which records are the same to the business.
mod per_record;

// What a store can do, and the stores.
mod store;

// How long something is held, and by whom.
mod lease;

// What is the same for everything that asks the store in one invocation.
mod terms;

// A value that lanes wait for.
mod watched;

// By offset: one item a partition.
mod ledger;

// By key: one item a record.
mod claims;

pub(crate) use self::claims::claim::{Claim, ClaimEnd};
pub(crate) use self::claims::note::Undone;
pub(crate) use self::claims::recorder::{Held, Recorder};
pub(crate) use self::claims::{Claimed, Claims};
pub(crate) use self::cluster::{Cluster, cluster_of};
pub(crate) use self::item_id::ledger_id;
pub(crate) use self::lease::LeaseTimes;
pub use self::ledger::inspect::{ForgetError, Lease, PartitionState, SettledRange};
pub(crate) use self::ledger::{Opened, PartitionLedger};
pub use self::per_record::PerRecord;
pub use self::store::box_store::BoxStore;
pub(crate) use self::store::choose::choose_store;
#[cfg(feature = "dynamodb")]
pub use self::store::dynamodb::{DynamoDbStore, DynamoDbTableError};
pub use self::store::memory::MemoryStore;
pub use self::store::{
    Change, Expect, IdempotencyStore, Item, Status, StoreError, Swap, Swapped, Version,
};
pub(crate) use self::terms::Terms;
pub use self::words::{Guarantee, Idempotency, WhenStoreFails};
pub(crate) use self::words::{Refusal, Settled};

//! Idempotency: records that were settled in an earlier delivery are skipped. Ledgers, and the stores below them; used by `process`.
//!
//! Lambda delivers at least once: after a failure, a time-out or a rebalance the same records are redelivered, possibly while the first invocation is still running.
//!
//! # The promise
//!
//! - *At least once:* every offset that Lambda commits was Done, Skipped after a recorded Done, confirmed at the destination, or given up by the mapping under
//!   its own rules. A handler may run again for a record in four cases: it is retried in place; it was dropped or Failed (its effect may have happened); it was Done but
//!   not yet recorded when its owner died or lost its lease or store; the ledger has forgotten it. If clock skew is below
//!   [`CLOCK_SKEW_MAX_MS`](crate::limits::CLOCK_SKEW_MAX_MS), an old owner overlaps its successor only in handlers that started before lease expiry. This
//!   holds for any function timeout; below three seconds the batch of a killed process may have to be redelivered several times until the lease expires.
//! - *At most once:* while its mark is kept, a handler starts at most once per key. Its effect may be missing; such records go to the destination, or are logged
//!   and counted as lost.
//! - *With the key passed on:* one effect, if the receiver stores key and effect atomically, keeps keys longer than the longest redelivery, and the request
//!   depends only on the record.
//! - *In Postgres, in the handler's own transaction* (`postgres::once`, feature `postgres`)*:* what the handler writes for a record in the transaction, and the note of the record, are committed
//!   together, or neither is. So they are committed at most once while the note is kept, and once if the record is delivered until it is Done. Kept are the last
//!   [`ONCE_KEEP`](crate::limits::ONCE_KEEP) records of each partition, or a record's key until it expires. A record that is older than all that is kept of its partition is Failed with
//!   `once.forgotten`: it is neither written nor left out on a guess. What the database loses of itself, it loses together with the notes. Effects outside the transaction are not covered, nor a
//!   record that was written to the topic again: it has another offset.
//!
//! # The ledger
//!
//! The default: records are identified by offset. Each partition has one item, with the recently settled offsets, each with a fingerprint of timestamp, key, value and headers, and with
//! the lease on the partition. A batch costs two writes per partition (one takes the lease, one releases it with the settled offsets), and one more per
//! [`PROGRESS_MS`](crate::limits::PROGRESS_MS) of its duration, whereas a claim by key costs two writes per record.
//!
//! A record is skipped only if offset *and* fingerprint are the same: records of a topic that was recreated, restored from a backup or refilled are never skipped. A forgotten
//! offset runs again: an offset is forgotten [`LEDGER_AGE_MS_MAX`](crate::limits::LEDGER_AGE_MS_MAX) after it was last seen, and below the current batch only the highest
//! [`LEDGER_OFFSETS_KEPT`](crate::limits::LEDGER_OFFSETS_KEPT) offsets are kept.
//!
//! Without order (Queue mode) other batches proceed while a record waits for its next delivery. So every offset is kept for the function's timeout and
//! [three minutes](crate::limits::LEDGER_LOCKS_MS), as far as the item has room: [128 KiB](crate::limits::LEDGER_BYTES_MAX), and less if it is written more than
//! four times a second. With locks of 30 s this is enough for 600 records a second of one partition in batches of a hundred, and for 1,000 in batches of a thousand.
//! With more records, some may run twice after their lock expires; in this case identify records [by key](#per-record). A large item costs more write units: it is written less often
//! while a batch runs, so more records run again after a kill.
//!
//! An event that names neither an ARN nor a broker could be from any cluster. Unless a name is set (`LAMBDA_MSK_CLUSTER`), the offsets of its records are
//! not recorded: they run in each delivery, and one warning is logged.
//!
//! After a kill, records that were started since the last confirmed write run again; with progress at zero that is at most one record per lane.
//!
//! A replay by hand (offsets reset) within that age is skipped too: the log counts the skipped records. `cargo msk ledger forget` makes them run.
//!
//! # Per record
//!
//! With [`PerRecord`], records are identified by a key: two records with one key are duplicates, although their offsets differ. A record's item is claimed before its
//! handler starts, renewed while the handler runs, and completed after it: two writes per record. A claim's owner is one record in one invocation, and every write is
//! conditional on the owner, so an invocation that was thought dead cannot change its successor's claim. Another record with the key waits until the first one
//! has ended. With [`Guarantee::AtMostOnce`] the claim is a mark that no other record takes over.
//!
//! A record's outcome is sent to the store before its lane does anything else, and is stored before the lane's next handler starts: after a kill, at most
//! one record per lane that was done runs again.
//!
//! The items have the attribute names of Powertools for AWS Lambda, and each of the two reads the other's items. Powertools itself completes and deletes without a
//! condition: a late write of an invocation with Powertools is not fenced.
//!
//! # An effect that happens once
//!
//! No framework can make a call over the network and record it in one atomic step. The receiver can: pass it the [`IdempotencyKey`](crate::IdempotencyKey), and
//! let it store key and effect together.
//!
//! ```
//! use lambda_msk::{Failure, IdempotencyKey, Json};
//! # use lambda_msk::failure::BoxError;
//! # async fn send(_: http::Request<Vec<u8>>) -> Result<http::Response<()>, BoxError> { Ok(http::Response::new(())) }
//!
//! async fn charge(Json(order): Json<serde_json::Value>, key: IdempotencyKey) -> Result<(), Failure> {
//!     // The same key in every delivery and every retry: the service answers a repeated key with the result of the first request.
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

// Lines that partitions log.
mod lines;

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
pub(crate) use self::ledger::fingerprint::fingerprint;
pub use self::ledger::inspect::{ForgetError, Lease, PartitionState, SettledRange};
pub(crate) use self::ledger::{Opened, PartitionLedger};
pub(crate) use self::lines::Lines;
pub use self::per_record::PerRecord;
pub(crate) use self::per_record::Unframe;
pub use self::store::box_store::BoxStore;
pub(crate) use self::store::choose::choose_store;
#[cfg(feature = "dynamodb")]
pub use self::store::dynamodb::{DynamoDbStore, DynamoDbTableError};
pub use self::store::memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use self::store::postgres::{PostgresAddressError, PostgresStore};
#[cfg(feature = "redis")]
pub use self::store::redis::{RedisAddressError, RedisStore};
pub use self::store::{
    Change, Expect, IdempotencyStore, Item, Status, StoreError, Swap, Swapped, Version,
};
pub(crate) use self::terms::Terms;
pub use self::words::{Guarantee, Idempotency, WhenStoreFails};
pub(crate) use self::words::{Refusal, Settled};

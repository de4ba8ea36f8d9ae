#![doc = include_str!("../README.md")]

// To follow an event through the code, begin at `Consumer::invoke` in `consumer.rs`: it decodes the event (`event.rs`), runs its records (`process.rs`, whose
// first lines give a record's way), and makes the answer (`response.rs`). The modules stand in reading order: each imports only from those above it, and from
// `limits`, which is there to look up.

// ── The words ────────────────────────────────────────────────────────────────────────────────────

// The net below code that is not the framework's.
mod caught;

// Topic, partition, offset.
mod partition;

// A record: a handle into its batch.
pub mod record;

// Why a record was not done, and what happens next.
pub mod failure;

// How a record ended.
mod outcome;

// Wall time.
mod clock;

// When an invocation ends, and the margin before that.
mod deadline;

// What a consumer is given: an event, and what Lambda says beside it.
mod invocation;

// ── The way of an event ──────────────────────────────────────────────────────────────────────────

// From the wire to a batch, in one pass.
mod event;

// From a batch to lanes.
mod lane;

// What was settled in an earlier delivery.
pub mod idempotency;

// What is true of all records of an invocation.
mod context;

// One try of one record.
mod delivery;

// From a delivery to a handler's arguments.
pub mod extract;

// From an async fn to an erased route.
pub mod handler;

// Where rejected records go.
pub mod destination;

// How each record ended.
pub mod report;

// Runs the lanes.
mod process;

// From the report to the answer.
pub mod response;

// ── The frame ────────────────────────────────────────────────────────────────────────────────────

// What ends an invocation.
pub mod error;

// Default, code, environment.
mod settings;

// The lines that are logged.
mod log;

// An invocation that has ended.
mod invoked;

// What one event is given to.
pub mod consumer;

// From handlers and settings to a consumer.
pub mod builder;

// The door to Lambda.
#[cfg(feature = "lambda")]
pub mod lambda;

// Log lines as Lambda's tools read them.
#[cfg(feature = "logging")]
pub mod logging;

// Events to give, runs to read.
#[cfg(feature = "testing")]
pub mod testing;

// ── To look up ───────────────────────────────────────────────────────────────────────────────────

// Every bound and default, with its reason.
pub mod limits;

// What is typed in the first hour; the rest stands in its module.
pub use builder::{ProcessingOrder, WhenExhausted};
pub use consumer::Consumer;
pub use deadline::Deadline;
pub use delivery::IdempotencyKey;
pub use error::Error;
pub use extract::{Attempt, Header, Json, Key, RequestId, State, Value};
pub use failure::Failure;
pub use handler::each;
pub use idempotency::Idempotency;
pub use invocation::Invocation;
pub use invoked::Invoked;
#[cfg(feature = "lambda")]
pub use lambda::run;
pub use outcome::Outcome;
pub use record::{Headers, Record, TopicPartition};
pub use response::{BatchResponse, FailureReporting};

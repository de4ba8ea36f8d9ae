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
mod record;

// Why a record was not done, and what happens next.
mod failure;

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
mod extract;

// From an async fn to an erased route.
mod handler;

// Where rejected records go.
mod destination;

// How each record ended.
mod report;

// Runs the lanes.
mod process;

// From the report to the answer.
mod response;

// ── The frame ────────────────────────────────────────────────────────────────────────────────────

// What ends an invocation.
mod error;

// Default, code, environment.
mod settings;

// The lines that are logged.
mod log;

// An invocation that has ended.
mod invoked;

// What one event is given to.
mod consumer;

// From handlers and settings to a consumer.
mod builder;

// The door to Lambda.
#[cfg(feature = "lambda")]
mod lambda;

// Log lines as Lambda's tools read them.
#[cfg(feature = "logging")]
pub mod logging;

// Events to give, runs to read.
#[cfg(feature = "testing")]
pub mod testing;

// ── To look up ───────────────────────────────────────────────────────────────────────────────────

// Every bound and default, with its reason.
pub mod limits;

pub use builder::{Builder, Topics};
pub use consumer::{Consumer, IntoConsumer};
pub use deadline::Deadline;
pub use delivery::{Delivery, IdempotencyKey};
pub use destination::{
    BoxDestination, DeadLetter, Destination, FileDestination, MemoryDestination, SendError,
};
#[cfg(feature = "sqs")]
pub use destination::{SqsDestination, SqsQueueError};
pub use error::{ConfigurationError, ConfigurationFault, Error};
pub use event::EventError;
pub use extract::{
    Attempt, BigEndian, FromHeader, FromKey, FromRecord, FromRef, Header, Json, JsonRejection, Key,
    OptionalFromRecord, Parsed, RequestId, State,
};
pub use failure::{BoxError, Failure, FailureError, Next, Rejection};
pub use handler::{Args, Handler, HandlerCall, IntoOutcome, Options, each};
pub use idempotency::{Guarantee, Idempotency, PerRecord, WhenStoreFails};
pub use invocation::Invocation;
pub use invoked::Invoked;
#[cfg(feature = "lambda")]
pub use lambda::{Running, run};
pub use lane::{NullKeys, ProcessingOrder};
pub use outcome::Outcome;
pub use partition::{Offset, TopicPartition, check_topic_name};
pub use process::{WhenExhausted, WhenUnhandled};
pub use record::{
    EventSource, EventSourceKind, Headers, Record, RecordFault, SchemaMetadata, TimestampType,
};
pub use report::{Problem, RecordReport};
pub use response::{
    BatchResponse, FailureReporting, Incomplete, KafkaBatchItemFailure, KafkaItemIdentifier,
};

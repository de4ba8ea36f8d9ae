//! AWS Lambda functions fed from Kafka: one async function for one record.
//!
//! A [`Consumer`] has a handler for each topic. A handler is an `async fn` whose arguments are extractors ([`extract`]): [`Json`], [`Value`], [`Key`], [`Header`], [`State`] and others.
//! It returns `()` or a `Result`; a [`Failure`] says whether a record is retried or rejected. [`run`] connects the consumer to Lambda, [`Consumer::invoke`] to a service of your own.
//!
//! ```no_run
//! use lambda_msk::{Consumer, Failure, Json};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Order {
//!     customer_id: String,
//! }
//!
//! async fn ship(Json(order): Json<Order>) -> Result<(), Failure> {
//!     if order.customer_id.is_empty() {
//!         return Err(Failure::reject("no customer").code("order.no_customer")); // to the destination, never again
//!     }
//!     Ok(())
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), lambda_msk::Error> {
//!     lambda_msk::logging::init();
//!     lambda_msk::run(Consumer::builder().topic("orders", ship).from_env()).await
//! }
//! ```
//!
//! # Where things are
//!
//! | to | see |
//! |---|---|
//! | build and configure a consumer | [`Builder`](builder::Builder); environment variables: [`Builder::from_env`](builder::Builder::from_env) |
//! | take the value, the key, a header, the state | [`extract`] |
//! | set attempts or tower layers for one handler | [`each`] |
//! | handle many records in one call | [`batches`] |
//! | retry or reject | [`failure`] |
//! | read Avro, Protobuf, or JSON behind a frame | [`schemas`] |
//! | preserve the order of a partition or a key | [`ProcessingOrder`] |
//! | prevent duplicate effects | [`idempotency`] |
//! | choose where rejected records go | [`destination`] |
//! | measure lag, outcomes and times | [`metrics`] |
//! | read each record's outcome | [`Invoked`], [`report`] |
//! | test a consumer without Lambda | `testing`, behind the feature of that name |
//! | look up a bound or a default | [`limits`] |
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `lambda` (default) | [`run`], built on `lambda_runtime`. Without this feature no HTTP client is built |
//! | `logging` (default) | [`logging::init`]: JSON lines to standard output |
//! | `sqs` | the SQS destination, with the AWS SDK |
//! | `sns` | the SNS destination, with the AWS SDK |
//! | `s3` | the S3 destination, and the overflow of the others, with the AWS SDK |
//! | `kafka` | the Kafka destination, with krafka; needs Rust 1.95 |
//! | `dynamodb` | the DynamoDB store, with the AWS SDK |
//! | `redis` | the Redis store: Redis, Valkey, ElastiCache, MemoryDB |
//! | `postgres` | the Postgres store; effects that happen once in Postgres: [`postgres`] |
//! | `postgres-iam` | IAM authentication of Amazon RDS for the handler's own transactions |
//! | `avro` | [`extract::Avro`](extract): payloads in Avro |
//! | `protobuf` | [`extract::Protobuf`](extract): payloads in Protocol Buffers |
//! | `json-schema` | [`Options::validate`](handler::Options): JSON against a registry's JSON Schema |
//! | `schema-registry` | registries that speak Confluent's API: [`Schemas::confluent`](schemas::Schemas::confluent) |
//! | `glue` | AWS Glue's schema registry: [`Schemas::glue`](schemas::Schemas::glue) |
//! | `secrets` | credentials of a registry from AWS Secrets Manager: [`Schemas::secret`](schemas::Schemas::secret) |
//! | `inflate` | payloads that Glue's serializers have compressed |
//! | `otel` | [`traces`]: spans of invocations and records, for OpenTelemetry |
//! | `testing` | events, records and runs for tests |
//! | `proptest` | strategies for events |
//!
//! The [guide](https://github.com/lambda-msk/lambda-msk/blob/main/docs/src/SUMMARY.md) explains each of these with its consequences.

// docs.rs shows which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

// To follow an event through the code, begin at `Consumer::invoke` in `consumer.rs`: it decodes the event (`event.rs`), runs its records (`process.rs`, whose
// first lines give a record's way), and makes the answer (`response.rs`). The modules stand in reading order: each imports only from those above it, and from
// `limits`, which is there to look up.

// ── The words ────────────────────────────────────────────────────────────────────────────────────

// The net below code that is not the framework's.
mod caught;

// Topic and partition.
mod partition;

// The record whose handler runs on this thread.
mod current;

// Buffers of events that are over.
mod spare;

// A record: a handle into its batch.
pub mod record;

// Key or value.
mod part;

// The producer's trace.
mod trace;

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

// What is measured while an invocation runs.
mod meter;

// From the wire to a batch, in one pass.
mod event;

// From a batch to lanes.
mod lane;

// Postgres: a database, its tables, and by name what happens once there.
pub mod postgres;

// What was settled in an earlier delivery.
pub mod idempotency;

// The texts of idempotency keys.
mod key_texts;

// Where schemas of payloads are had, and which of them records need.
pub mod schemas;

// The hook before the answer.
mod flush;

// What is true of all records of an invocation.
mod context;

// What a batch handler says of its records.
mod outcomes;

// The records of one call of a batch handler.
mod chunk;

// One try of one record.
mod delivery;

// From a delivery to a handler's arguments.
pub mod extract;

// Many records in one call.
pub mod batches;

// Effects that happen once in Postgres.
mod once;

// From an async fn to an erased route.
pub mod handler;

// Where rejected records go.
pub mod destination;

// How each record ended.
pub mod report;

// Spans for OpenTelemetry.
#[cfg(feature = "otel")]
pub mod traces;

// Runs the lanes.
mod process;

// From the report to the answer.
pub mod response;

// One line of metrics an invocation and topic.
pub mod metrics;

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
pub use batches::{Batch, Outcomes};
pub use builder::{ProcessingOrder, WhenExhausted};
pub use consumer::Consumer;
pub use deadline::Deadline;
pub use delivery::IdempotencyKey;
pub use error::Error;
pub use extract::{Attempt, Header, Json, Key, RequestId, State, Value};
pub use failure::Failure;
pub use handler::{batch, each};
pub use idempotency::Idempotency;
pub use invocation::Invocation;
pub use invoked::Invoked;
#[cfg(feature = "lambda")]
pub use lambda::run;
pub use outcome::Outcome;
pub use record::{Headers, Record, TopicPartition};
pub use response::{BatchResponse, FailureReporting};

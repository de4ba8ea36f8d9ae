//! Write AWS Lambda functions fed from Kafka: one async function for one record.

// The words.
pub mod limits;
mod partition;
mod record;
mod failure;
mod outcome;
mod invocation;

// The way.
mod event;
mod delivery;
mod extract;
mod handler;
mod destination;

pub use delivery::{Delivery, IdempotencyKey};
pub use destination::{BoxDestination, DeadLetter, Destination, MemoryDestination, SendError};
pub use extract::{
    Attempt, FromHeader, FromKey, FromRecord, FromRef, Header, Json, JsonRejection, Key,
    OptionalFromRecord, Parsed, RequestId, State,
};
pub use failure::{BoxError, Failure, FailureError, Next, Rejection};
pub use handler::{Args, Handler, HandlerCall, IntoOutcome, Options, each};
pub use invocation::Deadline;
pub use outcome::Outcome;
pub use partition::{Offset, TopicPartition};
pub use record::{
    EventSource, EventSourceKind, Headers, Record, RecordFault, SchemaMetadata, TimestampType,
};

//! Write AWS Lambda functions fed from Kafka: one async function for one record.

// The words.
pub mod limits;
mod partition;
mod record;

// The way.
mod event;

pub use partition::{Offset, TopicPartition};
pub use record::{
    EventSource, EventSourceKind, Headers, Record, RecordFault, SchemaMetadata, TimestampType,
};

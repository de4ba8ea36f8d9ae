//! A Kafka record as a consumer polled it. Drivers make it, the machine batches it.

pub use msk_kafka::record::{
    DataFormat, Header, Record, SchemaMetadata, TimestampType, TopicPartition,
};

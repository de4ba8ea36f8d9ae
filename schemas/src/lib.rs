//! Typed payloads of Kafka records: how a payload is framed, where its schema is had, and how it is read by it.
//!
//! - [`id`] has the words: a schema's id, its format, its text with what it refers to.
//! - [`frame`] finds the schema's id before a payload, or in a header.
//! - [`registry`] is what a registry is asked, and [`cache`] asks it once. Clients: [`confluent`](mod@confluent), [`glue`](mod@glue).
//! - [`avro`], [`protobuf`] and [`json_schema`] read payloads by their schemas.
//!
//! `lambda-msk` reads records with it, `msk-mapping` validates them, and `cargo msk` makes and shows them. Each format and each client has a feature of its own.

// docs.rs shows which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

// The words.
pub mod id;

// What stands before a payload.
pub mod frame;

// Avro.
#[cfg(feature = "avro")]
pub mod avro;

// Protobuf.
#[cfg(feature = "protobuf")]
pub mod protobuf;

// JSON Schema.
#[cfg(feature = "json-schema")]
pub mod json_schema;

// A schema with its compiled forms.
pub mod schema;

// What a registry is asked.
pub mod registry;

// One request over HTTP.
#[cfg(any(feature = "aws", feature = "confluent"))]
mod http;

// A server for tests.
#[cfg(test)]
#[cfg(any(feature = "confluent", feature = "glue"))]
mod stub;

// Signed requests to AWS.
#[cfg(feature = "aws")]
mod aws;

// Credentials from AWS Secrets Manager.
#[cfg(feature = "secrets")]
pub mod secret;

// Confluent's API.
#[cfg(feature = "confluent")]
pub mod confluent;

// AWS Glue.
#[cfg(feature = "glue")]
pub mod glue;

// Asked once.
pub mod cache;

// Every bound, to look up.
pub mod limits;

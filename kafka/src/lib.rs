//! The Kafka client of lambda-msk's tools.
//!
//! - [`record`] has the basic types: a record, its headers, its partition.
//! - `Cluster` (feature `client`, as all below) is a cluster's brokers with librdkafka's settings. It checks the
//!   settings before anything connects, and checks that the cluster responds, accepts the client, and has the topic.
//! - `Producer` writes records. `Reader` reads partitions, their bounds, a group's offsets, and records, without being a member of the group. Records that are
//!   processed are read by members of the group, in `msk-mapping`.
//! - `EmbeddedBroker` is a broker in this process, for development without any installation.
//! - `Iam` (feature `iam`) signs in to Amazon MSK with AWS's credentials: `Cluster::iam`.
//! - `share_security` (feature `share`) reads the same settings for the client of share groups, which is not librdkafka.
//!
//! No error and no `Debug` form repeats the value of a setting that may be a secret. None of librdkafka's types is public; of the share-group client only its
//! settings are.

// What stands in a topic.
pub mod record;

// Where a cluster of Amazon MSK is.
mod region;

// Whom the cluster does not let in.
#[cfg(feature = "client")]
pub mod refusal;

// What is wrong with a setting of TLS or SASL.
#[cfg(feature = "client")]
mod fault;

// What keeps a client from its work.
#[cfg(feature = "client")]
mod error;

// What the settings of TLS and SASL ask for.
#[cfg(feature = "client")]
mod security;

// The settings of one client.
#[cfg(feature = "client")]
mod settings;

// Tokens for clusters with IAM authentication.
#[cfg(feature = "iam")]
mod iam;

// The identity that a client has beside its settings.
#[cfg(feature = "client")]
mod identity;

// Brokers and their settings.
#[cfg(feature = "client")]
mod cluster;

// The first question.
#[cfg(feature = "client")]
mod connect;

// Questions and reading, beside the members of a group.
#[cfg(feature = "client")]
mod reader;

// How long records stay.
#[cfg(feature = "client")]
mod retention;

// Records to a topic.
#[cfg(feature = "client")]
mod producer;

// A broker in this process.
#[cfg(feature = "client")]
mod embedded;

// The same settings for the client of share groups.
#[cfg(feature = "share")]
pub mod share_security;

// Every bound, to look up.
pub mod limits;

pub use crate::region::region_of;

#[cfg(feature = "iam")]
pub use crate::iam::{Iam, IamError, Identity, Token};

#[cfg(feature = "client")]
pub use crate::{
    cluster::Cluster,
    embedded::EmbeddedBroker,
    error::Error,
    fault::SecurityFault,
    identity::{BearerToken, ClientIdentity},
    producer::{Outgoing, Producer},
    reader::Reader,
    refusal::Refusal,
    retention::Retention,
    settings::Settings,
};

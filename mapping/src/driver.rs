//! The mapping over a real Kafka cluster, or a broker in this process, with a real function. Run by `cargo msk dev`.
//!
//! [`Driver`] has the clock, the network and the processes, and does what the [state machine](crate::machine) says. Its
//! pollers are members of a consumer group; each concurrent invocation has an [environment](crate::Environment) of its
//! own.
//!
//! In Queue mode (feature `share`, Kafka 4.2 or later) the pollers are members of a share group. A partition without an
//! offset of the group starts at the starting position. Each poller takes records in rounds, at most a batch for each of
//! its invocations, and takes more once all records of a round are settled: a slow batch delays its own poller only.
//! Locks are renewed as long as a function works. If the broker sets a topic's times (`LogAppendTime`), the records still
//! have the producer's time, because the client of share groups reads no other (krafka 0.28).

// How a destination is asked, and what it says.
mod destination;

// What ends a driver, or keeps it from starting.
mod error;

// What a driver has to say.
mod notice;

// Work on threads and in tasks, and its ends.
mod apart;
mod causes;
mod ended;

// The environments of a function.
mod pool;

// The pollers: members of a group.
mod client;
mod context;
mod message;

mod member;

// The group, looked at from outside.
mod look;

// What one mapping is made of, and what it is told while it runs.
mod control;
mod setup;

// The loop.
mod run;

// The way in.
mod builder;

pub use msk_kafka::{Cluster, EmbeddedBroker, Outgoing, Producer, Refusal, SecurityFault};

pub use self::builder::Driver;
pub use self::control::Control;
pub use self::destination::{
    Destination, FileDestination, SendFuture, TopicDestination, Undelivered,
};
pub use self::error::Error;
pub use self::notice::{Flight, Notice, PartitionReport, Status, Unread};

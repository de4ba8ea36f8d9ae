//! The mapping over a real Kafka cluster, or a broker in this process, with a real function: what `cargo msk dev` runs.
//!
//! [`Driver`] has the clock, the network and the processes, and does what the [state machine](crate::machine) says: its
//! pollers are members of a consumer group, its invocations go to as many [environments](crate::Environment) as there are
//! at once.
//!
//! In Queue mode (feature `share`, Kafka 4.2 or later) they are members of a share group. What of the topic the group has
//! no offset of yet is given one, where the starting position is. Each poller takes records in rounds, at most a
//! batch for each of its invocations, and takes more once all of a round is settled: a slow batch holds up its poller, and no
//! other. Locks are renewed as long as a function works. Of a topic whose broker sets the times (`LogAppendTime`) the records
//! bear the producer's time, since that is what the client of share groups reads (krafka 0.28).

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

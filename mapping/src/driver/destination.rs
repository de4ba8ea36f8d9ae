//! Where records go that the mapping gives up. Called by the driver, which tells the machine whether they arrived.

mod file;
mod topic;

use std::fmt;
use std::pin::Pin;

pub use self::file::FileDestination;
pub use self::topic::TopicDestination;
use crate::machine::Discarded;

/// What [`Destination::deliver`] answers with.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = Result<(), Undelivered>> + Send + 'a>>;

/// A place for records that were given up.
pub trait Destination: Send + Sync + 'static {
    /// Delivers records that were given up together. Ok: the place has confirmed all of them. It is asked a few times
    /// before they are dropped, so some may arrive twice.
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a>;

    /// Whether it is there, asked before a run: one that is not would lose what it is given. Default: nothing is asked. A
    /// sender may lack the right to ask: that is no reason to refuse.
    fn check(&self) -> SendFuture<'_> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Its name, for people: `file:dead.ndjson`.
    fn describe(&self) -> String;
}

/// Why a destination has not taken records.
#[derive(Debug)]
pub struct Undelivered(pub Box<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Undelivered {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

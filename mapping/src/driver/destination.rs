//! Destinations for records that the mapping gives up. Called by the driver, which tells the machine whether they arrived.

mod file;
mod topic;

use std::fmt;
use std::pin::Pin;

pub use self::file::FileDestination;
pub use self::topic::TopicDestination;
use crate::machine::Discarded;

/// The future of [`Destination::deliver`] and [`Destination::check`].
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = Result<(), Undelivered>> + Send + 'a>>;

/// A destination for records that were given up.
pub trait Destination: Send + Sync + 'static {
    /// Delivers records that were given up together. Ok: the destination has confirmed all of them. The call is retried
    /// a few times before the records are dropped, so some may arrive twice.
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a>;

    /// Checks before a run that the destination exists: a missing one would lose records. Default: no check. If the
    /// permission for the check is missing, return Ok.
    fn check(&self) -> SendFuture<'_> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Its name, for people: `file:dead.ndjson`.
    fn describe(&self) -> String;
}

/// The reason why a destination did not accept records.
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

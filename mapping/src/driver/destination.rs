//! Where records go that the mapping gives up. Called by the driver, which tells the machine whether they arrived.

mod file;
mod topic;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::timeout;

pub use self::file::FileDestination;
pub use self::topic::TopicDestination;
use super::Error;
use crate::limits::DELIVER_MS;
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

/// Asks a destination before the run, which it must not hold up.
pub(super) async fn check(destination: &dyn Destination) -> Result<(), Error> {
    let checked = timeout(Duration::from_millis(DELIVER_MS), destination.check()).await;
    let late = || Undelivered(format!("no answer in {DELIVER_MS} ms").into());
    checked
        .unwrap_or_else(|_| Err(late()))
        .map_err(|source| Error::Destination {
            name: destination.describe(),
            source,
        })
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

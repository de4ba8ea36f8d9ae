//! Destinations of rejected records. Called by `process`, which settles a rejected record only once its destination has confirmed it.

mod choose;
mod file;
mod letter;
mod memory;
#[cfg(feature = "sqs")]
mod sqs;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use msk_destinations::send::Patience;

use crate::caught::caught;
use crate::failure::BoxError;
use crate::limits::{SEND_LEAVE_MS, SEND_MS_MAX};

#[cfg(feature = "testing")]
pub(crate) use self::choose::check;
pub(crate) use self::choose::choose;
pub use self::file::FileDestination;
pub use self::letter::DeadLetter;
pub use self::memory::MemoryDestination;
#[cfg(feature = "sqs")]
pub use self::sqs::SqsDestination;
#[cfg(feature = "sqs")]
pub use msk_destinations::address::SqsQueueError;

/// A destination for rejected records: a queue, a file, a table of your own.
///
/// A record is Rejected only once `send` has returned Ok for its letter. After an `Err`, a panic, or no result in time the record is Failed: it is redelivered
/// and its letter sent again, so a destination may get a letter twice. Panics are caught, also in a `drop`; a second panic while the first one unwinds ends the
/// process.
///
/// Write a plain `async fn`; values that it holds across an await must be `Send`.
///
/// # Example
///
/// ```
/// use lambda_msk::destination::{DeadLetter, Destination, SendError};
///
/// struct Stderr;
///
/// impl Destination for Stderr {
///     async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
///         letters
///             .iter()
///             .map(|letter| Ok(eprintln!("{}", letter.envelope())))
///             .collect()
///     }
///
///     fn describe(&self) -> String {
///         "stderr".into()
///     }
/// }
/// # lambda_msk::Consumer::builder().on_failure(Stderr).topic("orders", async |_: lambda_msk::Record| {}).build().unwrap();
/// ```
pub trait Destination: Send + Sync + 'static {
    /// Sends the letters: at most [`DEAD_LETTERS_PER_SEND_MAX`](crate::limits::DEAD_LETTERS_PER_SEND_MAX), of one lane, in order. Returns one
    /// result for each, in the same order; a missing result counts as an error.
    ///
    /// The implementation retries by itself. The future is dropped at [`DeadLetter::send_until`].
    fn send(
        &self,
        letters: &[DeadLetter],
    ) -> impl Future<Output = Vec<Result<(), SendError>>> + Send;

    /// A short description for the configuration line in the log: `sqs:orders-dlq`.
    fn describe(&self) -> String;
}

/// The reason why one letter was not confirmed. Its text goes to the log.
#[derive(Debug)]
pub struct SendError(pub BoxError);

impl SendError {
    /// Creates the reason from a message or an error.
    pub fn new(why: impl Into<BoxError>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for SendError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl<D: Destination> Destination for Arc<D> {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        D::send(self, letters).await
    }

    fn describe(&self) -> String {
        D::describe(self)
    }
}

type Sending<'a> = Pin<Box<dyn Future<Output = Vec<Result<(), SendError>>> + Send + 'a>>;

/// [`Destination`] as an object: its future boxed.
trait DynDestination: Send + Sync {
    fn send<'a>(&'a self, letters: &'a [DeadLetter]) -> Sending<'a>;
    fn describe(&self) -> String;
}

impl<D: Destination> DynDestination for D {
    fn send<'a>(&'a self, letters: &'a [DeadLetter]) -> Sending<'a> {
        Box::pin(Destination::send(self, letters))
    }

    fn describe(&self) -> String {
        Destination::describe(self)
    }
}

/// A destination whose kind is chosen at run time. Implements [`Destination`]; cheap to clone.
#[derive(Clone)]
pub struct BoxDestination(Arc<dyn DynDestination>);

impl BoxDestination {
    /// Boxes a destination.
    pub fn new(destination: impl Destination) -> Self {
        Self(Arc::new(destination))
    }
}

impl Destination for BoxDestination {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        self.0.send(letters).await
    }

    fn describe(&self) -> String {
        let name = caught(|| self.0.describe());
        name.unwrap_or_else(|_| "(a destination whose `describe` panicked)".to_owned())
    }
}

impl fmt::Debug for BoxDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxDestination")
            .field(&Destination::describe(self))
            .finish()
    }
}

/// How long a destination tries: it stops before the future is dropped, since what was confirmed by then would be lost with it.
///
/// *None: there is no letter.*
fn patience(letters: &[DeadLetter]) -> Option<Patience> {
    let dropped = letters.first()?.send_until();
    Some(Patience {
        without_success: Duration::from_millis(SEND_MS_MAX),
        end: dropped.and_then(|at| at.checked_sub(Duration::from_millis(SEND_LEAVE_MS))),
    })
}

#[cfg(test)]
mod fixture;

//! Destinations of rejected records. Called by `process`, which settles a rejected record only once its destination has confirmed it.

mod choose;
mod file;
#[cfg(feature = "kafka")]
mod kafka;
mod letter;
mod memory;
#[cfg(any(feature = "sqs", feature = "sns"))]
mod message;
mod overflow;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "sns")]
mod sns;
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
pub(crate) use self::choose::{choose, choose_overflow};
pub use self::file::FileDestination;
#[cfg(feature = "kafka")]
pub use self::kafka::{KafkaDestination, KafkaTopicError};
pub use self::letter::DeadLetter;
pub use self::memory::MemoryDestination;
pub(crate) use self::overflow::{Overflow, WithOverflow};
#[cfg(feature = "s3")]
pub use self::s3::{S3BucketError, S3Destination};
#[cfg(feature = "sns")]
pub use self::sns::{SnsDestination, SnsTopicError};
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

    /// The Kafka topic that the letters go to, on whatever cluster. The builder refuses a topic whose records the function handles: each letter would be a
    /// record to reject. *None, the default: they go elsewhere.*
    fn kafka_topic(&self) -> Option<&str> {
        None
    }
}

/// The reason why one letter was not confirmed. Its text goes to the log.
#[derive(Debug)]
pub struct SendError(pub BoxError);

impl SendError {
    /// Creates the reason from a message or an error.
    pub fn new(why: impl Into<BoxError>) -> Self {
        Self(why.into())
    }

    /// Creates the reason for a letter that the destination has no room for. If an overflow is set ([`overflow`](crate::builder::Builder::overflow)), it takes the letter, and the
    /// destination is called again with the letter whose [`envelope`](DeadLetter::envelope) has `overflow` in place of its payload. Otherwise this is as [`new`](Self::new).
    pub fn no_room(why: impl Into<BoxError>) -> Self {
        Self(Box::new(NoRoom(why.into())))
    }

    fn is_no_room(&self) -> bool {
        self.0.is::<NoRoom>()
    }
}

/// Marks the reason.
#[derive(Debug)]
struct NoRoom(BoxError);

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for NoRoom {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
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

    fn kafka_topic(&self) -> Option<&str> {
        D::kafka_topic(self)
    }
}

type Sending<'a> = Pin<Box<dyn Future<Output = Vec<Result<(), SendError>>> + Send + 'a>>;

/// [`Destination`] as an object: its future boxed.
trait DynDestination: Send + Sync {
    fn send<'a>(&'a self, letters: &'a [DeadLetter]) -> Sending<'a>;
    fn describe(&self) -> String;
    fn kafka_topic(&self) -> Option<&str>;
}

impl<D: Destination> DynDestination for D {
    fn send<'a>(&'a self, letters: &'a [DeadLetter]) -> Sending<'a> {
        Box::pin(Destination::send(self, letters))
    }

    fn describe(&self) -> String {
        Destination::describe(self)
    }

    fn kafka_topic(&self) -> Option<&str> {
        Destination::kafka_topic(self)
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

    fn kafka_topic(&self) -> Option<&str> {
        caught(|| self.0.kafka_topic()).unwrap_or_default()
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
#[cfg(test)]
mod http_stub;

//! A destination with another one for letters that it has no room for. Put together by `builder`.

use msk_destinations::send::{Patience, Progress};

#[cfg(feature = "s3")]
use crate::destination::S3Destination;
use crate::destination::{BoxDestination, DeadLetter, Destination, SendError, patience};

/// The bucket for large letters, where the program can send to one.
#[derive(Clone, Debug)]
pub(crate) struct Overflow {
    #[cfg(feature = "s3")]
    bucket: std::sync::Arc<S3Destination>,
    #[cfg(not(feature = "s3"))]
    never: std::convert::Infallible,
}

impl Overflow {
    #[cfg(feature = "s3")]
    pub(crate) fn to(bucket: S3Destination) -> Self {
        let bucket = std::sync::Arc::new(bucket);
        Self { bucket }
    }

    pub(crate) fn describe(&self) -> String {
        #[cfg(feature = "s3")]
        return self.bucket.describe();
        #[cfg(not(feature = "s3"))]
        match self.never {}
    }

    /// Puts the whole letter. Answers with its URL.
    async fn put(&self, letter: &DeadLetter, patience: Patience) -> Result<String, SendError> {
        #[cfg(feature = "s3")]
        {
            let put = self.bucket.put(letter, &Progress::begin(patience)).await;
            put.map_err(SendError::new)
        }
        #[cfg(not(feature = "s3"))]
        {
            let _ = (letter, patience);
            match self.never {}
        }
    }
}

/// A destination whose large letters go to a bucket, with a pointer in their place.
#[derive(Debug)]
pub(crate) struct WithOverflow {
    pub(crate) first: BoxDestination,
    pub(crate) overflow: Overflow,
}

impl WithOverflow {
    /// One after the other: each is large.
    async fn send_large(&self, letter: &DeadLetter, patience: Patience) -> Result<(), SendError> {
        let url = self.overflow.put(letter, patience).await?;
        let pointer = letter.overflown(url);
        let sent = self.first.send(std::slice::from_ref(&pointer)).await;
        let missing = || Err(SendError::new("it returned too few results"));
        sent.into_iter().next().unwrap_or_else(missing)
    }
}

impl Destination for WithOverflow {
    /// The large ones after the others: whether a letter has room is known once it was sent.
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let mut results = self.first.send(letters).await;
        let Some(patience) = patience(letters) else {
            return results;
        };
        // A success is a letter whose pointer arrived, too: neither a dead bucket nor a dead destination costs the longest time for each letter.
        let progress = Progress::begin(patience);
        for (letter, result) in letters.iter().zip(&mut results) {
            if !matches!(result, Err(error) if error.is_no_room()) {
                continue;
            }
            *result = match progress.is_over() {
                true => Err(SendError::new(NoTimeLeft)),
                false => self.send_large(letter, patience).await,
            };
            if result.is_ok() {
                progress.went_on();
            }
        }
        results
    }

    fn describe(&self) -> String {
        self.first.describe()
    }

    fn kafka_topic(&self) -> Option<&str> {
        self.first.kafka_topic()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no time was left to send the letter, which is large")]
struct NoTimeLeft;

#[cfg(all(test, feature = "s3"))]
mod tests;

//! A destination that publishes letters to an SNS topic: how a letter becomes a message.

use std::fmt;

use msk_destinations::address::Address;
use msk_destinations::send::aws_sdk_sns::Client;
use msk_destinations::send::{Message, Sns};

use crate::destination::{DeadLetter, Destination, SendError, message};
use crate::limits::SNS_MESSAGE_BYTES_MAX;

/// A destination that publishes letters to an SNS topic, one envelope per message. `LAMBDA_MSK_ON_FAILURE=` the topic's ARN; needs the feature `sns`.
///
/// Each message carries the attributes `code`, `topic` and `partition`, so that subscriptions can filter. The function's role needs `sns:Publish` on the topic, and
/// `kms:GenerateDataKey` and `kms:Decrypt` where the topic is encrypted with a key of its own.
///
/// A letter is confirmed once SNS confirms its id. SNS then has the letter, and what its subscribers do is not known: a topic without subscribers loses every letter.
/// Retries are as for [`SqsDestination`](crate::destination::SqsDestination).
///
/// # FIFO topics
///
/// The message group is `TOPIC-PARTITION`, so letters of a partition stay in order. With an overflow the order is not kept: the letters of one send that have no room are published, as pointers,
/// after the others of that send. Within one invocation a letter whose confirmation was lost is not published twice within five minutes. A record that Lambda redelivers, or that is redriven, and is
/// rejected again has another letter, which is published.
///
/// # Large letters
///
/// A letter over [`SNS_MESSAGE_BYTES_MAX`](crate::limits::SNS_MESSAGE_BYTES_MAX), base64 included, goes to the overflow (`LAMBDA_MSK_ON_FAILURE_LARGE`,
/// [`overflow`](crate::builder::Builder::overflow)), and the topic gets the envelope without its payload. Without an overflow its record fails; other letters are sent.
pub struct SnsDestination {
    topic: Sns,
}

impl SnsDestination {
    /// Creates a destination for the topic with that ARN, which names the region. The rest comes from the environment, as for every AWS tool.
    ///
    /// # Errors
    ///
    /// The text is not the ARN of a topic. A topic that does not exist is only noticed with the first letter.
    pub fn new(arn: &str) -> Result<Self, SnsTopicError> {
        Ok(Self::at(read(arn)?))
    }

    /// Creates a destination for the topic with that ARN, with the given client: its region, endpoint, credentials, time-outs and retries.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_client(client: Client, arn: &str) -> Result<Self, SnsTopicError> {
        let topic = Sns::with_client(client, read(arn)?);
        Ok(Self { topic })
    }

    pub(crate) fn at(arn: String) -> Self {
        let topic = Sns::new(arn);
        Self { topic }
    }
}

/// The text is not the ARN of an SNS topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the ARN of an SNS topic, `arn:aws:sns:REGION:ACCOUNT:NAME`")]
#[non_exhaustive]
pub struct SnsTopicError;

fn read(arn: &str) -> Result<String, SnsTopicError> {
    match Address::parse(arn) {
        Ok(Address::SnsTopic(arn)) => Ok(arn),
        Ok(_) | Err(_) => Err(SnsTopicError),
    }
}

impl Destination for SnsDestination {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        message::send(letters, packed, |messages, patience| {
            self.topic.send(messages, patience)
        })
        .await
    }

    fn describe(&self) -> String {
        format!("sns:{}", self.topic.name())
    }
}

/// The letter whole, its envelope the body.
fn packed(letter: &DeadLetter) -> Result<Message, SendError> {
    let message = message::message(letter, letter.envelope());
    match message.bytes() {
        0..=SNS_MESSAGE_BYTES_MAX => Ok(message),
        bytes => Err(SendError::no_room(TooLarge { bytes })),
    }
}

/// A letter that no message has room for.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected a letter of at most {SNS_MESSAGE_BYTES_MAX} bytes for SNS, found {bytes}: set LAMBDA_MSK_ON_FAILURE_LARGE=s3://BUCKET/PREFIX, which takes such letters"
)]
struct TooLarge {
    bytes: usize,
}

impl fmt::Debug for SnsDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnsDestination")
            .field("topic", &self.topic.arn())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod real;
#[cfg(test)]
mod tests;

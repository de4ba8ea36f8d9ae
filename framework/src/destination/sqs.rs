//! A destination that sends letters to an SQS queue: how a letter becomes a message.

mod packed;

use std::fmt;

use aws_sdk_sqs::Client;
use msk_destinations::address::{Queue, SqsQueueError};
use msk_destinations::send::Sqs;

use crate::destination::sqs::packed::packed;
use crate::destination::{DeadLetter, Destination, SendError, message};

/// A destination that sends letters to an SQS queue, one envelope per message. `LAMBDA_MSK_ON_FAILURE=` the queue's URL or ARN; needs the feature `sqs`.
///
/// Each message carries the attributes `code`, `topic` and `partition`, for readers that filter. The function's role needs `sqs:SendMessage` on the queue, and
/// `kms:GenerateDataKey` and `kms:Decrypt` where the queue is encrypted with a key of its own.
///
/// A letter is confirmed once SQS confirms its id. A letter that SQS could not accept for the moment is retried, with back-off, for at most
/// [`SEND_MS_MAX`](crate::limits::SEND_MS_MAX) after the last success and not past the invocation's deadline; a letter that SQS refuses is not retried. If a response of SQS is lost, a letter
/// may arrive twice: recognize duplicates by the payload's `redrive`.
///
/// # Large letters
///
/// A letter over [`SQS_MESSAGE_BYTES_MAX`](crate::limits::SQS_MESSAGE_BYTES_MAX), base64 included, is sent in two parts. Its body is the envelope without `payload`, with
/// `"payloadEncoding":"gzip"` in its place; the payload is the message's attribute `payload` (`Binary`), compressed with gzip. SQS returns attributes only on request:
///
/// ```sh
/// aws sqs receive-message --queue-url $QUEUE --message-attribute-names All |
///     jq -r '.Messages[0].MessageAttributes.payload.BinaryValue' | base64 -d | gunzip
/// ```
///
/// So each record of [`SQS_RECORD_BYTES_SAFE`](crate::limits::SQS_RECORD_BYTES_SAFE) bytes fits, and a record of JSON or text may be several times as large. A letter that still does not
/// fit goes to the overflow (`LAMBDA_MSK_ON_FAILURE_LARGE`, [`overflow`](crate::builder::Builder::overflow)), and the queue gets the envelope without its payload; without an overflow
/// its record fails, and other letters are sent.
///
/// # FIFO queues
///
/// The message group is `TOPIC-PARTITION`: letters of a partition stay in order, and one that is in flight holds back those behind it. With an overflow the order is not kept: the letters of one
/// send that have no room arrive, as pointers, after the others of that send. Within one invocation a letter whose confirmation was lost does not arrive twice within five minutes. A record that
/// Lambda redelivers, or that is redriven, and is rejected again has another letter, which arrives. Lambda's own destinations refuse FIFO queues.
///
/// Characters that SQS does not take (U+FFFE and U+FFFF) are written as JSON escapes.
pub struct SqsDestination {
    queue: Sqs,
}

impl SqsDestination {
    /// Creates a destination for the queue with that URL or ARN, with a client of its own: region and endpoint come from the address, the rest from the environment, as for every
    /// AWS tool. A URL that is not AWS's own (an emulator, a VPC endpoint) is also the endpoint.
    ///
    /// # Errors
    ///
    /// The text names no queue. A queue that does not exist is only noticed with the first letter.
    pub fn new(queue: &str) -> Result<Self, SqsQueueError> {
        Ok(Self::at(Queue::parse(queue)?))
    }

    /// Creates a destination for the queue with that URL or ARN, with the given client: its region, endpoint, credentials, time-outs and retries.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_client(client: Client, queue: &str) -> Result<Self, SqsQueueError> {
        let queue = Sqs::with_client(client, Queue::parse(queue)?);
        Ok(Self { queue })
    }

    pub(crate) fn at(queue: Queue) -> Self {
        let queue = Sqs::new(queue);
        Self { queue }
    }
}

impl Destination for SqsDestination {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        message::send(letters, packed, |messages, patience| {
            self.queue.send(messages, patience)
        })
        .await
    }

    fn describe(&self) -> String {
        format!("sqs:{}", self.queue.queue().name())
    }
}

impl fmt::Debug for SqsDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqsDestination")
            .field("queue", &self.queue.queue().url())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod real;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;

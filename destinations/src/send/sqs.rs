//! Messages to an SQS queue, through the AWS SDK.

use std::fmt;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use tokio::sync::OnceCell;

use super::Patience;
use super::batch::{self, Entry, FailedEntry, Output, Service};
use super::error::{Failed, ServiceError};
use super::message::{Attribute, Message};
use super::sdk::{self, SdkSaid};
use crate::address::Queue;
use crate::limits::SQS_MESSAGE_BYTES_MAX;

/// An SQS queue to which messages are sent.
///
/// A message is confirmed once SQS confirms its id. A message that SQS could not accept for the moment is retried, with back-off, as long as the caller's [`Patience`] lasts;
/// a message that SQS refuses is not retried. If a response of SQS is lost, a message may arrive twice; a FIFO queue drops the second one.
///
/// A message for a FIFO queue needs [`Message::in_group`].
pub struct Sqs {
    queue: Queue,
    /// Made at the first message: who sends nothing does not pay for it at its start, and a snapshot holds no credentials or connections.
    client: OnceCell<Client>,
}

impl Sqs {
    /// Creates a sender for the queue with a client of its own: region and endpoint come from the address, the rest from the environment, as for every AWS tool. A URL that
    /// is not AWS's own (an emulator, a VPC endpoint) is also the endpoint.
    pub fn new(queue: Queue) -> Self {
        Self {
            queue,
            client: OnceCell::new(),
        }
    }

    /// Creates a sender for the queue with the given client: its region, endpoint, credentials, time-outs and retries.
    pub fn with_client(client: Client, queue: Queue) -> Self {
        Self {
            queue,
            client: OnceCell::new_with(Some(client)),
        }
    }

    /// The queue's address.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Sends the messages, at most ten or one mebibyte per request. Returns one result for each, in their order.
    pub async fn send(
        &self,
        messages: Vec<Message>,
        patience: Patience,
    ) -> Vec<Result<(), ServiceError>> {
        let is_fifo = self.queue.is_fifo();
        let entries = messages.into_iter().enumerate();
        let entries: Vec<_> = entries.map(|(at, it)| entry(at, it, is_fifo)).collect();
        let queue = &self.queue;
        let sending = |client| Sending { client, queue };
        // On the heap: making a client takes kilobytes.
        let client = Box::pin(self.client());
        batch::send(queue.url(), client, sending, entries, patience).await
    }

    /// Checks that the queue exists. A missing permission to ask is not an error, since it says nothing about the permission to send.
    ///
    /// # Errors
    ///
    /// [`SdkSaid`]: the queue does not exist, or the service cannot be reached.
    pub async fn check(&self) -> Result<(), SdkSaid> {
        let asked = self.client().await.get_queue_attributes();
        let asked = asked.queue_url(self.queue.url()).send().await;
        sdk::there(asked, is_missing)
    }

    /// The client, created at the first call.
    pub async fn client(&self) -> &Client {
        self.client.get_or_init(|| connect(&self.queue)).await
    }
}

impl fmt::Debug for Sqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqs")
            .field("queue", &self.queue.url())
            .finish_non_exhaustive()
    }
}

async fn connect(queue: &Queue) -> Client {
    let config = match queue.region() {
        Some(region) => sdk::config().region(sdk::region(region)),
        None => sdk::config().region(sdk::any_region()),
    };
    let config = config.load().await;
    let mut config = aws_sdk_sqs::config::Builder::from(&config);
    if let Some(endpoint) = queue.endpoint() {
        config = config.endpoint_url(endpoint);
    }
    Client::from_conf(config.build())
}

/// By either of its names: an emulator may leave out the older one, which AWS sends in a header.
fn is_missing(error: &GetQueueAttributesError) -> bool {
    error.is_queue_does_not_exist() || error.meta().code() == Some("QueueDoesNotExist")
}

struct Sending<'s> {
    client: &'s Client,
    queue: &'s Queue,
}

impl Service for Sending<'_> {
    type Request = SendMessageBatchRequestEntry;

    fn place(&self) -> &str {
        self.queue.url()
    }

    fn bytes_max(&self) -> usize {
        SQS_MESSAGE_BYTES_MAX
    }

    fn is_ordered(&self) -> bool {
        self.queue.is_fifo()
    }

    async fn request(&self, batch: &[Entry<Self::Request>]) -> Result<Output, Failed> {
        let entries = batch.iter().map(|entry| entry.request.clone()).collect();
        let request = self.client.send_message_batch();
        let request = request
            .queue_url(self.queue.url())
            .set_entries(Some(entries));
        let sent = request.send().await;
        let output = sent.map_err(|error| Failed::of(self.place(), error, advice))?;
        let failed = output.failed.into_iter().map(|entry| FailedEntry {
            id: entry.id,
            code: entry.code,
            message: entry.message,
            sender_fault: entry.sender_fault,
        });
        let failed = failed.collect();
        let confirmed = output.successful.into_iter().map(|entry| entry.id);
        let confirmed = confirmed.collect();
        Ok(Output { confirmed, failed })
    }
}

fn entry(at: usize, message: Message, is_fifo: bool) -> Entry<SendMessageBatchRequestEntry> {
    let bytes = message.bytes();
    let mut request = SendMessageBatchRequestEntry::builder()
        .id(at.to_string())
        .message_body(message.body);
    for (name, value) in message.attributes {
        let attribute = MessageAttributeValue::builder().data_type(value.data_type());
        let attribute = match value {
            Attribute::Text(text) => attribute.string_value(text),
            Attribute::Bytes(bytes) => attribute.binary_value(bytes.into()),
        };
        request = request.message_attributes(name, attribute.build().expect("the type is set"));
    }
    if let Some(fifo) = message.fifo.filter(|_| is_fifo) {
        request = request
            .message_group_id(fifo.group)
            .message_deduplication_id(fifo.deduplication);
    }
    Entry {
        at,
        bytes,
        request: request.build().expect("id and body are set"),
    }
}

/// What to do about it. By code and not by variant: SQS names one fault differently in its two protocols, and emulators mix them.
fn advice(_: u16, code: &str) -> Option<&'static str> {
    if code.contains("QueueDoesNotExist") || code.contains("NonExistentQueue") {
        Some("; check the region, the account and the name in its address")
    } else if code.to_ascii_lowercase().contains("kms") {
        Some(
            "; the function's role needs `kms:GenerateDataKey` and `kms:Decrypt` on the queue's key",
        )
    } else if code.contains("AccessDenied") {
        Some("; the function's role needs `sqs:SendMessage` on it")
    } else {
        None
    }
}

//! Messages to an SNS topic, through the AWS SDK.

use std::fmt;

use aws_sdk_sns::Client;
use aws_sdk_sns::operation::get_topic_attributes::GetTopicAttributesError;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use tokio::sync::OnceCell;

use super::Patience;
use super::batch::{self, Entry, FailedEntry, Output, Service};
use super::error::{Failed, ServiceError};
use super::message::{Attribute, Message};
use super::sdk::{self, SdkSaid};
use crate::limits::SNS_MESSAGE_BYTES_MAX;

/// An SNS topic to which messages are published.
///
/// A message is confirmed once SNS confirms its id; deliveries to the topic's subscribers are SNS's matter. The rest is as for [`Sqs`](super::Sqs).
pub struct Sns {
    arn: String,
    /// Made at the first message.
    client: OnceCell<Client>,
}

impl Sns {
    /// Creates a sender for the topic with that ARN, which names the region too. The rest comes from the environment, as for every AWS tool.
    pub fn new(arn: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            client: OnceCell::new(),
        }
    }

    /// Creates a sender for the topic with the given client: its region, endpoint, credentials, time-outs and retries.
    pub fn with_client(client: Client, arn: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            client: OnceCell::new_with(Some(client)),
        }
    }

    /// The topic's ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The topic's name: the last part of the ARN.
    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    /// The client, created at the first call.
    pub async fn client(&self) -> &Client {
        self.client.get_or_init(|| connect(&self.arn)).await
    }

    /// Publishes a message. Ok: SNS has confirmed it, and sends it to the topic's subscribers.
    ///
    /// # Errors
    ///
    /// The service's error. The SDK has made three attempts if a retry could help.
    pub async fn publish(&self, message: impl Into<String>) -> Result<(), SdkSaid> {
        let request = self.client().await.publish();
        let request = request.topic_arn(&self.arn).message(message);
        request.send().await.map(drop).map_err(sdk::said)
    }

    /// Publishes the messages, at most ten or 256 kibibytes per request. Returns one result for each, in their order.
    pub async fn send(
        &self,
        messages: Vec<Message>,
        patience: Patience,
    ) -> Vec<Result<(), ServiceError>> {
        let is_fifo = self.is_fifo();
        let entries = messages.into_iter().enumerate();
        let entries: Vec<_> = entries.map(|(at, it)| entry(at, it, is_fifo)).collect();
        let topic = self;
        let sending = |client| Sending { client, topic };
        // On the heap: making a client takes kilobytes.
        let client = Box::pin(self.client());
        batch::send(&self.arn, client, sending, entries, patience).await
    }

    /// Checks that the topic exists. A missing permission to ask is not an error, since it says nothing about the permission to publish.
    ///
    /// # Errors
    ///
    /// [`SdkSaid`]: the topic does not exist, or the service cannot be reached.
    pub async fn check(&self) -> Result<(), SdkSaid> {
        let asked = self.client().await.get_topic_attributes();
        let asked = asked.topic_arn(&self.arn).send().await;
        sdk::there(asked, GetTopicAttributesError::is_not_found_exception)
    }

    fn is_fifo(&self) -> bool {
        self.arn.ends_with(".fifo")
    }
}

impl fmt::Debug for Sns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sns")
            .field("arn", &self.arn)
            .finish_non_exhaustive()
    }
}

/// The ARN names the region.
async fn connect(arn: &str) -> Client {
    let region = arn.split(':').nth(3).unwrap_or_default();
    Client::new(&sdk::config().region(sdk::region(region)).load().await)
}

struct Sending<'s> {
    client: &'s Client,
    topic: &'s Sns,
}

impl Service for Sending<'_> {
    type Request = PublishBatchRequestEntry;

    fn place(&self) -> &str {
        &self.topic.arn
    }

    fn bytes_max(&self) -> usize {
        SNS_MESSAGE_BYTES_MAX
    }

    fn is_ordered(&self) -> bool {
        self.topic.is_fifo()
    }

    async fn request(&self, batch: &[Entry<Self::Request>]) -> Result<Output, Failed> {
        let entries = batch.iter().map(|entry| entry.request.clone()).collect();
        let request = self.client.publish_batch();
        let request = request
            .topic_arn(&self.topic.arn)
            .set_publish_batch_request_entries(Some(entries));
        let sent = request.send().await;
        let output = sent.map_err(|error| Failed::of(self.place(), error, advice))?;
        let failed = output.failed.into_iter().flatten();
        let failed = failed.map(|entry| FailedEntry {
            id: entry.id,
            code: entry.code,
            message: entry.message,
            sender_fault: entry.sender_fault,
        });
        let failed = failed.collect();
        let confirmed = output.successful.into_iter().flatten();
        let confirmed = confirmed.filter_map(|entry| entry.id).collect();
        Ok(Output { confirmed, failed })
    }
}

fn entry(at: usize, message: Message, is_fifo: bool) -> Entry<PublishBatchRequestEntry> {
    let bytes = message.bytes();
    let mut request = PublishBatchRequestEntry::builder()
        .id(at.to_string())
        .message(message.body);
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
        request: request.build().expect("id and message are set"),
    }
}

/// What to do about it.
fn advice(_: u16, code: &str) -> Option<&'static str> {
    if code.contains("NotFound") {
        Some("; check the region, the account and the name in its ARN")
    } else if code.to_ascii_lowercase().contains("kms") {
        Some(
            "; the function's role needs `kms:GenerateDataKey` and `kms:Decrypt` on the topic's key",
        )
    } else if code.contains("AuthorizationError") || code.contains("AccessDenied") {
        Some("; the function's role needs `sns:Publish` on it")
    } else {
        None
    }
}

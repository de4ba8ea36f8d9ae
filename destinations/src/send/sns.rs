//! Messages to an SNS topic, through the AWS SDK.

use std::fmt;

use aws_sdk_sns::Client;
use aws_sdk_sns::operation::get_topic_attributes::GetTopicAttributesError;
use tokio::sync::OnceCell;

use super::sdk::{self, SdkSaid};

/// A standard SNS topic to which messages are published.
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

//! Messages to an SNS topic, through the AWS SDK.

use std::fmt;

use aws_sdk_sns::Client;
use aws_sdk_sns::operation::get_topic_attributes::GetTopicAttributesError;
use tokio::sync::OnceCell;

use super::sdk::{self, SdkSaid};

/// A standard SNS topic that messages are published to.
pub struct Sns {
    arn: String,
    /// Made at the first message.
    client: OnceCell<Client>,
}

impl Sns {
    /// The topic of that ARN, which names the region too. The rest comes from the environment, as every AWS tool reads it.
    pub fn new(arn: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            client: OnceCell::new(),
        }
    }

    /// Its name: the last part of the ARN.
    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    /// The client, made at the first call.
    pub async fn client(&self) -> &Client {
        self.client.get_or_init(|| connect(&self.arn)).await
    }

    /// Publishes a message. Ok: SNS has it, and sends it to the topic's subscribers.
    ///
    /// # Errors
    ///
    /// What the service says. The SDK has tried three times where that could help.
    pub async fn publish(&self, message: impl Into<String>) -> Result<(), SdkSaid> {
        let request = self.client().await.publish();
        let request = request.topic_arn(&self.arn).message(message);
        request.send().await.map(drop).map_err(sdk::said)
    }

    /// Whether it is there. Who may publish may lack the right to ask: that is no error.
    ///
    /// # Errors
    ///
    /// [`SdkSaid`]: the service says that there is no such topic, or is not reached.
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

//! An SNS topic for records that are given up: a message each time with what Lambda tells of them, which is no payload. Made by `destination`.

use msk_destinations::send::Sns;
use msk_mapping::document::Documents;
use msk_mapping::driver::{Destination, SendFuture, Undelivered};
use msk_mapping::machine::{Configuration, Discarded};

use super::delivery::undelivered;

/// A topic, and how it is told of records.
pub(super) struct NotificationDestination {
    topic: Sns,
    documents: Documents,
}

impl NotificationDestination {
    pub(super) fn new(topic: &str, configuration: &Configuration) -> Self {
        Self {
            topic: Sns::new(topic),
            documents: Documents::of(configuration),
        }
    }

    async fn send(&self, discarded: &Discarded) -> Result<(), Undelivered> {
        let document = self.documents.metadata(discarded);
        self.topic.publish(document).await.map_err(undelivered)
    }
}

impl Destination for NotificationDestination {
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a> {
        Box::pin(self.send(discarded))
    }

    fn check(&self) -> SendFuture<'_> {
        Box::pin(async { self.topic.check().await.map_err(undelivered) })
    }

    fn describe(&self) -> String {
        format!("sns:{}", self.topic.name())
    }
}

#[cfg(test)]
mod tests {
    use msk_destinations::address::Queue;
    use msk_destinations::send::Sqs;
    use msk_mapping::driver::Destination;
    use msk_mapping::machine::OnFailure;
    use serde_json::Value;

    use super::super::tests::{assert_given_up, given_up};
    use super::{NotificationDestination, Sns};

    #[tokio::test]
    #[ignore = "needs a topic: make test-services"]
    async fn a_real_topic_gets_what_lambda_tells_and_no_payload() {
        let endpoint = std::env::var("AWS_ENDPOINT_URL_SNS").unwrap();
        let name = format!("given-up-{}", std::process::id());
        let any = Queue::parse(&format!("{endpoint}/000000000000/any"));
        let any = Sqs::new(any.unwrap());
        let queues = any.client().await;
        let made = queues.create_queue().queue_name(&name).send().await;
        let queue = made.unwrap().queue_url.unwrap();
        let arn = format!("arn:aws:sns:eu-central-1:123456789012:{name}");
        let topic = Sns::new(&arn);
        let topics = topic.client().await;
        let made = topics.create_topic().name(&name).send().await.unwrap();
        assert_eq!(made.topic_arn.as_deref(), Some(&*arn));
        let to_queue = topics
            .subscribe()
            .topic_arn(&arn)
            .protocol("sqs")
            .endpoint(format!("arn:aws:sqs:eu-central-1:123456789012:{name}"))
            .attributes("RawMessageDelivery", "true");
        to_queue.send().await.unwrap();
        let (settings, discarded) = given_up(OnFailure::Sns(arn.clone()));

        let destination = NotificationDestination::new(&arn, &settings);
        destination.check().await.unwrap();
        destination.deliver(&discarded).await.unwrap();

        assert_eq!(destination.describe(), format!("sns:{name}"));
        let received = queues.receive_message().queue_url(&queue).send().await;
        let messages = received.unwrap().messages.unwrap();
        let document: Value = serde_json::from_str(messages[0].body().unwrap()).unwrap();
        assert_given_up(&document);
        assert!(document.get("payload").is_none());
    }

    #[tokio::test]
    #[ignore = "needs an SNS server: make test-services"]
    async fn a_real_server_without_the_topic_says_so() {
        let arn = "arn:aws:sns:eu-central-1:123456789012:missing".to_owned();
        let (settings, discarded) = given_up(OnFailure::Sns(arn.clone()));

        let destination = NotificationDestination::new(&arn, &settings);
        let asked = destination.check().await;
        let error = destination.deliver(&discarded).await.unwrap_err();

        assert!(asked.is_err());
        assert!(error.to_string().contains("NotFound"), "{error}");
    }
}

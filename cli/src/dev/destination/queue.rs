//! An SQS queue for records that are given up: a message each time with what Lambda tells of them, which is no payload. Made by `destination`.

use msk_destinations::address::Queue;
use msk_destinations::send::{Message, Sqs};
use msk_mapping::document::Documents;
use msk_mapping::driver::{Destination, SendFuture, Undelivered};
use msk_mapping::machine::{Configuration, Discarded};

use super::delivery::{patience, undelivered};

/// A queue, and how it is told of records.
pub(super) struct QueueDestination {
    queue: Sqs,
    documents: Documents,
}

impl QueueDestination {
    pub(super) fn new(queue: Queue, configuration: &Configuration) -> Self {
        Self {
            queue: Sqs::new(queue),
            documents: Documents::of(configuration),
        }
    }

    async fn send(&self, discarded: &Discarded) -> Result<(), Undelivered> {
        let message = Message::json(self.documents.metadata(discarded));
        let sent = self.queue.send(vec![message], patience()).await;
        sent.into_iter()
            .collect::<Result<(), _>>()
            .map_err(undelivered)
    }
}

impl Destination for QueueDestination {
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a> {
        Box::pin(self.send(discarded))
    }

    fn check(&self) -> SendFuture<'_> {
        Box::pin(async { self.queue.check().await.map_err(undelivered) })
    }

    fn describe(&self) -> String {
        format!("sqs:{}", self.queue.queue().name())
    }
}

#[cfg(test)]
mod tests {
    use msk_mapping::driver::Destination;
    use msk_mapping::machine::OnFailure;
    use serde_json::Value;

    use super::super::tests::{assert_given_up, given_up};
    use super::{Queue, QueueDestination, Sqs};

    #[tokio::test]
    #[ignore = "needs a queue: make test-services"]
    async fn a_real_queue_gets_what_lambda_tells_and_no_payload() {
        let endpoint = std::env::var("AWS_ENDPOINT_URL_SQS").unwrap();
        let any = Queue::parse(&format!("{endpoint}/000000000000/any"));
        let any = Sqs::new(any.unwrap());
        let client = any.client().await;
        let name = format!("given-up-{}", std::process::id());
        let made = client
            .create_queue()
            .queue_name(&name)
            .send()
            .await
            .unwrap();
        let url = made.queue_url.unwrap();
        let arn = format!("arn:aws:sqs:eu-central-1:000000000000:{name}");

        for queue in [&url, &arn] {
            let (settings, discarded) = given_up(OnFailure::Sqs(queue.clone()));
            let to = Queue::parse(queue).unwrap();
            let destination = QueueDestination::new(to, &settings);
            destination.check().await.unwrap();
            destination.deliver(&discarded).await.unwrap();
            assert_eq!(destination.describe(), format!("sqs:{name}"));
        }

        let request = client
            .receive_message()
            .queue_url(&url)
            .max_number_of_messages(10);
        let messages = request.send().await.unwrap().messages.unwrap();
        assert_eq!(messages.len(), 2);
        for message in messages {
            let document: Value = serde_json::from_str(message.body().unwrap()).unwrap();
            assert_given_up(&document);
            assert!(document.get("payload").is_none());
        }
    }

    #[tokio::test]
    #[ignore = "needs a queue: make test-services"]
    async fn a_real_server_without_the_queue_says_so() {
        let endpoint = std::env::var("AWS_ENDPOINT_URL_SQS").unwrap();
        let queue = format!("{endpoint}/000000000000/missing");
        let (settings, discarded) = given_up(OnFailure::Sqs(queue.clone()));

        let to = Queue::parse(&queue).unwrap();
        let destination = QueueDestination::new(to, &settings);
        let asked = destination.check().await;
        let error = destination.deliver(&discarded).await.unwrap_err();

        assert!(asked.is_err());
        assert!(error.to_string().contains("QueueDoesNotExist"), "{error}");
    }
}

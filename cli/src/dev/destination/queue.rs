//! An SQS queue for records that are given up: a message each time with what Lambda tells of them, which is no payload. Made by `destination`.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;
use msk_mapping::document::Documents;
use msk_mapping::driver::{Destination, SendFuture, Undelivered};
use msk_mapping::machine::{Configuration, Discarded};
use tokio::sync::OnceCell;

use super::sdk::{self, there, undelivered};

/// A queue by its URL or ARN.
pub(super) struct QueueDestination {
    queue: String,
    documents: Documents,
    /// Made with the first record that is given up; the queue's URL beside it.
    connected: OnceCell<(Client, String)>,
}

impl QueueDestination {
    pub(super) fn new(queue: &str, configuration: &Configuration) -> Self {
        Self {
            queue: queue.to_owned(),
            documents: Documents::of(configuration),
            connected: OnceCell::new(),
        }
    }

    async fn connected(&self) -> Result<&(Client, String), Undelivered> {
        self.connected
            .get_or_try_init(|| connect(&self.queue))
            .await
    }

    async fn send(&self, discarded: &Discarded) -> Result<(), Undelivered> {
        let (client, url) = self.connected().await?;
        let document = self.documents.metadata(discarded);
        let request = client.send_message().queue_url(url).message_body(document);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(undelivered(error)),
        }
    }
}

impl Destination for QueueDestination {
    fn deliver<'a>(&'a self, discarded: &'a Discarded) -> SendFuture<'a> {
        Box::pin(self.send(discarded))
    }

    /// Of an ARN AWS is asked for the URL, as it is before the first message.
    fn check(&self) -> SendFuture<'_> {
        Box::pin(async {
            let (client, url) = self.connected().await?;
            let asked = client.get_queue_attributes().queue_url(url).send().await;
            there(asked, is_missing)
        })
    }

    fn describe(&self) -> String {
        let name = self.queue.rsplit(['/', ':']).next().unwrap_or_default();
        format!("sqs:{name}")
    }
}

/// An ARN names region and account, and AWS tells the URL; a URL that is not AWS's own (an emulator) is also the endpoint.
async fn connect(queue: &str) -> Result<(Client, String), Undelivered> {
    let config = sdk::config();
    let parts: Vec<&str> = queue.split(':').collect();
    if let ["arn", _, "sqs", region, account, name] = parts[..] {
        let config = config.region(sdk::region(region)).load().await;
        let client = Client::new(&config);
        let asked = client
            .get_queue_url()
            .queue_name(name)
            .queue_owner_aws_account_id(account);
        let answer = asked.send().await.map_err(undelivered)?;
        let url = answer.queue_url.unwrap_or_default();
        return Ok((client, url));
    }
    let own = region_of(queue);
    let config = match &own {
        Some(own) => config.region(sdk::region(own)),
        None => config.region(sdk::any_region()),
    };
    let mut config = Builder::from(&config.load().await);
    if own.is_none() {
        let endpoint: Vec<&str> = queue.split('/').take(3).collect();
        config = config.endpoint_url(endpoint.join("/"));
    }
    Ok((Client::from_conf(config.build()), queue.to_owned()))
}

/// By either of its names: an emulator may leave out the older one, which AWS sends in a header.
fn is_missing(error: &GetQueueAttributesError) -> bool {
    error.is_queue_does_not_exist() || error.meta().code() == Some("QueueDoesNotExist")
}

/// Of AWS's own URL, `https://sqs.REGION.amazonaws.com/…`. *None: it is another's.*
fn region_of(url: &str) -> Option<String> {
    let host = url.split('/').nth(2)?;
    let (region, domain) = host.strip_prefix("sqs.")?.split_once('.')?;
    domain
        .starts_with("amazonaws.com")
        .then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use msk_mapping::driver::Destination;
    use msk_mapping::machine::OnFailure;
    use serde_json::Value;

    use super::super::tests::{assert_given_up, given_up};
    use super::{QueueDestination, connect, region_of};

    #[tokio::test]
    #[ignore = "needs a queue: make test-services"]
    async fn a_real_queue_gets_what_lambda_tells_and_no_payload() {
        let endpoint = std::env::var("AWS_ENDPOINT_URL_SQS").unwrap();
        let (client, _) = connect(&format!("{endpoint}/000000000000/any"))
            .await
            .unwrap();
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
            let destination = QueueDestination::new(queue, &settings);
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

        let destination = QueueDestination::new(&queue, &settings);
        let asked = destination.check().await;
        let error = destination.deliver(&discarded).await.unwrap_err();

        assert!(asked.is_err());
        assert!(error.to_string().contains("QueueDoesNotExist"), "{error}");
    }

    #[test]
    fn a_region_is_read_from_awss_own_urls_alone() {
        for (url, region) in [
            (
                "https://sqs.eu-west-1.amazonaws.com/123456789012/q",
                Some("eu-west-1"),
            ),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q",
                Some("cn-north-1"),
            ),
            ("http://127.0.0.1:9324/000000000000/q", None),
            ("http://sqs.local/q", None),
        ] {
            assert_eq!(region_of(url).as_deref(), region, "{url}");
        }
    }
}

//! Calls to the servers that stand for AWS, as the SDKs sign theirs: what they sign for tells moto which service is meant.

use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::function::request_with;

/// The account of moto, and of ARNs.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-central-1";

/// A server of AWS's APIs.
#[derive(Clone)]
pub(crate) struct Aws {
    endpoint: String,
}

impl Aws {
    /// The server that this variable names.
    fn of(variable: &str) -> Self {
        let endpoint = std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable}: make test-services sets it"));
        Self { endpoint }
    }

    /// The one at this address, `HOST:PORT`.
    pub(crate) fn at(address: &str) -> Self {
        Self {
            endpoint: format!("http://{address}"),
        }
    }

    /// ElasticMQ's queues.
    pub(crate) fn queues() -> Self {
        Self::of("AWS_ENDPOINT_URL_SQS")
    }

    /// Moto: topics, buckets, and the queues that its topics send to.
    pub(crate) fn moto() -> Self {
        Self::of("AWS_ENDPOINT_URL_S3")
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    async fn call(
        &self,
        service: &str,
        method: &'static str,
        path: &str,
        more: String,
        body: String,
    ) -> String {
        let scope = format!("test/20260101/{REGION}/{service}/aws4_request");
        let headers = format!(
            "Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n{more}"
        );
        let (endpoint, path) = (self.endpoint.clone(), path.to_owned());
        let called = spawn_blocking(move || {
            let address = endpoint.strip_prefix("http://").unwrap();
            request_with(address, method, &path, &headers, &body).unwrap()
        });
        let reply = called.await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    async fn sqs(&self, operation: &str, body: Value) -> Value {
        let headers = format!(
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{operation}\r\n"
        );
        let reply = self.call("sqs", "POST", "/", headers, body.to_string());
        serde_json::from_str(&reply.await).unwrap_or_default()
    }

    /// Makes a queue. Answers with its URL.
    pub(crate) async fn queue(&self, name: &str, attributes: Value) -> String {
        let asked = json!({"QueueName": name, "Attributes": attributes});
        let made = self.sqs("CreateQueue", asked).await;
        made["QueueUrl"].as_str().unwrap().to_owned()
    }

    /// The bodies of at most ten messages, which are documents.
    pub(crate) async fn messages(&self, queue: &str) -> Vec<Value> {
        let asked = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0});
        let received = self.sqs("ReceiveMessage", asked).await;
        let messages = received["Messages"].as_array();
        let bodies = messages.into_iter().flatten().map(|it| &it["Body"]);
        bodies
            .map(|body| serde_json::from_str(body.as_str().unwrap()).unwrap())
            .collect()
    }

    pub(crate) async fn delete_queue(&self, queue: &str) {
        self.sqs("DeleteQueue", json!({"QueueUrl": queue})).await;
    }

    /// How many messages lie in a queue, also those that a reader has.
    pub(crate) async fn count(&self, queue: &str) -> usize {
        let asked = json!({"QueueUrl": queue, "AttributeNames": ["All"]});
        let answer = self.sqs("GetQueueAttributes", asked).await;
        let number = |name: &str| {
            let text = answer["Attributes"][name].as_str();
            text.map_or(0, |text| text.parse().unwrap())
        };
        number("ApproximateNumberOfMessages") + number("ApproximateNumberOfMessagesNotVisible")
    }

    pub(crate) async fn send(&self, queue: &str, body: &str, more: Value) {
        let mut asked = json!({"QueueUrl": queue, "MessageBody": body});
        let more = more.as_object().unwrap().clone();
        asked.as_object_mut().unwrap().extend(more);
        self.sqs("SendMessage", asked).await;
    }

    async fn sns(&self, parameters: &[(&str, &str)]) {
        let encoded = parameters.iter().map(|(name, value)| {
            let value = value.replace(':', "%3A");
            format!("{name}={value}&")
        });
        let body: String = encoded.collect();
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n".to_owned();
        let body = body + "Version=2010-03-31";
        self.call("sns", "POST", "/", headers, body).await;
    }

    /// Makes a topic, and a queue of the same name that it sends to: raw, or in notifications. Answers with the topic's ARN and the queue's URL.
    pub(crate) async fn topic(&self, name: &str, is_raw: bool) -> (String, String) {
        let queue = self.queue(name, json!({})).await;
        let arn = |service: &str| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{name}");
        self.sns(&[("Action", "CreateTopic"), ("Name", name)]).await;
        self.sns(&[
            ("Action", "Subscribe"),
            ("TopicArn", &arn("sns")),
            ("Protocol", "sqs"),
            ("Endpoint", &arn("sqs")),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", &is_raw.to_string()),
        ])
        .await;
        (arn("sns"), queue)
    }

    async fn s3(&self, method: &'static str, path: String, body: &str) -> String {
        self.call("s3", method, &path, String::new(), body.to_owned())
            .await
    }

    pub(crate) async fn bucket(&self, name: &str) {
        let there = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        self.s3("PUT", format!("/{name}"), &there).await;
    }

    /// The keys of all objects of a bucket.
    pub(crate) async fn keys(&self, bucket: &str) -> Vec<String> {
        let (mut keys, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/{bucket}?list-type=2{after}");
            let listed = self.s3("GET", path, "").await;
            keys.extend(all_of(&listed, "Key"));
            let Some(next) = all_of(&listed, "NextContinuationToken").pop() else {
                return keys;
            };
            after = format!("&continuation-token={next}");
        }
    }

    pub(crate) async fn object(&self, bucket: &str, key: &str) -> String {
        self.s3("GET", format!("/{bucket}/{key}"), "").await
    }
}

/// The texts of all elements of XML with this name.
pub(crate) fn all_of(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1);
    let text = |part: &str| part.split(&close).next().unwrap_or_default().to_owned();
    parts.map(text).collect()
}

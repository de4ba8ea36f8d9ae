//! DynamoDB in the process, answering by script: no socket, so time can stand still.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{
    AsyncSleep, BehaviorVersion, Builder, Credentials, Region, SharedAsyncSleep, Sleep,
};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::{Value, json};

use crate::idempotency::store::dynamodb::{DynamoDbStore, retries, timeouts};

pub(super) const TABLE: &str = "orders-idempotency";

/// What the stub does with one request.
pub(super) enum Reply {
    /// Answers so.
    Says(u16, Value),
    /// The connection breaks before the answer.
    Lost,
    /// Never answers.
    Silence,
}

/// DynamoDB, by script. At the end of the script it answers each request with `{}`.
#[derive(Clone, Default)]
pub(super) struct Stub {
    script: Arc<Mutex<VecDeque<Reply>>>,
    /// Operation and body of each request.
    pub(super) requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl std::fmt::Debug for Stub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stub")
    }
}

impl Stub {
    pub(super) fn new(script: impl IntoIterator<Item = Reply>) -> Self {
        let stub = Self::default();
        stub.script.lock().unwrap().extend(script);
        stub
    }

    pub(super) fn store(&self) -> DynamoDbStore {
        let stub = self.clone();
        let http = http_client_fn(move |_, _| SharedHttpConnector::new(stub.clone()));
        let client = Client::from_conf(config().http_client(http).build());
        DynamoDbStore::with_client(client, TABLE).unwrap()
    }

    pub(super) fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl HttpConnector for Stub {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap();
        let operation = target.rsplit('.').next().unwrap().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.requests.lock().unwrap().push((operation, body));
        let reply = self.script.lock().unwrap().pop_front();
        match reply.unwrap_or(Reply::Says(200, json!({}))) {
            Reply::Says(status, body) => {
                let status = status.try_into().unwrap();
                let body = body.to_string().into();
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body)))
            }
            Reply::Lost => {
                let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                HttpConnectorFuture::ready(Err(ConnectorError::io(error.into())))
            }
            Reply::Silence => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

/// As the store makes it, with keys and a region of the test's own.
pub(super) fn config() -> Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep))
        .timeout_config(timeouts())
        .retry_config(retries())
}

/// As the SDK's own, named here because a client without aws-config has none.
#[derive(Debug)]
struct TokioSleep;

impl AsyncSleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration))
    }
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    Reply::Says(status, json!({"__type": kind, "message": message}))
}

/// The condition did not hold. *None: there is no item.*
pub(super) fn refused(item: Option<Value>) -> Reply {
    let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    let mut body = json!({"__type": kind, "message": "The conditional request failed"});
    if let Some(item) = item {
        body["Item"] = item;
    }
    Reply::Says(400, body)
}

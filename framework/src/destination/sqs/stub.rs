//! SQS in the process, answering by script: no socket, so time can stand still. And letters of a given size.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::SqsDestination;
use crate::deadline::Deadline;
use crate::destination::fixture::{invocation, letter_of};
use crate::destination::{DeadLetter, SendError};
use crate::failure::error_text;

pub(super) const QUEUE: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dlq";

/// What the stub does with one request.
pub(super) enum Reply {
    /// Takes all.
    All,
    /// Takes all, and answers in the opposite order.
    Backwards,
    /// Answers so.
    Says(u16, Value),
    /// Takes all; the connection breaks before the answer.
    Lost,
    /// Takes all, so much later.
    Slow(Duration),
    /// Never answers.
    Silence,
}

/// SQS, by script. At the end of the script it takes all.
#[derive(Clone, Default)]
pub(super) struct Stub {
    script: Arc<Mutex<VecDeque<Reply>>>,
    pub(super) requests: Arc<Mutex<Vec<Value>>>,
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

    pub(super) fn destination(&self) -> SqsDestination {
        let stub = self.clone();
        let http = http_client_fn(move |_, _| SharedHttpConnector::new(stub.clone()));
        let config = config().http_client(http).build();
        SqsDestination::with_client(Client::from_conf(config), QUEUE).unwrap()
    }

    /// The ids of each request's entries.
    pub(super) fn ids(&self) -> Vec<Vec<String>> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(ids).collect()
    }
}

impl HttpConnector for Stub {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let ids = ids(&request);
        self.requests.lock().unwrap().push(request);
        let reply = self
            .script
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Reply::All);
        let (status, body) = match reply {
            Reply::All => (200, taken(ids.iter())),
            Reply::Slow(wait) => {
                let body = taken(ids.iter()).to_string().into();
                return HttpConnectorFuture::new(async move {
                    tokio::time::sleep(wait).await;
                    Ok(HttpResponse::new(200.try_into().unwrap(), body))
                });
            }
            Reply::Backwards => (200, taken(ids.iter().rev())),
            Reply::Says(status, body) => (status, body),
            Reply::Lost => {
                let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                return HttpConnectorFuture::ready(Err(ConnectorError::io(error.into())));
            }
            Reply::Silence => return HttpConnectorFuture::new(std::future::pending()),
        };
        let body = body.to_string().into();
        let status = status.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, body)))
    }
}

pub(super) fn config() -> aws_sdk_sqs::config::Builder {
    aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .sleep_impl(aws_sdk_sqs::config::SharedAsyncSleep::new(TokioSleep))
}

/// As the SDK's own, named here because a client without aws-config has none.
#[derive(Debug)]
struct TokioSleep;

impl aws_sdk_sqs::config::AsyncSleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> aws_sdk_sqs::config::Sleep {
        aws_sdk_sqs::config::Sleep::new(tokio::time::sleep(duration))
    }
}

fn ids(request: &Value) -> Vec<String> {
    let entries = request["Entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["Id"].as_str().unwrap().to_owned())
        .collect()
}

pub(super) fn taken<'a>(ids: impl Iterator<Item = &'a String>) -> Value {
    let taken: Vec<Value> = ids.map(|id| success(id)).collect();
    json!({"Successful": taken, "Failed": []})
}

pub(super) fn success(id: &str) -> Value {
    json!({"Id": id, "MessageId": "m", "MD5OfMessageBody": "0"})
}

pub(super) fn failure(id: &str, sender_fault: bool, code: &str) -> Value {
    json!({"Id": id, "SenderFault": sender_fault, "Code": code, "Message": "so it is"})
}

pub(super) fn error(status: u16, code: &str) -> Reply {
    Reply::Says(
        status,
        json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "so it is"}),
    )
}

/// Which letters were confirmed, and the text of the others.
pub(super) fn outcomes(results: Vec<Result<(), SendError>>) -> Vec<String> {
    results
        .into_iter()
        .map(|result| match result {
            Ok(()) => "confirmed".to_owned(),
            Err(error) => error_text(&error),
        })
        .collect()
}

/// A letter whose message takes so many bytes, attributes and all.
pub(super) fn letter_of_bytes(bytes: usize) -> DeadLetter {
    let invocation = invocation(Deadline::UNKNOWN);
    let of = |value: &str| {
        letter_of(
            &invocation,
            15,
            &format!(r#"{{"offset":15,"value":"{value}"}}"#),
        )
    };
    let attributes = "codeStringreject.json".len() + "topicStringorders".len();
    let attributes = attributes + "partitionString0".len();
    let empty = of("").envelope().len() + attributes;
    // `payloadSize` grows with the value: one digit more or less is put right.
    let first = of(&"a".repeat(bytes - empty)).envelope().len() + attributes;
    of(&"a".repeat(2 * bytes - empty - first))
}

/// A letter whose record's value is so many bytes that do not compress.
pub(super) fn letter_of_random_bytes(bytes: usize) -> DeadLetter {
    let mut random = fastrand::Rng::with_seed(7);
    let value: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(bytes)
        .collect();
    let value = STANDARD.encode(value);
    let raw = format!(r#"{{"topic":"orders","partition":0,"offset":15,"value":"{value}"}}"#);
    letter_of(&invocation(Deadline::UNKNOWN), 15, &raw)
}

/// The payload beside an envelope, unpacked.
pub(super) fn unpacked(payload: &[u8]) -> Value {
    let mut text = String::new();
    GzDecoder::new(payload).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

//! A service in AWS in the process, answering by a function of the test: no socket, so time can stand still.

#![allow(dead_code, reason = "each destination uses some of it")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

use crate::destination::SendError;
use crate::failure::error_text;

/// What the stub does with a request.
pub(super) enum Reply {
    /// Answers so, with these headers.
    Says(u16, Vec<(&'static str, String)>, String),
    /// The connection breaks before the answer.
    Lost,
    /// Never answers.
    Silence,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Came {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Came {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

type Answering = dyn Fn(usize, &Came) -> Reply + Send + Sync;

#[derive(Clone)]
pub(super) struct Stub {
    answer: Arc<Answering>,
    came: Arc<Mutex<Vec<Came>>>,
}

impl std::fmt::Debug for Stub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stub")
    }
}

impl Stub {
    /// Answers the requests, which are numbered from 0, by that function.
    pub(super) fn new(answer: impl Fn(usize, &Came) -> Reply + Send + Sync + 'static) -> Self {
        Self {
            answer: Arc::new(answer),
            came: Arc::default(),
        }
    }

    pub(super) fn http(&self) -> SharedHttpClient {
        let stub = self.clone();
        http_client_fn(move |_, _| SharedHttpConnector::new(stub.clone()))
    }

    pub(super) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }
}

impl HttpConnector for Stub {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let bytes = request.body().bytes().unwrap_or_default();
        let came = Came {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            headers: headers.collect(),
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        };
        let mut all = self.came.lock().unwrap();
        let reply = (self.answer)(all.len(), &came);
        all.push(came);
        match reply {
            Reply::Says(status, headers, body) => {
                let mut response = HttpResponse::new(status.try_into().unwrap(), body.into());
                for (name, value) in headers {
                    response.headers_mut().insert(name, value);
                }
                HttpConnectorFuture::ready(Ok(response))
            }
            Reply::Lost => {
                let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                HttpConnectorFuture::ready(Err(ConnectorError::io(error.into())))
            }
            Reply::Silence => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

/// Which letters were confirmed, and the text of the others.
pub(super) fn outcomes(results: Vec<Result<(), SendError>>) -> Vec<String> {
    let outcome = |result| match result {
        Ok(()) => "confirmed".to_owned(),
        Err(error) => error_text(&error),
    };
    results.into_iter().map(outcome).collect()
}

/// How long letters of these tests may be sent.
pub(super) const SEND: Duration = Duration::from_secs(2);

//! A fulfilment service for tests: answers as the test says, and keeps what it was sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// One request: its idempotency key and its body.
pub type Received = (String, String);

/// The service; it ends with the test's runtime.
pub struct Service {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Service {
    /// Answers the requests with these statuses in turn, the last one for ever; `Retry-After: 0` goes with each.
    pub async fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (log, statuses) = (Arc::clone(&received), statuses.to_vec());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, statuses) = (Arc::clone(&log), statuses.clone());
                let service =
                    service_fn(move |request| answer(request, Arc::clone(&log), statuses.clone()));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, received }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/orders", self.address)
    }

    /// What it was sent so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    log: Arc<Mutex<Vec<Received>>>,
    statuses: Vec<u16>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let key = request.headers()["idempotency-key"]
        .to_str()
        .unwrap()
        .to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let mut log = log.lock().unwrap();
    let status = statuses[log.len().min(statuses.len() - 1)];
    log.push((key, body));
    let response = Response::builder()
        .status(status)
        .header("Retry-After", "0");
    Ok(response.body(Empty::new()).unwrap())
}

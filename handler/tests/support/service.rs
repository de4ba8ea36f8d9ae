//! A fulfilment service for tests: answers as the test says, when the test says, and keeps what it was sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// One request: its idempotency key and its body.
pub type Received = (String, String);

/// The status for the request with that number, from 0, and that body.
type Status = dyn Fn(usize, &str) -> u16 + Send + Sync;

/// The service; it ends with the test's runtime.
pub struct Service {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    status: Box<Status>,
    received: Mutex<Vec<Received>>,
    /// The number of requests that have come.
    come: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

impl Service {
    /// Answers the requests with these statuses in turn, the last one for ever; `Retry-After: 0` and `Location: /login` go with each.
    pub async fn answering(statuses: &[u16]) -> Self {
        let statuses = statuses.to_vec();
        let service =
            Self::holding(move |number, _| statuses[number.min(statuses.len() - 1)]).await;
        service.release();
        service
    }

    /// Answers nothing until it is told to [`release`](Self::release).
    pub async fn holding(status: impl Fn(usize, &str) -> u16 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            status: Box::new(status),
            received: Mutex::default(),
            come: watch::Sender::new(0),
            released: watch::Sender::new(false),
        });
        let all = Arc::clone(&shared);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = Arc::clone(&all);
                let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, shared }
    }

    /// Waits until so many requests have come.
    pub async fn come(&self, count: usize) {
        let mut come = self.shared.come.subscribe();
        come.wait_for(|come| *come >= count).await.unwrap();
    }

    /// Answers all requests, those that wait and those that come.
    pub fn release(&self) {
        self.shared.released.send_replace(true);
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/orders", self.address)
    }

    /// What it was sent so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let key = request.headers()["idempotency-key"]
        .to_str()
        .unwrap()
        .to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let number = {
        let mut received = shared.received.lock().unwrap();
        received.push((key, body.clone()));
        received.len() - 1
    };
    shared.come.send_modify(|come| *come += 1);
    let mut released = shared.released.subscribe();
    released.wait_for(|released| *released).await.unwrap();
    // Of use to those who follow a redirect.
    let response = Response::builder()
        .status((shared.status)(number, &body))
        .header("Location", "/login")
        .header("Retry-After", "0");
    Ok(response.body(Empty::new()).unwrap())
}

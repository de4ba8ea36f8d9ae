//! The outside world: a fulfilment service over HTTP that notes each order that reaches it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// An order that has reached the service.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    /// The order's id.
    pub(crate) order: u64,
    /// The process that sent it.
    pub(crate) sender: String,
}

/// The service; it ends with the test's runtime.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// In the order in which they came.
    effects: Mutex<Vec<Effect>>,
    come: watch::Sender<usize>,
    /// Open connections.
    open: watch::Sender<usize>,
}

#[derive(Deserialize)]
struct Order {
    order_id: u64,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let all = Arc::clone(&shared);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = Arc::clone(&all);
                shared.open.send_modify(|open| *open += 1);
                tokio::spawn(async move {
                    let service = service_fn(|request| take(request, &shared));
                    let connection = hyper::server::conn::http1::Builder::new();
                    // Broken off by a kill: what had come whole is noted.
                    let _ = connection
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                    shared.open.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { address, shared }
    }

    /// Where that process is to send its orders.
    pub(crate) fn url(&self, sender: &str) -> String {
        format!("http://{}/{sender}", self.address)
    }

    /// Waits until so many orders have come.
    pub(crate) async fn come(&self, count: usize) {
        let mut come = self.shared.come.subscribe();
        come.wait_for(|come| *come >= count).await.unwrap();
    }

    /// Waits until no connection is open: what a killed process had sent is noted then.
    pub(crate) async fn quiet(&self) {
        let mut open = self.shared.open.subscribe();
        open.wait_for(|open| *open == 0).await.unwrap();
    }

    /// All that have come so far.
    pub(crate) fn effects(&self) -> Vec<Effect> {
        self.shared.effects.lock().unwrap().clone()
    }
}

async fn take(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let sender = request.uri().path()[1..].to_owned();
    // Else its sender was killed while it wrote: the order has not come.
    if let Ok(body) = request.into_body().collect().await {
        let Order { order_id: order } = serde_json::from_slice(&body.to_bytes()).unwrap();
        let effect = Effect { order, sender };
        shared.effects.lock().unwrap().push(effect);
        shared.come.send_modify(|come| *come += 1);
    }
    Ok(Response::new(Empty::new()))
}

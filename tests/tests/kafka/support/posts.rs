//! A receiver of orders that keeps their bodies, by the place that their idempotency keys name.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::http::serve;

/// Topic, partition, offset.
pub(crate) type Place = (String, i64, i64);

pub(crate) struct Posts {
    url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    came: Mutex<Vec<(Place, Value)>>,
    number: watch::Sender<usize>,
}

impl Posts {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/orders", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let all = Arc::clone(&shared);
        tokio::spawn(serve(listener, move |request| {
            answer(request, Arc::clone(&all))
        }));
        Self { url, shared }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until so many have come.
    pub(crate) async fn taken(&self, number: usize) {
        let mut taken = self.shared.number.subscribe();
        taken.wait_for(|taken| *taken >= number).await.unwrap();
    }

    /// All that have come. Fails if one came twice.
    pub(crate) fn each_once(&self) -> BTreeMap<Place, Value> {
        let mut each = BTreeMap::new();
        for (place, body) in self.shared.came.lock().unwrap().clone() {
            assert!(!each.contains_key(&place), "{place:?} came twice");
            each.insert(place, body);
        }
        each
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let key = request.headers()["idempotency-key"].to_str().unwrap();
    // …/topic/partition/offset/timestamp
    let parts: Vec<&str> = key.rsplit('/').skip(1).take(3).collect();
    let [offset, partition, topic] = parts[..] else {
        panic!("{key}");
    };
    let place = (
        topic.to_owned(),
        partition.parse().unwrap(),
        offset.parse().unwrap(),
    );
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap();
    shared.came.lock().unwrap().push((place, body));
    shared.number.send_modify(|number| *number += 1);
    Ok(Response::new(Empty::new()))
}

//! The service outside: what it was asked, by which invocation, and when it took each order.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Kind, Place};
use crate::support::http::serve;

/// How often an order that is to come later is put off.
const PUT_OFF: u32 = 2;

#[derive(Clone)]
pub(super) struct Service(Arc<Shared>);

struct Shared {
    url: String,
    counts: Mutex<Counts>,
    is_open: watch::Sender<bool>,
    accepted: watch::Sender<usize>,
}

/// What it has seen.
#[derive(Clone, Default)]
pub(super) struct Counts {
    /// Requests of each invocation about each record.
    pub(super) tries: BTreeMap<(String, Place), u32>,
    /// When each was accepted, again and again if it came again.
    pub(super) accepted: Vec<(Place, i64)>,
    pub(super) refused: usize,
    /// When the last request of an invocation came.
    pub(super) last: BTreeMap<String, i64>,
    put_off: BTreeMap<Place, u32>,
}

impl Counts {
    pub(super) fn requests(&self) -> u64 {
        self.tries.values().map(|tries| u64::from(*tries)).sum()
    }
}

impl Service {
    /// Listens, and answers nothing before it is opened.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let service = Self(Arc::new(Shared {
            url: format!("http://{}/orders", listener.local_addr().unwrap()),
            counts: Mutex::default(),
            is_open: watch::Sender::new(false),
            accepted: watch::Sender::new(0),
        }));
        let answering = service.clone();
        tokio::spawn(serve(listener, move |request| {
            let service = answering.clone();
            async move { Ok::<_, Infallible>(service.answer(request).await) }
        }));
        service
    }

    pub(super) fn url(&self) -> &str {
        &self.0.url
    }

    pub(super) fn open(&self) {
        self.0.is_open.send_replace(true);
    }

    /// Waits until so many orders were accepted.
    pub(super) async fn accepted(&self, number: usize) {
        let mut accepted = self.0.accepted.subscribe();
        accepted.wait_for(|seen| *seen >= number).await.unwrap();
    }

    pub(super) fn counts(&self) -> Counts {
        self.0.counts.lock().unwrap().clone()
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Empty<Bytes>> {
        let mut is_open = self.0.is_open.subscribe();
        is_open.wait_for(|is_open| *is_open).await.unwrap();
        let key = request.headers()["idempotency-key"].to_str().unwrap();
        // …/topic/partition/offset/timestamp
        let mut parts = key.rsplit('/').skip(1);
        let offset = parts.next().unwrap().parse().unwrap();
        let place = (parts.next().unwrap().parse().unwrap(), offset);
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let status = self.decide(place, &serde_json::from_slice(&body).unwrap());
        Response::builder()
            .status(status)
            .body(Empty::new())
            .unwrap()
    }

    fn decide(&self, place: Place, post: &Value) -> u16 {
        let now = Timestamp::now().as_millisecond();
        let request = post["request"].as_str().unwrap().to_owned();
        let mut counts = self.0.counts.lock().unwrap();
        counts.last.insert(request.clone(), now);
        *counts.tries.entry((request, place)).or_default() += 1;
        match Kind::of_order(&post["order"]) {
            Kind::Refused => {
                counts.refused += 1;
                return 422;
            }
            Kind::Hopeless => return 503,
            Kind::Later => {
                let put_off = counts.put_off.entry(place).or_default();
                if *put_off < PUT_OFF {
                    *put_off += 1;
                    return 503;
                }
            }
            Kind::Good | Kind::Poison => {}
        }
        counts.accepted.push((place, now));
        self.0.accepted.send_replace(counts.accepted.len());
        200
    }
}

//! The receiver of orders, outside of all that is tested: what it was sent, in the order in which it came, is the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::http::serve;

/// Where a record stands: partition and offset, from its idempotency key.
pub(crate) type Place = (i32, i64);

pub(crate) struct Service {
    url: String,
    shared: Arc<Shared>,
}

/// Whether an order is refused, by its place and its body.
type Refused = dyn Fn(Place, &[u8]) -> bool + Send + Sync;

struct Shared {
    came: Mutex<Vec<Place>>,
    number: watch::Sender<usize>,
    refused: Box<Refused>,
}

impl Service {
    /// Takes every order.
    pub(crate) async fn start() -> Self {
        Self::refusing(|_| false).await
    }

    /// Answers 503 to orders whose body says so.
    pub(crate) async fn refusing(refused: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self::with(move |_, body: &[u8]| refused(body)).await
    }

    /// Answers 503 to orders whose place says so.
    pub(crate) async fn refusing_places(
        refused: impl Fn(Place) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::with(move |place, _: &[u8]| refused(place)).await
    }

    async fn with(refused: impl Fn(Place, &[u8]) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/orders", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            came: Mutex::default(),
            number: watch::Sender::new(0),
            refused: Box::new(refused),
        });
        let all = Arc::clone(&shared);
        tokio::spawn(serve(listener, move |request| {
            answer(request, Arc::clone(&all))
        }));
        Self { url, shared }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until so many orders were taken, repeats included.
    pub(crate) async fn taken(&self, number: usize) {
        let mut taken = self.shared.number.subscribe();
        taken.wait_for(|taken| *taken >= number).await.unwrap();
    }

    /// Waits until so many different orders were taken.
    pub(crate) async fn all_taken(&self, different: usize) {
        let mut missing = different;
        while missing > 0 {
            let taken = self.log().len();
            let (firsts, _) = self.first_comings();
            missing = different.saturating_sub(firsts.values().map(Vec::len).sum());
            // Of what comes some may have come before.
            self.taken(taken + missing).await;
        }
    }

    /// Every order that was taken, in the order in which it was.
    pub(crate) fn log(&self) -> Vec<Place> {
        self.shared.came.lock().unwrap().clone()
    }

    /// Each partition's offsets, each once, in the order of their first coming; and how many came again.
    pub(crate) fn first_comings(&self) -> (BTreeMap<i32, Vec<i64>>, usize) {
        let mut seen = BTreeSet::new();
        let mut firsts: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        let log = self.log();
        for (partition, offset) in &log {
            if seen.insert((*partition, *offset)) {
                firsts.entry(*partition).or_default().push(*offset);
            }
        }
        (firsts, log.len() - seen.len())
    }

    /// Fails unless each record of each partition came, and its first coming was in order. Answers with how many came
    /// again.
    pub(crate) fn assert_all_in_order(&self, records_each: &[usize]) -> usize {
        let (firsts, again) = self.first_comings();
        for (partition, records) in records_each.iter().enumerate() {
            let partition = i32::try_from(partition).unwrap();
            let came = firsts.get(&partition).cloned().unwrap_or_default();
            let disorder = came.windows(2).find(|pair| pair[0] > pair[1]);
            assert_eq!(disorder, None, "partition {partition}: out of order");
            let missing: Vec<i64> = (0..i64::try_from(*records).unwrap())
                .filter(|offset| came.binary_search(offset).is_err())
                .take(10)
                .collect();
            assert_eq!(missing, Vec::<i64>::new(), "partition {partition}: lost");
            assert_eq!(came.len(), *records, "partition {partition}");
        }
        again
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let key = request.headers()["idempotency-key"].to_str().unwrap();
    // …/topic/partition/offset/timestamp
    let mut parts = key.rsplit('/').skip(1);
    let offset: i64 = parts.next().unwrap().parse().unwrap();
    let partition: i32 = parts.next().unwrap().parse().unwrap();
    // A sender that was killed takes its body with it: then the order did not come.
    let Ok(body) = request.into_body().collect().await else {
        return Ok(Response::new(Empty::new()));
    };
    if (shared.refused)((partition, offset), &body.to_bytes()) {
        let refusal = Response::builder().status(503).header("Retry-After", "0");
        return Ok(refusal.body(Empty::new()).unwrap());
    }
    let number = {
        let mut came = shared.came.lock().unwrap();
        came.push((partition, offset));
        came.len()
    };
    shared
        .number
        .send_modify(|known| *known = number.max(*known));
    Ok(Response::new(Empty::new()))
}

//! The receiver of orders: a service over HTTP, or the log. Called by the handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lambda_msk::{Failure, IdempotencyKey};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use tracing::debug;

use crate::order::Order;

/// Longest time of one request. The framework ends it sooner if the invocation ends sooner.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The receiver of orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fulfilment(Receiver);

#[derive(Clone, Debug)]
enum Receiver {
    Service { client: Client, url: Url },
    Log { orders: Arc<AtomicU64> },
}

impl Fulfilment {
    /// The service at a URL; an empty text means [`log`](Self::log).
    ///
    /// # Errors
    ///
    /// The fault of the URL, and what is expected.
    pub fn new(url: &str) -> Result<Self, String> {
        if url.is_empty() {
            return Ok(Self::log());
        }
        let url = Url::parse(url).map_err(|error| {
            format!("expected `https://host/path`, or unset, found no URL: {error}")
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("expected an `http://` or `https://` URL, found another scheme".to_owned());
        }
        let client = Client::builder()
            .timeout(REQUEST_TIMEOUT)
            // A redirect would be followed as a GET without the order, and its 200 would say nothing of the order.
            .redirect(Policy::none())
            .build()
            .map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        Ok(Self(Receiver::Service { client, url }))
    }

    /// No service: orders are counted, and logged at level `debug`.
    pub fn log() -> Self {
        Self(Receiver::Log {
            orders: Arc::default(),
        })
    }

    /// Sends one order to its receiver.
    ///
    /// # Errors
    ///
    /// The service did not accept the order: for now (retry) or for good (reject).
    pub async fn ship(
        &self,
        order: &Order,
        json: &[u8],
        key: &IdempotencyKey,
    ) -> Result<(), Failure> {
        match &self.0 {
            Receiver::Log { orders } => {
                let count = orders.fetch_add(1, Ordering::Relaxed) + 1;
                let (order_id, amount_cents) = (order.order_id, order.amount_cents);
                debug!(order_id, amount_cents, count, %key, "order shipped");
                Ok(())
            }
            Receiver::Service { client, url } => {
                let request = client
                    .post(url.clone())
                    .header("Content-Type", "application/json")
                    .header("Idempotency-Key", key.as_str())
                    .body(json.to_vec());
                // No connection, a time-out: it may pass. The URL may hold a password: it is left out.
                let answer = request.send().await.map_err(reqwest::Error::without_url)?;
                verdict(&answer)
            }
        }
    }
}

fn verdict(answer: &Response) -> Result<(), Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let why = format!("the fulfilment service answered {status}");
    let passing = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    // A redirect is a fault of the URL, and not of the order.
    let other_place = status.is_redirection();
    if !other_place && !status.is_server_error() && !passing.contains(&status) {
        return Err(Failure::reject(why).code("fulfilment.refused"));
    }
    let failure = Failure::retry(why).code("fulfilment.unavailable");
    Err(match retry_after(answer) {
        Some(wait) => failure.after(wait),
        None => failure,
    })
}

/// Of the header's two forms, the seconds; a date is left to back-off.
fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

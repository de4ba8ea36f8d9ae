//! The service that takes the orders: over HTTP, or none at all. Called by the handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lambda_msk::{Failure, IdempotencyKey};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};

/// The longest time of one request. The framework ends it sooner if the invocation ends sooner.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The service. A clone is the same service.
#[derive(Clone, Debug)]
pub struct Service {
    /// *None: nothing is sent.*
    http: Option<(Client, Url)>,
    posted: Arc<AtomicU64>,
}

impl Service {
    /// No service: orders are counted and sent nowhere.
    pub fn none() -> Self {
        Self {
            http: None,
            posted: Arc::default(),
        }
    }

    /// The service at that URL.
    ///
    /// # Errors
    ///
    /// The text is not the URL of a service, or no client can be made.
    pub fn at(url: &str) -> Result<Self, String> {
        let expected = "expected `http://HOST/PATH` or `https://HOST/PATH`";
        if url.contains(char::REPLACEMENT_CHARACTER) {
            return Err(format!("{expected}, found bytes that are not UTF-8"));
        }
        let url = Url::parse(url).map_err(|error| format!("{expected}, found no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{expected}, found `{}:`", url.scheme()));
        }
        // A redirect would be followed as a GET without the order, and its 200 would say nothing of the order.
        let client = Client::builder().timeout(REQUEST_TIMEOUT);
        let client = client.redirect(Policy::none()).build();
        let client = client.map_err(|error| format!("cannot make a client for HTTP: {error}"))?;
        Ok(Self {
            http: Some((client, url)),
            ..Self::none()
        })
    }

    /// Posts one order. The key is the same in every delivery of the record: a service that knows it already
    /// answers with success and does nothing.
    ///
    /// # Errors
    ///
    /// The service did not accept the order: for now (retry) or for good (reject).
    pub async fn post(&self, json: &[u8], key: &IdempotencyKey) -> Result<(), Failure> {
        if let Some((client, url)) = &self.http {
            let request = client
                .post(url.clone())
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", key.as_str())
                .body(json.to_vec());
            // No connection, or a time-out: it is tried again. The URL stays out of the log, since it may hold a password.
            let answer = request.send().await.map_err(reqwest::Error::without_url)?;
            taken(&answer)?;
        }
        self.posted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// The number of posted orders.
    pub fn posted(&self) -> u64 {
        self.posted.load(Ordering::Relaxed)
    }
}

/// Whether the service accepted the order, and if not, whether a retry may help.
fn taken(answer: &Response) -> Result<(), Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let why = format!("the service answered {status}");
    // A redirect is a fault of the URL, and not of the order.
    let may_pass = status.is_server_error()
        || status.is_redirection()
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_MANY_REQUESTS;
    if !may_pass {
        return Err(Failure::reject(why).code("service.refused"));
    }
    let failure = Failure::retry(why).code("service.unavailable");
    let seconds = answer.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
    Err(match seconds {
        Some(seconds) => failure.after(Duration::from_secs(seconds)),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use lambda_msk::testing::{Event, Sample, invoke};
    use lambda_msk::{Consumer, IdempotencyKey, Outcome, State};

    use super::Service;

    /// The URL of a service that redirects each POST to a page that answers with 200.
    fn redirecting() -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let limit = Some(Duration::from_secs(30));
                stream.set_read_timeout(limit).expect("a limit");
                let mut request = Vec::new();
                let mut bytes = [0; 4096];
                let is_whole = |request: &[u8]| match request {
                    [b'P', ..] => request.ends_with(b"\r\n\r\n{}"),
                    _ => request.ends_with(b"\r\n\r\n"),
                };
                while !is_whole(&request) {
                    match stream.read(&mut bytes) {
                        Ok(0) | Err(_) => break,
                        Ok(read) => request.extend_from_slice(&bytes[..read]),
                    }
                }
                let status = match request.starts_with(b"POST ") {
                    true => "302 Found\r\nLocation: /login",
                    false => "200 OK",
                };
                let rest = "Content-Length: 0\r\nConnection: close\r\n\r\n";
                let answer = format!("HTTP/1.1 {status}\r\n{rest}");
                // Who asks may be gone.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        format!("http://{address}/orders")
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed_and_the_order_is_redelivered() {
        let service = Service::at(&redirecting()).expect("a URL");
        let post = async |key: IdempotencyKey, State(service): State<Service>| {
            service.post(b"{}", &key).await
        };
        let consumer = Consumer::builder().state(service.clone());
        let consumer = consumer.topic("orders", post).build();
        let consumer = consumer.expect("the consumer is configured");
        let record = Sample::new("orders", 0).value("{}");

        let invoked = invoke(&consumer, Event::msk().record(record)).await;

        assert_eq!(invoked.outcomes(), [Outcome::Failed]);
        assert_eq!(service.posted(), 0);
    }
}

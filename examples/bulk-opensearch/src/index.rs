//! The index: one request for many documents. Called by the handler.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lambda_msk::Failure;
use lambda_msk::error::ConfigurationFault;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};

use crate::answer;
use crate::requests::{Bulk, NDJSON};
use crate::sign::Signer;

/// The longest time of one request. The framework ends it sooner if the invocation ends sooner.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest time until a server has taken the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where documents go, and who is let in there.
pub(crate) struct Target {
    /// Of the index's `_bulk`. A user and a password in it go into the header of basic authentication.
    pub(crate) url: Url,
    /// *None: requests are not signed.*
    pub(crate) signer: Option<Signer>,
}

/// An index of OpenSearch. A clone is the same index.
#[derive(Clone)]
pub struct Index {
    /// *None: it could not be made, and the function does not start.*
    client: Option<Client>,
    target: Arc<Target>,
}

/// Without the user's password.
impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("host", &self.target.url.host_str())
            .field("path", &self.target.url.path())
            .finish_non_exhaustive()
    }
}

impl Index {
    pub(crate) fn new(target: Target, faults: &mut Vec<ConfigurationFault>) -> Self {
        let client = Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // A signature holds for one address.
            .redirect(Policy::none())
            .build();
        if client.is_err() {
            let reason = "expected certificates to know servers by, found none: install the system's (the package ca-certificates), or name a file of them";
            faults.push(ConfigurationFault::new("SSL_CERT_FILE", reason));
        }
        Self {
            client: client.ok(),
            target: Arc::new(target),
        }
    }

    /// Creates the documents. Those that are not in the index afterwards come back, each with its place and the reason.
    ///
    /// # Errors
    ///
    /// The request was not answered, or not as a whole: no document is settled. Those that were created all the same are known by their ids the next time.
    pub(crate) async fn send(&self, bulk: Bulk) -> Result<Vec<(usize, Failure)>, Failure> {
        let Target { url, signer } = &*self.target;
        let client = self.client.as_ref().ok_or_else(answer::no_client)?;
        let mut request = client.post(url.clone()).header(CONTENT_TYPE, NDJSON);
        if let Some(signer) = signer {
            let signed = signer.sign(url, &bulk.body);
            // No document is at fault.
            let signed = signed.map_err(|why| why.code("opensearch.denied").whole());
            request = request.headers(signed?);
        }
        let answer = request.body(bulk.body).send().await;
        let answer = answer.map_err(answer::none)?;
        let (status, after) = (answer.status(), retry_after(&answer));
        let text = answer.bytes().await.map_err(answer::none)?;
        match status {
            StatusCode::OK => answer::read(&text, bulk.documents),
            _ => Err(answer::refused(status, &text, after)),
        }
    }
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(seconds.parse().ok()?))
}

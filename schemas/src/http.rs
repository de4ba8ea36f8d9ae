//! One request to a registry over HTTP: bounded while it is read, tried once more after a broken connection. Called by `confluent` and `glue`.

use std::error::Error;
use std::sync::OnceLock;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};

use crate::limits::ANSWER_BYTES_MAX;

/// A client that is made at the first request, so that the start of a function does not wait for it.
#[derive(Debug, Default)]
pub(crate) struct Http(OnceLock<Result<Client, String>>);

/// A registry's answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// Sends what `request` makes of the client, and reads the whole answer.
    ///
    /// # Errors
    ///
    /// No answer, or one larger than is read, in words that follow the registry's name.
    pub(crate) async fn ask(
        &self,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Answer, String> {
        let client = self.0.get_or_init(client).as_ref().map_err(Clone::clone)?;
        // While a function is frozen the other side closes its connections: the first request after that may find this out.
        let first = match answer(request(client)).await {
            Err(Fault::Broken(_)) => answer(request(client)).await,
            answered => answered,
        };
        first.map_err(|fault| match fault {
            Fault::Broken(said) | Fault::Final(said) => said,
        })
    }
}

fn client() -> Result<Client, String> {
    // A redirect would take the credentials to a place that nobody named.
    let client = Client::builder().redirect(Policy::none()).build();
    client.map_err(|error| format!("cannot be asked: no HTTP client could be made: {error}"))
}

enum Fault {
    /// The connection could not be made, or broke.
    Broken(String),
    /// Another try ends no better.
    Final(String),
}

impl From<reqwest::Error> for Fault {
    fn from(error: reqwest::Error) -> Self {
        let said = format!(
            "cannot be reached: {}; check its address, and that this network reaches it (of a function: subnets, security groups, DNS; at a desk: VPN, proxy, port)",
            causes(&error)
        );
        if error.is_builder() {
            Self::Final(said)
        } else {
            Self::Broken(said)
        }
    }
}

/// The innermost cause, without the URL.
fn causes(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if std::ptr::eq(
        cause as *const dyn Error as *const (),
        std::ptr::from_ref(error).cast(),
    ) {
        return "the request failed".to_owned();
    }
    cause.to_string()
}

async fn answer(request: RequestBuilder) -> Result<Answer, Fault> {
    let mut response = request.send().await?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Fault::Final(format!(
                "answered {status} with more than {ANSWER_BYTES_MAX} bytes, the most that are read: is the path right?"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body })
}

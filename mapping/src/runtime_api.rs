//! The Lambda Runtime API on loopback, for one function process. [`Environment`](crate::Environment) uses it for a
//! process; alone, it serves a function that runs in this process or was started by someone else.

mod identity;
mod routes;
mod shared;
mod state;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{timeout, timeout_at};

pub use self::identity::Identity;
pub use self::shared::Readiness;
use self::shared::Shared;
use self::state::{Posted, Refusal, Waiting};
use crate::clock;
use crate::error::Error;
use crate::invocation::{FunctionError, Invocation};
use crate::limits::{DRAIN_MS, EVENT_BYTES_MAX, TIMEOUT_MAX_MS};

/// The function's answer to one event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The function's response, unread.
    Response(bytes::Bytes),
    /// The function's error, or Lambda's, if the response was refused.
    Error(FunctionError),
    /// The function did not answer in time. A later answer is refused with 410.
    TimedOut {
        /// Whether the function had taken the event.
        taken: bool,
    },
}

/// One event, delivered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivered {
    /// The id under which the function saw the event.
    pub request_id: String,
    /// The function's answer.
    pub answer: Answer,
    /// The time from taking the event to the answer. Zero: the function never took it.
    pub duration: Duration,
}

/// The Lambda Runtime API, served on loopback to one function process until it is dropped.
///
/// Several may run at once, each on a port of its own. An event goes to the first request for one, so a function that
/// asks several times at once (Lambda Managed Instances) gets several events.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use msk_mapping::{Identity, Invocation, RuntimeApi};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), msk_mapping::Error> {
/// let api = RuntimeApi::bind(Identity::new("orders", "eu-west-1")).await?;
/// // Give api.address() to a function as AWS_LAMBDA_RUNTIME_API. Nobody does here, so the time runs out.
/// let event = Invocation::new(r#"{"records":{}}"#, Duration::from_millis(10));
/// let delivered = api.invoke(&event).await?;
/// assert_eq!(delivered.answer, msk_mapping::Answer::TimedOut { taken: false });
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl RuntimeApi {
    /// Serves the API on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`] if there is none.
    pub async fn bind(identity: Identity) -> Result<Self, Error> {
        Self::bind_to(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), identity).await
    }

    /// Serves the API on this address; port 0 is any free one.
    ///
    /// # Errors
    ///
    /// [`Error::NotLoopback`] if other machines could reach it; [`Error::Bind`] if it is taken.
    pub async fn bind_to(address: SocketAddr, identity: Identity) -> Result<Self, Error> {
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback { address });
        }
        let bound = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = bound
            .await
            .map_err(|source| Error::Bind { address, source })?;
        let shared = Arc::new(Shared::new(identity));
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    /// Its address: the value of `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The name, region and ARN that the function is told.
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// Waits until the function has asked for an event or has failed to start, at most for `limit`: then it is
    /// [`Readiness::Starting`].
    pub async fn ready(&self, limit: Duration) -> Readiness {
        let mut readiness = self.shared.readiness.subscribe();
        let settled = readiness.wait_for(|readiness| *readiness != Readiness::Starting);
        match timeout(limit, settled).await {
            Ok(Ok(readiness)) => readiness.clone(),
            _ => Readiness::Starting,
        }
    }

    /// Hands an event to the function and waits for its answer: until the time-out from the moment the function takes
    /// it, and no longer than the time-out for it to be taken. If this is dropped, the function's answer is refused.
    ///
    /// # Errors
    ///
    /// [`Error::EventTooLarge`] and [`Error::Timeout`]: nothing was handed over.
    pub async fn invoke(&self, invocation: &Invocation) -> Result<Delivered, Error> {
        self.deliver(invocation, request_id()).await
    }

    /// [`RuntimeApi::invoke`] under an id that the caller chose.
    pub(crate) async fn deliver(
        &self,
        invocation: &Invocation,
        request_id: String,
    ) -> Result<Delivered, Error> {
        check(invocation)?;
        let (taken, taken_at) = oneshot::channel();
        let (posted, answer) = oneshot::channel();
        // Takes the event back however this ends.
        let _recall = Recall {
            shared: &self.shared,
            id: &request_id,
        };
        self.shared.state().offer(Waiting {
            id: request_id.clone(),
            body: invocation.body.clone(),
            timeout: invocation.timeout,
            taken,
            posted,
        });
        self.shared.offered.notify_one();
        let Ok(Ok(start)) = timeout(invocation.timeout, taken_at).await else {
            let answer = Answer::TimedOut { taken: false };
            return Ok(Delivered {
                request_id: request_id.clone(),
                answer,
                duration: Duration::ZERO,
            });
        };
        let answer = match timeout_at(start + invocation.timeout, answer).await {
            Ok(Ok(Posted::Response(body))) => Answer::Response(body),
            Ok(Ok(Posted::Error(error))) => Answer::Error(error),
            _ => Answer::TimedOut { taken: true },
        };
        Ok(Delivered {
            request_id: request_id.clone(),
            answer,
            duration: start.elapsed(),
        })
    }

    /// Whether the function has taken the event with this id.
    pub(crate) fn has_taken(&self, request_id: &str) -> bool {
        self.shared.state().expects(request_id) != Err(Refusal::Unknown)
    }

    /// Whether the function has registered an extension, so that Lambda would tell it before it stops it.
    pub(crate) fn has_extensions(&self) -> bool {
        self.shared.state().has_extensions()
    }

    /// Waits until no connection is open: what a process wrote before it ended has been read then.
    pub(crate) async fn drain(&self) {
        let mut open = self.shared.open.subscribe();
        // A grandchild may keep a connection for ever.
        let _ = timeout(
            Duration::from_millis(DRAIN_MS),
            open.wait_for(|open| *open == 0),
        )
        .await;
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A new id for an event. Lambda's mapping delivers an event that it sends again under a new one.
pub(crate) fn request_id() -> String {
    clock::uuid()
}

pub(crate) fn check(invocation: &Invocation) -> Result<(), Error> {
    let bytes = invocation.body.len();
    if bytes > EVENT_BYTES_MAX {
        return Err(Error::EventTooLarge { bytes });
    }
    let milliseconds = invocation.timeout.as_millis();
    if milliseconds == 0 || milliseconds > u128::from(TIMEOUT_MAX_MS) {
        return Err(Error::Timeout { milliseconds });
    }
    Ok(())
}

struct Recall<'a> {
    shared: &'a Shared,
    id: &'a str,
}

impl Drop for Recall<'_> {
    fn drop(&mut self) {
        self.shared.state().expire(self.id);
    }
}

/// Runs until it is aborted; the connections end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    shared.open.send_modify(|open| *open += 1);
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
                // Out of file descriptors, as a rule: let other tasks close some.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let _open = Open { shared: &shared };
    // An answer is one small write; without this it waits for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| routes::serve(Arc::clone(&shared), request));
    // A function waits for its next event as long as it likes: no time-out between requests.
    let served = http1::Builder::new()
        .title_case_headers(true)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    // An error here is a function that went away. Whoever waits for it notices by its process or by the time-out.
    let _ = served.await;
}

struct Open<'a> {
    shared: &'a Shared,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.shared.open.send_modify(|open| *open -= 1);
    }
}

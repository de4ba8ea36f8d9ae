//! What stands between a function and a server of AWS's APIs: it notes what the server confirms, so that a server that forgets everything
//! with its process can be counted from outside.

use std::io;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::http::serve;

/// One request that the server has answered with 200.
pub(crate) struct Confirmed<'a> {
    pub(crate) path: &'a str,
    pub(crate) asked: &'a [u8],
    pub(crate) answer: &'a [u8],
}

/// Names what an answer confirms.
type Names = dyn Fn(&Confirmed<'_>) -> Vec<String> + Send + Sync;

pub(crate) struct Proxy {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    behind: String,
    names: Box<Names>,
    confirmed: Mutex<Vec<String>>,
    /// So many answers with a confirmation are not passed on: the connection is closed instead.
    to_lose: Mutex<usize>,
    /// So many requests go on to the server; those behind them wait.
    to_pass: watch::Sender<usize>,
    /// Requests that wait.
    held: watch::Sender<usize>,
}

impl Proxy {
    /// Before the server at this address (`HOST:PORT`), which may come and go.
    pub(crate) async fn start(
        behind: String,
        names: impl Fn(&Confirmed<'_>) -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            behind,
            names: Box::new(names),
            confirmed: Mutex::default(),
            to_lose: Mutex::new(0),
            to_pass: watch::Sender::new(usize::MAX),
            held: watch::Sender::new(0),
        });
        let all = Arc::clone(&shared);
        tokio::spawn(serve(listener, move |request| {
            answer(request, Arc::clone(&all))
        }));
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the server has confirmed, with repeats, in order.
    pub(crate) fn confirmed(&self) -> Vec<String> {
        self.shared.confirmed.lock().unwrap().clone()
    }

    /// Lets so many requests pass, and holds all behind them.
    pub(crate) fn hold_after(&self, requests: usize) {
        self.shared.to_pass.send_replace(requests);
    }

    /// Waits until a request is held.
    pub(crate) async fn holds(&self) {
        let mut held = self.shared.held.subscribe();
        held.wait_for(|held| *held > 0).await.unwrap();
    }

    /// Lets all pass, also those that are held.
    pub(crate) fn release(&self) {
        self.shared.to_pass.send_replace(usize::MAX);
    }

    /// Loses the next answers that confirm something, after the server has done what it was asked.
    pub(crate) fn lose(&self, answers: usize) {
        *self.shared.to_lose.lock().unwrap() = answers;
    }

    /// Whether as many answers were lost as were to be.
    pub(crate) fn has_lost_all(&self) -> bool {
        *self.shared.to_lose.lock().unwrap() == 0
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let asked = body.collect().await.map_err(io::Error::other)?.to_bytes();
    // A task of its own: what the server does is noted also where the function waits no longer.
    let passed = tokio::spawn(pass_on(head, asked, shared));
    passed.await.map_err(io::Error::other)?
}

async fn pass_on(
    head: Parts,
    asked: Bytes,
    shared: Arc<Shared>,
) -> io::Result<Response<Full<Bytes>>> {
    let path = head.uri.path().to_owned();
    pass(&shared).await;
    let stream = TcpStream::connect(&shared.behind).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    let passed = Request::from_parts(head, Full::new(asked.clone()));
    let answer = sender.send_request(passed).await;
    let (head, body) = answer.map_err(io::Error::other)?.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    if head.status == 200 {
        let names = (shared.names)(&Confirmed {
            path: &path,
            asked: &asked,
            answer: &body,
        });
        if !names.is_empty() {
            note(&shared, names)?;
        }
    }
    Ok(Response::from_parts(head, Full::new(body)))
}

/// Waits while requests are held.
async fn pass(shared: &Shared) {
    let take = |left: &mut usize| {
        let may = *left > 0;
        *left -= usize::from(may && *left < usize::MAX);
        may
    };
    loop {
        let mut may = false;
        shared.to_pass.send_if_modified(|left| {
            may = take(left);
            false
        });
        if may {
            return;
        }
        shared.held.send_modify(|held| *held += 1);
        let mut left = shared.to_pass.subscribe();
        left.wait_for(|left| *left > 0).await.unwrap();
    }
}

/// Err: the answer is one to lose.
fn note(shared: &Shared, names: Vec<String>) -> io::Result<()> {
    shared.confirmed.lock().unwrap().extend(names);
    let mut to_lose = shared.to_lose.lock().unwrap();
    match to_lose.checked_sub(1) {
        None => Ok(()),
        Some(left) => {
            *to_lose = left;
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
}

//! A proxy before the schema registry: it counts the requests for schemas, and can be killed in the middle of them and started again. The registry itself keeps its schemas in memory, and would
//! come back without them.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::http::serve;

const PATH: &str = "/apis/ccompat/v7";
const IDS: &str = "/schemas/ids/";
const GUIDS: &str = "/schemas/guids/";

pub(crate) struct Registry {
    address: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    /// HOST:PORT of the real one.
    behind: String,
    /// How often each was answered: ids, GUIDs, and versions of subjects that are referred to.
    answered: Mutex<BTreeMap<String, usize>>,
    /// Requests for ids that are still answered.
    left: Mutex<usize>,
    /// Requests that wait for a registry which does not answer.
    held: watch::Sender<usize>,
    kills: watch::Sender<usize>,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        Self::stuck_after(usize::MAX).await
    }

    /// Answers so many requests for ids, and holds all others until it is killed.
    pub(crate) async fn stuck_after(answers: usize) -> Self {
        let url = std::env::var("LAMBDA_MSK_APICURIO")
            .expect("LAMBDA_MSK_APICURIO: make test-services sets it");
        let behind = url.strip_prefix("http://").unwrap();
        let shared = Arc::new(Shared {
            behind: behind.strip_suffix(PATH).unwrap().to_owned(),
            answered: Mutex::default(),
            left: Mutex::new(answers),
            held: watch::Sender::new(0),
            kills: watch::Sender::new(0),
        });
        let (address, server) = listen("127.0.0.1:0", &shared).await;
        Self {
            address,
            shared,
            server,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Waits until so many requests are held.
    pub(crate) async fn holds(&self, number: usize) {
        let mut held = self.shared.held.subscribe();
        held.wait_for(|held| *held >= number).await.unwrap();
    }

    /// Refuses connections from now on, and breaks off what is held.
    pub(crate) async fn kill(&mut self) {
        self.server.abort();
        let ended = (&mut self.server).await;
        assert!(ended.unwrap_err().is_cancelled());
        self.shared.kills.send_modify(|kills| *kills += 1);
    }

    /// At the same address; it answers everything.
    pub(crate) async fn start_again(&mut self) {
        *self.shared.left.lock().unwrap() = usize::MAX;
        (_, self.server) = listen(&self.address, &self.shared).await;
    }

    /// How often each path was answered.
    pub(crate) fn answered(&self) -> BTreeMap<String, usize> {
        self.shared.answered.lock().unwrap().clone()
    }
}

async fn listen(address: &str, shared: &Arc<Shared>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let shared = Arc::clone(shared);
    let server = serve(listener, move |request| {
        answer(request, Arc::clone(&shared))
    });
    (address, tokio::spawn(server))
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> io::Result<Response<Full<Bytes>>> {
    let path = request.uri().path_and_query().unwrap().as_str();
    let asked = path.strip_prefix(PATH).unwrap().to_owned();
    let mut kills = shared.kills.subscribe();
    if asked.starts_with(IDS) && !take_one(&shared.left) {
        shared.held.send_modify(|held| *held += 1);
        kills.changed().await.unwrap();
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    let answer = pass_on(&shared.behind, &asked).await;
    let mut answered = shared.answered.lock().unwrap();
    *answered.entry(asked).or_default() += 1;
    Ok(answer)
}

fn take_one(left: &Mutex<usize>) -> bool {
    let mut left = left.lock().unwrap();
    let less = left.checked_sub(1);
    *left = less.unwrap_or_default();
    less.is_some()
}

/// Asks the registry itself. It knows no GUIDs: the last four bytes of those that tests write are the id.
async fn pass_on(behind: &str, asked: &str) -> Response<Full<Bytes>> {
    let asked = match asked.strip_prefix(GUIDS) {
        None => asked.to_owned(),
        Some(guid) => {
            let id = u32::from_str_radix(&guid[guid.len() - 8..], 16).unwrap();
            format!("{IDS}{id}")
        }
    };
    let stream = TcpStream::connect(behind).await.unwrap();
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("{PATH}{asked}")).header("Host", behind);
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    // No connection outlives its answer: a killed server has none.
    let answer = Response::builder()
        .status(status)
        .header("Connection", "close");
    answer.body(Full::new(body)).unwrap()
}

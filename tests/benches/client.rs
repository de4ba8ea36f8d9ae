//! What a request to a table costs the function itself: the processor time of the thread that makes it, through the framework's store and AWS's client, beside that of the same bytes sent by
//! a bare HTTP client. A server on another thread answers at once, so that nothing of the table's own time is in it.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_msk::idempotency::{
    Change, DynamoDbStore, Expect, IdempotencyStore, Item, Swap, Version,
};
use rustix::time::{ClockId, clock_gettime};
use tokio::net::{TcpListener, TcpStream};

const TURNS: usize = 11;
const REQUESTS: u32 = 500;
/// Settled offsets as a partition's item has them.
const DATA_BYTES: usize = 200;

/// The last request's headers and body, to be sent again by the bare client.
type Seen = Arc<Mutex<Option<(http::request::Parts, Bytes)>>>;

/// Answers each request with a table's empty answer, until the process ends.
async fn serve(listener: TcpListener, seen: Seen) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let seen = Arc::clone(&seen);
        let answer = service_fn(move |request: Request<Incoming>| {
            let seen = Arc::clone(&seen);
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                *seen.lock().unwrap() = Some((parts, body));
                let answer = Response::builder()
                    .header("content-type", "application/x-amz-json-1.0")
                    .body(Full::new(Bytes::from_static(b"{}")));
                Ok::<_, hyper::Error>(answer.unwrap())
            }
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), answer),
        );
    }
}

fn start_server(seen: Seen) -> SocketAddr {
    let (send, address) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            serve(listener, seen).await;
        });
    });
    address.recv().unwrap()
}

/// What this thread has computed so far, its share of the kernel's work included.
fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Processor time a request, in microseconds.
async fn measured(mut request: impl AsyncFnMut()) -> f64 {
    let began = computed();
    for _ in 0..REQUESTS {
        request().await;
    }
    (computed() - began).as_secs_f64() * 1e6 / f64::from(REQUESTS)
}

fn put() -> Swap {
    let version = |seq| Version {
        owner: "0123456789abcdef0123456789abcdef".into(),
        seq,
    };
    let mut item = Item::new(Some(version(8)), 2_000_000_000);
    item.data = vec![b'7'; DATA_BYTES].into();
    let id = "lambda-msk#orders-service#orders#3".into();
    Swap::new(id, Expect::Version(version(7)), Change::Put(item))
}

async fn turns() {
    let seen = Seen::default();
    let address = start_server(Arc::clone(&seen));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(format!("http://{address}"));
    let store = DynamoDbStore::with_client(Client::from_conf(config.build()), "ledger").unwrap();
    let socket = TcpStream::connect(address).await.unwrap();
    let (bare, connection) = handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    let bare = tokio::sync::Mutex::new(bare);
    let put = put();
    let again = async |(parts, body): &(http::request::Parts, Bytes)| {
        let request = Request::from_parts(parts.clone(), Full::new(body.clone()));
        let answer = bare.lock().await.send_request(request).await.unwrap();
        answer.into_body().collect().await.unwrap();
    };

    let mut least = [f64::MAX; 4];
    for turn in 0..=TURNS {
        let read = measured(async || drop(store.read(&put.id).await.unwrap())).await;
        let sent = seen.lock().unwrap().take().unwrap();
        let bare_read = measured(async || again(&sent).await).await;
        let write = measured(async || drop(store.swap(&put).await.unwrap())).await;
        let sent = seen.lock().unwrap().take().unwrap();
        let bare_write = measured(async || again(&sent).await).await;
        // The first one opens connections.
        if turn > 0 {
            for (least, took) in least.iter_mut().zip([read, bare_read, write, bare_write]) {
                *least = least.min(took);
            }
        }
    }
    println!("microseconds of processor time a request, least of {TURNS} turns of {REQUESTS}");
    for (name, ours, bare) in [("read", least[0], least[1]), ("write", least[2], least[3])] {
        println!(
            "{name:6} {ours:6.1}, of which a bare HTTP client takes {bare:6.1} ({:.1}x)",
            ours / bare
        );
    }
}

fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(turns());
}

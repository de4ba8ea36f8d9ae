//! Two nodes of a cluster in the process, of which the second has all keys, all of them absent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, broadcast};
use tokio::task::JoinHandle;

pub(super) struct Nodes {
    addresses: [SocketAddr; 2],
    first: JoinHandle<()>,
    shared: Arc<Shared>,
}

struct Shared {
    addresses: [SocketAddr; 2],
    first_is_gone: AtomicBool,
    redirections: AtomicUsize,
    /// The first two requests are redirected at once.
    both: Barrier,
    cut: broadcast::Sender<()>,
}

impl Nodes {
    pub(super) async fn start() -> Self {
        let listeners = [
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        ];
        let addresses = [0, 1].map(|at: usize| listeners[at].local_addr().unwrap());
        let shared = Arc::new(Shared {
            addresses,
            first_is_gone: AtomicBool::new(false),
            redirections: AtomicUsize::new(0),
            both: Barrier::new(2),
            cut: broadcast::channel(1).0,
        });
        let [first, second] = listeners;
        let first = tokio::spawn(listen(first, true, Arc::clone(&shared)));
        tokio::spawn(listen(second, false, Arc::clone(&shared)));
        Self {
            addresses,
            first,
            shared,
        }
    }

    pub(super) fn address(&self, node: usize) -> String {
        format!("redis://{}", self.addresses[node])
    }

    pub(super) fn redirections(&self) -> usize {
        self.shared.redirections.load(Ordering::SeqCst)
    }

    /// Connections to it are refused.
    pub(super) fn end_the_first(&self) {
        self.shared.first_is_gone.store(true, Ordering::SeqCst);
        self.first.abort();
    }

    /// Every connection breaks.
    pub(super) fn cut_all(&self) {
        let _ = self.shared.cut.send(());
    }
}

async fn listen(listener: TcpListener, is_first: bool, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let mut cut = shared.cut.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                () = answer(client, is_first, &shared) => {}
                _ = cut.recv() => {}
            }
        });
    }
}

async fn answer(client: TcpStream, is_first: bool, shared: &Shared) {
    let mut client = BufReader::new(client);
    while let Some(command) = read(&mut client).await {
        let answer = match &*command[0].to_ascii_uppercase() {
            "HMGET" if is_first => {
                if shared.redirections.fetch_add(1, Ordering::SeqCst) < 2 {
                    shared.both.wait().await;
                }
                format!("-MOVED 1 {}\r\n", shared.addresses[1])
            }
            "HMGET" => {
                let fields = command.len() - 2;
                format!("*{fields}\r\n{}", "$-1\r\n".repeat(fields))
            }
            "CLUSTER" => slots(shared),
            "PING" => "+PONG\r\n".to_owned(),
            "INFO" => "$0\r\n\r\n".to_owned(),
            _ => "+OK\r\n".to_owned(),
        };
        if client.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The first node has a slot that no key of the tests has, as long as it lives.
fn slots(shared: &Shared) -> String {
    let range = |first: u16, last: u16, address: SocketAddr| {
        let port = address.port();
        format!("*3\r\n:{first}\r\n:{last}\r\n*2\r\n$9\r\n127.0.0.1\r\n:{port}\r\n")
    };
    let [first, second] = shared.addresses;
    match shared.first_is_gone.load(Ordering::SeqCst) {
        false => format!("*2\r\n{}{}", range(0, 0, first), range(1, 16_383, second)),
        true => format!("*1\r\n{}", range(0, 16_383, second)),
    }
}

/// A command: an array of strings. *None: the client is gone.*
async fn read(client: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let count = number(client, '*').await?;
    let mut command = Vec::new();
    for _ in 0..count {
        let mut text = vec![0; number(client, '$').await? + 2];
        client.read_exact(&mut text).await.ok()?;
        text.truncate(text.len() - 2);
        command.push(String::from_utf8(text).unwrap());
    }
    Some(command)
}

async fn number(client: &mut BufReader<TcpStream>, kind: char) -> Option<usize> {
    let mut line = String::new();
    client.read_line(&mut line).await.ok()?;
    line.trim_end().strip_prefix(kind)?.parse().ok()
}

//! The connection to a server or a cluster: made at the first request, and again after it broke. Called by `redis`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ConnectionInfo, RedisResult, Value};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::idempotency::store::redis::address::RedisAddress;
use crate::idempotency::store::redis::{fault, health, nodes};
use crate::limits::{
    REDIS_CLUSTER_CONNECT_MS_MAX, REDIS_INFO_MS_MAX, REDIS_INFO_TRIES_MAX, REDIS_TRY_MS_MAX,
};

/// A connection that all requests of a process share. Cheap to clone.
#[derive(Clone)]
pub(super) enum Line {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Line {
    pub(super) fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    pub(super) async fn ask(&mut self, command: &Cmd) -> RedisResult<Value> {
        // A server's error is a value on the wire, and an error from here on.
        match self {
            Self::Server(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

/// A line, and which one it is of those that were made.
pub(super) struct NumberedLine {
    pub(super) number: u64,
    pub(super) line: Line,
}

/// The line that stands, if one does.
#[derive(Default)]
pub(super) struct Link {
    line: Mutex<(u64, Option<Line>)>,
    /// Learned from the first redirection: a cluster's client asks each node, so it is not used without need.
    is_cluster: AtomicBool,
    /// The cluster's nodes when its line was made: if the one of the address is gone, the others still tell where the keys are.
    nodes: RwLock<Vec<ConnectionInfo>>,
    looked: Looked,
}

/// How far the question has come how keys are evicted and persisted.
#[derive(Default)]
struct Looked {
    asked: AtomicU32,
    is_answered: AtomicBool,
    has_warned: AtomicBool,
}

impl Looked {
    /// A question that was not answered in time is asked again, a few times; and there is one warning.
    fn is_open(&self) -> bool {
        !self.has_warned.load(Ordering::Relaxed)
            && !self.is_answered.load(Ordering::Relaxed)
            && self.asked.load(Ordering::Relaxed) < REDIS_INFO_TRIES_MAX
    }

    /// What one of its servers has said is not what a cluster says.
    fn begin_anew(&self) {
        self.asked.store(0, Ordering::Relaxed);
        self.is_answered.store(false, Ordering::Relaxed);
    }
}

impl Link {
    /// The line that stands, or a new one. Those that ask meanwhile wait for it: a process has one.
    pub(super) async fn line(&self, address: &RedisAddress) -> RedisResult<NumberedLine> {
        let mut standing = self.line.lock().await;
        let (number, mut line) = match &*standing {
            (number, Some(line)) => (*number, line.clone()),
            (before, None) => (before + 1, Box::pin(self.connect(address)).await?),
        };
        if self.looked.is_open() {
            self.look(&mut line, address).await;
        }
        *standing = (number, Some(line.clone()));
        Ok(NumberedLine { number, line })
    }

    /// Asks the server about itself, or each node. Says nothing where INFO is refused: a service may not allow it.
    async fn look(&self, line: &mut Line, address: &RedisAddress) {
        self.looked.asked.fetch_add(1, Ordering::Relaxed);
        let at_most = Duration::from_millis(REDIS_INFO_MS_MAX);
        let is_answered = match timeout(at_most, line.ask(&redis::cmd("INFO"))).await {
            Ok(Ok(answer)) => {
                let warned = health::look(&answer, address);
                self.looked.has_warned.store(warned, Ordering::Relaxed);
                true
            }
            Ok(Err(error)) => !fault::breaks_the_line(&error) && !error.is_timeout(),
            Err(_) => false,
        };
        self.looked
            .is_answered
            .store(is_answered, Ordering::Relaxed);
    }

    /// The next request makes a new line, unless one was made since.
    pub(super) async fn broke(&self, number: u64) {
        let mut standing = self.line.lock().await;
        if standing.0 == number {
            standing.1 = None;
        }
    }

    /// A server has named another one for the key.
    pub(super) fn is_of_a_cluster(&self) {
        if !self.is_cluster.swap(true, Ordering::Relaxed) {
            self.looked.begin_anew();
        }
    }

    async fn connect(&self, address: &RedisAddress) -> RedisResult<Line> {
        if address.has_tls() {
            choose_crypto();
        }
        let at_most = Duration::from_millis(REDIS_TRY_MS_MAX);
        if self.is_cluster.load(Ordering::Relaxed) {
            let mut nodes = vec![address.info.clone()];
            let known = self.nodes.read();
            nodes.extend_from_slice(&known.unwrap_or_else(PoisonError::into_inner));
            // One that is gone is waited for, and the others have to answer within the same try.
            let connected = Duration::from_millis(REDIS_CLUSTER_CONNECT_MS_MAX);
            let client = ClusterClientBuilder::new(nodes)
                // Of its own it asks again only to follow a redirection: who calls knows the deadline.
                .retries(2)
                .min_retry_wait(1)
                .max_retry_wait(20)
                .connection_timeout(connected)
                .response_timeout(at_most)
                .build()?;
            let mut line = Line::Cluster(client.get_async_connection().await?);
            self.learn(&mut line, address).await;
            return Ok(line);
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(at_most))
            .set_response_timeout(Some(at_most));
        let client = Client::open(address.info.clone())?;
        let connection = client.get_multiplexed_async_connection_with_config(&config);
        connection.await.map(Line::Server)
    }

    /// Notes the cluster's nodes. Where they are not told, those that were known stay.
    async fn learn(&self, line: &mut Line, address: &RedisAddress) {
        let mut slots = redis::cmd("CLUSTER");
        slots.arg("SLOTS");
        let at_most = Duration::from_millis(REDIS_INFO_MS_MAX);
        if let Ok(Ok(slots)) = timeout(at_most, line.ask(&slots)).await {
            let told = nodes::told(&slots, &address.info);
            if !told.is_empty() {
                *self.nodes.write().unwrap_or_else(PoisonError::into_inner) = told;
            }
        }
    }
}

/// The Redis client takes the process's choice of a TLS implementation, and panics where two are built in and none is chosen. What the program has chosen stays.
fn choose_crypto() {
    static CHOSEN: OnceLock<()> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        // Refused where the program has chosen one already.
        let _ = provider.install_default();
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::sleep;

    use super::Link;
    use crate::idempotency::store::redis::address::RedisAddress;
    use crate::limits::{REDIS_INFO_MS_MAX, REDIS_INFO_TRIES_MAX};

    const EVICTS: &str = "maxmemory_policy:allkeys-lru\r\n";
    const GOOD: &str = "maxmemory_policy:noeviction\r\n";

    /// Answers INFO so, after as much time as that question has, and all else with OK.
    async fn serve(mut stream: TcpStream, asked: Arc<AtomicU32>, slow: u32, info: &'static str) {
        let mut commands = [0; 4_096];
        while let Ok(read @ 1..) = stream.read(&mut commands).await {
            let text = String::from_utf8_lossy(&commands[..read]).into_owned();
            // Each command is an array, and stands whole in what was read: they are short.
            for command in text.split('*').filter(|command| !command.is_empty()) {
                let mut answer = "+OK\r\n".to_owned();
                if command.contains("\r\nINFO\r\n") {
                    if asked.fetch_add(1, Ordering::SeqCst) < slow {
                        sleep(Duration::from_millis(REDIS_INFO_MS_MAX + 100)).await;
                    }
                    answer = format!("${}\r\n{info}\r\n", info.len());
                }
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }

    /// A server whose first answers to INFO are late, and how often it was asked.
    async fn server(slow: u32, info: &'static str) -> (RedisAddress, Arc<AtomicU32>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicU32::new(0));
        let told = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&told), slow, info));
            }
        });
        let address = RedisAddress::parse(&format!("redis://127.0.0.1:{port}")).unwrap();
        (address, asked)
    }

    #[tokio::test]
    async fn a_server_that_is_slow_to_tell_of_itself_is_asked_again() {
        let (address, asked) = server(1, EVICTS).await;
        let link = Link::default();

        for _ in 0..4 {
            link.line(&address).await.unwrap();
            // What was late is not in the way of the next answer.
            sleep(Duration::from_millis(200)).await;
        }

        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert!(link.looked.has_warned.load(Ordering::Relaxed));
        link.is_of_a_cluster();
        assert!(!link.looked.is_open(), "there is one warning");
    }

    #[tokio::test]
    async fn a_server_that_never_tells_of_itself_is_asked_a_few_times() {
        let (address, asked) = server(u32::MAX, EVICTS).await;
        let link = Link::default();

        for _ in 0..5 {
            link.line(&address).await.unwrap();
            sleep(Duration::from_millis(200)).await;
        }

        assert_eq!(asked.load(Ordering::SeqCst), REDIS_INFO_TRIES_MAX);
    }

    #[tokio::test]
    async fn what_one_server_has_told_is_asked_of_its_cluster_once_more() {
        let (address, asked) = server(0, GOOD).await;
        let link = Link::default();

        link.line(&address).await.unwrap();
        link.line(&address).await.unwrap();

        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(!link.looked.is_open());
        link.is_of_a_cluster();
        assert!(link.looked.is_open());
        link.line(&address).await.unwrap();
        // Each request that ran at once learns it.
        link.is_of_a_cluster();
        assert!(!link.looked.is_open());
    }
}

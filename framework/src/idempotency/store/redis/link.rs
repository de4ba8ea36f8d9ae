//! The connection to a server or a cluster: made at the first request, and again after it broke. Called by `redis`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ConnectionInfo, RedisResult, Value};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::idempotency::store::redis::address::RedisAddress;
use crate::idempotency::store::redis::{health, nodes};
use crate::limits::{REDIS_CLUSTER_CONNECT_MS_MAX, REDIS_INFO_MS_MAX, REDIS_TRY_MS_MAX};

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
    was_looked_at: AtomicBool,
}

impl Link {
    /// The line that stands, or a new one. Those that ask meanwhile wait for it: a process has one.
    pub(super) async fn line(&self, address: &RedisAddress) -> RedisResult<NumberedLine> {
        let mut standing = self.line.lock().await;
        if let (number, Some(line)) = &*standing {
            return Ok(NumberedLine {
                number: *number,
                line: line.clone(),
            });
        }
        let mut line = Box::pin(self.connect(address)).await?;
        if !self.was_looked_at.swap(true, Ordering::Relaxed) {
            look(&mut line, address).await;
        }
        let number = standing.0 + 1;
        *standing = (number, Some(line.clone()));
        Ok(NumberedLine { number, line })
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
        self.is_cluster.store(true, Ordering::Relaxed);
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

/// Asks the server about itself. Says nothing where INFO is refused: a service may not allow it.
async fn look(line: &mut Line, address: &RedisAddress) {
    let at_most = Duration::from_millis(REDIS_INFO_MS_MAX);
    if let Ok(Ok(answer)) = timeout(at_most, line.ask(&redis::cmd("INFO"))).await {
        health::look(&answer, address);
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

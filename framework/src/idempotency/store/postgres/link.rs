//! The connections to the database: few, made when they are needed, and again after they broke. Called by `postgres`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, OnceCell};
use tokio::task::AbortHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::limits::POSTGRES_CONNECTIONS_MAX;
use crate::postgres::address::PostgresAddress;
use crate::postgres::tls::{TlsFault, tls};

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NoLine {
    Tls(TlsFault),
    Database(tokio_postgres::Error),
}

/// One connection. Several requests wait on it in turn.
pub(super) struct Line {
    pub(super) client: Client,
    /// Reads and writes for the client. A connection that is dead would never end by itself.
    task: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Slot {
    /// Requests that use it, or wait for it.
    busy: AtomicUsize,
    line: Mutex<Option<Arc<Line>>>,
}

/// The connections of a process.
#[derive(Default)]
pub(super) struct Link {
    slots: [Slot; POSTGRES_CONNECTIONS_MAX],
    tls: OnceCell<MakeRustlsConnect>,
}

/// A place in the least busy slot, for one request.
pub(super) struct Place<'a> {
    slot: &'a Slot,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.slot.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Link {
    /// The first of the least busy ones: with one request at a time there is one connection.
    pub(super) fn place(&self) -> Place<'_> {
        let mut slot = &self.slots[0];
        let mut least = usize::MAX;
        for candidate in &self.slots {
            let busy = candidate.busy.load(Ordering::Relaxed);
            if busy < least {
                (slot, least) = (candidate, busy);
            }
        }
        slot.busy.fetch_add(1, Ordering::Relaxed);
        Place { slot }
    }

    async fn connect(&self, address: &PostgresAddress) -> Result<Line, NoLine> {
        if !address.has_tls() {
            return connect(address, NoTls).await;
        }
        let tls = self
            .tls
            .get_or_try_init(|| async { tls(address.roots.as_deref()) });
        connect(address, tls.await.map_err(NoLine::Tls)?.clone()).await
    }
}

impl Place<'_> {
    /// The connection that stands there, or a new one.
    pub(super) async fn line(
        &self,
        link: &Link,
        address: &PostgresAddress,
    ) -> Result<Arc<Line>, NoLine> {
        let mut standing = self.slot.line.lock().await;
        if let Some(line) = standing.as_ref().filter(|line| !line.client.is_closed()) {
            return Ok(Arc::clone(line));
        }
        let line = Arc::new(Box::pin(link.connect(address)).await?);
        *standing = Some(Arc::clone(&line));
        Ok(line)
    }

    /// The next request makes a new connection, unless one was made since.
    pub(super) async fn broke(&self, line: &Arc<Line>) {
        let mut standing = self.slot.line.lock().await;
        if standing
            .as_ref()
            .is_some_and(|stands| Arc::ptr_eq(stands, line))
        {
            *standing = None;
        }
    }
}

async fn connect<T>(address: &PostgresAddress, tls: T) -> Result<Line, NoLine>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = address
        .config
        .connect(tls)
        .await
        .map_err(NoLine::Database)?;
    // Its end is seen by each request that waits on it.
    let task = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(Line {
        client,
        task: task.abort_handle(),
    })
}

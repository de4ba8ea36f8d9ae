//! The store in Redis, Valkey and what speaks as they do: one key an item, one script a swap.

mod address;
mod fault;
mod health;
mod link;
mod nodes;
mod script;

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisError, Script, ServerErrorKind, Value};
use tokio::time::{sleep, timeout};

use crate::idempotency::store::redis::address::RedisAddress;
use crate::idempotency::store::redis::link::{Line, Link, NumberedLine};
use crate::idempotency::store::redis::script::Said;
use crate::idempotency::store::{Change, IdempotencyStore, Item, StoreError, Swap, Swapped};
use crate::limits::{REDIS_BACKOFF_MS, REDIS_TRIES_MAX, REDIS_TRY_MS_MAX};

pub use self::address::RedisAddressError;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(script::SWAP));

/// A store in Redis, Valkey, ElastiCache or MemoryDB. `LAMBDA_MSK_IDEMPOTENCY=redis://…`, `rediss://…` (TLS) or `valkey://…`; needs the feature `redis`.
///
/// Each item is one key, `lambda-msk:` and the item's id, and has an expiry. A swap is one script on this key, so that a cluster takes it too: the address of
/// any of its nodes is enough, or the configuration endpoint. Once connected, the store knows the other nodes, too, and survives the end of the one that the address names; a process that starts
/// meanwhile does not, so that a configuration endpoint is better. Any number of functions may share one database. Its user needs the commands EVALSHA, EVAL, HMGET,
/// HSET, HINCRBY, DEL and EXPIREAT on the keys `lambda-msk:*`, and for a cluster CLUSTER SLOTS; INFO is asked at the start, and may be refused.
///
/// # What it promises
///
/// Redis confirms a write before its replicas have it, and by default before it is on disk. So a failover or a restart may forget the latest writes, and a
/// server whose memory is full may evict keys, unless its policy is `noeviction`. What is forgotten runs again if Lambda redelivers it, and two invocations may hold one lease. With
/// [`Guarantee::AtMostOnce`](crate::idempotency::Guarantee::AtMostOnce) use MemoryDB, which confirms what is in its log, or another store. One warning names the eviction policy
/// and a missing append-only file, as INFO shows them.
///
/// With TLS the certificate has to be signed by an authority that the system knows, or that is in the file `SSL_CERT_FILE`.
pub struct RedisStore {
    address: RedisAddress,
    /// Made at the first use: a snapshot holds no connections.
    link: Link,
}

impl RedisStore {
    /// Creates a store for the server or the cluster with that address: `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`; `rediss` instead of `redis` for TLS.
    ///
    /// # Errors
    ///
    /// The text is no such address. A server that cannot be reached is only noticed at its first use.
    pub fn new(address: &str) -> Result<Self, RedisAddressError> {
        Ok(Self {
            address: RedisAddress::parse(address)?,
            link: Link::default(),
        })
    }

    /// A request, tried over a new line if the one that stood was dead.
    async fn request(&self, request: Request<'_>) -> Result<Value, StoreError> {
        let at_most = Duration::from_millis(REDIS_TRY_MS_MAX);
        let mut tries = 1;
        loop {
            let mut asked = None;
            // On the heap: a cluster's futures take kilobytes.
            let one = Box::pin(self.one(&request, &mut asked));
            let error = match timeout(at_most, one).await {
                Ok(Ok(value)) => return Ok(value),
                // Requests that ran at once may all learn it. A cluster's client should have followed.
                Ok(Err(error))
                    if is_redirected(&error) && asked.is_some_and(|asked| asked.is_server) =>
                {
                    self.link.is_of_a_cluster();
                    self.forget(asked).await;
                    continue;
                }
                Ok(Err(error)) => {
                    let breaks = fault::breaks_the_line(&error);
                    let error = fault::of(self.place(), error);
                    if !breaks {
                        return Err(error);
                    }
                    error
                }
                Err(_) => fault::late(self.place()),
            };
            self.forget(asked).await;
            if tries == REDIS_TRIES_MAX || !error.is_transient() {
                return Err(error);
            }
            tries += 1;
            sleep(Duration::from_millis(REDIS_BACKOFF_MS)).await;
        }
    }

    async fn one(
        &self,
        request: &Request<'_>,
        asked: &mut Option<Asked>,
    ) -> Result<Value, RedisError> {
        let NumberedLine { number, mut line } = self.link.line(&self.address).await?;
        let is_server = line.is_server();
        *asked = Some(Asked { number, is_server });
        request.ask(&mut line).await
    }

    async fn forget(&self, asked: Option<Asked>) {
        if let Some(asked) = asked {
            self.link.broke(asked.number).await;
        }
    }

    fn place(&self) -> String {
        self.address.describe()
    }
}

/// The line that a request went over.
#[derive(Clone, Copy)]
struct Asked {
    number: u64,
    /// It is that of one server.
    is_server: bool,
}

/// A server that is a cluster's node has named the one that has the key.
fn is_redirected(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, Moved};

    [ErrorKind::Server(Moved), ErrorKind::Server(Ask)].contains(&error.kind())
}

enum Request<'a> {
    Read(&'a str),
    Swap(&'a Swap),
}

impl Request<'_> {
    async fn ask(&self, line: &mut Line) -> Result<Value, RedisError> {
        match self {
            Self::Read(id) => {
                let mut read = redis::cmd("HMGET");
                read.arg(script::key(id)).arg(&script::FIELDS);
                line.ask(&read).await
            }
            Self::Swap(swap) => {
                let arguments = script::arguments(swap);
                let command = |name: &str, script: &str| -> Cmd {
                    let mut command = redis::cmd(name);
                    command.arg(script).arg(1).arg(script::key(&swap.id));
                    for argument in &arguments {
                        command.arg(&argument[..]);
                    }
                    command
                };
                match line.ask(&command("EVALSHA", SCRIPT.get_hash())).await {
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                        // The server knows it from then on.
                        line.ask(&command("EVAL", script::SWAP)).await
                    }
                    answer => answer,
                }
            }
        }
    }
}

impl IdempotencyStore for RedisStore {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        let fields = self.request(Request::Read(id)).await?;
        script::item(fields).map_err(|why| fault::unreadable(self.place(), id, why))
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let reply = self.request(Request::Swap(swap)).await?;
        let said = script::said(reply);
        Ok(
            match said.map_err(|why| fault::unreadable(self.place(), &swap.id, why))? {
                Said::Refused(item) => Swapped::Refused(item),
                Said::Applied(item) => Swapped::Applied(match &swap.change {
                    Change::Put(item) => Some(item.clone()),
                    Change::Hold { .. } => item,
                    Change::Delete => None,
                }),
            },
        )
    }

    fn describe(&self) -> String {
        self.address.describe()
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &self.address.describe())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

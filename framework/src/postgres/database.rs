//! A handler's own connections to a database: few, made when they are needed, and thrown away if a call is dropped. Called by batch handlers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::Error as PemError;
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, NoTls, Socket, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::failure::{BoxError, Failure, error_text};
use crate::limits::{
    POSTGRES_AT_REST_MS_MAX, POSTGRES_CANCEL_MS_MAX, POSTGRES_SESSION_MS_MAX,
    POSTGRES_SESSIONS_DEFAULT, POSTGRES_SESSIONS_MAX, POSTGRES_TRY_MS_MAX,
};
use crate::postgres::address::PostgresAddress;
use crate::postgres::failure::failure;
#[cfg(feature = "postgres-iam")]
use crate::postgres::iam::{Endpoint, Iam};
use crate::postgres::tls::{TlsFault, tls};

/// A Postgres database for a handler's own transactions. Set it as the consumer's state; a clone is the same database.
///
/// Nothing is connected before the first [`session`](Self::session), so that a server which is down does not keep the function from starting. A process has at most
/// [four](crate::limits::POSTGRES_SESSIONS_DEFAULT) connections, unless [`connections`](Self::connections) says otherwise. Its `Debug` shows no password.
///
/// # Example
///
/// ```
/// use lambda_msk::postgres::Database;
///
/// let database = Database::new("postgres://orders:hunter2@db.example/shop?sslmode=verify-full")?;
/// assert_eq!(database.describe(), "postgres:db.example/shop");
/// # Ok::<(), lambda_msk::postgres::DatabaseError>(())
/// ```
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
}

struct Shared {
    address: PostgresAddress,
    tls: OnceCell<MakeRustlsConnect>,
    #[cfg(feature = "postgres-iam")]
    iam: Option<(Endpoint, Iam)>,
    idle: Mutex<Vec<Link>>,
}

/// The text is not the address of a database, or not one for what is asked of it. It is not shown, since it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The text is no address with a host.
    #[error(
        "expected the address of a Postgres database, `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=…&sslrootcert=FILE]`; write characters of the password that are no letters or digits as %XX"
    )]
    Address,
    /// A token in place of the password could not be signed for it, or would be sent without TLS.
    #[error(
        "expected an address with a user, one host, and `sslmode=require` or `sslmode=verify-full`, for IAM authentication"
    )]
    Iam,
    /// The file with the authorities cannot be read.
    #[error("cannot read the file in `sslrootcert`: {0}")]
    RootsFile(std::io::ErrorKind),
    /// The file with the authorities holds none.
    #[error(
        "expected certificates of authorities as PEM in the file in `sslrootcert`, found none that can be read"
    )]
    Roots,
    /// TLS cannot be set up.
    #[error("cannot set up TLS with the file in `sslrootcert`")]
    Tls,
}

impl Database {
    /// Creates a database with that address: `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE`, with the parameters `sslrootcert` and those of `tokio-postgres`.
    ///
    /// `sslmode` and `sslrootcert` are those of the [store](crate::idempotency::PostgresStore): a certificate is always verified, with the host's name. For Amazon RDS and Aurora, deploy AWS's
    /// `global-bundle.pem` with the function: `?sslmode=verify-full&sslrootcert=/var/task/global-bundle.pem`.
    ///
    /// # Errors
    ///
    /// The text is no such address.
    pub fn new(address: &str) -> Result<Self, DatabaseError> {
        let address = PostgresAddress::parse_plain(address).map_err(|_| DatabaseError::Address)?;
        Ok(Self {
            shared: Arc::new(Shared {
                address,
                tls: OnceCell::new(),
                #[cfg(feature = "postgres-iam")]
                iam: None,
                idle: Mutex::default(),
            }),
            permits: Arc::new(Semaphore::new(POSTGRES_SESSIONS_DEFAULT)),
        })
    }

    /// Sets the maximum number of connections of this process, from 1 to [`POSTGRES_SESSIONS_MAX`]: a number beyond that is the nearest of these. Calls beyond it wait for a connection. Set it before
    /// the database is cloned.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        let permits = connections.clamp(1, POSTGRES_SESSIONS_MAX);
        self.permits = Arc::new(Semaphore::new(permits));
        self
    }

    /// Signs in with IAM authentication of Amazon RDS: with a token in place of the password, signed anew for each connection by the credentials of the environment. The function's role needs
    /// `rds-db:connect`, and the database's user the role `rds_iam`. Set it before the database is cloned. Needs the feature `postgres-iam`.
    ///
    /// # Errors
    ///
    /// The address has no user, more than one host, or an `sslmode` with which the token could be sent without TLS: name `require` or `verify-full`.
    #[cfg(feature = "postgres-iam")]
    pub fn iam(self) -> Result<Self, DatabaseError> {
        let shared = Arc::try_unwrap(self.shared).map_err(|_| DatabaseError::Iam)?;
        let (host, port, user) = shared.address.endpoint().ok_or(DatabaseError::Iam)?;
        let endpoint = Endpoint { host, port, user };
        let shared = Shared {
            iam: Some((endpoint, Iam::default())),
            ..shared
        };
        Ok(Self {
            shared: Arc::new(shared),
            permits: self.permits,
        })
    }

    /// Reads the file in `sslrootcert`, if the address names one, so that a wrong one is found when the function starts. It blocks for that file; nothing is connected.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds no certificate of an authority. The error does not show its name.
    pub fn check(&self) -> Result<(), DatabaseError> {
        match self.shared.address.check_roots() {
            Ok(()) => Ok(()),
            Err(TlsFault::File(PemError::Io(error))) => Err(DatabaseError::RootsFile(error.kind())),
            Err(TlsFault::File(_) | TlsFault::Empty(_)) => Err(DatabaseError::Roots),
            Err(TlsFault::Setup(_)) => Err(DatabaseError::Tls),
        }
    }

    /// Where the database is, for logs: `postgres:db.example/shop`.
    pub fn describe(&self) -> String {
        self.shared.address.describe_database()
    }

    /// A connection for one call: one that stands and answers, or a new one.
    ///
    /// # Errors
    ///
    /// There is none: a failure of the whole call, with the code `postgres.unreachable`. No record is at fault.
    pub async fn session(&self) -> Result<Session, Failure> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|closed| self.unreachable(&closed))?;
        let link = match Box::pin(self.standing()).await {
            Some(link) => link,
            None => Box::pin(self.connect()).await?,
        };
        Ok(Session {
            shared: Arc::clone(&self.shared),
            link: Some(link),
            permit: Some(permit),
        })
    }

    /// *None: no connection stands that answers.* One may have died while the process was frozen.
    async fn standing(&self) -> Option<Link> {
        loop {
            let link = self.shared.idle().pop()?;
            let answer = link.client.batch_execute("");
            let answer = timeout(Duration::from_millis(POSTGRES_TRY_MS_MAX), answer).await;
            if matches!(answer, Ok(Ok(()))) {
                return Some(link);
            }
            link.task.abort();
            if answer.is_err() {
                // The network holds it, and so it does the others: they would cost as much time each.
                self.shared
                    .idle()
                    .drain(..)
                    .for_each(|link| link.task.abort());
                return None;
            }
        }
    }

    async fn connect(&self) -> Result<Link, Failure> {
        let at_most = Duration::from_millis(POSTGRES_SESSION_MS_MAX);
        let address = &self.shared.address;
        let link = async {
            let config = self.shared.config().await;
            let config = config.map_err(|error| self.unreachable(&*error))?;
            if !address.has_tls() {
                let link = connect(&config, NoTls).await;
                return link.map_err(|error| self.unreachable(&error));
            }
            let tls = self.shared.tls().await;
            let tls = tls.map_err(|error| self.unreachable(&error))?;
            let link = connect(&config, tls).await;
            link.map_err(|error| self.unreachable(&error))
        };
        let link = timeout(at_most, link).await;
        link.map_err(|elapsed| self.unreachable(&elapsed))?
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        let why = format!(
            "no connection to {}: {}",
            self.describe(),
            error_text(error)
        );
        Failure::retry(why).code("postgres.unreachable").whole()
    }
}

impl Shared {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With the password that holds now.
    #[cfg_attr(
        not(feature = "postgres-iam"),
        expect(clippy::unused_async, reason = "a token has to be waited for")
    )]
    async fn config(&self) -> Result<Config, BoxError> {
        #[cfg(feature = "postgres-iam")]
        if let Some((endpoint, iam)) = &self.iam {
            let mut config = self.address.config.clone();
            config.password(iam.token(endpoint).await?);
            return Ok(config);
        }
        Ok(self.address.config.clone())
    }

    async fn tls(&self) -> Result<MakeRustlsConnect, TlsFault> {
        let roots = self.address.roots.as_deref();
        let tls = self.tls.get_or_try_init(|| async { tls(roots) }).await;
        tls.cloned()
    }
}

/// A connection, and the task that reads and writes for it.
struct Link {
    client: Client,
    /// It ends by itself once the client is gone, unless the network holds it.
    task: JoinHandle<()>,
}

async fn connect<T>(config: &Config, tls: T) -> Result<Link, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    // Its end is seen by the statement that waits for it.
    let task = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(Link { client, task })
}

/// A connection of one call. If the call is dropped or fails, what it has left running in the database is cancelled and the connection is closed, which rolls its transaction back; only
/// [`give_back`](Self::give_back) keeps it for the next call. Until it is closed it counts as one of the database's connections.
#[must_use = "begin a transaction, and give the session back after its commit"]
pub struct Session {
    shared: Arc<Shared>,
    /// *None: given back.*
    link: Option<Link>,
    /// *None: it is held until the connection is closed.*
    permit: Option<OwnedSemaphorePermit>,
}

impl Session {
    /// Begins a transaction.
    ///
    /// # Errors
    ///
    /// The database refused, or the connection broke: a failure of the whole call.
    pub async fn begin(&mut self) -> Result<Transaction<'_>, Failure> {
        let link = self
            .link
            .as_mut()
            .expect("a session is given back as a whole");
        let transaction = link.client.transaction().await;
        transaction.map_err(failure)
    }

    /// Keeps the connection for the next call. Call it after the transaction's commit or rollback.
    pub fn give_back(mut self) {
        if let Some(link) = self.link.take()
            && !link.client.is_closed()
        {
            self.shared.idle().push(link);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Without a runtime the connection is closed, and that is all.
        if let (Some(link), Ok(runtime)) = (self.link.take(), Handle::try_current()) {
            let shared = Arc::clone(&self.shared);
            let permit = self.permit.take();
            runtime.spawn(async move {
                close(&shared, link).await;
                drop(permit);
            });
        }
    }
}

/// Ends the statement that may still run, or wait for a lock: a server does not notice that its client is gone while it does. Then closes the connection.
async fn close(shared: &Shared, link: Link) {
    let at_most = Duration::from_millis(POSTGRES_CANCEL_MS_MAX);
    // It is answered after whatever runs, and after the rollback of a transaction that was dropped.
    let at_rest = link.client.batch_execute("");
    let at_rest = timeout(Duration::from_millis(POSTGRES_AT_REST_MS_MAX), at_rest).await;
    if at_rest.is_err() {
        cancel(shared, &link.client, at_most).await;
    }
    // The end of the client is the end of the connection: its task takes leave of the server.
    let Link { client, task } = link;
    drop(client);
    let abort = task.abort_handle();
    if timeout(at_most, task).await.is_err() {
        abort.abort();
    }
}

async fn cancel(shared: &Shared, client: &Client, at_most: Duration) {
    let token = client.cancel_token();
    let cancelled = async {
        let _ = match shared.address.has_tls() {
            false => token.cancel_query(NoTls).await,
            true => match shared.tls().await {
                Ok(tls) => token.cancel_query(tls).await,
                Err(_) => return,
            },
        };
    };
    let _ = timeout(at_most, cancelled).await;
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.describe()).finish()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("database", &self.shared.address.describe_database())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

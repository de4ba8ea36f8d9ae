//! The store in a table of a Postgres database: one statement for each read and each swap.

mod fault;
mod link;
mod statement;

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::failure::error_text;
use crate::idempotency::store::postgres::link::{Link, Place};
use crate::idempotency::store::postgres::statement::{Parameter, Statement};
use crate::idempotency::store::{
    Change, Expect, IdempotencyStore, Item, Status, StoreError, Swap, Swapped, Version,
};
use crate::limits::{
    POSTGRES_BACKOFF_MS, POSTGRES_ROUNDS_MAX, POSTGRES_TRIES_MAX, POSTGRES_TRY_MS_MAX,
};
use crate::postgres::address::PostgresAddress;

pub use crate::postgres::address::PostgresAddressError;

/// A store in a table of a Postgres database. `LAMBDA_MSK_IDEMPOTENCY=postgres://USER:PASSWORD@HOST/DATABASE?table=TABLE`; needs the feature `postgres`.
///
/// `cargo msk postgres schema` prints the statements that create the table, `lambda_msk_ledger` unless `table` names another one. The role needs SELECT, INSERT,
/// UPDATE and DELETE on it. Rows that have expired stay until `cargo msk ledger sweep` deletes them: run it once a day. Any number of functions may share one table.
///
/// A process opens one connection, and up to [`POSTGRES_CONNECTIONS_MAX`](crate::limits::POSTGRES_CONNECTIONS_MAX) while several requests wait. No statement is named or prepared, so that RDS Proxy and PgBouncer can share connections between processes.
///
/// # What it promises
///
/// A write is confirmed when it is committed: with `synchronous_commit` at its default, on the primary's disk. A standby that replicates asynchronously and takes over may miss the latest
/// writes; RDS in several zones and Aurora lose none.
///
/// # TLS
///
/// `sslmode` is `disable`, `prefer` (the default: TLS if the server has it), `require`, or `verify-full`, which is the same here as `require`: a certificate is always verified, with the host's name. It has
/// to be signed by an authority that the system knows, or that is in the PEM file of the parameter `sslrootcert`. RDS Proxy has a certificate that systems know. For Amazon RDS and Aurora deploy AWS's
/// `global-bundle.pem` with the function, and name it: `?sslmode=verify-full&sslrootcert=/var/task/global-bundle.pem`.
pub struct PostgresStore {
    address: PostgresAddress,
    /// Made at the first use: a snapshot holds no connections.
    link: Link,
}

impl PostgresStore {
    /// Creates a store for the database with that address: `postgres://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE`, with the parameters `table`, `sslrootcert` and those
    /// of `tokio-postgres`.
    ///
    /// # Errors
    ///
    /// The text is no such address, or `table` names no table. A table that does not exist is only noticed at its first use.
    pub fn new(address: &str) -> Result<Self, PostgresAddressError> {
        Ok(Self {
            address: PostgresAddress::parse(address)?,
            link: Link::default(),
        })
    }

    /// Reads the file in `sslrootcert`, if there is one, so that a wrong one is found when the function starts. Its error does not show its name.
    pub(crate) fn check(&self) -> Result<(), String> {
        let checked = self.address.check_roots();
        checked.map_err(|fault| error_text(&fault))
    }

    /// Deletes at most `rows` rows that had expired at `at_s`, in seconds since 1970; returns how many. Fewer than `rows`: there are no more, but for rows that others are writing.
    ///
    /// # Errors
    ///
    /// The database failed. What was deleted before may or may not be deleted.
    pub async fn sweep(&self, at_s: u64, rows: u32) -> Result<u64, StoreError> {
        let statement = statement::sweep(&self.address.table, at_s, rows);
        let place = self.link.place();
        let line = place.line(&self.link, &self.address).await;
        let line = line.map_err(|error| fault::no_line(self.describe(), error))?;
        let values: Vec<_> = statement.values.iter().map(Parameter::typed).collect();
        let deleted = line.client.execute_typed(&statement.text, &values).await;
        deleted.map_err(|error| fault::of(self.describe(), error))
    }

    /// The row that a statement returns, tried over a new connection if the one that stood was dead.
    async fn ask(&self, statement: &Statement) -> Result<Option<Row>, StoreError> {
        let place = self.link.place();
        let mut tries = 1;
        loop {
            // On the heap: a connection's futures take kilobytes.
            let error = match Box::pin(self.one(&place, statement)).await {
                Ok(row) => return Ok(row),
                Err(Failed::For(error)) => return Err(error),
                Err(Failed::Line(error)) => error,
            };
            if tries == POSTGRES_TRIES_MAX || !error.is_transient() {
                return Err(error);
            }
            tries += 1;
            sleep(Duration::from_millis(POSTGRES_BACKOFF_MS)).await;
        }
    }

    async fn one(&self, place: &Place<'_>, statement: &Statement) -> Result<Option<Row>, Failed> {
        let until = Instant::now() + Duration::from_millis(POSTGRES_TRY_MS_MAX);
        let late = |_| Failed::Line(fault::late(self.describe()));
        let line = timeout_at(until, place.line(&self.link, &self.address));
        let line = line.await.map_err(late)?;
        let line = line.map_err(|error| Failed::Line(fault::no_line(self.describe(), error)))?;
        let values: Vec<_> = statement.values.iter().map(Parameter::typed).collect();
        let answer = line.client.query_typed(&statement.text, &values);
        match timeout_at(until, answer).await {
            Ok(Ok(rows)) => Ok(rows.into_iter().next()),
            Ok(Err(error)) => {
                let breaks = fault::breaks_the_line(&error);
                let error = fault::of(self.describe(), error);
                if !breaks {
                    return Err(Failed::For(error));
                }
                place.broke(&line).await;
                Err(Failed::Line(error))
            }
            Err(elapsed) => {
                place.broke(&line).await;
                Err(late(elapsed))
            }
        }
    }

    fn item(&self, id: &str, row: Option<Row>) -> Result<Option<Item>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        let item = item(&row);
        item.map(Some)
            .map_err(|column| fault::unreadable(self.describe(), id, column))
    }
}

/// How one try failed.
enum Failed {
    /// A new connection does not help.
    For(StoreError),
    /// It may.
    Line(StoreError),
}

/// The item of a row with the columns of [`statement::COLUMNS`], or the column that cannot be read.
fn item(row: &Row) -> Result<Item, &'static str> {
    let owner: Option<&str> = column(row, 0, "owner")?;
    let seq: Option<i64> = column(row, 1, "seq")?;
    let version = match (owner, seq) {
        (Some(owner), Some(seq)) => Some(Version {
            owner: owner.into(),
            seq: u64::try_from(seq).map_err(|_| "seq")?,
        }),
        _ => None,
    };
    let status = match column(row, 2, "status")? {
        "INPROGRESS" => Status::InProgress,
        "COMPLETED" => Status::Completed,
        _ => return Err("status"),
    };
    let time = |at, name| u64::try_from(column::<i64>(row, at, name)?).map_err(|_| name);
    let data: &[u8] = column(row, 5, "data")?;
    let validation: Option<&str> = column(row, 6, "validation")?;
    Ok(Item {
        version,
        status,
        held_until_ms: time(3, "in_progress_expiration")?,
        expires_s: time(4, "expiration")?,
        data: data.to_vec().into(),
        validation: validation.map(Into::into),
    })
}

fn column<'a, T: FromSql<'a>>(
    row: &'a Row,
    at: usize,
    name: &'static str,
) -> Result<T, &'static str> {
    row.try_get(at).map_err(|_| name)
}

impl IdempotencyStore for PostgresStore {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        let row = self.ask(&statement::read(&self.address.table, id)).await?;
        self.item(id, row)
    }

    /// The statement compares and swaps. Where it is refused, a second one reads the current row; had that changed in between, so that it is as expected, the swap is asked again.
    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let statement = statement::swap(&self.address.table, swap);
        let is_delete = swap.change == Change::Delete;
        for _ in 0..POSTGRES_ROUNDS_MAX {
            if let Some(statement) = &statement
                && let Some(row) = self.ask(statement).await?
            {
                let item = self.item(&swap.id, Some(row))?;
                return Ok(Swapped::Applied(item.filter(|_| !is_delete)));
            }
            let stands = self.read(&swap.id).await?;
            if stands.is_none() && is_delete && !matches!(swap.expect, Expect::Version(_)) {
                return Ok(Swapped::Applied(None));
            }
            if !swap.expect.holds(stands.as_ref()) {
                return Ok(Swapped::Refused(stands));
            }
        }
        Err(fault::restless(self.describe()))
    }

    fn describe(&self) -> String {
        self.address.describe()
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("address", &self.address.describe())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Postgres: effects that happen once, in the handler's own transaction, and the tables in which they are noted.
//!
//! `once`, and `Database` with its connections, need the feature `postgres`. The [`statements`], and [`Notes`], which makes their parameters, are in every build: for other clients, and for
//! `cargo msk postgres schema`. The store of the ledger, `PostgresStore`, stands in [`idempotency`](crate::idempotency).

// Names that may stand in a statement.
mod name;

// The statements that create the tables.
mod schema;

// Where a database is.
#[cfg(feature = "postgres")]
pub(crate) mod address;

// A handler's own connections.
#[cfg(feature = "postgres")]
mod database;

// What an error means for a record.
#[cfg(feature = "postgres")]
pub(crate) mod failure;

// Tokens in place of a password.
#[cfg(feature = "postgres-iam")]
mod iam;

// What is to be forgotten.
mod forget;

// TLS.
#[cfg(feature = "postgres")]
pub(crate) mod tls;

/// The client that `once` takes a transaction of, in the version that fits.
#[cfg(feature = "postgres")]
pub use tokio_postgres;

#[cfg(feature = "postgres")]
pub use self::database::{Database, DatabaseError, Session};
#[cfg(feature = "postgres")]
pub use self::failure::failure;
pub use self::forget::{FORGET_EXPIRED_KEYS, forget, forget_border};
pub use self::name::{TableName, TableNameError};
pub use self::schema::{LEDGER_TABLE, schema};
pub use crate::once::forgetting::{Forgetting, Forgotten};
pub use crate::once::notes::{NewNotes, Notes};
#[cfg(feature = "postgres")]
pub use crate::once::run::{Fresh, commit, once};
pub use crate::once::statements;

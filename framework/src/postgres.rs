//! Tables in Postgres: their names, and the statements that create them. Used by `idempotency` and by `cargo msk postgres schema`.
//!
//! Names and statements are in every build: they need no database. The store itself, `PostgresStore`, needs the feature `postgres`.

// Names that may stand in a statement.
mod name;

// The statements that create the tables.
mod schema;

pub use self::name::{TableName, TableNameError};
pub use self::schema::{LEDGER_TABLE, schema};

//! A change of a row, as Debezium writes it to Kafka as JSON.
//!
//! The connector's converter has `schemas.enable=false`: the value is the envelope itself, with no schema around it.

use serde::Deserialize;

/// Debezium's envelope. Fields that are not named here are ignored.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Change<T> {
    /// What happened to the row.
    pub op: Op,
    /// The row before the change. *None: there was no row, or the database does not tell (PostgreSQL tells only the
    /// key, unless the table has `REPLICA IDENTITY FULL`).*
    pub before: Option<T>,
    /// The row after the change. *None: there is no row any more.*
    pub after: Option<T>,
    /// Where the change comes from.
    pub source: Source,
    /// When Debezium read the change, in milliseconds since 1970.
    pub ts_ms: i64,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Op {
    /// Inserted.
    #[serde(rename = "c")]
    Create,
    /// Updated.
    #[serde(rename = "u")]
    Update,
    /// Deleted. A tombstone with the same key follows.
    #[serde(rename = "d")]
    Delete,
    /// Read by a snapshot: the row was there already.
    #[serde(rename = "r")]
    Read,
    /// A change of no single row: `t` for a truncated table, `m` for a message.
    #[serde(other)]
    Other,
}

/// Where a change comes from. Each connector has more fields; these all have.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Source {
    /// The table.
    pub table: String,
    /// When the database made the change, in milliseconds since 1970; for a snapshot, when it was read.
    pub ts_ms: i64,
}

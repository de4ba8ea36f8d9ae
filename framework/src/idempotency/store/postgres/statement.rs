//! One swap as one statement. Called by `postgres`.

use tokio_postgres::types::{ToSql, Type};

use crate::idempotency::store::{Change, Expect, Status, Swap, Version};
use crate::postgres::TableName;

/// The columns of an item, in the order in which they are read. The names are those of the DynamoDB store.
pub(super) const COLUMNS: &str =
    "owner, seq, status, in_progress_expiration, expiration, data, validation";

const VERSION: &str = "stands.owner = $9 AND stands.seq = $10";

/// As `Item::is_free`.
const FREE: &str = "stands.expiration < $10 OR (stands.status = 'INPROGRESS' AND stands.in_progress_expiration < $9)";

/// Sets each column of an item that is put.
const PUT: &str = "owner = $2, seq = $3, status = $4, in_progress_expiration = $5, expiration = $6, data = $7, validation = $8";

/// Data and validation are not named, so they stay.
const HOLD: &str = "owner = $2, seq = coalesce(stands.seq, 0) + $3, status = $4, in_progress_expiration = $5, expiration = $6";

/// A statement whose row is the item after the change; no row: it was refused.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) values: Vec<Parameter>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Parameter {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Vec<u8>),
}

impl Parameter {
    pub(super) fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Text(text) => (text, Type::TEXT),
            Self::Number(number) => (number, Type::INT8),
            Self::Bytes(bytes) => (bytes, Type::BYTEA),
        }
    }
}

/// Of one item.
pub(super) fn read(table: &TableName, id: &str) -> Statement {
    Statement {
        text: format!("SELECT {COLUMNS} FROM {table} WHERE id = $1"),
        values: vec![text(id)],
    }
}

/// At most so many rows that have expired.
pub(super) fn sweep(table: &TableName, before_s: u64, rows: u32) -> Statement {
    Statement {
        text: format!(
            "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE expiration < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) AND expiration < $1"
        ),
        values: vec![number(before_s), number(rows.into())],
    }
}

/// The one statement of a swap. *None: a delete of what has to be absent, which changes nothing.*
pub(super) fn swap(table: &TableName, swap: &Swap) -> Option<Statement> {
    let (columns, set) = match &swap.change {
        Change::Put(_) => (put(swap), PUT),
        Change::Hold { .. } => (put(swap), HOLD),
        Change::Delete => return delete(table, swap),
    };
    let insert = format!(
        "INSERT INTO {table} AS stands (id, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO"
    );
    let (text, more) = match &swap.expect {
        Expect::Absent => (format!("{insert} NOTHING RETURNING {COLUMNS}"), vec![]),
        Expect::Free { at_ms } => (
            format!("{insert} UPDATE SET {set} WHERE {FREE} RETURNING {COLUMNS}"),
            vec![number(*at_ms), number(at_ms / 1000)],
        ),
        Expect::Version(version) => (
            // A hold leaves $7 and $8 unused: their types are given, so that they may be.
            format!(
                "UPDATE {table} AS stands SET {set} WHERE id = $1 AND {VERSION} RETURNING {COLUMNS}"
            ),
            of_version(version),
        ),
    };
    let values = columns.into_iter().chain(more).collect();
    Some(Statement { text, values })
}

fn delete(table: &TableName, swap: &Swap) -> Option<Statement> {
    let (condition, values) = match &swap.expect {
        Expect::Absent => return None,
        Expect::Version(version) => ("stands.owner = $2 AND stands.seq = $3", of_version(version)),
        Expect::Free { at_ms } => (
            "(stands.expiration < $3 OR (stands.status = 'INPROGRESS' AND stands.in_progress_expiration < $2))",
            vec![number(*at_ms), number(at_ms / 1000)],
        ),
    };
    Some(Statement {
        text: format!(
            "DELETE FROM {table} AS stands WHERE id = $1 AND {condition} RETURNING {COLUMNS}"
        ),
        values: std::iter::once(text(&swap.id)).chain(values).collect(),
    })
}

/// The id and the columns, as they are where nothing stands.
fn put(swap: &Swap) -> Vec<Parameter> {
    let (version, status, held_until_ms, expires_s, data, validation) = match &swap.change {
        Change::Put(item) => {
            let version = item.version.as_ref();
            let version = version.map(|version| (&version.owner, version.seq));
            let (data, validation) = (item.data.to_vec(), item.validation.as_deref());
            (
                version,
                item.status,
                item.held_until_ms,
                item.expires_s,
                data,
                validation,
            )
        }
        Change::Hold {
            owner,
            raise,
            held_until_ms,
            expires_s,
        } => (
            Some((owner, *raise)),
            Status::InProgress,
            *held_until_ms,
            *expires_s,
            Vec::new(),
            None,
        ),
        Change::Delete => return vec![text(&swap.id)],
    };
    vec![
        text(&swap.id),
        Parameter::Text(version.map(|(owner, _)| owner.to_string())),
        Parameter::Number(version.map(|(_, seq)| whole(seq))),
        text(status.as_str()),
        number(held_until_ms),
        number(expires_s),
        Parameter::Bytes(data),
        Parameter::Text(validation.map(str::to_owned)),
    ]
}

fn of_version(version: &Version) -> Vec<Parameter> {
    vec![text(&version.owner), number(version.seq)]
}

fn text(text: &str) -> Parameter {
    Parameter::Text(Some(text.to_owned()))
}

fn number(number: u64) -> Parameter {
    Parameter::Number(Some(whole(number)))
}

/// Times past any end are as good as the largest.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

//! Errors of the database, with their cures, and whether they may pass. Made by `postgres`; their text goes to the log.

use tokio_postgres::error::{DbError, SqlState};

use crate::failure::cut;
use crate::idempotency::store::postgres::link::NoLine;
use crate::idempotency::store::{StoreError, fault};
use crate::limits::POSTGRES_TRY_MS_MAX;
use crate::postgres::tls;

/// Why the database could not say.
#[derive(Debug, thiserror::Error)]
enum DatabaseFault {
    #[error(
        "{place} holds a row of the item `{id}` that cannot be read: its column `{column}` has another type or value"
    )]
    Unreadable {
        place: String,
        id: String,
        column: &'static str,
    },
    #[error(
        "{0} does not exist: create its table with the statements that `cargo msk postgres schema` prints, or correct LAMBDA_MSK_IDEMPOTENCY"
    )]
    Missing(String),
    #[error("{place} changed with each try of one compare-and-swap")]
    Restless { place: String },
}

pub(super) fn unreadable(place: String, id: &str, column: &'static str) -> StoreError {
    let id = id.to_owned();
    StoreError::permanent(DatabaseFault::Unreadable { place, id, column })
}

pub(super) fn late(place: String) -> StoreError {
    fault::late(place, POSTGRES_TRY_MS_MAX)
}

pub(super) fn restless(place: String) -> StoreError {
    StoreError::transient(DatabaseFault::Restless { place })
}

pub(super) fn no_line(place: String, error: NoLine) -> StoreError {
    match error {
        NoLine::Database(error) => of(place, error),
        NoLine::Tls(cause) => fault::unreachable(place, cause, "", false),
    }
}

/// A new connection may help: this one is dead, or leads to a server that has become a replica.
pub(super) fn breaks_the_line(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        None => true,
        Some(code) => {
            *code == SqlState::READ_ONLY_SQL_TRANSACTION || code.code().starts_with("57P")
        }
    }
}

/// What follows from the failure of a request.
pub(super) fn of(place: String, error: tokio_postgres::Error) -> StoreError {
    let Some(answer) = error.as_db_error() else {
        return without_answer(place, error);
    };
    let code = answer.code();
    if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::INVALID_CATALOG_NAME {
        return StoreError::permanent(DatabaseFault::Missing(place));
    }
    fault::refused(place, why(answer), advice(code), passes(code))
}

/// Classes: connections, conflicts of transactions, no room, the operator or a time-out, locks, and the server's own.
fn passes(code: &SqlState) -> bool {
    let classes = ["08", "40", "53", "57", "58", "XX"];
    *code == SqlState::READ_ONLY_SQL_TRANSACTION
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || classes.iter().any(|class| code.code().starts_with(class))
}

fn without_answer(place: String, error: tokio_postgres::Error) -> StoreError {
    let is_tls = tls::is_at_fault(&error);
    let io = std::error::Error::source(&error)
        .is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
    let passes = !is_tls && (io || error.is_closed());
    let advice = if is_tls {
        "; name the file with its authority in `sslrootcert` (Amazon RDS: global-bundle.pem), or turn TLS off with `sslmode=disable`"
    } else if passes {
        ""
    } else {
        "; check host, user, password and `sslmode` in LAMBDA_MSK_IDEMPOTENCY"
    };
    fault::unreachable(place, error, advice, passes)
}

/// The server's code and words. Its detail may show a row, and is left out.
fn why(answer: &DbError) -> String {
    cut(format!("{}: {}", answer.code().code(), answer.message()))
}

/// What to do about it.
fn advice(code: &SqlState) -> &'static str {
    let code = code.code();
    match code {
        "42501" => "; its role needs SELECT, INSERT, UPDATE and DELETE on the table",
        "42703" | "42P10" | "42804" | "23514" => {
            "; its columns and its primary key must be those that `cargo msk postgres schema` prints"
        }
        "53300" => "; it has too many connections: put RDS Proxy or PgBouncer before it",
        _ if code.starts_with("28") => "; check user and password in LAMBDA_MSK_IDEMPOTENCY",
        _ => "",
    }
}

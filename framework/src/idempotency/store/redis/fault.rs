//! Errors of the server, with their cures, and whether they may pass. Made by `redis`; their text goes to the log.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::failure::cut;
use crate::idempotency::store::redis::script::Unreadable;
use crate::idempotency::store::{StoreError, fault};
use crate::limits::REDIS_TRY_MS_MAX;

/// Why the server could not say.
#[derive(Debug, thiserror::Error)]
enum ServerFault {
    #[error("{place} holds a key of the item `{id}` that cannot be read: {why}")]
    Unreadable {
        place: String,
        id: String,
        why: Unreadable,
    },
}

pub(super) fn unreadable(place: String, id: &str, why: Unreadable) -> StoreError {
    let id = id.to_owned();
    StoreError::permanent(ServerFault::Unreadable { place, id, why })
}

pub(super) fn late(place: String) -> StoreError {
    fault::late(place, REDIS_TRY_MS_MAX)
}

/// A new connection may help: the line is dead, or leads to a server that has become a replica.
pub(super) fn breaks_the_line(error: &RedisError) -> bool {
    use ServerErrorKind::{ClusterDown, MasterDown, ReadOnly};

    match error.kind() {
        ErrorKind::Io | ErrorKind::Parse | ErrorKind::ClusterConnectionNotFound => true,
        ErrorKind::Server(kind) => [ReadOnly, MasterDown, ClusterDown].contains(&kind),
        _ => false,
    }
}

/// What follows from the failure of a request.
pub(super) fn of(place: String, error: RedisError) -> StoreError {
    let Some(code) = error.code().map(str::to_owned) else {
        return without_code(place, error);
    };
    let passing = [
        "LOADING",
        "TRYAGAIN",
        "CLUSTERDOWN",
        "MASTERDOWN",
        "READONLY",
        "MOVED",
        "ASK",
        "BUSY",
        "OOM",
        "NOREPLICAS",
        "MISCONF",
    ];
    let why = why(&code, error.detail());
    fault::refused(place, why, advice(&code), passing.contains(&&*code))
}

/// An error that no server wrote.
fn without_code(place: String, error: RedisError) -> StoreError {
    let passes = match error.kind() {
        ErrorKind::Io => !is_tls(&error),
        ErrorKind::Parse | ErrorKind::ClusterConnectionNotFound => true,
        _ => false,
    };
    let advice = match error.kind() {
        ErrorKind::AuthenticationFailed => "; check user and password in LAMBDA_MSK_IDEMPOTENCY",
        _ if passes => "",
        _ => {
            "; check the address in LAMBDA_MSK_IDEMPOTENCY, and with TLS the server's certificate (SSL_CERT_FILE names a file with its authority)"
        }
    };
    fault::unreachable(place, error, advice, passes)
}

/// A certificate does not get better.
fn is_tls(error: &RedisError) -> bool {
    let text = error.to_string().to_ascii_lowercase();
    text.contains("certificate")
}

/// The server's code and words. Its words about a script name lines of it, and its about a key's type name no key.
fn why(code: &str, detail: Option<&str>) -> String {
    match detail {
        None | Some("") => code.to_owned(),
        Some(detail) => cut(format!("{code}: {detail}")),
    }
}

/// What to do about it.
fn advice(code: &str) -> &'static str {
    match code {
        "NOAUTH" | "WRONGPASS" => "; check user and password in LAMBDA_MSK_IDEMPOTENCY",
        "NOPERM" => {
            "; its user needs the commands EVALSHA, EVAL, HMGET, HSET, HINCRBY, DEL and EXPIREAT on the keys `lambda-msk:*`"
        }
        "OOM" => "; its memory is full, and no key may be evicted: give it more",
        "WRONGTYPE" => "; another program wrote a key of that name: use another database",
        _ => "",
    }
}

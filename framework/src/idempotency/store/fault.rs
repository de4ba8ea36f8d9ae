//! The errors that stores on servers share, with their cures: what a server refused, or did not say. Used by `redis` and `postgres`; their text goes to the log.

use crate::failure::BoxError;
use crate::idempotency::store::StoreError;

/// Why a server could not say.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{place} refused the request: {why}{advice}")]
    Request {
        place: String,
        why: String,
        advice: &'static str,
    },
    #[error("no request reached {place}, or no response came back{advice}")]
    Unreachable {
        place: String,
        advice: &'static str,
        #[source]
        cause: BoxError,
    },
    #[error("{place} did not respond within {after_ms} ms")]
    Late { place: String, after_ms: u64 },
}

/// The server's own words, and whether a later try may succeed.
pub(super) fn refused(
    place: String,
    why: String,
    advice: &'static str,
    passes: bool,
) -> StoreError {
    let fault = Fault::Request { place, why, advice };
    store_error(fault, passes)
}

/// An error that no server wrote, and whether a later try may succeed.
pub(super) fn unreachable(
    place: String,
    cause: impl Into<BoxError>,
    advice: &'static str,
    passes: bool,
) -> StoreError {
    let cause = cause.into();
    let fault = Fault::Unreachable {
        place,
        advice,
        cause,
    };
    store_error(fault, passes)
}

pub(super) fn late(place: String, after_ms: u64) -> StoreError {
    StoreError::transient(Fault::Late { place, after_ms })
}

fn store_error(fault: Fault, passes: bool) -> StoreError {
    match passes {
        true => StoreError::transient(fault),
        false => StoreError::permanent(fault),
    }
}

//! The end of a task of ours.

use std::panic::resume_unwind;

use tokio::task::JoinError;

/// What a task of ours answered. Nobody cancels one, and its panic is ours.
pub(super) fn ended<T>(joined: Result<T, JoinError>) -> T {
    joined.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(error) => unreachable!("{error}"),
    })
}

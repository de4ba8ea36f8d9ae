//! A conversion that every error has already.

use lambda_msk::Failure;

#[derive(Debug, thiserror::Error)]
#[error("the API is down")]
struct ApiError;

impl From<ApiError> for Failure {
    fn from(_: ApiError) -> Self {
        Failure::reject("the API is down")
    }
}

fn main() {}

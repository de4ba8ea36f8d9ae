//! Errors of the table, with their cures, and whether they may pass. Made by `dynamodb`; their text goes to the log.

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use msk_destinations::send::unreadable_endpoint;

use crate::failure::{BoxError, cut};
use crate::idempotency::store::StoreError;
use crate::idempotency::store::dynamodb::item::Unreadable;

/// DynamoDB's code for a condition that does not hold. An answer, not a fault.
pub(super) const REFUSED: &str = "ConditionalCheckFailedException";

const CREDENTIALS: &str = "; check that the function has credentials and a region";

/// Which table was asked.
#[derive(Debug)]
pub(super) struct AskedTable {
    pub(super) table: String,
    /// *None: nothing named one, and the request went nowhere.*
    pub(super) region: Option<String>,
}

impl fmt::Display for AskedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, region } = self;
        match region {
            Some(region) => write!(f, "the table `{table}` in {region}"),
            None => write!(f, "the table `{table}`"),
        }
    }
}

/// Why the table could not say.
#[derive(Debug, thiserror::Error)]
pub(super) enum TableFault {
    #[error("{place} holds an item `{id}` that cannot be read: {why}")]
    Unreadable {
        place: AskedTable,
        id: String,
        why: Unreadable,
    },
    #[error("{0} does not exist: create it, or correct LAMBDA_MSK_IDEMPOTENCY")]
    Missing(AskedTable),
    #[error("{place} refused the request: {why}{advice}")]
    Request {
        place: AskedTable,
        why: String,
        advice: &'static str,
    },
    #[error("no request reached {place}, or no response came back{advice}")]
    Unreachable {
        place: AskedTable,
        advice: &'static str,
        #[source]
        cause: BoxError,
    },
}

/// What follows from the failure of a request. The SDK has tried twice where that could help.
pub(super) fn of<E>(place: AskedTable, error: SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let SdkError::ServiceError(answer) = &error else {
        let passes = match &error {
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
            SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
            _ => false,
        };
        let fault = TableFault::Unreachable {
            place,
            advice: if passes { "" } else { CREDENTIALS },
            cause: match unreadable_endpoint(&error) {
                Some(told) => told.into(),
                None => error.into(),
            },
        };
        return if passes {
            StoreError::transient(fault)
        } else {
            StoreError::permanent(fault)
        };
    };
    let status = answer.raw().status().as_u16();
    let code = answer.err().code().unwrap_or_default();
    let message = answer.err().message().unwrap_or_default();
    if code == "ResourceNotFoundException" {
        return StoreError::permanent(TableFault::Missing(place));
    }
    let fault = TableFault::Request {
        place,
        why: why(status, code, message),
        advice: advice(code, message),
    };
    // Of a global table, two regions' writes may be in conflict.
    let passing = [
        "Throttl",
        "ThroughputExceeded",
        "RequestLimitExceeded",
        "Conflict",
    ];
    if status >= 500 || status == 429 || passing.iter().any(|part| code.contains(part)) {
        StoreError::transient(fault)
    } else {
        StoreError::permanent(fault)
    }
}

/// DynamoDB's code and words; of something before it, the status.
fn why(status: u16, code: &str, message: &str) -> String {
    match (code, message) {
        ("", _) => format!("status {status}"),
        (code, "") => cut(code.to_owned()),
        (code, message) => cut(format!("{code}: {message}")),
    }
}

/// What to do about it.
fn advice(code: &str, message: &str) -> &'static str {
    if code.contains("AccessDenied") {
        "; the function's role needs `dynamodb:GetItem`, `dynamodb:PutItem`, `dynamodb:UpdateItem` and `dynamodb:DeleteItem` on it"
    } else if code == "ValidationException" && message.to_ascii_lowercase().contains("key") {
        "; its partition key must be `id`, a string, without a sort key"
    } else if ["Token", "Signature", "UnrecognizedClient"]
        .iter()
        .any(|part| code.contains(part))
    {
        CREDENTIALS
    } else {
        ""
    }
}

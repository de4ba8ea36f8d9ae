//! An endpoint that the AWS SDK cannot read: its errors show the text, and a password may stand in it. Called by `sdk`, by the store in DynamoDB and by the command line.

use std::error::Error;

/// What is told in place of an error of the AWS SDK that shows an endpoint, or the body of a request beside it. *None: the error may be told.*
pub fn unreadable_endpoint(error: &(dyn Error + 'static)) -> Option<&'static str> {
    std::iter::successors(Some(error), |&link| link.source())
        .any(|link| link.to_string().contains("ndpoint `"))
        .then_some("the endpoint is no address such as `http://HOST:PORT`: check AWS_ENDPOINT_URL, and the variable of the service")
}

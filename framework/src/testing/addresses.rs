//! Addresses held to the rules of the framework, for tests of a deployment and for `cargo msk`.

use crate::destination;

/// Holds a text to the grammar of `LAMBDA_MSK_ON_FAILURE`, in a program with every feature: `file:PATH`, a queue's URL or ARN.
///
/// # Errors
///
/// What is wrong with the text, to follow the text itself, and what is allowed.
///
/// # Example
///
/// ```
/// use lambda_msk::testing::check_on_failure;
///
/// assert!(check_on_failure("file:///tmp/dead-letters.ndjson").is_ok());
/// assert!(check_on_failure("file://host/dead-letters.ndjson").is_err());
/// ```
pub fn check_on_failure(text: &str) -> Result<(), String> {
    destination::check(text)
}

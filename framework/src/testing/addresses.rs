//! Checks addresses against the framework's rules, for tests of a deployment and for `cargo msk`.

use crate::destination;

/// Checks a text against the grammar of `LAMBDA_MSK_ON_FAILURE`, as in a program with all features: `file:PATH`, a queue's URL or ARN.
///
/// # Errors
///
/// The fault and the expected forms, worded to follow the text itself.
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

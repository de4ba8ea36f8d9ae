//! Kafka's rule of topics' names.

use crate::limits::TOPIC_BYTES_MAX;

/// Holds a name to Kafka's rule of topics' names (`org.apache.kafka.common.internals.Topic`): no record comes from a topic of
/// another name (`"orders,returns"`). `lambda_msk`'s builder holds each topic to the rule; for a name that
/// comes from a variable, this lets the fault name the variable.
///
/// # Errors
///
/// What a topic's name is.
///
/// # Example
///
/// ```
/// use msk_destinations::address::check_topic_name;
///
/// assert!(check_topic_name("orders").is_ok());
/// assert!(check_topic_name("..").is_err());
/// ```
pub fn check_topic_name(name: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let in_range = (1..=TOPIC_BYTES_MAX).contains(&name.len());
    if in_range && name.bytes().all(legal) && !matches!(name, "." | "..") {
        return Ok(());
    }
    Err(format!(
        "expected a topic name of 1 to {TOPIC_BYTES_MAX} letters, digits, `-`, `_` and `.`, other than `.` and `..`"
    ))
}

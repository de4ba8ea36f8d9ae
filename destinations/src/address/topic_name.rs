//! Kafka's rule for topic names.

use crate::limits::TOPIC_BYTES_MAX;

/// Checks a name against Kafka's rule for topic names (`org.apache.kafka.common.internals.Topic`): no topic has
/// a name such as `"orders,returns"`. `lambda_msk`'s builder checks each topic; for a name that
/// comes from a variable, call this function so that the fault names the variable.
///
/// # Errors
///
/// The rule that the name breaks.
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

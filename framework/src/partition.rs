//! Where a record stands in Kafka: topic and partition. Used by every module below.

use std::fmt;
use std::sync::Arc;

use crate::limits::TOPIC_BYTES_MAX;

/// Holds a name to Kafka's rule of topics' names (`org.apache.kafka.common.internals.Topic`): no record comes from a topic of
/// another name (`"orders,returns"`). [`Builder::build`](crate::Builder::build) holds each topic to the rule; for a name that
/// comes from a variable, this lets the fault name the variable.
///
/// # Errors
///
/// What a topic's name is.
///
/// # Example
///
/// ```
/// use lambda_msk::record::check_topic_name;
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
        "no topic has that name: expected 1 to {TOPIC_BYTES_MAX} letters, digits, `-`, `_` and `.`, and neither `.` nor `..`"
    ))
}

/// One partition of one topic. Shown as Kafka's tools do: `orders-0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct TopicPartition {
    /// The topic's name. May hold `-` and `.`, so never split the shown form.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

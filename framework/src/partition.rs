//! A topic and a partition's number. Used by every module below.

use std::fmt;
use std::sync::Arc;

pub use msk_destinations::address::check_topic_name;

/// One partition of one topic. Displayed as Kafka's tools do: `orders-0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct TopicPartition {
    /// The topic's name. It may contain `-` and `.`, so never split the displayed form.
    pub topic: Arc<str>,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Names partition `partition` of `topic`.
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

//! What is delivered at once.

/// The cluster, the topic and the partition: letters of one stay in order.
pub(crate) type Lane = (String, String, i32);

/// Records of one letter and one partition, as one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// The letter's place among all that was found.
    pub(crate) letter: usize,
    pub(crate) lane: Lane,
    pub(crate) first: i64,
    pub(crate) event: String,
}

//! Why a response makes Lambda redeliver the whole batch. Found by `identifiers`.

use std::fmt;

use crate::limits::TOPIC_CHARS_MAX;

/// Why the whole batch is redelivered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseFault {
    /// The function reported an error, crashed, or ran out of time.
    FunctionError,
    /// The response is not JSON.
    NotJson {
        /// The place and the reason, without the response's bytes.
        reason: String,
    },
    /// The response is JSON of another shape than a partial batch response.
    Malformed {
        /// The fault, and its place.
        reason: String,
    },
    /// The response names a partition that the event does not have.
    UnknownPartition {
        /// As the answer names it.
        partition: String,
    },
    /// The response names an offset that the event does not have in this partition.
    UnknownOffset {
        /// As the answer names it.
        partition: String,
        /// As the answer names it.
        offset: i64,
    },
}

impl fmt::Display for ResponseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FunctionError => f.write_str("the function did not return a response"),
            Self::NotJson { reason } => write!(f, "the response is not JSON: {reason}"),
            Self::Malformed { reason } => {
                write!(f, "the response is not a partial batch response: {reason}")
            }
            Self::UnknownPartition { partition } => {
                write!(
                    f,
                    "the response lists partition {:?}, which is not in the event",
                    shown(partition)
                )
            }
            Self::UnknownOffset { partition, offset } => {
                write!(
                    f,
                    "the response lists offset {offset} of {:?}, which is not in the event",
                    shown(partition)
                )
            }
        }
    }
}

/// A partition's name as far as a message holds it: the function may have written anything.
fn shown(partition: &str) -> String {
    // A topic's name and a number.
    const PARTITION_CHARS_MAX: usize = TOPIC_CHARS_MAX + 11;
    match partition.char_indices().nth(PARTITION_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &partition[..end]),
        None => partition.to_owned(),
    }
}

//! A record to be written, and why one of a file is not.

use bytes::Bytes;
use msk_mapping::driver::Outgoing;
use msk_mapping::record::Header;

use crate::dev::show::lines;

/// A record to be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) topic: String,
    /// None: by the key, or any.
    pub(crate) partition: Option<i32>,
    pub(super) key: Option<Bytes>,
    pub(super) value: Option<Bytes>,
    pub(super) headers: Vec<Header>,
    /// None: now.
    pub(super) timestamp: Option<i64>,
}

impl Wanted {
    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        let mut outgoing = Outgoing::to(&self.topic);
        outgoing.partition = self.partition;
        outgoing.key = self.key.as_deref();
        outgoing.value = self.value.as_deref();
        outgoing.headers = &self.headers;
        outgoing.timestamp = self.timestamp;
        outgoing
    }
}

/// Why records of a file are not produced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeftOut {
    OtherTopic(String),
    /// Which field of which record: each of these is a fault of its own.
    NotBase64 {
        place: String,
        field: &'static str,
    },
}

impl LeftOut {
    pub(super) fn remark(&self, count: usize, name: &str) -> String {
        match self {
            Self::OtherTopic(topic) => {
                let records = lines::count(count, "record");
                format!(
                    "left out: {records} of the topic {topic} in {name} (--topic {topic} adds a mapping that reads it)"
                )
            }
            Self::NotBase64 { place, field } => {
                format!("left out: {place} of {name}: expected base64 in its {field}")
            }
        }
    }
}

//! The length of an event that grows record by record, without writing it.

use super::write::{Count, envelope_end, envelope_start, partition_start};
use super::{Envelope, write};
use crate::record::{Record, TopicPartition};

/// The exact length of an event in bytes, its envelope included, while records are added to it.
#[derive(Debug, Clone)]
pub struct Size {
    bytes: usize,
    /// The partition of the record that was added last.
    last: Option<TopicPartition>,
}

impl Envelope {
    /// The length of the event without records: the initial size of a batch.
    pub fn size(&self) -> Size {
        let mut count = Count::default();
        envelope_start(&mut count, &self.source);
        envelope_end(&mut count);
        Size {
            bytes: count.0,
            last: None,
        }
    }

    /// The length of one record in an event, in bytes, without the text around it.
    pub fn record_bytes(&self, record: &Record) -> usize {
        let mut count = Count::default();
        write::record(&mut count, record, self.nulls);
        count.0
    }
}

impl Size {
    /// The event's length, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The event's length if a record of so many [bytes](Envelope::record_bytes) were added.
    pub fn with(&self, partition: &TopicPartition, record_bytes: usize) -> usize {
        let mut count = Count(self.bytes + record_bytes);
        match &self.last {
            Some(last) if last == partition => count.0 += ",".len(),
            last => {
                count.0 += if last.is_some() { ",]" } else { "]" }.len();
                partition_start(&mut count, partition);
            }
        }
        count.0
    }

    /// Adds a record. The records of one partition have to be added one after the other.
    pub fn add(&mut self, partition: &TopicPartition, record_bytes: usize) {
        self.bytes = self.with(partition, record_bytes);
        if self.last.as_ref() != Some(partition) {
            self.last = Some(partition.clone());
        }
    }
}

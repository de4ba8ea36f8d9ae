//! The length of an event that grows record by record, without writing it.

use super::write::{Count, envelope_end, envelope_start, partition_start, record};
use super::{Envelope, Nulls};
use crate::record::{Record, TopicPartition};

/// The exact length of an event in bytes, its envelope included, while records are added to it.
#[derive(Debug, Clone)]
pub struct Size {
    bytes: usize,
    nulls: Nulls,
    /// The partition of the record that was added last.
    last: Option<TopicPartition>,
}

impl Size {
    pub(super) fn of(envelope: &Envelope) -> Self {
        let mut count = Count::default();
        envelope_start(&mut count, &envelope.source);
        envelope_end(&mut count);
        Self {
            bytes: count.0,
            nulls: envelope.nulls,
            last: None,
        }
    }

    /// The event's length, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The event's length if this record were added, in bytes.
    pub fn with(&self, next: &Record) -> usize {
        let mut count = Count(self.bytes);
        match &self.last {
            Some(last) if *last == next.partition => count.0 += ",".len(),
            last => {
                count.0 += if last.is_some() {
                    ",]".len()
                } else {
                    "]".len()
                };
                partition_start(&mut count, &next.partition);
            }
        }
        record(&mut count, next, self.nulls);
        count.0
    }

    /// Adds a record. Those of one partition have to be added one after the other.
    pub fn add(&mut self, next: &Record) {
        self.bytes = self.with(next);
        if self.last.as_ref() != Some(&next.partition) {
            self.last = Some(next.partition.clone());
        }
    }
}

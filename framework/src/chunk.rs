//! The records that one call of a batch handler is given. Made by `process`, read by `batch`.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::context::Context;
use crate::deadline::Deadline;
use crate::outcomes::Outcomes;
use crate::partition::TopicPartition;
use crate::record::Record;

/// The records of one call of a batch handler, and the data of its invocation.
///
/// Its records are of one topic. Without `.across_partitions()` they are of one lane; with it, those of each lane stand together. Within a lane they stand in order.
pub struct Chunk {
    first: Record,
    /// Of the batch's records.
    indices: Vec<u32>,
    /// Of each record. *Empty: all are of one lane.*
    lanes: Vec<u32>,
    invocation: Arc<Context>,
    /// What the handler has said of single records. *None: nothing.*
    said: Mutex<Option<Outcomes>>,
}

impl Chunk {
    /// *None: there is no record.*
    pub(crate) fn new(
        records: &[Record],
        indices: Vec<u32>,
        lanes: Vec<u32>,
        invocation: &Arc<Context>,
    ) -> Option<Self> {
        let first = *indices.first()?;
        Some(Self {
            first: records.get(first as usize)?.clone(),
            indices,
            lanes,
            invocation: Arc::clone(invocation),
            said: Mutex::default(),
        })
    }

    pub(crate) fn first(&self) -> &Record {
        &self.first
    }

    /// The number of records: at least one.
    #[expect(clippy::len_without_is_empty, reason = "no chunk is empty")]
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// The records, in the order of the handler's [`Batch`](crate::Batch).
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record> + '_ {
        self.indices.iter().map(|index| self.first.at(*index))
    }

    /// The record at that index of the handler's [`Batch`](crate::Batch). *None: the index is out of range.*
    pub fn record(&self, index: usize) -> Option<Record> {
        Some(self.first.at(*self.indices.get(index)?))
    }

    /// The partition of its records. *None: they are of several.*
    pub fn topic_partition(&self) -> Option<&TopicPartition> {
        let partition = self.first.partition_index();
        let mut records = self.records();
        let is_one = records.all(|record| record.partition_index() == partition);
        is_one.then(|| self.first.topic_partition())
    }

    /// The time at which Lambda ends the invocation.
    pub fn deadline(&self) -> Deadline {
        self.invocation.deadline
    }

    /// The invocation's request id, which all its log lines carry.
    pub fn request_id(&self) -> &str {
        &self.invocation.request_id
    }

    /// The lane of that record, as a number of this chunk alone.
    pub(crate) fn lane(&self, index: usize) -> u32 {
        self.lanes.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn invocation(&self) -> &Arc<Context> {
        &self.invocation
    }

    /// The handler has ended well, and said this.
    pub(crate) fn say(&self, said: Option<Outcomes>) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = said;
    }

    /// What the handler has said, once.
    pub(crate) fn take_said(&self) -> Option<Outcomes> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.take()
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("first", &self.first)
            .field("records", &self.len())
            .finish_non_exhaustive()
    }
}

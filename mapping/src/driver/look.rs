//! How a group stands with a topic, asked from outside it: what is committed, by whomever, and what is left. A run that ends
//! by itself asks it of the partitions that it does not have.

use std::sync::{Mutex, PoisonError};

use msk_kafka::{Cluster, Error, Reader};

use super::apart::apart;
use crate::record::TopicPartition;

/// How the group stands with a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) partition: TopicPartition,
    /// None: the group has no offset of it.
    pub(super) committed: Option<i64>,
    /// The first offset that there is.
    pub(super) first: i64,
    /// Behind the last record that can be read.
    pub(super) end: i64,
    /// Whether no record is left to the group: markers of transactions may be, which not everybody commits.
    pub(super) done: bool,
}

impl Stand {
    /// How many offsets are left.
    pub(super) fn left(&self) -> i64 {
        if self.done {
            return 0;
        }
        (self.end - self.from()).max(0)
    }

    fn from(&self) -> i64 {
        self.committed.unwrap_or(self.first)
    }
}

/// A client that asks, and is no member of the group.
pub(super) struct Look {
    topic: String,
    /// None: it is being closed, which may take until a broker answers.
    reader: Option<Reader>,
    /// One question at a time: some assign partitions to the client.
    asked: Mutex<()>,
}

impl Look {
    pub(super) fn new(cluster: &Cluster, group: &str, topic: &str) -> Result<Self, Error> {
        Ok(Self {
            topic: topic.to_owned(),
            reader: Some(Reader::new(cluster, group)?),
            asked: Mutex::default(),
        })
    }

    /// The partitions that the topic has now. Blocks for at most six seconds.
    pub(super) fn partitions(&self) -> Result<Vec<TopicPartition>, Error> {
        let Some(reader) = &self.reader else {
            return Ok(Vec::new());
        };
        reader.partitions(&self.topic)
    }

    /// Each partition of the topic, ascending. Blocks.
    pub(super) fn stands(&self) -> Result<Vec<Stand>, Error> {
        self.asked(stands)
    }

    /// The same without the group, as one that has no offsets: all of them done. Blocks.
    pub(super) fn bounds(&self) -> Result<Vec<Stand>, Error> {
        self.asked(bounds)
    }

    fn asked(
        &self,
        ask: impl FnOnce(&Reader, &[TopicPartition]) -> Result<Vec<Stand>, Error>,
    ) -> Result<Vec<Stand>, Error> {
        let _one = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let partitions = self.partitions()?;
        match &self.reader {
            Some(reader) => ask(reader, &partitions),
            None => Ok(Vec::new()),
        }
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let reader = self.reader.take();
        let _ = apart(move || drop(reader));
    }
}

fn bounds(reader: &Reader, partitions: &[TopicPartition]) -> Result<Vec<Stand>, Error> {
    let bound = |partition: &TopicPartition| {
        let (first, end) = reader.bounds(partition)?;
        Ok(Stand {
            partition: partition.clone(),
            committed: None,
            first,
            end,
            done: true,
        })
    };
    partitions.iter().map(bound).collect()
}

fn stands(reader: &Reader, partitions: &[TopicPartition]) -> Result<Vec<Stand>, Error> {
    let committed = reader.committed(partitions)?;
    let mut stands = bounds(reader, partitions)?;
    for (stand, committed) in stands.iter_mut().zip(committed) {
        stand.committed = committed;
        let (from, end) = (stand.from().max(stand.first), stand.end);
        // Beyond the end stands who committed before the topic was made anew.
        stand.done = from == end || (from < end && !holds(reader, stand, from)?);
    }
    Ok(stands)
}

/// Whether there is a record from that offset on.
fn holds(reader: &Reader, stand: &Stand, from: i64) -> Result<bool, Error> {
    Ok(reader.find(&stand.partition, from, None)?.is_some())
}

//! From a batch to lanes: which records wait for which. Pure; called by `process`.

use std::collections::HashMap;

use crate::record::{Batch, RecordEntry};

/// Which records of a batch wait for each other. In a lane, a record starts when the one before it is settled; lanes run side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessingOrder {
    /// A lane per partition: Kafka's own order.
    #[default]
    Partition,
    /// A lane per key of a partition. Records without a key share one lane.
    Key,
    /// Every record its own lane: no order. For Queue mode (share groups).
    Unordered,
}

/// The records of a batch, by lanes, as indices.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// Lane after lane; in each, in the event's order.
    records: Vec<u32>,
    /// Where each lane ends in `records`.
    ends: Vec<u32>,
}

impl Lanes {
    pub(crate) fn of(batch: &Batch, order: ProcessingOrder) -> Self {
        match order {
            ProcessingOrder::Partition => Self::by_partition(batch),
            ProcessingOrder::Key => Self::by_key(batch),
            ProcessingOrder::Unordered => {
                let count = batch.records.len() as u32;
                Self {
                    records: (0..count).collect(),
                    ends: (1..=count).collect(),
                }
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.ends.iter().scan(0, |start, &end| {
            let lane = &self.records[*start..end as usize];
            *start = end as usize;
            Some(lane)
        })
    }

    /// The decoder puts the records of a partition one after the other.
    fn by_partition(batch: &Batch) -> Self {
        let entries = &batch.records;
        let same = |a: &RecordEntry, b: &RecordEntry| a.partition == b.partition;
        let ends = entries.chunk_by(same).scan(0, |end, lane| {
            *end += lane.len() as u32;
            Some(*end)
        });
        Self {
            records: (0..entries.len() as u32).collect(),
            ends: ends.collect(),
        }
    }

    fn by_key(batch: &Batch) -> Self {
        let entries = &batch.records;
        // Looked up, never iterated: the lanes stand in the order of their first records.
        let mut lanes = HashMap::new();
        let mut lane_of = Vec::with_capacity(entries.len());
        let mut sizes: Vec<u32> = Vec::new();
        for entry in entries {
            let key = entry.key.map(|span| span.of(&batch.arena));
            let lane = *lanes.entry((entry.partition, key)).or_insert_with(|| {
                sizes.push(0);
                sizes.len() - 1
            });
            sizes[lane] += 1;
            lane_of.push(lane);
        }
        let ends: Vec<u32> = sizes
            .iter()
            .scan(0, |end, size| {
                *end += size;
                Some(*end)
            })
            .collect();
        let mut next: Vec<u32> = ends
            .iter()
            .zip(&sizes)
            .map(|(end, size)| end - size)
            .collect();
        let mut records = vec![0; entries.len()];
        for (index, &lane) in lane_of.iter().enumerate() {
            records[next[lane] as usize] = index as u32;
            next[lane] += 1;
        }
        Self { records, ends }
    }
}

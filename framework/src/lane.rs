//! Splits a batch into lanes: which records wait for each other, and how many lanes run concurrently. Called by `process`.

mod places;

use std::collections::HashMap;

pub(crate) use self::places::Places;
use crate::record::{Batch, RecordEntry};

/// The processing order: which records of a batch wait for each other. In a lane, a record starts when the record before it is settled; lanes run concurrently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessingOrder {
    /// One lane per partition: partition order, as in Kafka.
    #[default]
    Partition,
    /// One lane per key of a partition. Records without a key share one lane, unless [`NullKeys::Unordered`] is set.
    Key,
    /// One lane per record: no order. For Queue mode (share groups).
    Unordered,
}

/// The order of records without a key: in key order, whether those of one partition wait for each other. No effect in any other order.
///
/// An empty key is a key: its records share a lane. A record whose key cannot be decoded counts as a record without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NullKeys {
    /// They share one lane: they run in partition order, and a failed record stops those behind it.
    #[default]
    Ordered,
    /// Each has its own lane: they have no order.
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
    pub(crate) fn of(batch: &Batch, order: ProcessingOrder, null_keys: NullKeys) -> Self {
        match order {
            ProcessingOrder::Partition => Self::by_partition(batch),
            ProcessingOrder::Key => Self::by_key(batch, null_keys),
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

    fn by_key(batch: &Batch, null_keys: NullKeys) -> Self {
        let entries = &batch.records;
        // Looked up, never iterated: the lanes stand in the order of their first records.
        let mut lanes = HashMap::new();
        let mut lane_of = Vec::with_capacity(entries.len());
        let mut sizes: Vec<u32> = Vec::new();
        for entry in entries {
            let key = entry.key.map(|span| span.of(&batch.arena));
            let mut new_lane = || {
                sizes.push(0);
                sizes.len() - 1
            };
            let lane = match (key, null_keys) {
                (None, NullKeys::Unordered) => new_lane(),
                _ => *lanes.entry((entry.partition, key)).or_insert_with(new_lane),
            };
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bytes::Bytes;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::{Strategy, any};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::{Lanes, NullKeys, ProcessingOrder};
    use crate::event::decode;
    use crate::record::Batch;
    use crate::testing::{Event, EventBuilder, Sample};

    const ORDERS: [(ProcessingOrder, NullKeys); 6] = [
        (ProcessingOrder::Partition, NullKeys::Ordered),
        (ProcessingOrder::Partition, NullKeys::Unordered),
        (ProcessingOrder::Key, NullKeys::Ordered),
        (ProcessingOrder::Key, NullKeys::Unordered),
        (ProcessingOrder::Unordered, NullKeys::Ordered),
        (ProcessingOrder::Unordered, NullKeys::Unordered),
    ];

    /// Records of few partitions and few keys, so that both repeat; of no key, and of one of no bytes.
    fn batches() -> impl Strategy<Value = Batch> {
        let record = (0..4_i32, option::of(vec(0..2_u8, 0..2)), any::<bool>());
        vec(record, 0..40).prop_map(|records| {
            let samples = records.into_iter().map(|(partition, key, faulty)| {
                let sample = Sample::new("orders", partition);
                let sample = key.iter().fold(sample, Sample::key);
                // What cannot be decoded has its lane too.
                if faulty {
                    sample.value_base64("*")
                } else {
                    sample.value("1")
                }
            });
            let event = samples.fold(Event::msk(), EventBuilder::record).to_json();
            decode(Bytes::from(event)).unwrap()
        })
    }

    /// What must be equal for two records to share a lane.
    fn lane_of(
        batch: &Batch,
        order: (ProcessingOrder, NullKeys),
        index: u32,
    ) -> (u32, Option<Vec<u8>>, u32) {
        let entry = &batch.records[index as usize];
        let key = entry.key.map(|span| span.of(&batch.arena).to_vec());
        match order {
            (ProcessingOrder::Partition, _) => (entry.partition, None, 0),
            (ProcessingOrder::Key, NullKeys::Unordered) if key.is_none() => {
                (entry.partition, None, 1 + index)
            }
            (ProcessingOrder::Key, _) => (entry.partition, key, 0),
            (ProcessingOrder::Unordered, _) => (0, None, index),
        }
    }

    proptest! {
        #[test]
        fn every_record_is_in_the_one_lane_of_its_like_in_the_events_order(batch in batches()) {
            for order in ORDERS {
                let lanes = Lanes::of(&batch, order.0, order.1);

                let all: BTreeSet<u32> = lanes.iter().flatten().copied().collect();
                let held: usize = lanes.iter().map(<[u32]>::len).sum();
                prop_assert_eq!(held, batch.records.len());
                prop_assert_eq!(all.len(), batch.records.len());
                let mut kinds = BTreeSet::new();
                let mut firsts = Vec::new();
                for lane in lanes.iter() {
                    prop_assert!(lane.is_sorted());
                    let kind = lane_of(&batch, order, lane[0]);
                    for index in lane {
                        prop_assert_eq!(&lane_of(&batch, order, *index), &kind);
                    }
                    firsts.push(lane[0]);
                    kinds.insert(kind);
                }
                prop_assert_eq!(kinds.len(), lanes.len());
                prop_assert!(firsts.is_sorted(), "lanes start in the event's order");
            }
        }
    }
}

//! When a batch closes, and what is in it.

use std::collections::BTreeMap;

use super::batch::Held;
use super::partition::Partition;
use super::readings::{Attempts, Window};
use super::rules::Rules;
use crate::limits::EVENT_BYTES_MAX;
use crate::record::TopicPartition;
use crate::time::Time;

/// The next batch of a poller.
#[derive(Debug)]
pub(super) enum Next {
    /// No record waits for one.
    Nothing,
    /// It closes then, if it does not fill before.
    ClosesAt(Time),
    /// It is closed. Its records hold their partitions.
    Closed(Vec<Held>),
}

/// Closes the next batch, if it is time: at the first of its window's end, `BatchSize`, 6 MB. The partition whose first
/// record has waited longest goes first.
pub(super) fn next(
    partitions: &mut BTreeMap<TopicPartition, Partition>,
    rules: &Rules,
    now: Time,
) -> Next {
    let mut candidates: Vec<(Time, TopicPartition)> = Vec::new();
    for (key, partition) in partitions.iter() {
        if let Some(first) = partition.waiting.front()
            && partition.is_free(rules)
        {
            candidates.push((window_start(first, partition, rules), key.clone()));
        }
    }
    candidates.sort();
    let Some((start, _)) = candidates.first() else {
        return Next::Nothing;
    };
    let closes = start.after(rules.window);
    let due = closes <= now;
    if !due && !may_be_full(partitions, &candidates, rules) {
        return Next::ClosesAt(closes);
    }
    let (taken, full) = fill(partitions, &candidates, rules);
    if !due && !full {
        return Next::ClosesAt(closes);
    }
    let mut batch = Vec::new();
    for (key, records) in taken {
        if let Some(partition) = partitions.get_mut(key) {
            batch.extend(partition.take(records));
        }
    }
    Next::Closed(batch)
}

/// Takes the first record out that is too big for any event, of the partitions that are free.
pub(super) fn too_big(
    partitions: &mut BTreeMap<TopicPartition, Partition>,
    rules: &Rules,
) -> Option<Held> {
    let free = |(_, partition): &(&TopicPartition, &mut Partition)| partition.is_free(rules);
    for (key, partition) in partitions.iter_mut().filter(free) {
        if let Some(first) = partition.waiting.front()
            && !fits_alone(first, key, rules)
        {
            return partition.take(1).next();
        }
    }
    None
}

fn window_start(first: &Held, partition: &Partition, rules: &Rules) -> Time {
    match rules.readings.window {
        Window::FromArrival => first.arrived,
        Window::FromFree => first.arrived.max(partition.free_since),
    }
}

fn fits_alone(held: &Held, key: &TopicPartition, rules: &Rules) -> bool {
    let fits = |bytes: usize| bytes <= EVENT_BYTES_MAX;
    fits(rules.empty.bytes() + key_bytes_at_most(key) + held.bytes)
        || fits(rules.empty.with(key, held.bytes))
}

/// A bound that is quickly had, as the next: no batch is filled record by record each time that one more arrives. Each
/// character of a topic's name may be escaped; around it stand a number and a few signs.
fn key_bytes_at_most(key: &TopicPartition) -> usize {
    key.topic().len() * r"\u0000".len() + r#",["--2147483648":]"#.len()
}

fn may_be_full(
    partitions: &BTreeMap<TopicPartition, Partition>,
    candidates: &[(Time, TopicPartition)],
    rules: &Rules,
) -> bool {
    let mut records = 0;
    let mut bytes = rules.empty.bytes();
    for (_, key) in candidates {
        if let Some(partition) = partitions.get(key) {
            records += partition.waiting.len();
            // A comma between two records.
            bytes += key_bytes_at_most(key) + partition.waiting_bytes + partition.waiting.len();
        }
    }
    records >= rules.batch_size || bytes > EVENT_BYTES_MAX
}

/// How many records of each partition go into the batch, and whether no more would.
fn fill<'c>(
    partitions: &BTreeMap<TopicPartition, Partition>,
    candidates: &'c [(Time, TopicPartition)],
    rules: &Rules,
) -> (Vec<(&'c TopicPartition, usize)>, bool) {
    let mut size = rules.empty.clone();
    let mut left = rules.batch_size;
    let mut taken = Vec::new();
    let mut tries = None;
    for (_, key) in candidates {
        let mut records = 0;
        let mut full = false;
        for held in partitions
            .get(key)
            .into_iter()
            .flat_map(|partition| &partition.waiting)
        {
            // A batch that has one count has it of all its records: one that was tried before its partition was lost is not
            // sent with one that was not.
            let other = *tries.get_or_insert(held.tries) != held.tries;
            if other && rules.readings.attempts == Attempts::PerBatch {
                full = true;
                break;
            }
            if left == 0 || size.with(key, held.bytes) > EVENT_BYTES_MAX {
                // One that fits nowhere ends its partition's part, and not the batch.
                full = left == 0 || fits_alone(held, key, rules);
                break;
            }
            size.add(key, held.bytes);
            left -= 1;
            records += 1;
        }
        if records > 0 {
            taken.push((key, records));
        }
        if full {
            return (taken, true);
        }
    }
    (taken, left == 0)
}

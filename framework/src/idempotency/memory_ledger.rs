//! The ledger in memory: which offsets this process has settled lately. Bounded by number and age; what is forgotten runs again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::idempotency::Settled;
use crate::idempotency::fingerprint::fingerprint;
use crate::limits::{LEDGER_AGE_MS_MAX, LEDGER_OFFSETS_MAX};
use crate::partition::TopicPartition;
use crate::record::Record;

const AGE_MAX: Duration = Duration::from_millis(LEDGER_AGE_MS_MAX);

#[derive(Default)]
pub(crate) struct MemoryLedger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    partitions: BTreeMap<PartitionKey, Partition>,
    /// Of all partitions together.
    offsets: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct PartitionKey {
    cluster: Arc<str>,
    topic_partition: TopicPartition,
}

#[derive(Debug)]
struct Partition {
    offsets: BTreeMap<i64, Entry>,
    settled_last: Instant,
}

#[derive(Debug)]
struct Entry {
    fingerprint: u32,
    settled: Settled,
    at: Instant,
}

impl Entry {
    /// Whether this says Done of the very record that `other` says Rejected of.
    fn outweighs(&self, other: &Self) -> bool {
        let same = self.fingerprint == other.fingerprint;
        same && self.settled == Settled::Done && other.settled == Settled::Rejected
    }
}

impl MemoryLedger {
    /// How an earlier delivery of this very record ended. *None: it was not settled here, or that is forgotten, or another record stood at its offset.*
    pub(crate) fn settled(&self, cluster: &Arc<str>, record: &Record) -> Option<Settled> {
        let state = self.lock();
        let partition = state.partitions.get(&key(cluster, record))?;
        let entry = partition.offsets.get(&record.offset().0)?;
        let known = entry.at.elapsed() < AGE_MAX && entry.fingerprint == fingerprint(record);
        known.then_some(entry.settled)
    }

    /// Remembers how a record ended.
    pub(crate) fn settle(&self, cluster: &Arc<str>, record: &Record, settled: Settled) {
        let now = Instant::now();
        let entry = Entry {
            fingerprint: fingerprint(record),
            settled,
            at: now,
        };
        let mut state = self.lock();
        let state = &mut *state;
        let partition = state
            .partitions
            .entry(key(cluster, record))
            .or_insert_with(|| Partition {
                offsets: BTreeMap::new(),
                settled_last: now,
            });
        partition.settled_last = now;
        // Another invocation's late rejection must not make a dead letter run that is done.
        let known = partition.offsets.get(&record.offset().0);
        if known.is_some_and(|known| known.outweighs(&entry)) {
            return;
        }
        let replaced = partition.offsets.insert(record.offset().0, entry);
        state.offsets += usize::from(replaced.is_none());
        while state.offsets > LEDGER_OFFSETS_MAX {
            state.forget();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryLedger {
    /// Counts only: there may be a hundred thousand offsets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("MemoryLedger")
            .field("partitions", &state.partitions.len())
            .field("offsets", &state.offsets)
            .finish()
    }
}

impl State {
    /// Forgets the lowest offset of the partition that was settled longest ago.
    fn forget(&mut self) {
        let oldest = self
            .partitions
            .iter()
            .min_by_key(|(_, partition)| partition.settled_last)
            .map(|(key, _)| key.clone());
        let Some(key) = oldest else {
            self.offsets = 0;
            return;
        };
        if let Some(partition) = self.partitions.get_mut(&key) {
            self.offsets -= usize::from(partition.offsets.pop_first().is_some());
            if partition.offsets.is_empty() {
                self.partitions.remove(&key);
            }
        }
    }
}

fn key(cluster: &Arc<str>, record: &Record) -> PartitionKey {
    PartitionKey {
        cluster: Arc::clone(cluster),
        topic_partition: record.topic_partition().clone(),
    }
}

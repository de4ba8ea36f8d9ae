//! What is measured while an invocation runs: ages, handlers' times, waits for leases, and errors of the store. Made by `consumer`, fed by `process` and `idempotency`, read by `metrics`.

mod histogram;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::histogram::{Histogram, buckets};
use crate::limits::METRIC_LINES_MAX;
use crate::partition::TopicPartition;
use crate::record::{Batch, RecordEntry};

/// Microseconds up to 143 minutes: no invocation lasts longer.
const RUN_BUCKETS: usize = buckets(33);

/// Milliseconds up to seventy years: a record of 1970 has one of the last buckets.
const AGE_BUCKETS: usize = buckets(41);

/// What metrics are counted for: one line of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricsBy {
    /// Each topic: the partitions' numbers are properties, which nobody pays for.
    #[default]
    Topic,
    /// Each partition: CloudWatch has every metric once a partition, and its price with it.
    Partition,
}

/// The measurements of one invocation.
#[derive(Debug)]
pub(crate) struct Meter {
    /// By the partition's index: index into `measures`.
    measured_as: Vec<u32>,
    measures: Vec<Measures>,
}

/// The measurements behind one line of metrics.
#[derive(Debug)]
pub(crate) struct Measures {
    /// *None: those of all partitions that have no line of their own.*
    pub(crate) of: Option<TopicPartition>,
    /// Of records, milliseconds, when their handlers first started.
    age_ms: Histogram<AGE_BUCKETS>,
    run_us: Histogram<RUN_BUCKETS>,
    clock_ahead: AtomicU64,
    lease_wait_us: AtomicU64,
    store_errors: AtomicU64,
}

impl Measures {
    fn of(at: Option<&TopicPartition>) -> Self {
        Self {
            of: at.cloned(),
            age_ms: Histogram::default(),
            run_us: Histogram::default(),
            clock_ahead: AtomicU64::new(0),
            lease_wait_us: AtomicU64::new(0),
            store_errors: AtomicU64::new(0),
        }
    }

    /// A record without a timestamp has no age.
    #[inline]
    fn started(&self, timestamp_ms: i64, now_ms: i64) {
        if timestamp_ms == RecordEntry::NO_TIMESTAMP {
            return;
        }
        let age_ms = u64::try_from(now_ms.saturating_sub(timestamp_ms)).unwrap_or_else(|_| {
            self.clock_ahead.fetch_add(1, Ordering::Relaxed);
            0
        });
        self.age_ms.add(age_ms);
    }

    #[inline]
    fn ran(&self, took_ns: u64) {
        self.run_us.add(took_ns / 1_000);
    }

    pub(crate) fn ages_ms(&self) -> Vec<(f64, u64)> {
        self.age_ms.counts()
    }

    pub(crate) fn runs_us(&self) -> Vec<(f64, u64)> {
        self.run_us.counts()
    }

    pub(crate) fn clock_ahead(&self) -> u64 {
        self.clock_ahead.load(Ordering::Relaxed)
    }

    pub(crate) fn lease_wait(&self) -> Duration {
        Duration::from_micros(self.lease_wait_us.load(Ordering::Relaxed))
    }

    pub(crate) fn store_errors(&self) -> u64 {
        self.store_errors.load(Ordering::Relaxed)
    }
}

impl Meter {
    pub(crate) fn of(batch: &Batch, by: MetricsBy) -> Self {
        let mut measures: Vec<Measures> = Vec::new();
        let mut known: BTreeMap<(&str, Option<i32>), u32> = BTreeMap::new();
        let measured_as = batch.partitions.iter().map(|entry| {
            let at = &entry.topic_partition;
            let partition = (by == MetricsBy::Partition).then_some(at.partition);
            *known.entry((&*at.topic, partition)).or_insert_with(|| {
                if measures.len() < METRIC_LINES_MAX {
                    let has_line = measures.len() + 1 < METRIC_LINES_MAX;
                    measures.push(Measures::of(has_line.then_some(at)));
                }
                // `METRIC_LINES_MAX` at most.
                measures.len() as u32 - 1
            })
        });
        Self {
            measured_as: measured_as.collect(),
            measures,
        }
    }

    /// In the order of the event.
    pub(crate) fn measures(&self) -> &[Measures] {
        &self.measures
    }

    /// The index of a partition's measures, by the partition's index.
    pub(crate) fn measured_as(&self, partition: usize) -> usize {
        self.measured_as[partition] as usize
    }

    fn at(&self, partition: usize) -> &Measures {
        &self.measures[self.measured_as(partition)]
    }

    /// A record's handler has started for the first time, at that wall time.
    #[inline]
    pub(crate) fn started(&self, partition: usize, timestamp_ms: i64, now_ms: i64) {
        self.at(partition).started(timestamp_ms, now_ms);
    }

    /// A run of a handler has ended.
    #[inline]
    pub(crate) fn ran(&self, partition: usize, took_ns: u64) {
        self.at(partition).ran(took_ns);
    }

    /// Both at once: most handlers wait for nothing.
    #[inline]
    pub(crate) fn started_and_ran(
        &self,
        partition: usize,
        timestamp_ms: i64,
        now_ms: i64,
        took_ns: u64,
    ) {
        let measures = self.at(partition);
        measures.started(timestamp_ms, now_ms);
        measures.ran(took_ns);
    }

    /// A run was of several partitions, each of whose measures has it once. `first` has it already.
    pub(crate) fn ran_too(
        &self,
        first: usize,
        partitions: impl Iterator<Item = usize>,
        took_ns: u64,
    ) {
        if self.measures.len() < 2 {
            return;
        }
        let mut have_it = BTreeSet::from([self.measured_as(first)]);
        let mut last = first;
        for partition in partitions {
            // Neighbours are mostly of one partition.
            if partition != last && have_it.insert(self.measured_as(partition)) {
                self.ran(partition, took_ns);
            }
            last = partition;
        }
    }

    /// Another invocation held what a partition's records need.
    pub(crate) fn waited(&self, partition: usize, for_lease: Duration) {
        let us = u64::try_from(for_lease.as_micros()).unwrap_or(u64::MAX);
        let waited = &self.at(partition).lease_wait_us;
        waited.fetch_add(us, Ordering::Relaxed);
    }

    /// A request to the store has failed, or was not answered in time.
    pub(crate) fn store_failed(&self, partition: usize) {
        let errors = &self.at(partition).store_errors;
        errors.fetch_add(1, Ordering::Relaxed);
    }
}

/// The measurements of an invocation, if it has any.
pub(crate) type Metered = Option<Arc<Meter>>;

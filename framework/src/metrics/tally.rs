//! What the records of an invocation came to, line by line. Made of the report by `metrics`, written by `line`.

use std::collections::BTreeMap;

use crate::limits::METRIC_PARTITIONS_MAX;
use crate::meter::{Measures, Meter, MetricsBy};
use crate::outcome::Outcome;
use crate::partition::TopicPartition;
use crate::record::{Record, RecordEntry};
use crate::report::{Problem, RecordReport, Report};

/// Counts of records.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) records: u64,
    /// In the order of [`OUTCOMES`].
    pub(super) outcomes: [u64; OUTCOMES.len()],
    pub(super) retried: u64,
    pub(super) bytes: u64,
    pub(super) destination_errors: u64,
    pub(super) unhandled: u64,
    pub(super) overlooked: u64,
    /// Of the unsettled record with the lowest offset; of several partitions the greatest.
    pub(super) time_lag_ms: u64,
}

/// The outcomes, as they are counted and named.
pub(super) const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Done, "Done"),
    (Outcome::Skipped, "Skipped"),
    (Outcome::Rejected, "Rejected"),
    (Outcome::Failed, "Failed"),
    (Outcome::Unreached, "Unreached"),
];

impl Counts {
    #[inline]
    fn add_record(&mut self, report: &RecordReport) {
        let record = &report.record;
        self.records += 1;
        self.outcomes[match report.outcome {
            Outcome::Done => 0,
            Outcome::Skipped => 1,
            Outcome::Rejected => 2,
            Outcome::Failed => 3,
            Outcome::Unreached => 4,
        }] += 1;
        self.retried += u64::from(report.attempts.saturating_sub(1));
        self.bytes += record.payload_bytes();
        if let Some(problem) = &report.problem {
            let send = problem.destination;
            let failed = send.is_some_and(|code| code != Problem::NO_DESTINATION);
            self.destination_errors += u64::from(failed);
        }
    }

    fn has_unsettled(&self) -> bool {
        let mut counts = OUTCOMES.iter().zip(self.outcomes);
        counts.any(|((outcome, _), count)| count > 0 && !outcome.is_settled())
    }

    fn add(&mut self, other: &Self) {
        self.records += other.records;
        for (count, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *count += more;
        }
        self.retried += other.retried;
        self.bytes += other.bytes;
        self.destination_errors += other.destination_errors;
        self.unhandled += other.unhandled;
        self.overlooked += other.overlooked;
        self.time_lag_ms = self.time_lag_ms.max(other.time_lag_ms);
    }
}

/// One line of metrics.
#[derive(Debug)]
pub(super) struct Tally<'m> {
    pub(super) measures: &'m Measures,
    pub(super) counts: Counts,
    /// By number; for a line of several topics none.
    pub(super) partitions: BTreeMap<i32, Counts>,
    /// Partitions without a property of their own: those that lag least.
    pub(super) partitions_left_out: usize,
}

/// A line for each topic, or for each partition, that has records in the report.
pub(super) fn tallies<'m>(
    meter: &'m Meter,
    report: &Report,
    now_ms: i64,
    by: MetricsBy,
) -> Vec<Tally<'m>> {
    let empty = |measures| Tally {
        measures,
        counts: Counts::default(),
        partitions: BTreeMap::new(),
        partitions_left_out: 0,
    };
    let mut tallies: Vec<Tally<'m>> = meter.measures().iter().map(empty).collect();
    let mut rest = &*report.records;
    while let Some(RecordReport { record: first, .. }) = rest.first() {
        let partition = first.partition_index();
        let mut counts = Counts::default();
        // The records of a partition stand one after the other.
        let records = rest
            .iter()
            .take_while(|report| report.record.partition_index() == partition);
        let records = records.map(|report| counts.add_record(report)).count();
        let (records, others) = rest.split_at(records);
        rest = others;
        let at = first.topic_partition();
        if report.unhandled.contains_key(&*at.topic) {
            counts.unhandled = counts.records;
        }
        counts.overlooked = overlooked(report, at);
        if counts.has_unsettled() {
            counts.time_lag_ms = time_lag_ms(records, now_ms);
        }
        let tally = &mut tallies[meter.measured_as(partition)];
        tally.counts.add(&counts);
        if tally.measures.of.is_some() && by == MetricsBy::Topic {
            tally
                .partitions
                .entry(at.partition)
                .or_default()
                .add(&counts);
        }
    }
    tallies.retain(|tally| tally.counts.records > 0);
    tallies.iter_mut().for_each(Tally::bound);
    tallies
}

fn overlooked(report: &Report, at: &TopicPartition) -> u64 {
    let overlooked = report.overlooked.iter();
    let here = overlooked.filter(|overlooked| overlooked.at == *at);
    here.map(|overlooked| overlooked.records).sum()
}

/// Age of the unsettled record with the lowest offset. 0 where all are settled, and where it has no timestamp, or one in the future.
fn time_lag_ms(records: &[RecordReport], now_ms: i64) -> u64 {
    let unsettled = records.iter().filter(|report| !report.outcome.is_settled());
    let lowest = unsettled.min_by_key(|report| report.record.offset());
    let stamped = lowest.map(|report| Record::timestamp_millis(&report.record));
    let stamped = stamped.filter(|stamped| *stamped != RecordEntry::NO_TIMESTAMP);
    let lag_ms = stamped.map_or(0, |stamped| now_ms.saturating_sub(stamped));
    u64::try_from(lag_ms).unwrap_or(0)
}

impl Tally<'_> {
    /// Keeps the properties of the partitions that lag most.
    fn bound(&mut self) {
        let surplus = self.partitions.len().saturating_sub(METRIC_PARTITIONS_MAX);
        if surplus == 0 {
            return;
        }
        let partitions = self.partitions.iter();
        let mut lags: Vec<(u64, i32)> = partitions
            .map(|(partition, counts)| (counts.time_lag_ms, *partition))
            .collect();
        lags.sort_unstable();
        for (_, partition) in &lags[..surplus] {
            self.partitions.remove(partition);
        }
        self.partitions_left_out = surplus;
    }
}

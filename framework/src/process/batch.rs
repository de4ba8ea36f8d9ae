//! One batch while it runs: what its lanes share, and what each asks of that. Made by `process`; each of the files that follow adds its part of the way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use crate::context::Context;
use crate::idempotency::{Claims, PartitionLedger, Settled};
use crate::lane::Places;
use crate::process::processor::Processor;
use crate::process::turns::{Turns, nanoseconds};
use crate::record::Record;
use crate::report::{LongPoll, Problem};
use crate::schemas::SchemaNeeds;
#[cfg(feature = "otel")]
use crate::traces::BatchTraces;

/// What all lanes of a batch share while it runs.
pub(super) struct BatchRun<'a> {
    pub(super) processor: &'a Processor,
    pub(super) invocation: &'a Arc<Context>,
    pub(super) records: &'a [Record],
    /// By the partition's index. *Empty: nothing is kept by offset.*
    pub(super) ledgers: Vec<Option<PartitionLedger<'a>>>,
    /// *None: nothing is kept by key.*
    pub(super) claims: Option<Claims<'a>>,
    /// Whether a record without a handler is failed, not rejected.
    pub(super) fails_unhandled: bool,
    /// *None: every schema that records need is known.*
    pub(super) schemas: Option<SchemaNeeds>,
    pub(super) places: Arc<Places>,
    pub(super) turns: Turns,
    /// When handlers are dropped, as `turns` gives times. The greatest number: no limit is known.
    pub(super) work_end_ns: u64,
    /// The wall time at which `turns` begins, milliseconds since 1970. *0: nothing is measured.*
    pub(super) began_ms: i64,
    /// Of any handler in this invocation so far.
    pub(super) longest_run_ns: AtomicU64,
    /// *None: nothing has held the thread for longer than it should.*
    pub(super) longest_poll: Mutex<Option<LongPoll>>,
    /// *None: there are no spans.*
    #[cfg(feature = "otel")]
    pub(super) traces: Option<BatchTraces>,
}

impl<'a> BatchRun<'a> {
    /// Whether there is time to wait so long and then run a handler as long as the longest so far.
    pub(super) fn has_room_after(&self, wait: Duration) -> bool {
        let start_ns = self.turns.seen_ns().saturating_add(nanoseconds(wait));
        let longest_ns = self.longest_run_ns.load(Ordering::Relaxed);
        start_ns.saturating_add(longest_ns) < self.work_end_ns
    }

    /// The record's handler starts, for the first time in this invocation, at the time of the last look at the clock.
    #[inline]
    pub(super) fn starts(&self, record: &Record) {
        self.started(record, self.turns.seen_ns());
    }

    /// The record's handler has started, for the first time in this invocation, at that time of `turns`.
    #[inline]
    pub(super) fn started(&self, record: &Record, at_ns: u64) {
        if let Some(meter) = &self.invocation.meter {
            let stamped_ms = record.timestamp_millis();
            meter.started(record.partition_index(), stamped_ms, self.wall_ms(at_ns));
        }
    }

    /// The wall time at that time of `turns`, milliseconds since 1970. Only where something is measured.
    #[inline]
    pub(super) fn wall_ms(&self, at_ns: u64) -> i64 {
        // An invocation lasts hours at most.
        self.began_ms + (at_ns / 1_000_000) as i64
    }

    pub(super) fn skips(&self, record: &Record) -> bool {
        let ledger = self.ledger(record);
        ledger
            .and_then(|ledger| ledger.settled(record))
            .is_some_and(|settled| settled.skips(record))
    }

    /// Fetches the schemas that records need and that are not known.
    pub(super) async fn fetch_schemas(&self) {
        if let (Some(needs), Some(cache)) = (&self.schemas, &self.processor.schemas) {
            let left = self.invocation.deadline.work_end();
            let left = left.map(|end| end.saturating_duration_since(Instant::now()));
            // On the heap: most invocations fetch nothing.
            Box::pin(needs.fetch(&self.invocation.schemas, cache, left)).await;
        }
    }

    /// Whether the lane waits for a schema.
    pub(super) fn waits_for_schema(&self, lane: &[u32]) -> bool {
        self.schemas.as_ref().is_some_and(|needs| needs.hold(lane))
    }

    pub(super) fn remember(&self, record: &Record, settled: Settled) {
        if let Some(ledger) = self.ledger(record) {
            ledger.settle(record, settled);
        }
    }

    /// *None: nothing is kept.*
    pub(super) fn ledger(&self, record: &Record) -> Option<&PartitionLedger<'a>> {
        self.ledgers.get(record.partition_index())?.as_ref()
    }

    /// Whether anything more of the record's partition may start: a handler, or the sending of a letter.
    pub(super) async fn may_start(&self, record: &Record) -> Result<(), Problem> {
        let Some(ledger) = self.ledger(record) else {
            return Ok(());
        };
        if let Some(may) = ledger.may_start_at(self.turns.seen()) {
            return may.map_err(Problem::from);
        }
        ledger.recorded().await?;
        // Who has waited waits for a place too, and looks again after that.
        while ledger.held().now_or_never().transpose()?.is_none() {
            self.places.outside(ledger.held()).await?;
        }
        Ok(())
    }
}

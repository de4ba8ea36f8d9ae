//! Runs a batch: lanes concurrently, records of a lane one after the other, each to exactly one outcome. Called by `consumer`: [`Processor::process`].
//!
//! A record's way: `run` opens its partition and gives its lane a place; `lane` comes to the record, and leaves it out if the ledger has it; `prepare` finds its
//! handler and key and takes the arguments; `quick` runs it, if nothing has to be waited for; `claimed` claims the key, until the record has ended; `tries` decides how often the record is tried; `attempt` makes
//! one attempt; `deliver` sends the letter of a rejected record, also of one that `prepare` has rejected; `end` is what the record has come to. `processor` is what all
//! batches are run with, `batch` what the lanes of one share, and `turns` lets other lanes and the keeping of their partitions come to the processor.

// What batches are run with.
mod processor;

// How a record ended, what its lane came to, and what the batch.
mod end;

// When lanes leave the processor to what keeps their partitions.
mod turns;

// What the lanes of a batch share while it runs.
mod batch;

// What is around a handler: its log lines' span, and its trace.
mod scope;

// How long a handler holds the thread.
mod polled;

// Letters to the destination.
mod deliver;

// One try of a record.
mod attempt;

// A record before its first try.
mod prepare;

// Claims before the handler, and the record of its end after it.
mod claimed;

// The tries of one record: when it is tried again.
mod tries;

// Records that run without a wait.
mod quick;

// A chunk of a batch handler, and the lanes that it is of.
mod chunk;

// The next chunk.
mod gather;

// The claims of a chunk.
mod chunk_claims;

// What comes after a call that has failed.
mod halve;

// One call of a batch handler.
mod call;

// What becomes of a chunk.
mod settle;

// The records of one lane.
mod lane;

// The partitions of a batch, and which of their lanes run.
mod run;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use msk_schemas::cache::Cache;
use tokio::time::Instant;

use crate::context::Context;
use crate::handler::Route;
use crate::idempotency::{Claims, LeaseTimes, Lines, PartitionLedger, Terms, ledger_id};
use crate::lane::{Lanes, Places, ProcessingOrder};
use crate::process::batch::BatchRun;
use crate::process::end::End;
pub(crate) use crate::process::processor::{Keeping, Processor};
pub use crate::process::processor::{WhenExhausted, WhenUnhandled};
use crate::process::turns::Turns;
use crate::record::{Batch, Record};
use crate::report::Report;
use crate::schemas::{SchemaNeeds, SchemaUse};
#[cfg(feature = "otel")]
use crate::traces::BatchTraces;

impl Processor {
    /// Runs the batch to its end, or to the deadline's margin.
    pub(crate) async fn process(&self, batch: &Arc<Batch>, invocation: &Arc<Context>) -> Report {
        let started = Instant::now();
        let lanes = Lanes::of(batch, self.order, self.null_keys);
        let records: Vec<Record> = batch.iter().collect();
        // By offset, a record of a cluster that nobody can name could be any cluster's: it would be skipped on a guess.
        let known =
            |keeping: &&Keeping| keeping.per_record.is_some() || !invocation.cluster.is_empty();
        let kept = self.keeping.as_ref().filter(known);
        let places = Arc::new(Places::new(self.concurrency, invocation.deadline));
        let kept = kept.map(|keeping| (keeping, self.terms(keeping, invocation, &places)));
        let of_lanes = |cache: &Arc<Cache>| self.schema_needs(cache, &lanes, &records, invocation);
        let schemas = self.schemas.as_ref().map(of_lanes);
        let turns = Turns::default();
        let metered = invocation.meter.is_some();
        let began_ms = if metered {
            invocation.clock.now_ms()
        } else {
            0
        };
        let work_end = invocation.deadline.work_end();
        let mut run = BatchRun {
            processor: self,
            invocation,
            records: &records,
            ledgers: Vec::new(),
            claims: None,
            fails_unhandled: self.fails_unhandled(&records),
            schemas: schemas.filter(|needs| !needs.is_empty()),
            places: Arc::clone(&places),
            work_end_ns: work_end.map_or(u64::MAX, |end| turns.ns_of(end)),
            turns,
            began_ms: began_ms.cast_signed(),
            longest_run_ns: AtomicU64::new(0),
            longest_poll: Mutex::default(),
            #[cfg(feature = "otel")]
            traces: self.traces(invocation, batch.records.len()),
        };
        if let Some((keeping, terms)) = &kept {
            match &keeping.per_record {
                Some(keys) => run.claims = Some(Claims::new(terms, keys, keeping.guarantee)),
                None => run.ledgers = ledgers(terms, batch, &records, invocation),
            }
        }
        let ran = run.run_partitions(&lanes).await;
        #[cfg(feature = "otel")]
        let (traces, ended_ns) = (run.traces, run.turns.look());
        let longest_poll = run.longest_poll.into_inner();
        let longest_poll = longest_poll.unwrap_or_else(PoisonError::into_inner);
        let unhandled = self.unhandled(&records);
        let ends = records.into_iter().zip(ran.ends).map(|(record, end)| {
            let end = end.unwrap_or_else(End::unreached);
            end.beside(longest_poll.as_ref()).report(record)
        });
        let ends: Vec<_> = ends.collect();
        #[cfg(feature = "otel")]
        if let Some(traces) = traces {
            traces.end(&ends, ended_ns);
        }
        Report {
            records: ends,
            longest_poll,
            lanes: lanes.len(),
            out_of_time: ran.out_of_time,
            unhandled,
            overlooked: ran.overlooked,
            unrecorded: ran.unrecorded,
            unavailable_schemas: invocation
                .schemas
                .unavailable()
                .map(|(id, why)| (id, Arc::clone(why)))
                .collect(),
            without_store: ran.without_store,
            lines_left_out: kept
                .map(|(_, terms)| terms.lines.left_out())
                .unwrap_or_default(),
            elapsed: started.elapsed(),
        }
    }

    #[cfg(feature = "otel")]
    fn traces(&self, invocation: &Context, records: usize) -> Option<BatchTraces> {
        let began = invocation.clock.now().into();
        BatchTraces::of(self.traces, &invocation.namespace, began, records)
    }

    fn schema_needs(
        &self,
        cache: &Cache,
        lanes: &Lanes,
        records: &[Record],
        invocation: &Context,
    ) -> SchemaNeeds {
        let uses = |topic: &str| self.route(topic).map_or(SchemaUse::NONE, Route::uses);
        SchemaNeeds::of(&invocation.schemas, cache, lanes.iter(), records, uses)
    }

    fn terms(&self, keeping: &Keeping, invocation: &Context, places: &Arc<Places>) -> Terms {
        Terms {
            store: keeping.store.clone(),
            clock: invocation.clock.clone(),
            deadline: invocation.deadline,
            places: Arc::clone(places),
            times: LeaseTimes::of(invocation.deadline.time_left()),
            leased: self.order != ProcessingOrder::Unordered,
            progress: keeping.progress,
            age: Terms::outlasting(keeping.age, invocation.deadline),
            when_store_fails: keeping.when_store_fails,
            reports_partially: self.reports_partially,
            meter: invocation.meter.clone(),
            lines: Lines::default(),
        }
    }
}

/// A ledger for each partition that has records, at the partition's index.
fn ledgers<'a>(
    terms: &'a Terms,
    batch: &Batch,
    records: &'a [Record],
    invocation: &Context,
) -> Vec<Option<PartitionLedger<'a>>> {
    let mut ledgers: Vec<Option<PartitionLedger<'a>>> = Vec::new();
    ledgers.resize_with(batch.partitions.len(), || None);
    let same = |a: &Record, b: &Record| a.partition_index() == b.partition_index();
    for records in records.chunk_by(same) {
        let at = records[0].topic_partition();
        let id = ledger_id(&invocation.namespace, &invocation.cluster, at);
        let ledger = PartitionLedger::new(terms, id, records);
        ledgers[records[0].partition_index()] = Some(ledger);
    }
    ledgers
}

#[cfg(test)]
mod tests;

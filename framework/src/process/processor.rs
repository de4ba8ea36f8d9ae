//! What batches are run with: the handlers, the destination, and what was set. Made by `builder`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use msk_schemas::cache::Cache;

use crate::destination::BoxDestination;
use crate::handler::Route;
use crate::idempotency::{BoxStore, Guarantee, PerRecord, WhenStoreFails};
use crate::lane::{NullKeys, ProcessingOrder};
use crate::record::Record;
#[cfg(feature = "otel")]
use crate::traces::Traces;

/// The choice for a record whose attempts are used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenExhausted {
    /// The record is Failed: its lane stops, and Lambda redelivers the record.
    #[default]
    Fail,
    /// The record is rejected: it goes to the destination, and its lane continues.
    Reject,
}

/// The choice for a record whose topic has no handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenUnhandled {
    /// The record is rejected with `reject.no_handler`: it goes to the destination, and Lambda commits it.
    Reject,
    /// The record is Failed with `handler.missing`: Lambda redelivers it until a function with a handler is deployed.
    Fail,
}

/// Everything that a batch is run with. One a consumer, for its whole life.
#[derive(Debug)]
pub(crate) struct Processor {
    pub(crate) topics: HashMap<String, Route>,
    /// *None: `when_unhandled` says what becomes of the records of other topics.*
    pub(crate) fallback: Option<Route>,
    pub(crate) destination: Option<BoxDestination>,
    /// *None: every record runs in every delivery.*
    pub(crate) keeping: Option<Keeping>,
    pub(crate) reports_partially: bool,
    /// Topics whose mapping was seen to read the function's answers.
    pub(crate) sound_topics: Mutex<BTreeSet<Arc<str>>>,
    pub(crate) order: ProcessingOrder,
    pub(crate) null_keys: NullKeys,
    pub(crate) concurrency: usize,
    pub(crate) attempts: u32,
    pub(crate) when_exhausted: WhenExhausted,
    /// *None: it is rejected, but failed where the whole batch has no handler.*
    pub(crate) when_unhandled: Option<WhenUnhandled>,
    /// *None: no route reads by a registry's schemas.*
    pub(crate) schemas: Option<Arc<Cache>>,
    #[cfg(feature = "otel")]
    pub(crate) traces: Traces,
}

/// How it is kept what was settled.
#[derive(Clone, Debug)]
pub(crate) struct Keeping {
    pub(crate) store: BoxStore,
    pub(crate) progress: Duration,
    pub(crate) age: Duration,
    pub(crate) when_store_fails: WhenStoreFails,
    /// *None: by offset.*
    pub(crate) per_record: Option<Arc<PerRecord>>,
    pub(crate) guarantee: Guarantee,
}

impl Keeping {
    /// How long it is kept what was settled.
    pub(crate) fn kept_for(&self) -> Duration {
        let by_key = self.per_record.as_ref().and_then(|keys| keys.expiry());
        by_key.unwrap_or(self.age)
    }
}

impl Processor {
    /// A record that was reported has come again: the topic's mapping reads the function's answers, from now on for certain.
    pub(super) fn trust(&self, topic: &Arc<str>) {
        let topics = &self.sound_topics;
        let mut topics = topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.insert(Arc::clone(topic));
    }

    pub(super) fn trusts(&self, topic: &str) -> bool {
        let topics = &self.sound_topics;
        let topics = topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.contains(topic)
    }

    pub(super) fn route(&self, topic: &str) -> Option<&Route> {
        self.topics.get(topic).or(self.fallback.as_ref())
    }

    /// A batch of which nothing has a handler is no poison but a fault of the deployment: rejected, the whole topic would drain into the destination.
    pub(super) fn fails_unhandled(&self, records: &[Record]) -> bool {
        match self.when_unhandled {
            Some(WhenUnhandled::Fail) => true,
            Some(WhenUnhandled::Reject) => false,
            None => records
                .iter()
                .all(|record| self.route(record.topic()).is_none()),
        }
    }

    /// The topics without a handler, each with the number of its records.
    pub(super) fn unhandled(&self, records: &[Record]) -> BTreeMap<String, usize> {
        let mut topics = BTreeMap::new();
        let same = |a: &Record, b: &Record| a.partition_index() == b.partition_index();
        for records in records.chunk_by(same) {
            let topic = records[0].topic();
            if self.route(topic).is_none() {
                *topics.entry(topic.to_owned()).or_default() += records.len();
            }
        }
        topics
    }
}

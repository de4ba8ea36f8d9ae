//! Runs a batch: lanes side by side, records of a lane one after the other, each to exactly one outcome. Called by `consumer`.

mod claimed;
mod lane_run;
mod partitions;
mod polled;
mod turns;
mod unhandled;

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::caught::{Caught, discard};
use crate::context::Context;
use crate::delivery::Delivery;
use crate::destination::{BoxDestination, DeadLetter, Destination, SendError};
use crate::failure::{Failure, Reason, Rejection, told};
use crate::handler::{NotTaken, Route, Try};
use crate::idempotency::{
    BoxStore, Claims, Guarantee, LeaseTimes, PartitionLedger, PerRecord, Refusal, Settled, Terms,
    Undone, WhenStoreFails, ledger_id,
};
use crate::lane::{Lanes, NullKeys, Places, ProcessingOrder};
use crate::limits::HANDLER_POLL_MS_MAX;
use crate::outcome::Outcome;
use crate::process::polled::Polled;
use crate::process::turns::Turns;
pub use crate::process::unhandled::WhenUnhandled;
use crate::record::{Batch, Record};
use crate::report::{LongPoll, Problem, RecordReport, Report};

/// What becomes of a record whose attempts are used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenExhausted {
    /// It is Failed: its lane stops, and Lambda sends it again.
    #[default]
    Fail,
    /// It is rejected: it goes to the destination, and its lane goes on.
    Reject,
}

/// Everything that a batch is run with. One a consumer, for its whole life.
#[derive(Debug)]
pub(crate) struct Processor {
    pub(crate) topics: HashMap<String, Route>,
    /// *None: records of other topics are rejected.*
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
        let mut run = Run {
            processor: self,
            invocation,
            records: &records,
            ledgers: Vec::new(),
            claims: None,
            fails_unhandled: self.fails_unhandled(&records),
            places: Arc::clone(&places),
            turns: Turns::default(),
            longest_run_us: AtomicU64::new(0),
            longest_poll: Mutex::default(),
        };
        if let Some((keeping, terms)) = &kept {
            match &keeping.per_record {
                Some(keys) => run.claims = Some(Claims::new(terms, keys, keeping.guarantee)),
                None => run.ledgers = ledgers(terms, batch, &records, invocation),
            }
        }
        let ran = run.run_partitions(&lanes).await;
        let longest_poll = run.longest_poll.into_inner();
        let longest_poll = longest_poll.unwrap_or_else(PoisonError::into_inner);
        let ends = records.iter().zip(ran.ends).map(|(record, end)| {
            let end = end.unwrap_or_else(End::unreached);
            end.beside(longest_poll.as_ref()).report(record.clone())
        });
        Report {
            records: ends.collect(),
            longest_poll,
            lanes: lanes.len(),
            out_of_time: ran.out_of_time,
            unhandled: self.unhandled(&records),
            overlooked: ran.overlooked,
            unrecorded: ran.unrecorded,
            without_store: ran.without_store,
            elapsed: started.elapsed(),
        }
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
        }
    }

    /// A record that was reported has come again: the topic's mapping reads the function's answers, from now on for certain.
    fn trust(&self, topic: &Arc<str>) {
        let topics = &self.sound_topics;
        let mut topics = topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.insert(Arc::clone(topic));
    }

    fn trusts(&self, topic: &str) -> bool {
        let topics = &self.sound_topics;
        let topics = topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.contains(topic)
    }

    fn route(&self, topic: &str) -> Option<&Route> {
        self.topics.get(topic).or(self.fallback.as_ref())
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

/// How one record ended.
#[derive(Debug)]
struct End {
    outcome: Outcome,
    attempts: u32,
    problem: Option<Problem>,
}

impl End {
    fn of(outcome: Outcome, attempts: u32, problem: Option<Problem>) -> Self {
        Self {
            outcome,
            attempts,
            problem,
        }
    }

    fn unreached() -> Self {
        Self::of(Outcome::Unreached, 0, None)
    }

    /// No store is heard while something holds the thread: then its silence is not its own.
    fn beside(mut self, poll: Option<&LongPoll>) -> Self {
        if let (Some(poll), Some(problem)) = (poll, &mut self.problem)
            && self.attempts == 0
            && Refusal::is_code(&problem.code)
        {
            problem.message.push_str(&format!("; meanwhile {poll}"));
        }
        self
    }

    fn report(self, record: Record) -> RecordReport {
        RecordReport {
            record,
            outcome: self.outcome,
            attempts: self.attempts,
            problem: self.problem,
        }
    }
}

/// One batch while it runs. The leaves: each settles one thing, none decides what comes next.
struct Run<'a> {
    processor: &'a Processor,
    invocation: &'a Arc<Context>,
    records: &'a [Record],
    /// By the partition's index. *Empty: nothing is kept by offset.*
    ledgers: Vec<Option<PartitionLedger<'a>>>,
    /// *None: nothing is kept by key.*
    claims: Option<Claims<'a>>,
    /// Whether a record without a handler is failed, not rejected.
    fails_unhandled: bool,
    places: Arc<Places>,
    turns: Turns,
    /// Of any handler in this invocation so far.
    longest_run_us: AtomicU64,
    /// *None: nothing has held the thread for longer than it should.*
    longest_poll: Mutex<Option<LongPoll>>,
}

/// A record that its handler is there for. Neither depends on what the extractors make of it.
struct Known<'a> {
    route: &'a Route,
    /// *None: records are known by where they stand.*
    key: Option<Arc<str>>,
}

/// Why a record's handler will not run.
enum NotRun {
    Rejected(Rejection),
    /// No handler takes it, and it is to wait for one.
    Unhandled(Problem),
}

impl From<Rejection> for NotRun {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// A try that may start. *Err: an extractor panicked, and it has failed without its handler.*
type Taken = Result<Try, Reason>;

/// How one try ended.
enum Tried {
    Done,
    Failed(Reason, Undone),
    /// Dropped at the deadline's margin.
    Dropped,
}

impl<'a> Run<'a> {
    /// *Err: its handler will not run.*
    fn know(&self, record: &Record) -> Result<Known<'a>, NotRun> {
        let route = self.processor.route(record.topic());
        if let (Some(fault), false) = (record.fault(), route.is_none() && self.fails_unhandled) {
            return Err(Rejection::from(fault).into());
        }
        let Some(route) = route else {
            let message = format!(
                "no handler for topic `{}`: add `.topic(…)` or `.fallback(…)`",
                record.topic()
            );
            return Err(match self.fails_unhandled {
                true => NotRun::Unhandled(Problem::new("handler.missing", message)),
                false => Rejection::new(Rejection::NO_HANDLER, message).into(),
            });
        };
        let key = self.invocation.record_key(record)?;
        Ok(Known { route, key })
    }

    /// Takes the handler's arguments. *Err: the record cannot be read so, and its handler will not run.*
    fn take(&self, record: &Record, route: &Route, attempt: u32) -> Result<Taken, Rejection> {
        let delivery = Delivery::new(record.clone(), Arc::clone(self.invocation), attempt);
        let began = Instant::now();
        let taken = route.extract(delivery);
        self.measure_poll("an extractor", record, began.elapsed());
        match taken {
            Ok(run) => Ok(Ok(run)),
            Err(NotTaken::Rejected(rejection)) => Err(rejection),
            Err(panicked @ NotTaken::Panicked(_)) => Ok(Err(Failure::from(panicked).reason())),
        }
    }

    /// Starts the handler, and drops it at the deadline's margin.
    async fn try_once(&self, record: &Record, run: Try) -> Tried {
        let end = self.invocation.deadline.work_end();
        let run = pin!(self.turns.in_turns(end, run));
        let mut run = Polled::new(run);
        let ended = match end {
            Some(end) => timeout_at(end, &mut run).await.ok(),
            None => Some((&mut run).await),
        };
        let took = u64::try_from(run.took().as_micros()).unwrap_or(u64::MAX);
        self.longest_run_us.fetch_max(took, Ordering::Relaxed);
        self.measure_poll("the handler", record, run.longest_poll());
        match ended {
            Some(Ok(Ok(()))) => Tried::Done,
            Some(Ok(Err(failure))) => Tried::Failed(failure.reason(), Undone::Failed),
            Some(Err(panicked)) => {
                let text = format!("the handler panicked: {}", panicked.text());
                let failure = Failure::retry(text).code("handler.panicked");
                Tried::Failed(failure.reason(), Undone::Panicked)
            }
            None => Tried::Dropped,
        }
    }

    /// Notes what has held the thread for so long. The first time is told at once: what comes next may be a kill.
    fn measure_poll(&self, by: &'static str, record: &Record, took: Duration) {
        if took < Duration::from_millis(HANDLER_POLL_MS_MAX) {
            return;
        }
        let longest = &self.longest_poll;
        let mut longest = longest.lock().unwrap_or_else(PoisonError::into_inner);
        let record = record.clone();
        let poll = LongPoll { by, record, took };
        match &*longest {
            None => poll.warn(&self.invocation.request_id),
            Some(longest) if longest.took >= took => return,
            Some(_) => {}
        }
        *longest = Some(poll);
    }

    /// Whether there is time to wait so long and then run a handler as long as the longest so far.
    fn has_room_after(&self, wait: Duration) -> bool {
        let longest = Duration::from_micros(self.longest_run_us.load(Ordering::Relaxed));
        self.invocation.deadline.has_room_for(wait, longest)
    }

    fn skips(&self, record: &Record) -> bool {
        let ledger = self.ledger(record);
        ledger
            .and_then(|ledger| ledger.settled(record))
            .is_some_and(|settled| settled.skips(record))
    }

    fn remember(&self, record: &Record, settled: Settled) {
        if let Some(ledger) = self.ledger(record) {
            ledger.settle(record, settled);
        }
    }

    /// *None: nothing is kept.*
    fn ledger(&self, record: &Record) -> Option<&PartitionLedger<'a>> {
        self.ledgers.get(record.partition_index())?.as_ref()
    }

    /// Sends the letters, and says of each how its record ended: Rejected once confirmed, else Failed.
    async fn deliver(&self, letters: &[DeadLetter]) -> Vec<End> {
        // All are of one lane, so of one partition.
        if let Some(letter) = letters.first()
            && let Err(problem) = self.may_start(letter.record()).await
        {
            let end = |letter: &DeadLetter| {
                End::of(Outcome::Failed, letter.attempts(), Some(problem.clone()))
            };
            return letters.iter().map(end).collect();
        }
        let results = self.send(letters).await;
        let end = |(letter, result): (&DeadLetter, Result<(), Problem>)| {
            let (outcome, problem) = match result {
                Ok(()) => {
                    self.remember(letter.record(), Settled::Rejected);
                    let problem = Problem::new(letter.code(), letter.message());
                    (Outcome::Rejected, problem)
                }
                Err(problem) => (Outcome::Failed, problem),
            };
            End::of(outcome, letter.attempts(), Some(problem))
        };
        letters.iter().zip(results).map(end).collect()
    }

    /// One call of the destination; one result for each letter.
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), Problem>> {
        let unconfirmed = |code: &'static str, why: &str| {
            let why = why.to_owned();
            move |letter: &DeadLetter| {
                Problem::new(letter.code(), letter.message()).undelivered(code, &why)
            }
        };
        let all = |problem: &dyn Fn(&DeadLetter) -> Problem| {
            letters.iter().map(|letter| Err(problem(letter))).collect()
        };
        let Some(destination) = &self.processor.destination else {
            let why = "no destination is set for rejected records: `.on_failure(…)`, or LAMBDA_MSK_ON_FAILURE and `.from_env()`";
            return all(&unconfirmed(Problem::NO_DESTINATION, why));
        };
        let sending = Caught::new(|| Box::pin(destination.send(letters)));
        let sent = match self.invocation.deadline.settle_end() {
            Some(end) => timeout_at(end, sending).await.ok(),
            None => Some(sending.await),
        };
        let mut results = match sent {
            Some(Ok(results)) => results,
            Some(Err(_)) => {
                // Its text may quote a letter.
                let why = "the destination panicked: see standard error for the place in the code";
                return all(&unconfirmed(Problem::SEND_PANICKED, why));
            }
            None => {
                let why = "the destination had not confirmed it when time was up";
                return all(&unconfirmed(Problem::SEND_TIMED_OUT, why));
            }
        };
        discard(results.split_off(letters.len().min(results.len())));
        let missing = || Err(SendError::new("it answered with too few results"));
        let results = results.into_iter().chain(std::iter::repeat_with(missing));
        letters
            .iter()
            .zip(results)
            .map(|(letter, result)| {
                result.map_err(|SendError(error)| {
                    let why = format!("the destination did not confirm it: {}", told(error));
                    unconfirmed(Problem::UNCONFIRMED, &why)(letter)
                })
            })
            .collect()
    }
}

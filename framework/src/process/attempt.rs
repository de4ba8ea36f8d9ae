//! One try of a record: the handler's arguments are taken, and the handler runs until it ends or time is up. Called by `prepare` and `tries`, which decide what
//! comes next.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::batches::Collection;
use crate::chunk::Chunk;
use crate::delivery::Delivery;
use crate::extract::NotTaken;
use crate::failure::{Failure, Reason, Rejection};
use crate::handler::{Route, Try};
use crate::idempotency::Undone;
use crate::limits::HANDLER_POLL_MS_MAX;
use crate::process::batch::BatchRun;
use crate::process::polled::Polled;
use crate::record::Record;
use crate::report::LongPoll;

/// A try that may start. *Err: an extractor panicked, and it has failed without its handler.*
pub(super) type Taken = Result<Try, Reason>;

/// A try that has started: polled once at the least.
pub(super) struct Begun<'a> {
    run: Polled<'a, Try>,
    /// *None: it waits for something.*
    ended: Option<<Try as Future>::Output>,
}

impl<'a> Begun<'a> {
    pub(super) fn new(run: Polled<'a, Try>, ended: Option<<Try as Future>::Output>) -> Self {
        Self { run, ended }
    }
}

/// The first try of a record.
pub(super) enum First<'a> {
    Taken(Taken),
    Begun(Begun<'a>),
}

/// How one try ended.
pub(super) enum Tried {
    Done,
    Failed(Reason, Undone),
    /// Dropped at the deadline's margin.
    Dropped,
}

impl BatchRun<'_> {
    /// Takes the handler's arguments. *Err: the record cannot be read so, and its handler will not run.*
    pub(super) fn take(
        &self,
        record: &Record,
        route: &Route,
        delivery: &mut Delivery,
        attempt: u32,
    ) -> Result<Taken, Rejection> {
        delivery.set(record, attempt);
        let began = self.turns.seen_ns();
        let taken = route.extract(delivery);
        self.measure_poll("an extractor", record, self.turns.look() - began);
        match taken {
            Ok(run) => Ok(Ok(run)),
            Err(NotTaken::Rejected(rejection)) => Err(rejection),
            Err(panicked @ NotTaken::Panicked(_)) => Ok(Err(Failure::from(panicked).reason())),
        }
    }

    /// Takes the arguments of one more record of a chunk. As [`take`](Self::take).
    pub(super) fn collect(
        &self,
        record: &Record,
        route: &Route,
        delivery: &mut Delivery,
        attempt: u32,
        items: &mut Collection,
    ) -> Result<Result<(), Reason>, Rejection> {
        delivery.set(record, attempt);
        let began = self.turns.seen_ns();
        let taken = route.collect(delivery, items);
        self.measure_poll("an extractor", record, self.turns.look() - began);
        match taken {
            Ok(()) => Ok(Ok(())),
            Err(NotTaken::Rejected(rejection)) => Err(rejection),
            Err(panicked @ NotTaken::Panicked(_)) => Ok(Err(Failure::from(panicked).reason())),
        }
    }

    /// Runs a call of a batch handler, and drops it at `until`.
    pub(super) async fn try_chunk(
        &self,
        chunk: &Chunk,
        run: Try,
        attempt: u32,
        until: Option<Instant>,
    ) -> Tried {
        let record = chunk.first();
        let scope = self.scope_of(record, attempt, chunk.len());
        let mut run = Polled::new(run, &self.turns, scope);
        let ended = self.go_on(&mut run, until).await;
        #[cfg(feature = "otel")]
        if let Some(traces) = &self.traces {
            let (first_ns, last_ns) = run.times_ns();
            for record in chunk.records() {
                traces.ran(&record, first_ns, last_ns);
            }
        }
        self.count_run_of_others(chunk, run.took_ns());
        match ended {
            Some(_) => self.measure_run(record, &run),
            // How long a call hangs says nothing of the next one, which has less time.
            None => {
                self.count_run(record, &run);
                self.measure_poll("the handler", record, run.longest_poll_ns());
            }
        }
        tried(ended)
    }

    /// Starts the handler, and drops it at the deadline's margin. Whether it may begin was asked just before, and holds for now only.
    pub(super) async fn try_once(&self, record: &Record, run: Try, attempt: u32) -> Tried {
        let mut run = Polled::new(run, &self.turns, self.scope(record, attempt));
        let ended = poll_fn(|context| {
            Poll::Ready(match Pin::new(&mut run).poll(context) {
                Poll::Ready(ended) => Some(ended),
                Poll::Pending => None,
            })
        })
        .await;
        if ended.is_some() {
            self.measure_run(record, &run);
        }
        self.end(record, Begun { run, ended }).await
    }

    /// Runs on what has begun, and drops it at the deadline's margin.
    pub(super) async fn end(&self, record: &Record, begun: Begun<'_>) -> Tried {
        let Begun { mut run, ended } = begun;
        let ended = match ended {
            Some(ended) => Some(ended),
            None => {
                let ended = self
                    .go_on(&mut run, self.invocation.deadline.work_end())
                    .await;
                self.measure_run(record, &run);
                ended
            }
        };
        tried(ended)
    }

    /// A handler that has begun. *None: it was not done at `end`.*
    async fn go_on<F: Future + Unpin>(
        &self,
        run: &mut F,
        end: Option<Instant>,
    ) -> Option<F::Output> {
        let run = self.turns.in_turns(end, run);
        match end {
            Some(end) => timeout_at(end, run).await.ok(),
            None => Some(run.await),
        }
    }

    /// Each line of metrics has the call once: that of the first record has it as any run.
    fn count_run_of_others(&self, chunk: &Chunk, took_ns: u64) {
        if let Some(meter) = &self.invocation.meter {
            let partitions = chunk.records().map(|record| record.partition_index());
            meter.ran_too(chunk.first().partition_index(), partitions, took_ns);
        }
    }

    fn count_run<F>(&self, record: &Record, run: &Polled<'_, F>) {
        if let Some(meter) = &self.invocation.meter {
            meter.ran(record.partition_index(), run.took_ns());
        }
    }

    pub(super) fn measure_run<F>(&self, record: &Record, run: &Polled<'_, F>) {
        self.count_run(record, run);
        self.note_run(record, run);
    }

    /// As [`measure_run`](Self::measure_run), of a first try that waited for nothing: its start is counted with it.
    pub(super) fn measure_only_run<F>(&self, record: &Record, run: &Polled<'_, F>) {
        if let Some(meter) = &self.invocation.meter {
            meter.started_and_ran(
                record.partition_index(),
                record.timestamp_millis(),
                self.wall_ms(run.first_ns()),
                run.took_ns(),
            );
        }
        self.note_run(record, run);
    }

    fn note_run<F>(&self, record: &Record, run: &Polled<'_, F>) {
        if run.took_ns() > self.longest_run_ns.load(Ordering::Relaxed) {
            self.longest_run_ns.store(run.took_ns(), Ordering::Relaxed);
        }
        #[cfg(feature = "otel")]
        if let Some(traces) = &self.traces {
            let (first_ns, last_ns) = run.times_ns();
            traces.ran(record, first_ns, last_ns);
        }
        self.measure_poll("the handler", record, run.longest_poll_ns());
    }

    /// Notes what has held the thread for so long. The first time is told at once: what comes next may be a kill.
    fn measure_poll(&self, by: &'static str, record: &Record, took_ns: u64) {
        if took_ns >= HANDLER_POLL_MS_MAX * 1_000_000 {
            self.note_poll(by, record, Duration::from_nanos(took_ns));
        }
    }

    #[cold]
    fn note_poll(&self, by: &'static str, record: &Record, took: Duration) {
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
}

/// `ended`: *None: it was dropped.*
fn tried(ended: Option<<Try as Future>::Output>) -> Tried {
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

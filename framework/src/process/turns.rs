//! Turns by time: handlers that keep the processor busy leave it every few milliseconds to the opening of partitions, their progress, and renewals of leases and
//! claims. Used by lanes; `run` begins each turn.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::Stream;
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::limits::{TURN_MS, TURN_RECORDS};

const TURN_US: u64 = TURN_MS * 1000;

/// The turn of all lanes of an invocation together.
///
/// One task polls all lanes, so nothing here is ever waited for, and the queues are locked only while lanes are held back.
///
/// A read of the clock costs as much as a small handler. So it is read whenever code that is not the engine's has run (a handler, an extractor, a store, a
/// destination), and all that asks for the time in between takes that of the last [`look`](Self::look).
#[derive(Debug)]
pub(super) struct Turns {
    /// Times are from then.
    base: Instant,
    /// When the clock was read last, nanoseconds.
    seen_ns: AtomicU64,
    /// When the turn is over. Zero: no lane is polled now, and the turn stands still.
    ends_us: AtomicU64,
    /// What is left of a turn that stands still.
    left_us: AtomicU64,
    /// Records that were begun in this turn.
    records: AtomicU32,
    /// The turn was seen to be over: who comes now has had no share of it.
    is_seen_over: AtomicBool,
    /// Of the lane that is polled now: it came when the turn was over.
    came_late: AtomicBool,
    /// Of the lane that is polled now: its record was let go on within this very poll.
    is_fresh: AtomicBool,
    /// Lanes are held back.
    has_queue: AtomicBool,
    queues: Mutex<Queues>,
}

#[derive(Debug, Default)]
struct Queues {
    /// Of lanes whose turn it is, one after the other: each wakes the next, so that a turn costs no more where thousands wait.
    next: VecDeque<Waker>,
    /// Of lanes that the next turn begins with, as they came.
    late: Vec<Waker>,
    /// Of lanes that had their share of this turn.
    served: Vec<Waker>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            base: Instant::now(),
            seen_ns: AtomicU64::new(0),
            ends_us: AtomicU64::new(0),
            left_us: AtomicU64::new(TURN_US),
            records: AtomicU32::new(0),
            is_seen_over: AtomicBool::new(false),
            came_late: AtomicBool::new(false),
            is_fresh: AtomicBool::new(false),
            has_queue: AtomicBool::new(false),
            queues: Mutex::default(),
        }
    }
}

impl Turns {
    /// The next lane that has ended. The time that lanes take until none goes on counts.
    pub(super) async fn timed<S: Stream + Unpin>(&self, lanes: &mut S) -> Option<S::Item> {
        poll_fn(|context| {
            // A store's code may have run since, for a partition that is opened or kept.
            self.look();
            if self.ends_us.load(Relaxed) == 0 {
                let ends_us = self.seen_us() + self.left_us.load(Relaxed);
                self.ends_us.store(ends_us.max(1), Relaxed);
            }
            let polled = Pin::new(&mut *lanes).poll_next(context);
            if matches!(polled, Poll::Pending | Poll::Ready(None)) {
                let ends_us = self.ends_us.swap(0, Relaxed);
                let left_us = ends_us.saturating_sub(self.seen_us());
                self.left_us.store(left_us, Relaxed);
            }
            polled
        })
        .await
    }

    /// What runs lanes, one after the other; it wakes the next of its kind.
    pub(super) async fn one_of_all<F: Future>(&self, mut lanes: Pin<&mut F>) -> F::Output {
        poll_fn(|context| {
            self.begin_lane();
            let polled = lanes.as_mut().poll(context);
            // What it waits for may be a store's or a destination's code, which has run just now.
            self.look();
            if self.has_queue.load(Relaxed) && !self.is_over() {
                self.wake_next(&mut self.lock());
            }
            polled
        })
        .await
    }

    /// The lane that goes on from here has waited for nothing yet.
    pub(super) fn begin_lane(&self) {
        self.came_late
            .store(self.is_seen_over.load(Relaxed), Relaxed);
        self.is_fresh.store(false, Relaxed);
    }

    /// Reads the clock, after every piece of code that is not the engine's. Nanoseconds since the batch began.
    pub(super) fn look(&self) -> u64 {
        let ns = nanoseconds(self.base.elapsed());
        self.seen_ns.store(ns, Relaxed);
        ns
    }

    /// The time of the last [`look`](Self::look), as it gives it.
    pub(super) fn seen_ns(&self) -> u64 {
        self.seen_ns.load(Relaxed)
    }

    /// The time of the last [`look`](Self::look).
    pub(super) fn seen(&self) -> Instant {
        self.base + Duration::from_nanos(self.seen_ns())
    }

    /// As [`look`](Self::look) gives times.
    pub(super) fn ns_of(&self, instant: Instant) -> u64 {
        nanoseconds(instant.saturating_duration_since(self.base))
    }

    fn seen_us(&self) -> u64 {
        self.seen_ns() / 1_000
    }

    fn is_over(&self) -> bool {
        self.records.load(Relaxed) >= TURN_RECORDS || self.seen_us() >= self.ends_us.load(Relaxed)
    }

    /// Before a lane looks at its next record.
    pub(super) async fn record(&self) {
        self.wait().await;
        self.count_record();
    }

    /// As [`record`](Self::record), without a wait. False: the turn is over, and the lane has to wait for the next.
    pub(super) fn record_now(&self) -> bool {
        if self.is_over() {
            return false;
        }
        self.count_record();
        true
    }

    fn count_record(&self) {
        // One task polls all lanes: no other thread writes between the two.
        let records = self.records.load(Relaxed);
        self.records.store(records + 1, Relaxed);
        self.is_fresh.store(true, Relaxed);
    }

    /// Whether the lane's record was let go on within this very poll. Once: what follows may take long.
    pub(super) fn is_fresh(&self) -> bool {
        let is_fresh = self.is_fresh.load(Relaxed);
        self.is_fresh.store(false, Relaxed);
        is_fresh
    }

    /// Before a lane does something more. True: it has waited for the next turn.
    pub(super) async fn wait(&self) -> bool {
        let mut waited = false;
        poll_fn(|context| {
            if !self.is_over() {
                return Poll::Ready(());
            }
            waited = true;
            self.hold_back(context);
            Poll::Pending
        })
        .await;
        waited
    }

    /// A handler that has begun: it goes on in turns. At `end` it is not held back: one that has come to its end meanwhile is not dropped as still running.
    pub(super) async fn in_turns<F: Future + Unpin>(
        &self,
        end: Option<Instant>,
        handler: &mut F,
    ) -> F::Output {
        let is_last = || end.is_some_and(|end| end <= self.seen());
        poll_fn(|context| {
            if self.is_over() && !is_last() {
                self.hold_back(context);
                return Poll::Pending;
            }
            Pin::new(&mut *handler).poll(context)
        })
        .await
    }

    /// The turn is over, and the lane is woken by the next.
    fn hold_back(&self, context: &Context<'_>) {
        self.is_seen_over.store(true, Relaxed);
        self.has_queue.store(true, Relaxed);
        let waker = context.waker().clone();
        let mut queues = self.lock();
        match self.came_late.load(Relaxed) {
            true => queues.late.push(waker),
            false => queues.served.push(waker),
        }
    }

    /// Waits until a turn is over and others have had theirs, the runtime's drivers among them: an answer or a timer that nobody looks for is not there. To be
    /// polled after the lanes.
    pub(super) async fn rest(&self) {
        poll_fn(|_| match self.has_queue.load(Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        // tokio wakes who yields after it has polled its drivers.
        yield_now().await;
    }

    /// The next turn. Who had no share of the last one comes first.
    pub(super) fn begin(&self) {
        self.ends_us.store(0, Relaxed);
        self.left_us.store(TURN_US, Relaxed);
        self.records.store(0, Relaxed);
        self.is_seen_over.store(false, Relaxed);
        let queues = &mut *self.lock();
        // Who was not woken in the last turn is the first.
        queues.next.extend(queues.late.drain(..));
        queues.next.extend(queues.served.drain(..));
        self.wake_next(queues);
    }

    fn wake_next(&self, queues: &mut Queues) {
        if let Some(next) = queues.next.pop_front() {
            next.wake();
        }
        let nobody_waits = queues.late.is_empty() && queues.served.is_empty();
        let has_queue = !nobody_waits || !queues.next.is_empty();
        self.has_queue.store(has_queue, Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of a time that an invocation may take: 64 bits hold five hundred years.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(duration.subsec_nanos().into())
}

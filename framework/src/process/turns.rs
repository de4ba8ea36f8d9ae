//! Turns by time: handlers that keep the processor busy leave it every few milliseconds to the opening of partitions, their progress, and renewals of leases and
//! claims. Used by lanes; `partitions` begins each turn.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::idempotency::Claim;
use crate::limits::{TURN_MS, TURN_RECORDS};
use crate::process::Run;
use crate::record::Record;
use crate::report::Problem;

/// The turn of all lanes of an invocation together.
#[derive(Debug, Default)]
pub(super) struct Turns {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Time that lanes have taken in this turn, but for the one that is polled now.
    taken: Duration,
    /// Records that were begun in this turn.
    records: u32,
    /// *None: no lane is polled now.*
    polled_since: Option<Instant>,
    /// The turn was over before the lane that is polled now had its share.
    came_late: bool,
    /// Of lanes whose turn it is, one after the other: each wakes the next, so that a turn costs no more where thousands wait.
    queue: VecDeque<Waker>,
    /// Of lanes that the next turn begins with, as they came.
    late: Vec<Waker>,
    /// Of lanes that had their share of this turn.
    served: Vec<Waker>,
}

/// Why a record is not tried now.
pub(super) enum NotNow {
    /// Its partition or its claim is not held any more.
    Lost(Problem),
    /// Without order: another invocation has settled it meanwhile.
    Settled,
    NoTime,
}

impl Run<'_> {
    /// Whether anything more of the record's partition may start: a handler, or the sending of a letter.
    pub(super) async fn may_start(&self, record: &Record) -> Result<(), Problem> {
        let Some(ledger) = self.ledger(record) else {
            return Ok(());
        };
        ledger.recorded().await?;
        // Who has waited waits for a place too, and looks again after that.
        while ledger.held().now_or_never().transpose()?.is_none() {
            self.places.outside(ledger.held()).await?;
        }
        Ok(())
    }

    /// Waits until the record's lane has its turn, and says whether the record may be tried then.
    pub(super) async fn turn(
        &self,
        record: &Record,
        claim: Option<&Claim<'_>>,
    ) -> Result<(), NotNow> {
        loop {
            let held = match claim {
                Some(claim) => claim.may_start().await.map_err(Problem::from),
                None => self.may_start(record).await,
            };
            held.map_err(NotNow::Lost)?;
            // Whatever has waited looks again.
            if !self.turns.wait().await {
                break;
            }
        }
        let ledger = self.ledger(record);
        let settled = ledger.and_then(|ledger| ledger.settled_meanwhile(record));
        if settled.is_some_and(|settled| settled.skips(record)) {
            return Err(NotNow::Settled);
        }
        // Another lane's run may have shown meanwhile how long a run can take.
        match self.has_room_after(Duration::ZERO) {
            true => Ok(()),
            false => Err(NotNow::NoTime),
        }
    }
}

impl State {
    fn is_over(&self) -> bool {
        let now = self.polled_since.map(|since| since.elapsed());
        let taken = self.taken + now.unwrap_or_default();
        self.records >= TURN_RECORDS || taken >= Duration::from_millis(TURN_MS)
    }

    fn nobody_waits(&self) -> bool {
        self.queue.is_empty() && self.late.is_empty() && self.served.is_empty()
    }
}

impl Turns {
    /// A lane, whose time counts.
    pub(super) async fn timed<F: Future>(&self, mut lane: Pin<&mut F>) -> F::Output {
        poll_fn(|context| {
            {
                let mut state = self.lock();
                state.came_late = state.is_over();
                state.polled_since = Some(Instant::now());
            }
            let polled = lane.as_mut().poll(context);
            self.end_poll();
            polled
        })
        .await
    }

    fn end_poll(&self) {
        let next = {
            let mut state = self.lock();
            let since = state.polled_since.take();
            state.taken += since.map(|since| since.elapsed()).unwrap_or_default();
            match state.is_over() {
                true => None,
                false => state.queue.pop_front(),
            }
        };
        if let Some(next) = next {
            next.wake();
        }
    }

    /// Before a lane does something more. True: it has waited for the next turn.
    pub(super) async fn wait(&self) -> bool {
        let mut waited = false;
        poll_fn(|context| {
            let held = self.hold_back(context);
            waited |= held.is_pending();
            held
        })
        .await;
        self.lock().records += 1;
        waited
    }

    /// A handler that has begun: it goes on in turns. At `end` it is not held back: one that has come to its end meanwhile is not dropped as still running.
    pub(super) async fn in_turns<T>(
        &self,
        end: Option<Instant>,
        handler: impl Future<Output = T>,
    ) -> T {
        let is_last = || end.is_some_and(|end| end <= Instant::now());
        let mut handler = pin!(handler);
        let mut has_begun = false;
        poll_fn(|context| {
            // Whether it may begin was asked just before, and holds for now only.
            if has_begun && !is_last() && self.hold_back(context).is_pending() {
                return Poll::Pending;
            }
            has_begun = true;
            handler.as_mut().poll(context)
        })
        .await
    }

    /// Pending: the turn is over, and the lane is woken by the next.
    fn hold_back(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.is_over() {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        match state.came_late {
            true => state.late.push(waker),
            false => state.served.push(waker),
        }
        Poll::Pending
    }

    /// Waits until a turn is over and others have had theirs, the runtime's drivers among them: an answer or a timer that nobody looks for is not there. To be
    /// polled after the lanes.
    pub(super) async fn rest(&self) {
        poll_fn(|_| match self.lock().nobody_waits() {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
        // tokio wakes who yields after it has polled its drivers.
        yield_now().await;
    }

    /// The next turn. Who had no share of the last one comes first.
    pub(super) fn begin(&self) {
        let first = {
            let state = &mut *self.lock();
            state.taken = Duration::ZERO;
            state.records = 0;
            // Who was not woken in the last turn is the first.
            state.queue.extend(state.late.drain(..));
            state.queue.extend(state.served.drain(..));
            state.queue.pop_front()
        };
        if let Some(first) = first {
            first.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! A process with clocks of its own: a tokio runtime that moves only when the world lets it. Driven by `world`.
//!
//! Its steady clock is its runtime's: paused, it goes from timer to timer, up to where the world stands. A process that is not driven is frozen.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_msk::testing::Machine;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep_until};

use crate::fact::InvocationId;
use crate::limits::{START_MS, TOKENS_APART};
use crate::port::Port;

/// How far a drive came.
#[derive(Debug)]
pub(crate) enum Driven<T> {
    /// As far as it was let; nothing has ended.
    Waits,
    /// It asked something of the world at its own time: it went no further.
    Asks,
    /// An invocation has ended.
    Ended(InvocationId, T),
}

/// How a process spends the time in which it is not driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freeze {
    /// Its steady clock stands still, its wall clock is put right afterwards.
    Stopped,
    /// Both clocks go on.
    Running,
}

type Running<T> = Pin<Box<dyn Future<Output = T>>>;

/// A process.
pub(crate) struct Process<T> {
    runtime: Runtime,
    machine: Machine,
    time: OwnTime,
    port: Port,
    /// Side by side, in the order in which they began.
    running: Vec<(InvocationId, Running<T>)>,
    /// Up to where it was driven, by the world's clock.
    at_ms: u64,
    flag: Arc<Flag>,
    waker: Waker,
}

/// From a process's steady clock to the world's.
#[derive(Clone, Debug)]
pub(crate) struct OwnTime {
    epoch: Instant,
    /// How far the world's clock is ahead.
    behind_ms: Arc<AtomicU64>,
}

impl OwnTime {
    /// The world's time, asked inside the process.
    pub(crate) fn world_ms(&self) -> u64 {
        let own = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.behind_ms.load(Ordering::Relaxed) + own
    }

    fn instant(&self, world_ms: u64) -> Instant {
        let own = world_ms.saturating_sub(self.behind_ms.load(Ordering::Relaxed));
        self.epoch + Duration::from_millis(own)
    }
}

impl<T> Process<T> {
    /// A process that starts now. Its wall clock is ahead so far.
    pub(crate) fn start(now_ms: u64, number: u32, ahead_ms: i64) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        let wall_ms = START_MS + now_ms.cast_signed() + ahead_ms;
        let wall = Timestamp::from_millisecond(wall_ms).unwrap_or_default();
        let (epoch, machine) = runtime.block_on(async {
            let tokens = u64::from(number + 1) * TOKENS_APART;
            (Instant::now(), Machine::new(wall, tokens))
        });
        let flag = Arc::new(Flag::default());
        Ok(Self {
            runtime,
            machine,
            time: OwnTime {
                epoch,
                behind_ms: Arc::new(AtomicU64::new(now_ms)),
            },
            port: Port::default(),
            running: Vec::new(),
            at_ms: now_ms,
            waker: Waker::from(Arc::clone(&flag)),
            flag,
        })
    }

    pub(crate) fn port(&self) -> &Port {
        &self.port
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    pub(crate) fn time(&self) -> &OwnTime {
        &self.time
    }

    pub(crate) fn at_ms(&self) -> u64 {
        self.at_ms
    }

    /// What its steady clock reads.
    pub(crate) fn own_ms(&self) -> u64 {
        self.at_ms - self.time.behind_ms.load(Ordering::Relaxed)
    }

    /// What its wall clock reads, milliseconds since 1970.
    pub(crate) fn wall_ms(&self) -> u64 {
        let inside = self.runtime.enter();
        let wall_ms = self.machine.now().as_millisecond();
        drop(inside);
        wall_ms.unsigned_abs()
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    pub(crate) fn run(
        &mut self,
        invocation: InvocationId,
        running: impl Future<Output = T> + 'static,
    ) {
        self.running.push((invocation, Box::pin(running)));
    }

    /// Time has passed in which it was not driven.
    pub(crate) fn pass(&mut self, now_ms: u64, freeze: Freeze) {
        let gap_ms = now_ms.saturating_sub(self.at_ms);
        if gap_ms == 0 {
            return;
        }
        match freeze {
            Freeze::Stopped => {
                self.time.behind_ms.fetch_add(gap_ms, Ordering::Relaxed);
                let gap = SignedDuration::from_millis(gap_ms.cast_signed());
                self.machine.jump(gap);
            }
            Freeze::Running => {
                let gap = Duration::from_millis(gap_ms);
                self.runtime.block_on(advance(gap));
            }
        }
        self.at_ms = now_ms;
    }

    /// Lets it go on up to that time of the world, or to its first question.
    pub(crate) fn drive(&mut self, until_ms: u64) -> Driven<T> {
        if self.running.is_empty() {
            self.pass(until_ms, Freeze::Stopped);
            return Driven::Waits;
        }
        let running = &mut self.running;
        let limit = self.time.instant(until_ms);
        let (flag, waker, port) = (&*self.flag, &self.waker, &self.port);
        let driven = self.runtime.block_on(async {
            let driven = drive(running, flag, waker, port, limit).await;
            (driven, self.time.world_ms())
        });
        self.at_ms = driven.1;
        driven.0
    }

    /// Its wires are cut, then it is dropped: nothing that a `Drop` does gets out.
    pub(crate) fn kill(&mut self) {
        self.port.cut();
        let _inside = self.runtime.enter();
        self.running.clear();
    }
}

/// Lets the clocks of the process that calls this go on while nothing else of it does, as a handler does that computes, or blocks its thread.
pub(crate) fn hold_processor(for_ms: u64) {
    let mut passing = pin!(advance(Duration::from_millis(for_ms)));
    // The first poll sets the clock forward. What is left of the future only yields.
    let _ = passing
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
}

/// Polls what runs until nothing of it can go on at its present time, and that is the limit or the time of a question. A handler that holds the processor may carry it past both.
async fn drive<T>(
    running: &mut Vec<(InvocationId, Running<T>)>,
    flag: &Flag,
    waker: &Waker,
    port: &Port,
    limit: Instant,
) -> Driven<T> {
    let mut end = pin!(sleep_until(limit));
    loop {
        let before = Instant::now();
        let polled = poll_fn(|cx| {
            flag.begin(cx.waker());
            Poll::Ready(poll_all(running, &mut Context::from_waker(waker)))
        });
        if let Some((invocation, ended)) = polled.await {
            return Driven::Ended(invocation, ended);
        }
        let asks = port.has_asked();
        let now = Instant::now();
        let is_over = asks || now >= limit;
        if is_over || now > before {
            // Timers have their turn after each poll, as they have where a runtime drives what runs.
            yield_now().await;
        }
        if is_over {
            // What has only yielded goes on at the same time.
            let goes_on = flag.is_set() && now == before;
            match asks {
                _ if goes_on => continue,
                true => return Driven::Asks,
                false => return Driven::Waits,
            }
        }
        poll_fn(|cx| match flag.is_set() {
            true => Poll::Ready(()),
            false => end.as_mut().poll(cx),
        })
        .await;
    }
}

/// The first that ends, if one does.
fn poll_all<T>(
    running: &mut Vec<(InvocationId, Running<T>)>,
    cx: &mut Context<'_>,
) -> Option<(InvocationId, T)> {
    for at in 0..running.len() {
        let (invocation, one) = &mut running[at];
        if let Poll::Ready(ended) = one.as_mut().poll(cx) {
            let invocation = *invocation;
            drop(running.remove(at));
            return Some((invocation, ended));
        }
    }
    None
}

/// Whether what runs was woken, and whom to tell.
#[derive(Debug, Default)]
struct Flag {
    set: AtomicBool,
    parent: Mutex<Option<Waker>>,
}

impl Flag {
    fn begin(&self, parent: &Waker) {
        self.set.store(false, Ordering::Relaxed);
        let mut known = self.parent.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(waker) if waker.will_wake(parent) => {}
            _ => *known = Some(parent.clone()),
        }
    }

    fn is_set(&self) -> bool {
        self.set.load(Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.set.store(true, Ordering::Relaxed);
        let parent = self.parent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parent) = &*parent {
            parent.wake_by_ref();
        }
    }
}

impl<T> fmt::Debug for Process<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("at_ms", &self.at_ms)
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}

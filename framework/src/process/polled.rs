//! How long a handler runs, and how long it holds the thread in one go. Used by `attempt` for each try.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::process::scope::Scope;
use crate::process::turns::Turns;

/// A future whose polls are measured. Each begins at the time that the clock was looked at last: nothing but the engine's own code has run since.
#[derive(Debug)]
pub(super) struct Polled<'a, F> {
    run: F,
    scope: Scope<'a>,
    turns: &'a Turns,
    first_ns: u64,
    last_ns: u64,
    longest_ns: u64,
}

impl<'a, F> Polled<'a, F> {
    /// It is polled at once.
    pub(super) fn new(run: F, turns: &'a Turns, scope: Scope<'a>) -> Self {
        let now = turns.seen_ns();
        Self {
            run,
            scope,
            turns,
            first_ns: now,
            last_ns: now,
            longest_ns: 0,
        }
    }

    /// From the begin of its first poll to the end of its last, nanoseconds.
    pub(super) fn took_ns(&self) -> u64 {
        self.last_ns - self.first_ns
    }

    /// When its first poll began.
    pub(super) fn first_ns(&self) -> u64 {
        self.first_ns
    }

    /// When its first poll began, and its last ended.
    #[cfg(feature = "otel")]
    pub(super) fn times_ns(&self) -> (u64, u64) {
        (self.first_ns, self.last_ns)
    }

    /// Nanoseconds.
    pub(super) fn longest_poll_ns(&self) -> u64 {
        self.longest_ns
    }
}

impl<F: Future + Unpin> Future for Polled<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = self.turns.seen_ns();
        let Self { run, scope, .. } = &mut *self;
        let polled = scope.around(|| Pin::new(run).poll(context));
        self.last_ns = self.turns.look();
        self.longest_ns = self.longest_ns.max(self.last_ns - began);
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::Pin;
    use std::time::Duration;

    use tokio::time::{advance, sleep};

    use super::Polled;
    use crate::process::scope::Scope;
    use crate::process::turns::Turns;

    #[tokio::test(start_paused = true)]
    async fn waiting_is_no_part_of_a_poll_but_of_the_run() {
        let work = async {
            sleep(Duration::from_secs(5)).await;
            // The clock moves within this poll, as it does where a handler blocks.
            advance(Duration::from_secs(2)).await;
            sleep(Duration::from_secs(1)).await;
        };
        let turns = Turns::default();
        let mut run = Polled::new(Box::pin(work), &turns, Scope::none());

        // As `timed` does before it polls lanes.
        poll_fn(|context| {
            turns.look();
            Pin::new(&mut run).poll(context)
        })
        .await;

        assert_eq!(run.longest_poll_ns(), 2_000_000_000);
        // The clock of a sleep has whole milliseconds.
        let over = Duration::from_nanos(run.took_ns()) - Duration::from_secs(8);
        assert!(over <= Duration::from_millis(2), "{over:?}");
    }
}

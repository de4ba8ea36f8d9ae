//! How long a handler runs, and how long it holds the thread in one go. Used by `attempt` for each try.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::process::turns::Turns;

/// A future whose polls are measured. Each begins at the time that the clock was looked at last: nothing but the engine's own code has run since.
#[derive(Debug)]
pub(super) struct Polled<'a, F> {
    run: F,
    turns: &'a Turns,
    first: Instant,
    last: Instant,
    longest_poll: Duration,
}

impl<'a, F> Polled<'a, F> {
    /// It is polled at once.
    pub(super) fn new(run: F, turns: &'a Turns) -> Self {
        let now = turns.seen();
        Self {
            run,
            turns,
            first: now,
            last: now,
            longest_poll: Duration::ZERO,
        }
    }

    /// From the begin of its first poll to the end of its last.
    pub(super) fn took(&self) -> Duration {
        self.last - self.first
    }

    pub(super) fn longest_poll(&self) -> Duration {
        self.longest_poll
    }
}

impl<F: Future + Unpin> Future for Polled<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = self.turns.seen();
        let polled = Pin::new(&mut self.run).poll(context);
        self.last = self.turns.look();
        self.longest_poll = self.longest_poll.max(self.last - began);
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
        let mut run = Polled::new(Box::pin(work), &turns);

        // As `timed` does before it polls lanes.
        poll_fn(|context| {
            turns.look();
            Pin::new(&mut run).poll(context)
        })
        .await;

        assert_eq!(run.longest_poll(), Duration::from_secs(2));
        // The clock of a sleep has whole milliseconds.
        let over = run.took() - Duration::from_secs(8);
        assert!(over <= Duration::from_millis(2), "{over:?}");
    }
}

//! How long a handler runs, and how long it holds the thread in one go. Used by `attempt` for each try.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

/// A future whose polls are measured.
#[derive(Debug)]
pub(super) struct Polled<F> {
    run: F,
    /// When its first poll began, and its last one ended. *None: it was not polled.*
    polled: Option<(Instant, Instant)>,
    longest_poll: Duration,
}

impl<F> Polled<F> {
    pub(super) fn new(run: F) -> Self {
        Self {
            run,
            polled: None,
            longest_poll: Duration::ZERO,
        }
    }

    /// From the begin of its first poll to the end of its last.
    pub(super) fn took(&self) -> Duration {
        self.polled
            .map_or(Duration::ZERO, |(first, last)| last - first)
    }

    pub(super) fn longest_poll(&self) -> Duration {
        self.longest_poll
    }
}

impl<F: Future + Unpin> Future for Polled<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = Instant::now();
        let polled = Pin::new(&mut self.run).poll(context);
        let ended = Instant::now();
        let first = self.polled.map_or(began, |(first, _)| first);
        self.polled = Some((first, ended));
        self.longest_poll = self.longest_poll.max(ended - began);
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, sleep};

    use super::Polled;

    #[tokio::test(start_paused = true)]
    async fn waiting_is_no_part_of_a_poll_but_of_the_run() {
        let work = async {
            sleep(Duration::from_secs(5)).await;
            // The clock moves within this poll, as it does where a handler blocks.
            advance(Duration::from_secs(2)).await;
            sleep(Duration::from_secs(1)).await;
        };
        let mut run = Polled::new(Box::pin(work));

        (&mut run).await;

        assert_eq!(run.longest_poll(), Duration::from_secs(2));
        // The clock of a sleep has whole milliseconds.
        let over = run.took() - Duration::from_secs(8);
        assert!(over <= Duration::from_millis(2), "{over:?}");
    }
}

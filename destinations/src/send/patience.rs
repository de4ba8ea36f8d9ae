//! Time limits of a send.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// The time limits of a send.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The longest time without a success.
    pub without_success: Duration,
    /// The time at which the send ends. *None: there is no such limit.*
    pub end: Option<Instant>,
}

/// A send on its way, of one thing or of many at once: the longest time without a success counts from its begin, and anew from each success of any of them. So a service that is slow but takes
/// things gets them all, and one that takes nothing is left after that time, however many things there are.
#[derive(Debug)]
pub struct Progress {
    patience: Patience,
    last_success: Mutex<Instant>,
}

impl Progress {
    /// Begins a send.
    pub fn begin(patience: Patience) -> Self {
        Self {
            patience,
            last_success: Mutex::new(Instant::now()),
        }
    }

    /// The time at which the send ends if nothing succeeds from now on.
    pub fn until(&self) -> Instant {
        let last = self.last_success.lock();
        let longest = *last.unwrap_or_else(PoisonError::into_inner) + self.patience.without_success;
        self.patience.end.map_or(longest, |end| end.min(longest))
    }

    /// The time is up.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.until()
    }

    /// Something succeeded: the longest time without a success begins anew.
    pub fn went_on(&self) {
        let last = self.last_success.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// What comes of a future before the time is up, which others may lengthen meanwhile. *None: it was up before.*
    #[cfg_attr(
        not(any(feature = "sqs", feature = "sns", feature = "s3", feature = "krafka")),
        allow(dead_code, reason = "it is of no use without a service")
    )]
    pub(super) async fn in_time<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        loop {
            let until = self.until();
            match timeout_at(until, &mut future).await {
                Ok(output) => return Some(output),
                Err(_) if self.until() > until => {}
                Err(_) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::{Patience, Progress};

    const LONGEST: Duration = Duration::from_secs(30);

    fn begin(end: Option<Duration>) -> Progress {
        Progress::begin(Patience {
            without_success: LONGEST,
            end: end.map(|end| Instant::now() + end),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_of_another_lengthens_the_time_of_what_is_on_its_way() {
        let progress = begin(None);
        let start = Instant::now();
        let another = async {
            sleep(Duration::from_secs(20)).await;
            progress.went_on();
        };

        let (answer, ()) = tokio::join!(progress.in_time(std::future::pending::<()>()), another);

        assert_eq!(answer, None);
        assert_eq!(start.elapsed().as_secs(), 50);
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_does_not_move_the_end() {
        let progress = begin(Some(Duration::from_secs(10)));
        sleep(Duration::from_secs(9)).await;
        progress.went_on();

        assert!(!progress.is_over());
        assert_eq!(progress.in_time(sleep(LONGEST)).await, None);
        assert!(progress.is_over());
    }
}

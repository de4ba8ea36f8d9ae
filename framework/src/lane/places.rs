//! The places of lanes: a place is for a record that runs, not for one that waits. Taken by `process`, left for a while by whoever waits.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use tokio::sync::Semaphore;
use tokio::time::timeout_at;

use crate::deadline::Deadline;

/// How many lanes run side by side in one invocation. A lane has a place while it prepares a record, claims it, runs its handler or sends its letter.
#[derive(Debug)]
pub(crate) struct Places {
    free: Semaphore,
    /// Of those who wait for a place to go on.
    waiting: AtomicUsize,
    deadline: Deadline,
}

impl Places {
    pub(crate) fn new(count: usize, deadline: Deadline) -> Self {
        let free = Semaphore::new(count);
        Self {
            free,
            waiting: AtomicUsize::new(0),
            deadline,
        }
    }

    /// Whether a lane that has begun waits for a place: a free one is its.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Takes a place as soon as one is free, first come, first served. At the deadline's margin it goes on without: nothing is started then.
    pub(crate) async fn take(&self) {
        let place = self.free.acquire();
        let place = match self.deadline.work_end() {
            Some(end) => timeout_at(end, place).await.ok(),
            None => Some(place.await),
        };
        // The semaphore is never closed.
        if let Some(Ok(place)) = place {
            place.forget();
        }
    }

    /// False: none is free, or others wait for it.
    pub(crate) fn take_now(&self) -> bool {
        let place = self.free.try_acquire();
        place.map(tokio::sync::SemaphorePermit::forget).is_ok()
    }

    /// Gives a place back that was taken.
    pub(crate) fn leave(&self) {
        self.free.add_permits(1);
    }

    /// Waits without the place, and then for a place again. What is there at once is not waited for.
    pub(crate) async fn outside<T>(&self, wait: impl Future<Output = T>) -> T {
        let mut wait = pin!(wait);
        let at_once = poll_fn(|context| match wait.as_mut().poll(context) {
            Poll::Ready(over) => Poll::Ready(Some(over)),
            Poll::Pending => Poll::Ready(None),
        });
        if let Some(over) = at_once.await {
            return over;
        }
        self.leave();
        let over = wait.await;
        let waits = Waits::of(&self.waiting);
        self.take().await;
        drop(waits);
        over
    }
}

/// Counted as long as it is kept: also one whose lane is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;
    use tokio::join;
    use tokio::time::{Instant, sleep};

    use super::Places;
    use crate::deadline::Deadline;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn who_waits_leaves_its_place_to_others_and_takes_one_after_it() {
        let places = Places::new(1, Deadline::UNKNOWN);
        places.take().await;
        let start = Instant::now();

        let waiting = async {
            places.outside(sleep(SECOND)).await;
            start.elapsed()
        };
        let other = async {
            places.take().await;
            let began = start.elapsed();
            sleep(3 * SECOND).await;
            places.leave();
            began
        };
        let (came_back, began) = join!(waiting, other);

        assert_eq!((began, came_back), (Duration::ZERO, 3 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_there_at_once_costs_no_place() {
        let places = Places::new(1, Deadline::UNKNOWN);
        places.take().await;

        let over = places.outside(async { 7 }).now_or_never();

        assert_eq!(over, Some(7));
        assert!(!places.take_now());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_waited_for_a_place_longest_has_it_first() {
        let places = Places::new(1, Deadline::UNKNOWN);
        places.take().await;
        let waits = || async {
            places.take().await;
            Instant::now()
        };
        let leaves = async {
            sleep(SECOND).await;
            places.leave();
            assert!(!places.take_now(), "it is the first one's");
            sleep(SECOND).await;
            places.leave();
        };

        let (first, second, ()) = join!(waits(), waits(), leaves);

        assert_eq!(second - first, SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_margin_nobody_waits_for_a_place_any_more() {
        let start = Instant::now();
        let places = Places::new(1, Deadline::after(10 * SECOND, SECOND));
        places.take().await;

        places.take().await;

        assert_eq!(start.elapsed(), 9 * SECOND);
    }
}

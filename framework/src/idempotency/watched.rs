//! A value that lanes wait for. Used by `ledger` and `claims`.
//!
//! tokio's `watch` wakes those who wait in an order of chance. Here they go on in the order in which they began to wait: fair to lanes, and the same each time,
//! so that a run of a simulation can be repeated.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct Watched<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T> Watched<T> {
    pub(super) fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes it, and wakes all who wait.
    pub(super) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.value.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_waiters();
    }

    /// Changes it in a way that nobody waits for.
    pub(super) fn set<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until this says something of it.
    pub(super) async fn wait_for<R>(&self, decide: impl Fn(&T) -> Option<R>) -> R {
        // Each record asks, and hardly one has to wait.
        if let Some(decided) = self.read(&decide) {
            return decided;
        }
        loop {
            let mut changed = pin!(self.changed.notified());
            // Before it looks: a change in between is not missed.
            changed.as_mut().enable();
            if let Some(decided) = self.read(&decide) {
                return decided;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{FuturesUnordered, StreamExt};
    use tokio::join;

    use super::Watched;

    #[tokio::test]
    async fn who_waits_longest_goes_on_first() {
        for _ in 0..20 {
            let watched = Watched::<u32>::default();
            let waits = |name: u32| {
                let watched = &watched;
                async move {
                    (
                        name,
                        watched
                            .wait_for(|value| (*value > 0).then_some(*value))
                            .await,
                    )
                }
            };
            let waiting: FuturesUnordered<_> = [1, 2, 3].map(waits).into_iter().collect();

            let (went, ()) = join!(waiting.collect::<Vec<_>>(), async {
                watched.change(|value| *value = 7);
            });

            assert_eq!(went, [(1, 7), (2, 7), (3, 7)]);
        }
    }

    #[tokio::test]
    async fn what_stands_already_is_not_waited_for() {
        let watched = Watched::<u32>::default();
        watched.change(|value| *value = 7);

        assert_eq!(watched.wait_for(|value| Some(*value)).await, 7);
    }
}

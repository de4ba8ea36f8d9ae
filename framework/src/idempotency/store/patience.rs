//! Asking a store again: waits that grow, calls that end, and when to stop. Used by `ledger`, `claims`, `terms` and `inspect`.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::idempotency::store::StoreError;
use crate::limits::{STORE_LAST_CALL_MS, STORE_RETRY_BASE_MS, STORE_RETRY_MAX_MS};

/// Waits that grow, until a time.
#[derive(Debug)]
pub(crate) struct Patience {
    /// *None: no limit.*
    until: Option<Instant>,
    wait: Duration,
}

impl Patience {
    pub(crate) fn until(until: Option<Instant>) -> Self {
        Self {
            until,
            wait: Duration::from_millis(STORE_RETRY_BASE_MS),
        }
    }

    /// Waits, longer each time, and not longer than that, the last time to the end. False: the time is over; it was not waited.
    pub(crate) async fn wait(&mut self, at_most: Duration) -> bool {
        let longest = self.wait.min(at_most);
        // Half of it by chance, so that those who wait for one thing do not ask at once.
        let wait = longest / 2 + longest.mul_f64(fastrand::f64() / 2.0);
        self.wait = (self.wait * 2).min(Duration::from_millis(STORE_RETRY_MAX_MS));
        let Some(until) = self.until else {
            sleep(wait).await;
            return true;
        };
        // To the end, but for what a last call takes: giving up sooner would cost one of the mapping's attempts.
        let last = until - Duration::from_millis(STORE_LAST_CALL_MS);
        let left = last.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        sleep(wait.min(left)).await;
        true
    }
}

/// A store's answer, or that there was none in time.
pub(crate) async fn answer<T>(
    call: impl Future<Output = Result<T, StoreError>>,
    until: Instant,
) -> Result<T, StoreError> {
    let late = |_| Err(StoreError::transient("it did not respond in time"));
    timeout_at(until, call).await.unwrap_or_else(late)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Patience;
    use crate::limits::{STORE_LAST_CALL_MS, STORE_RETRY_BASE_MS, STORE_RETRY_MAX_MS};

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_a_bound_and_are_at_least_half_of_it() {
        let mut patience = Patience::until(None);

        for power in 0..8 {
            let bound = (STORE_RETRY_BASE_MS << power).min(STORE_RETRY_MAX_MS);
            let before = Instant::now();
            assert!(patience.wait(Duration::MAX).await);
            let waited = before.elapsed();
            // The clock has whole milliseconds.
            assert!(waited <= Duration::from_millis(bound + 1), "{waited:?}");
            assert!(waited >= Duration::from_millis(bound / 2), "{waited:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_until_time_is_left_for_one_more_call() {
        let start = Instant::now();
        let end = start + Duration::from_secs(5);
        let mut patience = Patience::until(Some(end));

        let mut waits = 0;
        while patience.wait(Duration::MAX).await {
            waits += 1;
        }

        assert_eq!(
            end - Instant::now(),
            Duration::from_millis(STORE_LAST_CALL_MS)
        );
        assert!((4..20).contains(&waits), "{waits}");
    }
}

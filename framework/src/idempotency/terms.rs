//! What is the same for everything that asks the store in one invocation: where, until when, and how long to be patient. Made by `process`, read by `ledger` and `claims`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::caught::Caught;
use crate::clock::Clock;
use crate::deadline::Deadline;
use crate::failure::error_text;
use crate::idempotency::lease::{LeaseTimes, now_ms};
use crate::idempotency::lines::Lines;
use crate::idempotency::store::box_store::BoxStore;
use crate::idempotency::store::patience::{Patience, answer};
use crate::idempotency::store::requests::Purpose;
use crate::idempotency::store::{IdempotencyStore, StoreError};
use crate::idempotency::words::{Refusal, WhenStoreFails};
use crate::lane::Places;
use crate::limits::{LEDGER_AGE_BEYOND_MS, STORE_PATIENCE_MS, STORE_WAIT_MS_MAX};
use crate::meter::Metered;

/// The text of the panic is left out: it may quote what the store was writing.
const PANICKED: &str = "the store's code panicked: see standard error for the place in the code";

/// What is the same for all ledgers and claims of an invocation.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) store: BoxStore,
    pub(crate) clock: Clock,
    pub(crate) deadline: Deadline,
    /// Of the invocation's lanes. Who waits for another one's claim leaves its own.
    pub(crate) places: Arc<Places>,
    pub(crate) times: LeaseTimes,
    /// False: there is no order to keep, nobody waits, and what all have settled is merged.
    pub(crate) leased: bool,
    /// Time between two writes while the batch runs. Zero: a lane's next record waits until the one before is recorded.
    pub(crate) progress: Duration,
    pub(crate) age: Duration,
    pub(crate) when_store_fails: WhenStoreFails,
    /// Whether records that are not done are reported one by one: else no mapping can overlook them.
    pub(crate) reports_partially: bool,
    pub(crate) meter: Metered,
    pub(crate) lines: Lines,
}

impl Terms {
    /// The age, or longer: what an invocation settles is still known when its batch is delivered again after it.
    pub(crate) fn outlasting(age: Duration, deadline: Deadline) -> Duration {
        let beyond = Duration::from_millis(LEDGER_AGE_BEYOND_MS);
        let given = deadline.time_left();
        given.map_or(age, |given| age.max(given + beyond))
    }

    /// A call that is given up before it costs the lease. It waits until the process makes few enough others. The store's own code may panic: that is an
    /// error that may pass. `partition` is that of the records which need it.
    pub(super) async fn call<T>(
        &self,
        purpose: Purpose,
        partition: usize,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answered = self.call_once(purpose, call).await;
        if let (Err(_), Some(meter)) = (&answered, &self.meter) {
            meter.store_failed(partition);
        }
        answered
    }

    async fn call_once<T>(
        &self,
        purpose: Purpose,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let end = self.deadline.settle_end();
        let latest = Instant::now() + Duration::from_millis(STORE_WAIT_MS_MAX);
        let one = self.store.requests().one(purpose);
        let Ok(_one) = timeout_at(end.unwrap_or(latest), one).await else {
            let why =
                "the process had its maximum of concurrent requests in flight until time was up";
            return Err(StoreError::transient(why));
        };
        let longest = Instant::now() + self.times.renewed_each;
        let call = Caught::new(|| Box::pin(call));
        let panicked = |_| Err(StoreError::transient(PANICKED));
        let call = async { call.await.unwrap_or_else(panicked) };
        let answer = answer(call, end.map_or(longest, |end| end.min(longest))).await;
        answer.map_err(StoreError::kept)
    }

    /// Waits while another invocation holds what the partition's records need. False: the time is over; it was not waited.
    pub(super) async fn wait_for_lease(
        &self,
        partition: usize,
        held: &mut Patience,
        left_ms: u64,
    ) -> bool {
        let began = Instant::now();
        let waited = held.wait(Duration::from_millis(left_ms)).await;
        if let Some(meter) = &self.meter {
            meter.waited(partition, began.elapsed());
        }
        waited
    }

    /// Until when a store that fails is asked again, if `end` is the latest.
    pub(super) fn patient_until(&self, end: Option<Instant>) -> Instant {
        let now = Instant::now();
        match self.when_store_fails {
            WhenStoreFails::Fail => end.unwrap_or(now + Duration::from_millis(STORE_WAIT_MS_MAX)),
            WhenStoreFails::Process => {
                let until = now + Duration::from_millis(STORE_PATIENCE_MS);
                end.map_or(until, |end| {
                    until.min(now + end.saturating_duration_since(now) / 4)
                })
            }
        }
    }

    pub(super) fn expires_s(&self) -> u64 {
        now_ms(&self.clock) / 1000 + self.age.as_secs()
    }

    /// The store failed. `what` is what was asked for: `the partition's ledger`.
    pub(super) fn unavailable(&self, what: &str, error: &StoreError) -> Refusal {
        let store = self.store.describe();
        let why = error_text(error);
        Refusal::new(
            Refusal::UNAVAILABLE,
            format!("cannot read {what} from {store}: {why}"),
        )
    }
}

//! Processes that share a store, and what can go wrong with either.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::idempotency::{
    Change, Expect, IdempotencyStore, Item, MemoryStore, StoreError, Swap, Swapped,
};
use lambda_msk::testing::Event;
use lambda_msk::{Consumer, Failure, FailureReporting, Json, Record, State};
use tokio::time::{sleep, timeout};

use crate::support::{Journal, orders};

/// What a call of the store meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meets {
    Nothing,
    /// It fails, and nothing is written.
    Failure,
    /// It is applied, and the answer is lost.
    LostAnswer,
    /// It takes so long.
    Delay(Duration),
    /// It is applied at once, and the answer takes so long.
    LateAnswer(Duration),
    /// It fails for good.
    Refusal,
}

type Rule = dyn FnMut(&str, Option<&Swap>) -> Meets + Send;

/// A table that outlives processes. Every call is noted: `take orders-0`, `write`, `give back`, `read`.
#[derive(Clone, Default)]
pub(crate) struct Shared {
    table: MemoryStore,
    calls: Arc<Mutex<Vec<String>>>,
    ids: Arc<Mutex<BTreeSet<String>>>,
    rule: Arc<Mutex<Option<Box<Rule>>>>,
}

impl Shared {
    /// From now on each call meets what this says.
    pub(crate) fn meets(&self, rule: impl FnMut(&str, Option<&Swap>) -> Meets + Send + 'static) {
        *self.rule.lock().unwrap() = Some(Box::new(rule));
    }

    /// The next calls meet these, one after the other.
    pub(crate) fn next_meet<const N: usize>(&self, meets: [Meets; N]) {
        let mut meets = VecDeque::from(meets);
        self.meets(move |_, _| meets.pop_front().unwrap_or(Meets::Nothing));
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// Every item that was ever written, as it stands.
    pub(crate) async fn items(&self) -> Vec<(String, Option<Item>)> {
        let ids = self.ids.lock().unwrap().clone();
        let mut items = Vec::new();
        for id in ids {
            let item = self.table.read(&id).await.unwrap();
            items.push((id, item));
        }
        items
    }

    /// Applies a write past all rules, as the network does that held it back.
    pub(crate) async fn apply(&self, swap: &Swap) {
        self.table.swap(swap).await.unwrap();
    }

    /// Deletes every item, as a table's TTL does, or somebody's hand.
    pub(crate) async fn lose(&self) {
        for (id, _) in self.items().await {
            let free = Expect::Free { at_ms: u64::MAX };
            self.apply(&Swap::new(id.into(), free, Change::Delete))
                .await;
        }
    }

    /// Puts bytes into every item that no version of the framework has written.
    pub(crate) async fn spoil(&self) {
        for (id, item) in self.items().await {
            let mut item = item.unwrap();
            item.data = vec![250, 1, 2].into();
            let free = Expect::Free { at_ms: u64::MAX };
            let swap = Swap::new(id.into(), free, Change::Put(item));
            self.apply(&swap).await;
        }
    }

    async fn meet<T>(
        &self,
        id: &str,
        swap: Option<&Swap>,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let kind = match swap.map(|swap| &swap.change) {
            None => "read",
            Some(Change::Hold { .. }) => "take",
            Some(Change::Put(item)) if item.held_until_ms == 0 => "give back",
            Some(Change::Put(_)) => "write",
            Some(_) => "delete",
        };
        let partition = id.rsplit('/').next().unwrap();
        let line = format!("{kind} {partition}");
        self.calls.lock().unwrap().push(line);
        self.ids.lock().unwrap().insert(id.to_owned());
        let rule = self
            .rule
            .lock()
            .unwrap()
            .as_mut()
            .map(|rule| rule(id, swap));
        match rule.unwrap_or(Meets::Nothing) {
            Meets::Nothing => call.await,
            Meets::Failure => Err(StoreError::transient("the table is throttled")),
            Meets::Refusal => Err(StoreError::permanent("no such table")),
            Meets::LostAnswer => {
                call.await?;
                Err(StoreError::transient("the connection was reset"))
            }
            Meets::Delay(time) => {
                sleep(time).await;
                call.await
            }
            Meets::LateAnswer(time) => {
                let answer = call.await;
                sleep(time).await;
                answer
            }
        }
    }
}

impl IdempotencyStore for Shared {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        self.meet(id, None, self.table.read(id)).await
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        self.meet(&swap.id, Some(swap), self.table.swap(swap)).await
    }

    fn describe(&self) -> String {
        "shared:table".to_owned()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// A handler whose value says how many milliseconds it takes; 0 fails.
async fn work(
    record: Record,
    Json(ms): Json<u64>,
    State(journal): State<Journal>,
) -> Result<(), Failure> {
    journal.start(&record);
    if ms == 0 {
        return Err(Failure::retry("inventory is down"));
    }
    sleep(Duration::from_millis(ms)).await;
    journal.end(&record);
    Ok(())
}

/// A process: a consumer of its own on the shared store.
pub(crate) fn process(store: &Shared, journal: &Journal) -> Builder<Journal> {
    Consumer::builder()
        .state(journal.clone())
        .topic("orders", work)
        .attempts(1)
        .failure_reporting(FailureReporting::Partial)
        .idempotency(store.clone())
}

/// Each record of these partitions takes so many milliseconds; so many records each.
pub(crate) fn batch(partitions: i32, records: usize, ms: u64) -> Event {
    let values = (0..partitions).flat_map(|at| (0..records).map(move |_| at));
    let text = ms.to_string();
    let samples =
        values.map(|at| lambda_msk::testing::Sample::new("orders", at).value(text.clone()));
    Event::msk().records(samples).build()
}

/// Records of partition 0 that take so long.
pub(crate) fn lasting<const N: usize>(ms: [u64; N]) -> Event {
    let texts = ms.map(|ms| ms.to_string());
    orders(std::array::from_fn::<_, N, _>(|at| (0, texts[at].as_str())))
}

/// The process is killed after that time: nothing of it runs any more, no `Drop` writes anything.
pub(crate) async fn killed_after<F: Future>(time: Duration, invocation: F) {
    let ended = timeout(time, invocation).await;
    assert!(ended.is_err(), "it had ended before it was killed");
}

/// The process stands still from one time to the other, counted from now.
pub(crate) async fn frozen<F: Future>(from: Duration, to: Duration, invocation: F) -> F::Output {
    let mut invocation = pin!(invocation);
    if let Ok(ended) = timeout(from, &mut invocation).await {
        return ended;
    }
    sleep(to - from).await;
    invocation.await
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

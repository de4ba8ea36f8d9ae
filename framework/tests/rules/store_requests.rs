//! Requests of the store at once: bounded, whatever the batch and `concurrency` say, and renewals are not behind what wants to begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_msk::builder::Builder;
use lambda_msk::idempotency::{
    BoxStore, Change, IdempotencyStore, Item, MemoryStore, PerRecord, StoreError, Swap, Swapped,
};
use lambda_msk::limits::{STORE_REQUESTS_TO_BEGIN_MAX, STORE_REQUESTS_TO_GO_ON_MAX};
use lambda_msk::testing::{Event, Invoke, Sample, invoke};
use lambda_msk::{Consumer, FailureReporting, Json, ProcessingOrder};
use tokio::join;
use tokio::time::sleep;

use crate::shared_store::{Meets, Shared, killed_after, millis, process, secs};
use crate::support::{Journal, letters};

/// A table that takes ten milliseconds, and counts how many ask at once.
#[derive(Clone, Default)]
struct Counting {
    table: MemoryStore,
    beginning: Arc<Count>,
    going_on: Arc<Count>,
}

#[derive(Default)]
struct Count {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Count {
    async fn during<T>(&self, call: impl Future<Output = T>) -> T {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        sleep(millis(10)).await;
        let answer = call.await;
        self.now.fetch_sub(1, Ordering::Relaxed);
        answer
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}

impl IdempotencyStore for Counting {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        self.beginning.during(self.table.read(id)).await
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let is_free = matches!(swap.expect, lambda_msk::idempotency::Expect::Free { .. });
        let count = match is_free {
            true => &self.beginning,
            false => &self.going_on,
        };
        count.during(self.table.swap(swap)).await
    }

    fn describe(&self) -> String {
        "counting:table".to_owned()
    }
}

async fn work(Json(ms): Json<u64>) {
    sleep(millis(ms)).await;
}

fn consumer(store: BoxStore) -> Builder<()> {
    let consumer = Consumer::builder().topic("orders", work);
    let consumer = consumer.failure_reporting(FailureReporting::Partial);
    consumer
        .concurrency(10_000)
        .idempotency(lambda_msk::Idempotency::Store(store))
}

/// One record each of so many partitions, which takes so long.
fn partitions(count: i32, ms: u64) -> Event {
    let sample = |at| {
        Sample::new("orders", at)
            .key(at.to_string())
            .value(ms.to_string())
    };
    Event::msk().records((0..count).map(sample)).build()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_partitions_make_no_thousand_requests_at_once() {
    let store = Counting::default();
    let consumer = consumer(BoxStore::new(store.clone())).build().unwrap();

    let invoked = invoke(&consumer, partitions(1_000, 1_000)).await;

    assert_eq!(letters(&invoked), "D".repeat(1_000));
    assert_eq!(store.beginning.most(), STORE_REQUESTS_TO_BEGIN_MAX);
    assert_eq!(store.going_on.most(), STORE_REQUESTS_TO_GO_ON_MAX);
    assert!(invoked.elapsed() < secs(2), "{:?}", invoked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn nor_do_a_thousand_records_that_are_claimed() {
    let store = Counting::default();
    let consumer = consumer(BoxStore::new(store.clone())).order(ProcessingOrder::Key);
    let consumer = consumer.per_record(PerRecord::by_key()).build().unwrap();

    let invoked = invoke(&consumer, partitions(1_000, 1_000)).await;

    assert_eq!(letters(&invoked), "D".repeat(1_000));
    assert_eq!(store.beginning.most(), STORE_REQUESTS_TO_BEGIN_MAX);
    assert_eq!(store.going_on.most(), STORE_REQUESTS_TO_GO_ON_MAX);
}

#[tokio::test(start_paused = true)]
async fn the_bound_is_of_all_invocations_of_a_process_together() {
    let store = Counting::default();
    let consumer = consumer(BoxStore::new(store.clone())).build().unwrap();
    let other = |at: i32| Sample::new("returns", at).value("1");
    let others = || Event::msk().records((0..500).map(other)).build();

    join!(
        invoke(&consumer, partitions(500, 1)),
        invoke(&consumer, others()),
        invoke(&consumer, others())
    );

    assert_eq!(store.beginning.most(), STORE_REQUESTS_TO_BEGIN_MAX);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_partition_keeps_no_other_request_from_being_made() {
    let (store, journal) = (Shared::default(), Journal::default());
    let held = || partitions(2 * STORE_REQUESTS_TO_BEGIN_MAX as i32, 5_000);
    let killed = process(&store, &journal)
        .concurrency(10_000)
        .build()
        .unwrap();
    killed_after(secs(1), invoke(&killed, held())).await;

    // They wait for eleven seconds, and another invocation of their process comes meanwhile.
    let consumer = consumer(BoxStore::new(store.clone())).build().unwrap();
    let free = Sample::new("orders", 1_000).value("10");
    let (waited, free) = join!(invoke(&consumer, held()), async {
        sleep(secs(1)).await;
        invoke(&consumer, Event::msk().record(free)).await
    });

    assert!(letters(&waited).chars().all(|letter| letter == 'D'));
    assert_eq!(letters(&free), "D");
    assert!(free.elapsed() < secs(1), "{:?}", free.elapsed());
}

#[tokio::test(start_paused = true)]
async fn renewals_are_not_behind_openings_that_hang() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|id, swap| match swap.map(|swap| &swap.change) {
        Some(Change::Hold { .. }) if !id.ends_with("/0") => Meets::Delay(secs(10_000)),
        _ => Meets::Nothing,
    });
    let mut samples = vec![Sample::new("orders", 0).value("30000")];
    samples.extend((1..500).map(|at| Sample::new("orders", at).value("1")));

    let consumer = process(&store, &journal)
        .concurrency(10_000)
        .build()
        .unwrap();
    let one = Invoke::new(Event::msk().records(samples)).time_given(secs(60));
    let rival = process(&store, &journal).build().unwrap();
    let (one, rival) = join!(one.run(&consumer), async {
        sleep(secs(1)).await;
        let same = Sample::new("orders", 0).value("30000");
        invoke(&rival, Event::msk().record(same)).await
    });

    assert!(letters(&one).starts_with('D'));
    assert_eq!(letters(&rival), "S");
}

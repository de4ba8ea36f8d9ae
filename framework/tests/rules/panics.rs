//! A panic of code that is not the framework's costs its record or its partition, also in a `drop`.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use lambda_msk::builder::Builder;
use lambda_msk::destination::{DeadLetter, Destination, MemoryDestination, SendError};
use lambda_msk::extract::{Delivery, FromRecord};
use lambda_msk::failure::Rejection;
use lambda_msk::idempotency::{IdempotencyStore, Item, MemoryStore, StoreError, Swap, Swapped};
use lambda_msk::testing::{Invoke, Invoked, invoke};
use lambda_msk::{Consumer, Failure, FailureReporting, Json, Record};
use tokio::time::sleep;

use crate::keyed::{Shop, event, order};
use crate::shared_store::secs;
use crate::support::{causes, code, letters, orders};

/// Panics when it is dropped, where it is armed.
#[derive(Debug)]
struct Bomb {
    armed: bool,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.armed, "a bug");
    }
}

const ARMED: Bomb = Bomb { armed: true };

impl std::fmt::Display for Bomb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("inventory is down")
    }
}

impl std::error::Error for Bomb {}

fn consumer(builder: Builder<()>) -> Consumer {
    let builder = builder.failure_reporting(FailureReporting::Partial);
    builder.attempts(1).build().unwrap()
}

async fn in_five_seconds(consumer: &Consumer) -> Invoked {
    let event = orders([(0, "1"), (1, "2"), (2, "3")]);
    Invoke::new(event).time_given(secs(5)).run(consumer).await
}

#[tokio::test(start_paused = true)]
async fn handlers_that_panic_as_they_are_dropped_at_the_margin_fail_alone() {
    let handler = async |record: Record| {
        let _bomb = Bomb {
            armed: record.partition() < 2,
        };
        if record.partition() < 2 {
            sleep(secs(60)).await;
        }
    };

    let invoked = in_five_seconds(&consumer(Consumer::builder().topic("orders", handler))).await;

    assert_eq!(letters(&invoked), "FFD");
    assert_eq!(code(&invoked, 1, 0), "handler.dropped");
}

#[tokio::test(start_paused = true)]
async fn a_future_that_panics_as_it_is_dropped_after_its_end_fails_its_record_alone() {
    struct Ended(#[expect(dead_code, reason = "is dropped")] Bomb);
    impl Future for Ended {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            Poll::Ready(())
        }
    }
    let handler = |record: Record| {
        Ended(Bomb {
            armed: record.partition() == 0,
        })
    };

    let invoked = in_five_seconds(&consumer(Consumer::builder().topic("orders", handler))).await;

    // The `drop` comes within the handler's run.
    assert_eq!(letters(&invoked), "FDD");
    assert_eq!(code(&invoked, 0, 0), "handler.panicked");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_panics_as_it_is_dropped_fails_its_record_alone() {
    let handler = async |record: Record| match record.partition() {
        0 => Err(Failure::retry(ARMED).code("order.bomb")),
        1 => Err(Failure::reject(ARMED)),
        _ => Ok(()),
    };
    let builder = Consumer::builder()
        .topic("orders", handler)
        .on_failure(MemoryDestination::new());

    let invoked = in_five_seconds(&consumer(builder)).await;

    assert_eq!(letters(&invoked), "FRD");
    assert_eq!(code(&invoked, 0, 0), "order.bomb");
    let problem = invoked.record("orders", 1, 0).problem.clone().unwrap();
    assert_eq!(problem.message, "inventory is down");
}

/// An argument that panics when it is dropped without having been taken.
struct Untaken(Bomb);

impl<S> FromRecord<S> for Untaken {
    type Rejection = Rejection;

    fn from_record(_: &Delivery, _: &S) -> Result<Self, Rejection> {
        Ok(Self(ARMED))
    }
}

#[tokio::test(start_paused = true)]
async fn arguments_that_panic_as_they_are_dropped_unused_cost_nothing() {
    let shop = Shop::default();
    let handler = async |mut untaken: Untaken| untaken.0.armed = false;
    let consumer = shop
        .of(Consumer::builder()
            .state(shop.journal.clone())
            .topic("orders", handler))
        .build()
        .unwrap();

    // The second one is skipped: its arguments were taken, and its handler does not start.
    let invoked = invoke(
        &consumer,
        event([order(0, 7, 5), order(0, 7, 5), order(0, 8, 5)]),
    )
    .await;

    assert_eq!(letters(&invoked), "DSD");
}

/// How a store's, or a destination's, own code goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Panics {
    /// Before it has made a future.
    Called,
    /// In the future.
    Polled,
    /// As the future is dropped, which does not end.
    Dropped,
    /// As the error that it answers with is dropped.
    ErrorDropped,
}

const WAYS: [Panics; 4] = [
    Panics::Called,
    Panics::Polled,
    Panics::Dropped,
    Panics::ErrorDropped,
];

impl Panics {
    /// What a call comes to, once it has gone wrong where that is: the error that it answers with.
    fn call(self) -> impl Future<Output = Bomb> + Send {
        assert!(self != Self::Called, "a bug");
        async move {
            match self {
                Self::Called | Self::Polled => panic!("a bug"),
                Self::Dropped => {
                    let _bomb = ARMED;
                    pending().await
                }
                Self::ErrorDropped => ARMED,
            }
        }
    }
}

/// The ledger of partition 0 cannot be had, nor can the store be named.
struct Broken {
    table: MemoryStore,
    panics: Panics,
    /// Calls of partition 0 until they go wrong.
    sound: Mutex<u32>,
}

impl Broken {
    fn new(panics: Panics, sound: u32) -> Self {
        let (table, sound) = (MemoryStore::new(), Mutex::new(sound));
        Self {
            table,
            panics,
            sound,
        }
    }

    fn is_sound(&self, id: &str) -> bool {
        let mut sound = self.sound.lock().unwrap();
        let goes_wrong = id.ends_with("/0") && *sound == 0;
        *sound = sound.saturating_sub(u32::from(id.ends_with("/0")));
        !goes_wrong
    }
}

impl IdempotencyStore for Broken {
    fn read(&self, id: &str) -> impl Future<Output = Result<Option<Item>, StoreError>> + Send {
        let broken = (!self.is_sound(id)).then(|| self.panics.call());
        async move {
            match broken {
                Some(broken) => Err(StoreError::transient(broken.await)),
                None => self.table.read(id).await,
            }
        }
    }

    fn swap(&self, swap: &Swap) -> impl Future<Output = Result<Swapped, StoreError>> + Send {
        let broken = (!self.is_sound(&swap.id)).then(|| self.panics.call());
        async move {
            match broken {
                Some(broken) => Err(StoreError::transient(broken.await)),
                None => self.table.swap(swap).await,
            }
        }
    }

    fn describe(&self) -> String {
        panic!("a bug")
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_costs_its_partition_alone() {
    for panics in WAYS {
        let builder = Consumer::builder().topic("orders", async || {});
        let consumer = consumer(builder.idempotency(Broken::new(panics, 0)));

        let invoked = in_five_seconds(&consumer).await;

        assert_eq!(letters(&invoked), "FDD", "{panics:?}");
        assert_eq!(code(&invoked, 0, 0), "idempotency.unavailable");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_as_it_is_told_the_end_leaves_its_records_done() {
    for panics in WAYS {
        let builder = Consumer::builder().topic("orders", async || {});
        let consumer = consumer(builder.idempotency(Broken::new(panics, 1)));

        let invoked = in_five_seconds(&consumer).await;

        assert_eq!(letters(&invoked), "DDD", "{panics:?}");
    }
}

/// Does not confirm, and goes wrong with each letter.
struct Bin(Panics);

impl Destination for Bin {
    fn send(
        &self,
        letters: &[DeadLetter],
    ) -> impl Future<Output = Vec<Result<(), SendError>>> + Send {
        let broken = self.0.call();
        let more = letters.len() + 1;
        async move {
            let mut results = vec![Err(SendError::new(broken.await))];
            // One more than there are letters.
            results.resize_with(more, || Err(SendError::new(ARMED)));
            results
        }
    }

    fn describe(&self) -> String {
        panic!("a bug")
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_panics_has_not_confirmed_its_letters() {
    for panics in WAYS {
        let builder = Consumer::builder().topic("orders", async |_: Json<u64>| {});
        let consumer = consumer(builder.on_failure(Bin(panics)));

        let event = orders([(0, "?"), (1, "?"), (2, "7")]);
        let invoked = Invoke::new(event).time_given(secs(5)).run(&consumer).await;

        assert_eq!(letters(&invoked), "FFD", "{panics:?}");
        let expected = match panics {
            Panics::Called | Panics::Polled => "destination.panicked",
            Panics::Dropped => "destination.timed_out",
            Panics::ErrorDropped => "destination.unconfirmed",
        };
        assert_eq!(causes(&invoked, 0, 0), ("reject.json", expected));
    }
}

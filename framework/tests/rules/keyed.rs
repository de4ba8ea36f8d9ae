//! What the tests of keys share: orders that bear a key, and how long each takes.

use lambda_msk::builder::Builder;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::idempotency::{Guarantee, PerRecord};
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Failure, FailureReporting, Json, Record, State};
use serde::Deserialize;
use tokio::time::sleep;

use crate::shared_store::{Shared, killed_after, millis, secs};
use crate::support::Journal;

/// `id` is its key. It takes `ms`; 0 fails, and 1 is rejected.
#[derive(Deserialize)]
pub(crate) struct Order {
    ms: u64,
}

pub(crate) async fn work(
    record: Record,
    Json(order): Json<Order>,
    State(journal): State<Journal>,
) -> Result<(), Failure> {
    journal.start(&record);
    match order.ms {
        0 => return Err(Failure::retry("inventory is down")),
        1 => return Err(Failure::reject("unknown currency").code("order.unknown_currency")),
        ms => sleep(millis(ms)).await,
    }
    journal.end(&record);
    Ok(())
}

/// What the processes of a test share.
#[derive(Default)]
pub(crate) struct Shop {
    pub(crate) store: Shared,
    pub(crate) journal: Journal,
    pub(crate) destination: MemoryDestination,
}

impl Shop {
    /// A process to be: a consumer of its own on the shared store, by the order's id, without a destination.
    pub(crate) fn by_id(&self) -> Builder<Journal> {
        let builder = Consumer::builder().state(self.journal.clone());
        self.of(builder.topic(["orders", "returns"], work))
    }

    /// [`by_id`](Self::by_id), with handlers of its own.
    pub(crate) fn of(&self, builder: Builder<Journal>) -> Builder<Journal> {
        builder
            .attempts(1)
            .failure_reporting(FailureReporting::Partial)
            .idempotency(self.store.clone())
            .per_record(PerRecord::by_json(["/id"]))
    }

    pub(crate) fn process(&self) -> Consumer {
        self.by_id().build().unwrap()
    }

    /// [`by_id`](Self::by_id), at most once.
    pub(crate) fn once(&self) -> Builder<Journal> {
        self.by_id().guarantee(Guarantee::AtMostOnce)
    }

    /// The consumer, with a destination behind it.
    pub(crate) fn with_destination(&self, builder: Builder<Journal>) -> Consumer {
        let builder = builder.on_failure(self.destination.clone());
        builder.build().unwrap()
    }

    /// How many handlers have started.
    pub(crate) fn starts(&self) -> usize {
        let lines = self.journal.lines();
        lines.iter().filter(|line| line.starts_with('+')).count()
    }
}

/// An order of that key, in a partition, that takes so long.
pub(crate) fn order(partition: i32, id: u64, ms: u64) -> Sample {
    Sample::new("orders", partition).value(format!(r#"{{"id":{id},"ms":{ms}}}"#))
}

pub(crate) fn event<const N: usize>(orders: [Sample; N]) -> Event {
    Event::msk().records(orders).build()
}

/// A delivery of one order that takes five seconds, to a process that is killed while its handler runs.
pub(crate) async fn killed_at_work(process: &Consumer) {
    killed_after(secs(1), invoke(process, event([order(0, 7, 5_000)]))).await;
}

//! What it costs to do nothing twice: the ledger in memory, a record; several invocations of one partition at once, in writes that are refused.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_msk::idempotency::{IdempotencyStore, Item, MemoryStore, StoreError, Swap, Swapped};
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Idempotency, ProcessingOrder};
use tokio::task::JoinSet;
use tokio::time::sleep;

const TURNS: usize = 61;
const RECORDS: usize = 10_000;

/// Records of ten partitions, as orders are.
fn body(records: usize) -> Bytes {
    let samples = (0..records).map(|index| {
        let value = format!(r#"{{"order_id":{index},"customer_id":"c-7","amount_cents":1250}}"#);
        Sample::new("orders", (index % 10) as i32)
            .key(format!("c-{index}"))
            .value(value)
    });
    Event::msk().records(samples).to_json().into()
}

fn consumer(idempotency: impl Into<Idempotency>) -> Consumer {
    Consumer::builder()
        .topic("orders", async || {})
        .idempotency(idempotency)
        .build()
        .expect("a topic is all that a consumer needs")
}

/// Nanoseconds of one batch.
async fn one_batch(consumer: &Consumer, body: &Bytes) -> f64 {
    let body = body.clone();
    let start = Instant::now();
    let invoked = invoke(consumer, body).await;
    let took = start.elapsed();
    assert!(invoked.response().is_ok());
    took.as_secs_f64() * 1e9
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Nanoseconds a record: with nothing kept, with a ledger that knows nothing of the batch, with one that has all of it.
async fn memory() {
    let body = body(RECORDS);
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..TURNS {
        let (none, ledger) = (consumer(Idempotency::None), consumer(Idempotency::Memory));
        times[0].push(one_batch(&none, &body).await);
        times[1].push(one_batch(&ledger, &body).await);
        times[2].push(one_batch(&ledger, &body).await);
    }
    let [none, new, known] = times.map(|times| median(times) / RECORDS as f64);
    println!("ledger in memory, {RECORDS} records of 10 partitions, a handler that does nothing");
    println!("  nothing kept        {none:6.0} ns a record");
    println!(
        "  all new             {new:6.0} ns a record: the ledger takes {:.0}",
        new - none
    );
    println!("  all known, skipped  {known:6.0} ns a record");
}

/// A table whose calls take what DynamoDB's take, and what was asked of it.
#[derive(Clone, Default)]
struct Table {
    items: MemoryStore,
    asked: Arc<Asked>,
}

#[derive(Default)]
struct Asked {
    reads: AtomicU64,
    writes: AtomicU64,
    refused: AtomicU64,
}

impl Table {
    async fn way(&self) {
        sleep(Duration::from_micros(fastrand::u64(2_500..=5_000))).await;
    }
}

impl IdempotencyStore for Table {
    async fn read(&self, id: &str) -> Result<Option<Item>, StoreError> {
        self.asked.reads.fetch_add(1, Ordering::Relaxed);
        self.way().await;
        let item = self.items.read(id).await;
        self.way().await;
        item
    }

    async fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        self.way().await;
        let swapped = self.items.swap(swap).await?;
        let count = match swapped {
            Swapped::Applied(_) => &self.asked.writes,
            Swapped::Refused(_) => &self.asked.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.way().await;
        Ok(swapped)
    }

    fn describe(&self) -> String {
        "bench:table".to_owned()
    }
}

/// Records of one partition that each invocation has, and how long a handler takes.
const SHARE: usize = 640;
const HANDLER: Duration = Duration::from_millis(200);

/// Invocations of one partition side by side, as Queue mode has them.
async fn side_by_side(invocations: usize) {
    let table = Table::default();
    let start = Instant::now();
    let mut running = JoinSet::new();
    for invocation in 0..invocations {
        let consumer = Consumer::builder().topic("orders", async || sleep(HANDLER).await);
        let consumer = consumer.order(ProcessingOrder::Unordered);
        let consumer = consumer.idempotency(table.clone()).build();
        let consumer = consumer.expect("a topic is all that a consumer needs");
        let first = invocation * SHARE;
        let samples = (first..first + SHARE)
            .map(|offset| Sample::new("orders", 0).offset(offset as i64).value("1"));
        let event = Event::msk().records(samples).build();
        running.spawn(async move {
            sleep(Duration::from_millis(fastrand::u64(0..250))).await;
            let invoked = invoke(&consumer, event).await;
            assert!(invoked.response().is_ok());
            invoked.elapsed().as_secs_f64() * 1e3
        });
    }
    let longest = running.join_all().await.into_iter().fold(0.0, f64::max);
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let Asked {
        reads,
        writes,
        refused,
    } = &*table.asked;
    println!(
        "  {invocations:3} {:8} {:8} {:8} {longest:9.0} {:9.0}",
        count(reads),
        count(writes),
        count(refused),
        start.elapsed().as_secs_f64() * 1e3,
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    memory().await;
    println!("unordered, {SHARE} records each of one partition, a handler of {HANDLER:?}");
    println!("  invocations reads written  refused   longest ms   all ms");
    for invocations in [1, 3, 10, 30] {
        side_by_side(invocations).await;
    }
}

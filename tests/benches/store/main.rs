//! What it costs in a table to do nothing twice: round trips, write units and time of a batch, next to Powertools for Python on the same batch and table.
//!
//! `tests/services/run cargo bench -p tests --bench store`. Ours decodes the event, runs lanes and answers; Powertools is given the orders, decoded, and calls its
//! idempotent function for one after the other, as its batch processor does. Both count in their clients, and by what DynamoDB Local says of capacity.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

mod batch;
mod capacity;
#[path = "../../tests/services/support/powertools.rs"]
mod powertools;
#[path = "../../tests/services/support/table.rs"]
#[allow(dead_code, reason = "tests ask more of it")]
mod table;

use std::time::{Duration, Instant};

use lambda_msk::builder::Builder;
use lambda_msk::idempotency::{DynamoDbStore, PerRecord};
use lambda_msk::testing::Invoke;
use lambda_msk::{Consumer, ProcessingOrder, State};
use serde::Deserialize;
use serde_json::json;

use crate::batch::Batch;
use crate::capacity::{Capacity, Used};
use crate::powertools::Powertools;
use crate::table::Table;

/// What is measured. The longer a handler takes, the more progress the ledger writes.
const SIZES: [Size; 3] = [
    Size::new(1_000, Duration::ZERO, 5),
    Size::new(1_000, Duration::from_millis(20), 1),
    Size::new(10_000, Duration::ZERO, 1),
];

/// Batches of one size.
#[derive(Clone, Copy)]
struct Size {
    records: u64,
    /// How long each of the handler's calls takes.
    handler: Duration,
    /// Batches of which each figure is the median.
    turns: u64,
}

impl Size {
    const fn new(records: u64, handler: Duration, turns: u64) -> Self {
        Self {
            records,
            handler,
            turns,
        }
    }
}

/// What an invocation has, so that none ends before its batch.
const TIME_GIVEN: Duration = Duration::from_secs(600);

/// What one batch has cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    used: Used,
    milliseconds: f64,
}

async fn wait(State(handler): State<Duration>) {
    if !handler.is_zero() {
        tokio::time::sleep(handler).await;
    }
}

/// One of our ways, on the table.
struct Ours {
    name: &'static str,
    consumer: Consumer,
    capacity: Capacity,
}

impl Ours {
    fn new(
        name: &'static str,
        table: &Table,
        handler: Duration,
        with: impl FnOnce(Builder<Duration>) -> Builder<Duration>,
    ) -> Self {
        let capacity = Capacity::default();
        let client = capacity.counting(&table.client);
        let store = DynamoDbStore::with_client(client, &table.name).expect("a table has a name");
        let builder = Consumer::builder().state(handler).topic("orders", wait);
        let consumer = with(builder.idempotency(store)).build();
        Self {
            name,
            consumer: consumer.expect("a topic is all that a consumer needs"),
            capacity,
        }
    }

    fn all(table: &Table, handler: Duration) -> [Self; 3] {
        let by_order = || PerRecord::by_json(["/order_id"]);
        [
            Self::new("ledger", table, handler, |builder| builder),
            Self::new("per record, in order", table, handler, |builder| {
                builder.per_record(by_order().key_prefix("in-order"))
            }),
            Self::new("per record, unordered", table, handler, |builder| {
                let builder = builder.order(ProcessingOrder::Unordered);
                builder.per_record(by_order().key_prefix("unordered"))
            }),
        ]
    }

    async fn run(&self, batch: &Batch) -> Cost {
        let invoke = Invoke::new(batch.event()).time_given(TIME_GIVEN);
        let before = self.capacity.used();
        let start = Instant::now();
        let invoked = Box::pin(invoke.run(&self.consumer)).await;
        let took = start.elapsed();
        assert!(invoked.response().is_ok(), "{:?}", invoked.response());
        Cost {
            used: self.capacity.used() - before,
            milliseconds: took.as_secs_f64() * 1e3,
        }
    }
}

/// Each order through the idempotent function of Powertools, by its id.
fn run_powertools(powertools: &mut Powertools, batch: &Batch, handler: Duration) -> Cost {
    #[derive(Deserialize)]
    struct Answer {
        milliseconds: f64,
        requests: u64,
        write_units: f64,
        refused: u64,
    }
    let answer = powertools.ask(json!({
        "prefix": "powertools",
        "key": "order_id",
        "left_ms": TIME_GIVEN.as_millis() as u64,
        "takes_ms": handler.as_millis() as u64,
        "payloads": batch.values(),
    }));
    let answer: Answer = serde_json::from_value(answer).expect("it answers as it says");
    Cost {
        used: Used {
            requests: answer.requests,
            write_units: answer.write_units,
            refused: answer.refused,
        },
        milliseconds: answer.milliseconds,
    }
}

/// The batch of the median time, whole.
fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by(|a, b| a.milliseconds.total_cmp(&b.milliseconds));
    costs[costs.len() / 2]
}

fn print(name: &str, cost: Cost, theirs: Cost) {
    let Used {
        requests,
        write_units,
        refused,
    } = cost.used;
    let charged = |used: Used| used.write_units + used.refused as f64;
    println!(
        "    {name:22} {requests:7} {write_units:12.0} {refused:8} {:9.1}   {:7.2} {:7.2} {:7.2}",
        cost.milliseconds,
        theirs.used.requests as f64 / requests as f64,
        charged(theirs.used) / charged(cost.used),
        theirs.milliseconds / cost.milliseconds,
    );
}

/// Batches of so many records of ten partitions, one behind the other as a topic has them.
async fn measure(size: Size) {
    let Size {
        records,
        handler,
        turns,
    } = size;
    let table = Table::create().await;
    let ways = Ours::all(&table, handler);
    let mut powertools = Powertools::start(&table);
    let warm_ups = Batch::until_ledgers_are_full(records);
    for number in 0..warm_ups {
        ways[0].run(&Batch::new(records, number)).await;
    }
    let mut ours = [const { (Vec::new(), Vec::new()) }; 3];
    let mut theirs = (Vec::new(), Vec::new());
    for number in warm_ups..warm_ups + turns {
        let batch = Batch::new(records, number);
        for (way, (new, again)) in ways.iter().zip(&mut ours) {
            new.push(way.run(&batch).await);
            again.push(way.run(&batch).await);
        }
        theirs
            .0
            .push(run_powertools(&mut powertools, &batch, handler));
        theirs
            .1
            .push(run_powertools(&mut powertools, &batch, handler));
    }
    let (ours_new, ours_again): (Vec<_>, Vec<_>) = ours.into_iter().unzip();
    let partitions = batch::PARTITIONS;
    for (what, ours, theirs) in [
        ("all new", ours_new, theirs.0),
        ("all known: skipped", ours_again, theirs.1),
    ] {
        println!("{records} records of {partitions} partitions, a handler of {handler:?}, {what}");
        println!(
            "    {:22} requests  write units  refused        ms   Powertools / this: requests, units, ms",
            ""
        );
        let theirs = median(theirs);
        for (way, ours) in ways.iter().zip(ours) {
            print(way.name, median(ours), theirs);
        }
        print("Powertools for Python", theirs, theirs);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Under `cargo test --benches` there is nothing to measure.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    if std::env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_none() {
        println!(
            "not measured without a table: tests/services/run cargo bench -p tests --bench store"
        );
        return;
    }
    for size in SIZES {
        Box::pin(measure(size)).await;
    }
}

//! What it costs in a table to do nothing twice: round trips, write units and time of a batch, next to Powertools for Python on the same batch and table.
//!
//! `tests/services/run cargo bench -p tests --bench store`. Ours decodes the event, runs lanes and answers; Powertools is given the orders, decoded, and calls its
//! idempotent function for one after the other, as its batch processor does. Both count in their clients, and by what DynamoDB Local says of capacity.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]

mod batch;
mod capacity;
mod powertools;
#[path = "../../tests/services/support/table.rs"]
mod table;

use std::time::Instant;

use lambda_msk::idempotency::DynamoDbStore;
use lambda_msk::testing::invoke;
use lambda_msk::{Consumer, Idempotency};

use crate::batch::Batch;
use crate::capacity::{Capacity, Used};
use crate::powertools::Powertools;
use crate::table::Table;

/// Batches of which each figure is the median.
const TURNS: usize = 5;

/// What one batch has cost.
#[derive(Clone, Copy, Debug)]
struct Cost {
    used: Used,
    milliseconds: f64,
}

/// A batch that is new, and the same again.
#[derive(Debug, Default)]
struct Costs {
    new: Vec<Cost>,
    again: Vec<Cost>,
}

/// One of our ways, on the table.
struct Ours {
    consumer: Consumer,
    capacity: Capacity,
}

impl Ours {
    fn ledger(table: &Table) -> Self {
        let capacity = Capacity::default();
        let client = capacity.counting(&table.client);
        let store = DynamoDbStore::with_client(client, &table.name).expect("the table has a name");
        Self {
            consumer: consumer(store),
            capacity,
        }
    }

    async fn run(&self, batch: &Batch) -> Cost {
        let (event, before) = (batch.event(), self.capacity.used());
        let start = Instant::now();
        let invoked = invoke(&self.consumer, event).await;
        let took = start.elapsed();
        assert!(invoked.response().is_ok());
        Cost {
            used: self.capacity.used() - before,
            milliseconds: took.as_secs_f64() * 1e3,
        }
    }
}

fn consumer(idempotency: impl Into<Idempotency>) -> Consumer {
    Consumer::builder()
        .topic("orders", async || {})
        .idempotency(idempotency)
        .build()
        .expect("a topic is all that a consumer needs")
}

fn median(costs: &[Cost]) -> Cost {
    let mut costs = costs.to_vec();
    costs.sort_by(|a, b| a.milliseconds.total_cmp(&b.milliseconds));
    costs[costs.len() / 2]
}

fn print(name: &str, cost: Cost, theirs: Cost) {
    let Used {
        requests,
        write_units,
        refused,
    } = cost.used;
    println!(
        "    {name:24} {requests:6} requests {write_units:7.0} write units {refused:6} refused {:8.1} ms   {:6.1} {:6.1} {:6.1}",
        cost.milliseconds,
        theirs.used.requests as f64 / requests as f64,
        (theirs.used.write_units + theirs.used.refused as f64) / (write_units + refused as f64),
        theirs.milliseconds / cost.milliseconds,
    );
}

/// Batches of so many records of ten partitions, one behind the other as a topic has them.
async fn measure(records: u64) {
    let table = Table::create().await;
    let ledger = Ours::ledger(&table);
    let mut powertools = Powertools::start(&table);
    let (mut of_ledger, mut of_powertools) = (Costs::default(), Costs::default());
    let warm_ups = Batch::until_ledgers_are_full(records);
    for turn in 0..warm_ups {
        ledger.run(&Batch::new(records, turn)).await;
    }
    for turn in warm_ups..warm_ups + TURNS as u64 {
        let batch = Batch::new(records, turn);
        of_ledger.new.push(ledger.run(&batch).await);
        of_ledger.again.push(ledger.run(&batch).await);
        of_powertools.new.push(powertools.run(&batch));
        of_powertools.again.push(powertools.run(&batch));
    }
    println!("{records} records of {} partitions", batch::PARTITIONS);
    for (what, ours, theirs) in [
        ("new", &of_ledger.new, &of_powertools.new),
        ("all known, skipped", &of_ledger.again, &of_powertools.again),
    ] {
        println!("  {what:91} Powertools / this: requests, units, ms");
        let theirs = median(theirs);
        print("ledger", median(ours), theirs);
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
    for records in [1_000, 10_000] {
        measure(records).await;
    }
}

//! `kill -9` of a function while it writes to Postgres from a real topic: each order stands in the table exactly once, balances are the sums, and orders of a key stand as they were produced.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lambda_msk::postgres::Database;
use msk_mapping::driver::{Cluster, Outgoing, Producer};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::killed::{children, next};
use crate::support::broker::{bootstrap, order, topic};
use crate::support::build::{bulk_postgres, cargo_msk};

/// `make once-kills` runs a hundred thousand.
const RECORDS_DEFAULT: usize = 5_000;
const PARTITIONS: i32 = 4;
const CUSTOMERS: usize = 97;
const BATCH: usize = 200;
/// Several transactions a batch: deaths before, in, between and after them.
const CHUNK: usize = 50;
/// Deaths.
const KILLS: usize = 8;
/// Of these, those of a function that stands still in its work for a while before.
const FROZEN_EACH: usize = 4;
/// A quiet machine needs a few seconds, and a minute for a hundred thousand.
const LIMIT: Duration = Duration::from_secs(400);

/// A database of the test's own, with the tables of the example.
async fn database() -> (Database, String) {
    let server = std::env::var("LAMBDA_MSK_POSTGRES").expect("make test-services sets it");
    let name = format!("once_{}", std::process::id());
    let admin = Database::new(&server).unwrap();
    alone(&admin, &format!("CREATE DATABASE {name}")).await;
    let (before, parameters) = server.split_once('?').unwrap();
    let (host, _) = before.rsplit_once('/').unwrap();
    let address = format!("{host}/{name}?{parameters}");
    let database = Database::new(&address).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/bulk-postgres/schema.sql");
    let schema = std::fs::read_to_string(schema).unwrap();
    alone(&database, &schema).await;
    (database, address)
}

/// Outside a transaction, which a database cannot be made in.
async fn alone(database: &Database, statements: &str) {
    let mut session = database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    transaction
        .client()
        .batch_execute("ROLLBACK")
        .await
        .unwrap();
    transaction
        .client()
        .batch_execute(statements)
        .await
        .unwrap();
}

/// The rows that a statement selects, two numbers and a text each.
async fn rows(database: &Database, select: &str) -> Vec<(i64, i64, String)> {
    let mut session = database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    let rows = transaction.query_typed(select, &[]).await.unwrap();
    transaction.commit().await.unwrap();
    session.give_back();
    let columns =
        |row: &lambda_msk::postgres::tokio_postgres::Row| (row.get(0), row.get(1), row.get(2));
    rows.iter().map(columns).collect()
}

/// Writes so many orders, those of a customer in one partition.
async fn produce(topic: &str, records: usize) {
    let producer = Producer::new(&Cluster::new(bootstrap())).unwrap();
    let orders: Vec<(String, String)> = (0..records)
        .map(|number| (format!("c-{}", number % CUSTOMERS), order(number, 120)))
        .collect();
    let outgoing: Vec<Outgoing<'_>> = orders
        .iter()
        .enumerate()
        .map(|(number, (customer, order))| {
            let mut record = Outgoing::to(topic);
            record.partition = Some((number % CUSTOMERS) as i32 % PARTITIONS);
            record.key = Some(customer.as_bytes());
            record.value = Some(order.as_bytes());
            record
        })
        .collect();
    assert_eq!(producer.send(&outgoing).await.unwrap(), records);
}

fn drive(topic: &str, address: &str) -> Child {
    Command::new(cargo_msk())
        .args(["dev", "--bootstrap", &bootstrap(), "--topic", topic])
        .args(["--once", "--json", "--batch-size", &BATCH.to_string()])
        .args(["--maximum-batching-window-in-seconds", "0"])
        .args(["--function-response-types", "ReportBatchItemFailures"])
        .arg("--function")
        .arg(bulk_postgres())
        .args(["--env", "LAMBDA_MSK_FAILURE_REPORTING=partial"])
        .args(["--env", "LAMBDA_MSK_IDEMPOTENCY=memory"])
        .args(["--env", "AWS_LAMBDA_LOG_LEVEL=ERROR"])
        .args(["--env", &format!("TOPIC={topic}")])
        .args(["--env", &format!("BULK_RECORDS={CHUNK}")])
        .args(["--env", &format!("DATABASE_URL={address}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(driver: &Child, signal: Signal) {
    if let Some(id) = children(driver.id()).first() {
        // It may have ended by itself just now.
        let _ = kill_process(Pid::from_raw(*id).unwrap(), signal);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker and Postgres: make test-services"]
async fn each_order_is_in_the_table_once_though_its_function_is_killed() {
    let number = |name: &str, default| {
        let text = std::env::var(name);
        text.map_or(default, |text| text.parse().unwrap())
    };
    let (seed, records) = (number("SEED", 7), number("ONCE_RECORDS", RECORDS_DEFAULT));
    let (database, address) = database().await;
    let topic = topic(&bootstrap(), "once", PARTITIONS).await;
    produce(&topic, records).await;
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = records / (KILLS + 2);
    let points = (0..KILLS).map(|kill| {
        let jitter = usize::try_from(next(&mut state)).unwrap() % (step / 2);
        (step * (kill + 1) + jitter, next(&mut state) % 20)
    });
    let points: Vec<(usize, u64)> = points.collect();

    // Their build is no part of the time.
    let _ = (cargo_msk(), bulk_postgres());
    let began = Instant::now();
    let mut driver = drive(&topic, &address);
    let mut killed = 0;
    let ended = loop {
        if let Some(ended) = driver.try_wait().unwrap() {
            break ended;
        }
        if began.elapsed() > LIMIT {
            driver.kill().unwrap();
            panic!("seed {seed}: not through after {LIMIT:?}");
        }
        let count = "SELECT count(*), 0::int8, '' FROM orders";
        let written = usize::try_from(rows(&database, count).await[0].0).unwrap();
        if let Some((at, wait_ms)) = points.get(killed)
            && written >= *at
        {
            // Somewhere in a transaction, or between two.
            sleep(Duration::from_millis(*wait_ms)).await;
            if killed % FROZEN_EACH == FROZEN_EACH - 1 {
                signal(&driver, Signal::STOP);
                sleep(Duration::from_millis(500)).await;
            }
            signal(&driver, Signal::KILL);
            killed += 1;
        }
        sleep(Duration::from_millis(5)).await;
    };

    println!(
        "seed {seed}: {records} orders, {killed} kills, {:?}",
        began.elapsed()
    );
    assert_eq!((ended.code(), killed), (Some(0), KILLS), "seed {seed}");
    let orders = rows(
        &database,
        "SELECT order_id, amount_cents, customer_id FROM orders ORDER BY id",
    )
    .await;
    let mut times: BTreeMap<i64, usize> = BTreeMap::new();
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for (id, cents, customer) in &orders {
        *times.entry(*id).or_default() += 1;
        let before = last.insert(customer, *id);
        assert!(
            before.is_none_or(|before| before < *id),
            "seed {seed}: {customer}: {id} after {before:?}"
        );
        let sum = sums.entry(customer.clone()).or_default();
        *sum = (sum.0 + 1, sum.1 + cents);
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "seed {seed}: {twice:?}");
    assert_eq!(times.len(), records, "seed {seed}");
    let balances = "SELECT orders, amount_cents::int8, customer_id FROM balances";
    let balances = rows(&database, balances).await.into_iter();
    let balances: BTreeMap<_, _> = balances
        .map(|(orders, cents, customer)| (customer, (orders, cents)))
        .collect();
    assert_eq!(balances, sums, "seed {seed}");
}

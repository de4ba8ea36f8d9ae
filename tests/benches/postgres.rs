//! Ten thousand orders into Postgres: the example `bulk-postgres`, each exactly once, beside one transaction a record, and beside Powertools for Python with a multi-row insert and nothing that
//! keeps an order from being written twice.
//!
//! `tests/services/run postgres,powertools cargo bench -p tests --bench postgres`. Each figure is the least of its turns; what counts is their ratio.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]
#![allow(
    clippy::disallowed_methods,
    reason = "a bench measures the machine's time"
)]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bulk_postgres::{Limits, Order, consumer_of};
use lambda_msk::idempotency::Idempotency;
use lambda_msk::postgres::tokio_postgres::types::Type;
use lambda_msk::postgres::{self, Database};
use lambda_msk::testing::{Event, Invoke, Sample};
use lambda_msk::{Consumer, Failure, Json, Outcome, State};

const RECORDS: i64 = 10_000;
const TURNS: i64 = 5;
/// Each takes seconds.
const SINGLE_TURNS: i64 = 2;
const TIME_GIVEN: Duration = Duration::from_secs(600);

/// The batch of a turn: its own offsets, so that all of it is new.
fn event(turn: i64) -> Event {
    let records = (turn * RECORDS..(turn + 1) * RECORDS).map(|number| {
        let customer = format!("c-{}", number % 97);
        let json = format!(
            r#"{{"order_id":{number},"customer_id":"{customer}","amount_cents":{}}}"#,
            number % 10_000
        );
        let partition = (number % 97 % 4) as i32;
        Sample::new("orders", partition)
            .offset(number)
            .key(customer)
            .value(json)
    });
    Event::msk().records(records).build()
}

/// One order in a transaction of its own.
async fn single(Json(order): Json<Order>, State(database): State<Database>) -> Result<(), Failure> {
    let mut session = database.session().await?;
    let transaction = session.begin().await?;
    let insert = "INSERT INTO orders (order_id, customer_id, amount_cents, kafka_partition, kafka_offset) VALUES ($1, $2, $3, 0, 0)";
    let values: [(&(dyn postgres::tokio_postgres::types::ToSql + Sync), Type); 3] = [
        (&order.order_id, Type::INT8),
        (&order.customer_id, Type::TEXT),
        (&order.amount_cents, Type::INT8),
    ];
    let written = transaction.execute_typed(insert, &values).await;
    written.map_err(postgres::failure)?;
    let add = "INSERT INTO balances AS b (customer_id, orders, amount_cents) VALUES ($1, 1, $2::int8) ON CONFLICT (customer_id) DO UPDATE SET orders = b.orders + 1, amount_cents = b.amount_cents + excluded.amount_cents";
    let added = transaction.execute_typed(add, &values[1..]).await;
    added.map_err(postgres::failure)?;
    transaction.commit().await.map_err(postgres::failure)?;
    session.give_back();
    Ok(())
}

/// The least milliseconds of a batch, each of whose orders has come into the table.
async fn ours(database: &Database, consumer: &Consumer, turns: std::ops::Range<i64>) -> f64 {
    let (before, expected) = (orders(database).await, (turns.end - turns.start) * RECORDS);
    let mut least = f64::MAX;
    for turn in turns {
        let invocation = Invoke::new(event(turn)).time_given(TIME_GIVEN);
        let began = Instant::now();
        let invoked = invocation.run(consumer).await;
        least = least.min(began.elapsed().as_secs_f64() * 1000.0);
        assert!(
            invoked
                .outcomes()
                .iter()
                .all(|outcome| *outcome == Outcome::Done)
        );
    }
    assert_eq!(orders(database).await - before, expected);
    least
}

/// How many orders the table has.
async fn orders(database: &Database) -> i64 {
    let mut session = database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    let counted = transaction.query_typed("SELECT count(*) FROM orders", &[]);
    let count = counted.await.unwrap()[0].get(0);
    transaction.commit().await.unwrap();
    session.give_back();
    count
}

fn powertools(address: &str, turns: std::ops::Range<i64>) -> f64 {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("services/powertools/rows.py");
    let python = std::env::var_os("POWERTOOLS_PYTHON").expect("run by tests/services/run");
    let mut child = Command::new(python)
        .arg(program)
        .arg(address)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut asks, mut answers) = (
        child.stdin.take().unwrap(),
        BufReader::new(child.stdout.take().unwrap()),
    );
    let mut least = f64::MAX;
    for turn in turns {
        // On one line.
        let event: serde_json::Value = serde_json::from_slice(event(turn).as_bytes()).unwrap();
        writeln!(asks, "{event}").unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        least = least.min(line.trim().parse().unwrap());
    }
    drop(asks);
    child.wait().unwrap();
    least
}

async fn tables(database: &Database) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/bulk-postgres/schema.sql");
    let schema = std::fs::read_to_string(schema).unwrap();
    let mut session = database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    transaction.batch_execute(&schema).await.unwrap();
    transaction.commit().await.unwrap();
    session.give_back();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let address = std::env::var("LAMBDA_MSK_POSTGRES").expect("run by tests/services/run");
    let database = Database::new(&address).unwrap();
    tables(&database).await;
    let limits = Limits {
        records: 500,
        bytes: 1 << 20,
    };
    let bulk = consumer_of("orders", database.clone(), limits)
        .idempotency(Idempotency::Memory)
        .build()
        .unwrap();
    let one = Consumer::builder()
        .state(database.clone())
        .topic("orders", single)
        .idempotency(Idempotency::Memory)
        .build()
        .unwrap();

    // Behind those of another run on the same server: they are written.
    let first = 2 * orders(&database).await / RECORDS;
    let many = ours(&database, &bulk, first..first + TURNS).await;
    let first = first + TURNS;
    let singles = ours(&database, &one, first..first + SINGLE_TURNS).await;
    let first = first + SINGLE_TURNS;
    let python = powertools(&address, first..first + TURNS);

    println!(
        "{RECORDS} orders into Postgres, the least of {TURNS} turns ({SINGLE_TURNS} of single ones):"
    );
    println!("  bulk-postgres, exactly once              {many:>9.0} ms  1.0");
    println!(
        "  Powertools for Python, a multi-row insert {python:>8.0} ms  {:.1}",
        python / many
    );
    println!(
        "  one transaction a record                 {singles:>9.0} ms  {:.1}",
        singles / many
    );
}

//! The function without a database, and with a real one: `LAMBDA_MSK_POSTGRES` is its address.

use std::collections::BTreeMap;
use std::ffi::OsString;

use lambda_msk::Consumer;
use lambda_msk::Outcome::{Done, Failed, Rejected};
use lambda_msk::destination::MemoryDestination;
use lambda_msk::idempotency::Idempotency;
use lambda_msk::postgres::{Database, LEDGER_TABLE, schema};
use lambda_msk::testing::{Event, EventBuilder, Sample, invoke};

use super::{Limits, Settings, TOPIC, consumer_of};

const LIMITS: Limits = Limits {
    records: 500,
    bytes: 1 << 20,
};

fn settings(variables: &[(&str, &str)]) -> Settings {
    Settings::of(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).into())
    })
}

fn order(partition: i32, id: i64, customer: &str, cents: i64) -> Sample {
    let json = format!(r#"{{"order_id":{id},"customer_id":"{customer}","amount_cents":{cents}}}"#);
    Sample::new(TOPIC, partition).key(customer).value(json)
}

#[test]
fn a_setting_that_is_missing_or_cannot_be_read_is_named_and_shows_no_password() {
    for (variables, place) in [
        (&[][..], "DATABASE_URL"),
        (&[("DATABASE_URL", "hunter2")], "DATABASE_URL"),
        (
            &[("DATABASE_URL", "postgres://u:hunter2@db:port/shop")],
            "DATABASE_URL",
        ),
        (
            &[("DATABASE_URL", "postgres://u:p@hunter2@db/shop")],
            "DATABASE_URL",
        ),
        (
            &[(
                "DATABASE_URL",
                "postgres://u:hunter2@db/shop?sslmode=require&sslrootcert=/nowhere/roots.pem",
            )],
            "DATABASE_URL",
        ),
        (
            &[
                ("DATABASE_URL", "postgres://u:hunter2@db/shop"),
                ("BULK_RECORDS", "0"),
            ],
            "BULK_RECORDS",
        ),
        (
            &[
                ("DATABASE_URL", "postgres://u:hunter2@db/shop"),
                ("BULK_RECORDS", "10001"),
            ],
            "BULK_RECORDS",
        ),
        (
            &[
                ("DATABASE_URL", "postgres://u:hunter2@db/shop"),
                ("BULK_BYTES", "hunter2"),
            ],
            "BULK_BYTES",
        ),
    ] {
        let settings = settings(variables);

        assert_eq!(settings.faults.len(), 1, "{variables:?}");
        assert_eq!(settings.faults[0].place, place);
        assert!(!format!("{settings:?}").contains("hunter2"));
        let built = consumer_of(TOPIC, settings.database, settings.limits)
            .faults(settings.faults)
            .build();
        assert!(built.unwrap_err().to_string().contains(place));
    }
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_no_text_is_a_fault() {
    use std::os::unix::ffi::OsStringExt;
    for name in ["DATABASE_URL", "TOPIC", "BULK_RECORDS"] {
        let settings = Settings::of(|asked| match asked {
            asked if asked == name => Some(OsString::from_vec(vec![255])),
            "DATABASE_URL" => Some("postgres://u:p@db/shop".into()),
            _ => None,
        });

        let faults = &settings.faults;
        assert_eq!((faults.len(), &*faults[0].place), (1, name));
        assert!(faults[0].reason.contains("UTF-8"), "{faults:?}");
    }
}

#[test]
fn what_is_not_set_has_its_default() {
    let empty = settings(&[
        ("DATABASE_URL", "postgres://u:p@db/shop"),
        ("TOPIC", ""),
        ("BULK_BYTES", ""),
    ]);
    assert_eq!((empty.limits, empty.topic), (LIMITS, None));
    let url = (
        "DATABASE_URL",
        "postgres://u:p@db:5433/shop?sslmode=require",
    );
    let default = settings(&[url]);
    let other = settings(&[
        url,
        ("TOPIC", "t"),
        ("BULK_RECORDS", "10000"),
        ("BULK_BYTES", "7"),
    ]);

    assert_eq!((default.limits, default.topic.as_deref()), (LIMITS, None));
    assert_eq!(
        (other.limits, other.topic.as_deref()),
        (
            Limits {
                records: 10_000,
                bytes: 7
            },
            Some("t")
        )
    );
    assert!(default.faults.is_empty() && other.faults.is_empty());
}

#[test]
fn schema_sql_holds_the_tables_of_the_framework() {
    let tables = schema(&LEDGER_TABLE.parse().expect("a name"));

    assert!(
        include_str!("../schema.sql").starts_with(&tables),
        "cargo msk postgres schema"
    );
}

#[tokio::test]
async fn what_is_no_order_is_rejected_and_a_database_that_is_down_rejects_nothing() {
    let letters = MemoryDestination::new();
    let database = Database::new("postgres://u:hunter2@127.0.0.1:1/shop").expect("an address");
    let consumer = consumer_of(TOPIC, database, LIMITS)
        .on_failure(letters.clone())
        .attempts(1)
        .build()
        .expect("the consumer is configured");
    let event = Event::msk()
        .record(Sample::new(TOPIC, 0).value("no order"))
        .record(order(0, 1, "c-1", 100));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(invoked.outcomes(), [Rejected, Failed]);
    let problem = invoked.records()[1].problem.as_ref().expect("a problem");
    assert_eq!(&*problem.code, "postgres.unreachable");
    assert!(!problem.message.contains("hunter2"));
    assert_eq!(letters.letters().len(), 1);
}

/// A database of the test's own on the real server, with the tables of schema.sql.
async fn shop() -> Database {
    let server = std::env::var("LAMBDA_MSK_POSTGRES").expect("run by tests/services/run");
    let name = format!("shop_{:016x}", fastrand::u64(..));
    let admin = Database::new(&server).expect("an address");
    run_alone(&admin, &format!("CREATE DATABASE {name}")).await;
    let (before, parameters) = server.split_once('?').expect("parameters");
    let (host, _) = before.rsplit_once('/').expect("a database");
    let shop = Database::new(&format!("{host}/{name}?{parameters}")).expect("an address");
    run_alone(&shop, include_str!("../schema.sql")).await;
    // It can be applied twice.
    run_alone(&shop, include_str!("../schema.sql")).await;
    shop
}

/// Outside a transaction.
async fn run_alone(database: &Database, statements: &str) {
    let mut session = database.session().await.expect("a session");
    let transaction = session.begin().await.expect("a transaction");
    let client = transaction.client();
    client
        .batch_execute("ROLLBACK")
        .await
        .expect("no transaction");
    client
        .batch_execute(statements)
        .await
        .expect("the statements");
}

async fn rows(database: &Database, select: &str) -> Vec<(i64, String, i64)> {
    let mut session = database.session().await.expect("a session");
    let transaction = session.begin().await.expect("a transaction");
    let rows = transaction.query_typed(select, &[]).await.expect("rows");
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

const ORDERS: &str = "SELECT order_id, customer_id, amount_cents FROM orders ORDER BY id";
const BALANCES: &str =
    "SELECT orders, customer_id, amount_cents::int8 FROM balances ORDER BY customer_id";

/// A function that has just been started: nothing but the database knows what was settled.
fn function(database: &Database, letters: &MemoryDestination) -> Consumer {
    consumer_of(TOPIC, database.clone(), LIMITS)
        .on_failure(letters.clone())
        .idempotency(Idempotency::None)
        .attempts(1)
        .build()
        .expect("the consumer is configured")
}

fn many(orders: i64) -> EventBuilder {
    let order = |id: i64| order((id % 3) as i32, id, &format!("c-{}", id % 7), id * 10);
    Event::msk().records((0..orders).map(order))
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn each_order_is_written_once_and_balances_are_the_sums() {
    let (shop, letters) = (shop().await, MemoryDestination::new());

    for _ in 0..3 {
        let invoked = invoke(&function(&shop, &letters), many(2_000)).await;
        assert!(invoked.outcomes().iter().all(|outcome| *outcome == Done));
    }

    let orders = rows(&shop, ORDERS).await;
    assert_eq!(orders.len(), 2_000);
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    for (id, customer, cents) in orders {
        let sum = sums.entry(customer.clone()).or_default();
        *sum = (sum.0 + 1, sum.1 + cents);
        // A customer's orders are of several partitions here; within one they stand as they were produced.
        let before = last.insert(format!("{customer} {}", id % 3), id);
        assert!(before.is_none_or(|before| before < id), "{id}");
    }
    let balances = rows(&shop, BALANCES).await.into_iter();
    let balances = balances.map(|(orders, customer, cents)| (customer, (orders, cents)));
    assert_eq!(balances.collect::<BTreeMap<_, _>>(), sums);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn an_order_that_the_database_refuses_goes_to_the_destination_alone() {
    let (shop, letters) = (shop().await, MemoryDestination::new());
    let event = Event::msk()
        .record(order(0, 1, "c-1", 100))
        .record(order(0, 2, "c-1", -5)) // class 23: amount_cents >= 0
        .record(order(0, 3, "c-2", 300))
        .record(order(0, 4, "c\\u0000", 400)) // class 22: no text in Postgres holds a zero byte
        .record(order(0, 5, "c-1", 500));

    let invoked = invoke(&function(&shop, &letters), event).await;

    assert_eq!(invoked.outcomes(), [Done, Rejected, Done, Rejected, Done]);
    let ids: Vec<i64> = rows(&shop, ORDERS).await.iter().map(|row| row.0).collect();
    assert_eq!(ids, [1, 3, 5]);
    let expected = [(2, "c-1".to_owned(), 600), (1, "c-2".to_owned(), 300)];
    assert_eq!(rows(&shop, BALANCES).await, expected);
    let letters = format!("{:?}", letters.letters());
    assert!(
        letters.contains("SQLSTATE 23514") && letters.contains("SQLSTATE 22021"),
        "{letters}"
    );
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_missing_table_rejects_nothing() {
    let (shop, letters) = (shop().await, MemoryDestination::new());
    run_alone(&shop, "DROP TABLE balances").await;

    let invoked = invoke(&function(&shop, &letters), many(3)).await;

    assert_eq!(invoked.outcomes(), [Failed; 3]);
    assert!(letters.letters().is_empty() && rows(&shop, ORDERS).await.is_empty());
    let problem = invoked.records()[0].problem.as_ref().expect("a problem");
    assert!(
        problem.message.contains("SQLSTATE 42P01"),
        "{}",
        problem.message
    );
}

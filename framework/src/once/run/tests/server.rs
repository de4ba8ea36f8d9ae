//! What the server is told: no named statements, time limits, and the end of what a dropped call has left running.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{ENDS, TOPIC, World, address, event, run};
use crate::batches::Batch;
use crate::builder::ProcessingOrder;
use crate::consumer::Consumer;
use crate::extract::{State, Value};
use crate::failure::Failure;
use crate::handler::batch;
use crate::idempotency::Idempotency;
use crate::outcome::Outcome;
use crate::outcomes::Outcomes;
use crate::postgres::{Database, failure, once};
use crate::testing::{Invoke, invoke};

/// Writes what the session says of itself.
async fn ask(
    records: Batch<Value<String>>,
    State((world, question)): State<(World, &'static str)>,
) -> Result<Outcomes, Failure> {
    let mut session = world.database.session().await?;
    let mut transaction = session.begin().await?;
    let outcomes = once(&records, &mut transaction, async |fresh| {
        let write = format!("INSERT INTO {} (part, off, value) {question}", world.name);
        let written = fresh.transaction().execute_typed(&write, &[]).await;
        written.map(|_| ()).map_err(failure)
    });
    let outcomes = outcomes.await?;
    transaction.commit().await.map_err(failure)?;
    session.give_back();
    Ok(outcomes)
}

fn consumer(world: &World, question: &'static str, timeout: Duration) -> Consumer {
    Consumer::builder()
        .state((world.clone(), question))
        .route(TOPIC, batch(ask).timeout(timeout))
        .idempotency(Idempotency::None)
        .namespace(world.name.as_str())
        .attempts(1)
        .build()
        .unwrap()
}

const LIMITS: &str = "SELECT 0, 0, current_setting('idle_in_transaction_session_timeout') || ' ' || current_setting('lock_timeout')";

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn no_statement_is_named() {
    let world = World::new().await;
    let named = "SELECT 0, 0, count(*)::text FROM pg_prepared_statements";

    let invoked = invoke(&consumer(&world, named, ENDS), event(0, &["a"])).await;

    assert_eq!(invoked.outcomes(), [Outcome::Done]);
    assert_eq!(world.values().await, ["0"]);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_transaction_is_limited_by_itself_and_its_session_is_not() {
    let world = World::new().await;
    let given = Invoke::new(event(0, &["a"])).time_given(Duration::from_secs(9));

    given.run(&consumer(&world, LIMITS, ENDS)).await;

    let values = world.values().await;
    let (idle, lock) = values[0].split_once(' ').unwrap();
    assert_eq!(idle, "15s");
    let lock: u64 = lock.strip_suffix("ms").map_or_else(
        || lock.trim_end_matches('s').parse::<u64>().unwrap() * 1000,
        |ms| ms.parse().unwrap(),
    );
    assert!((1..=3_000).contains(&lock), "{lock}");
    let mut session = world.database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    let after = transaction.query_typed(LIMITS, &[]).await.unwrap();
    assert_eq!(after[0].get::<_, &str>(2), "0 0");
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn limits_of_the_role_are_left_as_they_are_if_they_are_short_enough() {
    let role = |idle: &str, lock: &str| {
        let options =
            format!("-c idle_in_transaction_session_timeout={idle} -c lock_timeout={lock}");
        let options = options.replace(' ', "%20").replace('=', "%3D");
        format!("{}&options={options}", address())
    };
    for (idle, lock, seen) in [
        ("7s", "4s", "7s 4s"),
        ("16s", "4s", "15s 4s"),
        ("0", "29s", "15s 29s"),
        ("7s", "0", "7s "),
        ("7s", "31s", "7s "),
    ] {
        let world = World::at(&role(idle, lock)).await;

        let given = Invoke::new(event(0, &["a"])).time_given(Duration::from_secs(24));
        given.run(&consumer(&world, LIMITS, ENDS)).await;

        let values = world.values().await;
        assert!(!values[0].ends_with(" 0") && !values[0].ends_with("31s"));
        assert!(values[0].starts_with(seen), "{idle} {lock}: {}", values[0]);
    }
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_call_that_is_dropped_leaves_nothing_running_and_no_row_locked() {
    let world = World::new().await;
    let name = format!("app_{:x}", fastrand::u32(..));
    let named = World {
        database: Database::new(&format!("{}&application_name={name}", address())).unwrap(),
        ..world.clone()
    };
    let sleeps = "SELECT 0, 0, pg_sleep(600)::text";

    let hangs = consumer(&named, sleeps, Duration::from_millis(400));
    let dropped = invoke(&hangs, event(0, &["a"])).await;

    assert_eq!(dropped.outcomes(), [Outcome::Failed]);
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
    let began = Instant::now();
    loop {
        let mut session = world.database.session().await.unwrap();
        let transaction = session.begin().await.unwrap();
        let left: i64 = transaction.query_typed(&count, &[]).await.unwrap()[0].get(0);
        if left == 0 {
            break;
        }
        assert!(began.elapsed() < ENDS, "{left} connections are left");
        sleep(Duration::from_millis(50)).await;
    }
    let next = invoke(&world.consumer(), event(0, &["a"])).await;
    assert_eq!(next.outcomes(), [Outcome::Done]);
    assert_eq!(world.values().await, ["a"]);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn who_waits_for_a_lock_ends_with_an_error_and_not_at_the_deadline() {
    let world = World::new().await;
    invoke(&world.consumer(), event(0, &["a"])).await;
    let mut session = world.database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    let lock = format!(
        "SELECT 1 FROM lambda_msk_once WHERE id LIKE '{}/%' FOR UPDATE",
        world.name
    );
    transaction.batch_execute(&lock).await.unwrap();

    let waits = Invoke::new(event(1, &["b"])).time_given(Duration::from_secs(24));
    let consumer = world.builder(ProcessingOrder::Partition, true);
    let invoked = waits.run(&consumer.attempts(1).build().unwrap()).await;

    let problem = invoked.records()[0].problem.as_ref().unwrap();
    assert_eq!(&*problem.code, "once.database");
    assert!(problem.message.contains("55P03"), "{}", problem.message);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_session_that_died_is_replaced_and_one_that_is_given_back_is_used_again() {
    let name = format!("app_{:x}", fastrand::u32(..));
    let database = Database::new(&format!("{}&application_name={name}", address())).unwrap();
    let pid = async || {
        let mut session = database.session().await.unwrap();
        let transaction = session.begin().await.unwrap();
        let row = transaction
            .query_typed("SELECT pg_backend_pid()", &[])
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        session.give_back();
        row[0].get::<_, i32>(0)
    };

    let (first, second) = (pid().await, pid().await);
    run(&format!("SELECT pg_terminate_backend({first})")).await;
    let third = pid().await;

    assert_eq!(first, second);
    assert_ne!(second, third);
}

#[tokio::test]
async fn a_server_that_is_down_fails_the_call_and_its_password_is_not_shown() {
    let database = Database::new("postgres://u:hunter2@127.0.0.1:1/shop").unwrap();

    let error = database.session().await.err().unwrap();

    assert!(error.is_whole());
    assert_eq!(error.given_code(), Some("postgres.unreachable"));
    let text = format!("{error:?} {database:?}");
    assert!(
        text.contains("postgres:127.0.0.1/shop") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn what_is_no_address_is_refused_and_not_shown() {
    for text in [
        "",
        "hunter2",
        "postgres://u:hunter2@db:port/shop",
        "postgres://u:hunter2@db/shop?table=a",
        "postgres://u:p@hunter2@db/shop",
        "postgres://u:p@a/hunter2@db/shop",
        "postgres://u:p@db/shop?host=hunter2%40db",
    ] {
        let error = Database::new(text).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[cfg(feature = "postgres-iam")]
#[test]
fn a_token_is_not_sent_without_tls_nor_for_two_hosts() {
    for (text, is_taken) in [
        ("postgres://u@db/shop?sslmode=verify-full", true),
        ("postgres://u@db:5433/shop?sslmode=require", true),
        ("postgres://u@db/shop", false),
        ("postgres://u@db/shop?sslmode=disable", false),
        ("postgres://db/shop?sslmode=require", false),
        ("postgres://u@a,b/shop?sslmode=require", false),
    ] {
        let iam = Database::new(text).unwrap().iam();
        assert_eq!(iam.is_ok(), is_taken, "{text}");
    }
}

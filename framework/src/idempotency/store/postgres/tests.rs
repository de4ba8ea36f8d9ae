//! Postgres as a store, beside a real server. `tests/services/run` starts it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::PostgresStore;
use super::link::Link;
use crate::failure::error_text;
use crate::idempotency::store::tests::cut::{Cutter, check_lost_answers};
use crate::idempotency::store::tests::server::Server;
use crate::idempotency::store::tests::{put, until_it_answers};
use crate::idempotency::store::{IdempotencyStore, Swapped};
use crate::limits::POSTGRES_TRY_MS_MAX;
use crate::postgres::address::PostgresAddress;
use crate::postgres::schema;
use crate::testing::store::check;

const NOW_S: u64 = 1_767_225_600;

fn database() -> String {
    std::env::var("LAMBDA_MSK_POSTGRES").expect("run by tests/services/run")
}

/// Runs statements past the store, in one transaction. One test at a time: two that create one table at once clash.
async fn run(address: &str, statements: &str) {
    let address = PostgresAddress::parse(address).unwrap();
    let link = Link::default();
    let line = link.place().line(&link, &address).await.unwrap();
    let locked = format!("SELECT pg_advisory_xact_lock(1); {statements}");
    line.client.batch_execute(&locked).await.unwrap();
}

/// The address of a table of the test's own, with another host if one is given.
async fn table(host: Option<&str>) -> String {
    let name = format!("ledger_{:016x}", fastrand::u64(..));
    run(&database(), &schema(&name.parse().unwrap())).await;
    let address = format!("{}&table={name}", database());
    match host {
        None => address,
        Some(host) => {
            let (before, after) = address.split_once('@').unwrap();
            let (_, after) = after.split_once('/').unwrap();
            format!("{before}@{host}/{after}")
        }
    }
}

fn store(address: &str) -> PostgresStore {
    PostgresStore::new(address).unwrap()
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_real_table_is_a_store_over_tls_and_with_a_password() {
    check(store(&table(None).await)).await;
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_real_table_is_a_store_where_transactions_are_serializable() {
    let address = table(None).await;
    let serializable = "options=-c%20default_transaction_isolation%3Dserializable";

    check(store(&format!("{address}&{serializable}"))).await;
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn the_tables_may_be_created_again_and_keep_their_rows() {
    let address = table(None).await;
    let store = store(&address);
    store.swap(&put("a", NOW_S)).await.unwrap();

    let name = address.rsplit_once('=').unwrap().1;
    run(&address, &schema(&name.parse().unwrap())).await;

    assert!(store.read("a").await.unwrap().is_some());
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_write_whose_answer_is_lost_is_made_once() {
    let address = database();
    let (_, server) = address.split_once('@').unwrap();
    let cutter = Cutter::before(server.split_once('/').unwrap().0).await;
    let store = store(&table(Some(&cutter.address.to_string())).await);

    check_lost_answers(&store, &cutter).await;
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn no_statement_is_named_and_one_request_at_a_time_takes_one_connection() {
    let address = table(None).await;
    let name = format!("app_{:x}", fastrand::u32(..));
    let store = store(&format!("{address}&application_name={name}"));
    for id in ["a", "b", "c"] {
        store.swap(&put(id, NOW_S)).await.unwrap();
        store.read(id).await.unwrap();
    }

    let parsed = PostgresAddress::parse(&address).unwrap();
    let link = Link::default();
    let line = link.place().line(&link, &parsed).await.unwrap();
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
    let connections: i64 = line.client.query_typed(&count, &[]).await.unwrap()[0].get(0);
    let own = store
        .link
        .place()
        .line(&store.link, &store.address)
        .await
        .unwrap();
    let named = "SELECT count(*) FROM pg_prepared_statements";
    let named: i64 = own.client.query_typed(named, &[]).await.unwrap()[0].get(0);

    assert_eq!((connections, named), (1, 0));
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_sweep_deletes_what_has_expired_and_no_more() {
    let store = store(&table(None).await);
    for (id, expires_s) in [
        ("a", NOW_S - 1),
        ("b", NOW_S - 1),
        ("c", NOW_S - 1),
        ("d", NOW_S),
    ] {
        store.swap(&put(id, expires_s)).await.unwrap();
    }

    let swept = (
        store.sweep(NOW_S, 2).await.unwrap(),
        store.sweep(NOW_S, 2).await.unwrap(),
    );

    assert_eq!(swept, (2, 1));
    assert!(store.read("d").await.unwrap().is_some());
    assert!(store.read("a").await.unwrap().is_none());
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_fault_that_stays_says_what_to_do() {
    let address = table(None).await;
    let role = format!("role_{:x}", fastrand::u32(..));
    run(
        &address,
        &format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'pw'; CREATE TABLE IF NOT EXISTS other (id int)"
        ),
    )
    .await;
    let password = |user: &str, password: &str| {
        let (_, host) = address.split_once('@').unwrap();
        format!("postgres://{user}:{password}@{host}")
    };
    let without_ca = address.replace("sslrootcert", "application_name");
    let cases = [
        (
            format!("{address}&table=missing"),
            "cargo msk postgres schema",
        ),
        (
            format!("{address}&table=other"),
            "that `cargo msk postgres schema` prints",
        ),
        (
            password(&role, "pw"),
            "its role needs SELECT, INSERT, UPDATE and DELETE",
        ),
        (password("postgres", "hunter2"), "check user and password"),
        (
            without_ca,
            "name the file with its authority in `sslrootcert`",
        ),
        (
            address.replace("ca.pem", "none.pem"),
            "cannot read certificates from the file",
        ),
        (address.replace("/postgres?", "/nowhere?"), "does not exist"),
    ];
    for (address, advice) in cases {
        let error = store(&address).swap(&put("a", NOW_S)).await.unwrap_err();

        let text = error_text(&error);
        assert!(!error.is_transient(), "{text}");
        assert!(text.contains(advice), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

fn server(folder: &Path, port: u16) -> Command {
    let script = std::env::var("LAMBDA_MSK_POSTGRES_SERVER").expect("run by tests/services/run");
    let mut command = Command::new(script);
    command.arg(folder).arg(port.to_string());
    command
}

/// Once it has made its folder.
async fn address(server: &Server) -> String {
    let made = async {
        loop {
            if server.folder.join("ready").exists()
                && let Ok(password) = std::fs::read_to_string(server.folder.join("password"))
            {
                return password;
            }
            tokio::task::yield_now().await;
        }
    };
    let password = timeout(Duration::from_secs(30), made).await.unwrap();
    let (password, port) = (password.trim(), server.port);
    format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=disable")
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_server_that_is_killed_and_started_again_has_what_it_confirmed() {
    let mut server = Server::start("postgres", server).await;
    let address = address(&server).await;
    let store = store(&address);
    let missing = until_it_answers(&store, "a").await.unwrap_err();
    assert!(missing.contains("cargo msk postgres schema"), "{missing}");
    run(&address, &schema(&"lambda_msk_ledger".parse().unwrap())).await;
    let Swapped::Applied(written) = store.swap(&put("a", NOW_S)).await.unwrap() else {
        panic!("nothing stood there");
    };

    server.kill();
    let meanwhile = store.swap(&put("b", NOW_S)).await.unwrap_err();
    server.restart();

    assert!(meanwhile.is_transient(), "{meanwhile}");
    assert_eq!(until_it_answers(&store, "a").await, Ok(written));
    let swapped = store.swap(&put("b", NOW_S)).await.unwrap();
    assert!(matches!(swapped, Swapped::Applied(Some(_))));
}

/// Real sockets, so real time: both tries go by.
#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_left_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let store = store(&format!("postgres://u:hunter2@127.0.0.1:{port}/shop"));
    let began = tokio::time::Instant::now();

    let error = store.read("a").await.unwrap_err();

    let text = error_text(&error);
    assert!(error.is_transient() && !text.contains("hunter2"), "{text}");
    assert!(began.elapsed() < Duration::from_millis(POSTGRES_TRY_MS_MAX * 2 + 500));
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come_and_its_password_is_not_shown() {
    let store = store("postgres://user:hunter2@127.0.0.1:1/shop");

    let error = store.read("a").await.unwrap_err();

    let text = error_text(&error);
    assert!(error.is_transient(), "{text}");
    assert!(
        text.starts_with("no request reached postgres:127.0.0.1/shop/lambda_msk_ledger"),
        "{text}"
    );
    assert!(!format!("{text} {error:?} {store:?}").contains("hunter2"));
}

/// Takes any user without a password, late, and never answers a statement.
async fn slow_and_silent(late: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = [0; 4096];
                assert_ne!(client.read(&mut asked).await.unwrap(), 0);
                tokio::time::sleep(late).await;
                // Authentication is over; ready for a statement.
                let ready = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
                let _ = client.write_all(ready).await;
                while client.read(&mut asked).await.is_ok_and(|count| count > 0) {}
            });
        }
    });
    port
}

/// Real sockets, so real time: both tries go by.
#[tokio::test]
async fn a_connection_and_its_statement_share_the_time_of_one_try() {
    let port = slow_and_silent(Duration::from_millis(POSTGRES_TRY_MS_MAX * 3 / 4)).await;
    let store = store(&format!(
        "postgres://u@127.0.0.1:{port}/shop?sslmode=disable"
    ));
    let began = tokio::time::Instant::now();

    let error = store.read("a").await.unwrap_err();

    assert!(error.is_transient(), "{error}");
    assert!(began.elapsed() < Duration::from_millis(POSTGRES_TRY_MS_MAX * 2 + 500));
}

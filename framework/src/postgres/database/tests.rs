//! Connections that are thrown away, and the file of the authorities.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Database, DatabaseError};
use crate::limits::POSTGRES_TRY_MS_MAX;

/// Longer than anything here takes.
const ENDS: Duration = Duration::from_secs(60);

/// Stands before the server, counts the connections and can hold those that it has.
struct Way {
    taken: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    hold: watch::Sender<usize>,
    database: Database,
}

impl Way {
    async fn new() -> Self {
        let server = std::env::var("LAMBDA_MSK_POSTGRES").expect("run by tests/services/run");
        let (before, after) = server.split_once("@127.0.0.1:").unwrap();
        let (port, rest) = after.split_once('/').unwrap();
        let port: u16 = port.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let taken = Arc::new(AtomicUsize::new(0));
        let (hold, held) = watch::channel(0);
        let ended = Arc::new(AtomicUsize::new(0));
        let (count, ends) = (Arc::clone(&taken), Arc::clone(&ended));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let (mut held, ends) = (held.clone(), Arc::clone(&ends));
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let is_held = tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => false,
                        held = held.wait_for(|held| number < *held) => held.is_ok(),
                    };
                    if is_held {
                        sleep(ENDS).await;
                    }
                    ends.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        let database = Database::new(&format!("{before}@127.0.0.1:{own}/{rest}")).unwrap();
        Self {
            taken,
            ended,
            hold,
            database,
        }
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    async fn at_rest(&self, permits: usize) {
        let began = Instant::now();
        while self.database.permits.available_permits() < permits {
            assert!(began.elapsed() < ENDS, "a permit does not come back");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_session_that_is_thrown_away_counts_until_it_is_closed() {
    let way = Way::new().await;
    let mut session = way.database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    let sleeps = transaction.batch_execute("SELECT pg_sleep(600)");
    assert!(timeout(Duration::from_millis(100), sleeps).await.is_err());
    drop(transaction);
    let before = way.database.permits.available_permits();

    drop(session);

    assert_eq!(way.database.permits.available_permits(), before);
    way.at_rest(before + 1).await;
    // What ran was cancelled, by a connection of its own.
    assert_eq!(way.taken(), 2);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn after_an_error_that_was_answered_nothing_is_cancelled() {
    let way = Way::new().await;
    let mut session = way.database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    transaction.batch_execute("SELECT 1/0").await.unwrap_err();
    drop(transaction);
    let before = way.database.permits.available_permits();

    drop(session);
    way.at_rest(before + 1).await;

    // A cancellation would have come before the end of what it cancels.
    let began = Instant::now();
    while way.ended.load(Ordering::SeqCst) == 0 {
        assert!(began.elapsed() < ENDS, "the connection stays open");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(way.taken(), 1);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn after_a_freeze_one_dead_connection_costs_one_try_and_not_each() {
    let way = Way::new().await;
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(way.database.session().await.unwrap());
    }
    for session in sessions {
        session.give_back();
    }
    way.hold.send(4).unwrap();
    let began = Instant::now();

    let mut session = timeout(ENDS, way.database.session())
        .await
        .unwrap()
        .unwrap();

    assert!(
        began.elapsed() < Duration::from_millis(4 * POSTGRES_TRY_MS_MAX),
        "{:?}",
        began.elapsed()
    );
    assert!(way.database.shared.idle().is_empty());
    assert!(session.begin().await.is_ok());
}

#[test]
fn a_file_of_authorities_that_cannot_be_read_is_found_without_a_connection() {
    let check = |parameters: &str| {
        let database = Database::new(&format!("postgres://u:hunter2@db/shop?{parameters}"));
        database.unwrap().check()
    };
    let name = format!("lambda-msk-roots-{:016x}.pem", fastrand::u64(..));
    let file = std::env::temp_dir().join(name);
    let named = format!("sslrootcert={}", file.display());
    std::fs::write(&file, "").unwrap();

    let missing = check("sslrootcert=/nowhere/hunter2.pem").unwrap_err();
    let empty = check(&named).unwrap_err();
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nhunter2").unwrap();
    let broken = check(&named).unwrap_err();
    std::fs::remove_file(&file).unwrap();

    assert_eq!(missing, DatabaseError::RootsFile(ErrorKind::NotFound));
    assert_eq!(
        (empty, broken),
        (DatabaseError::Roots, DatabaseError::Roots)
    );
    assert!(!format!("{missing} {empty} {broken}").contains("hunter2"));
    assert_eq!(check(""), Ok(()));
    assert_eq!(check("sslmode=disable&sslrootcert=/nowhere.pem"), Ok(()));
}

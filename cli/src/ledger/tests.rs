//! What is shown of ledgers that a consumer has written.

use std::future::pending;
use std::time::Duration;

use clap::Parser;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::idempotency::{BoxStore, MemoryStore};
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Failure, FailureReporting, Json};
use tokio::time::timeout;

use super::found::Which;
use super::{json, store, text};

/// When the first invocation of a test takes place: 2026-01-01T00:00:00Z.
pub(crate) const START_MS: u64 = 1_767_225_600_000;

/// Where all of this module's ledgers stand.
pub(crate) const WHERE: &str =
    "--store dynamodb://t --namespace shop --cluster main --topic orders";

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    which: Which,
}

fn which(line: &str) -> Which {
    let words = format!("show {WHERE} {line}");
    Line::parse_from(words.split_whitespace()).which
}

/// 0 may pass, 1 is rejected, 2 never ends, others are done.
async fn ship(Json(order): Json<u64>) -> Result<(), Failure> {
    match order {
        0 => Err(Failure::retry("inventory is down")),
        1 => Err(Failure::reject("unknown currency")),
        2 => pending().await,
        _ => Ok(()),
    }
}

/// Delivers orders with these values to a partition, from offset 10 on; kills the process if they take a second.
pub(crate) async fn deliver(store: &MemoryStore, partition: i32, values: &[u64]) {
    let consumer = Consumer::builder()
        .topic("orders", ship)
        .on_failure(MemoryDestination::new())
        .idempotency(store.clone())
        .namespace("shop")
        .cluster("main")
        .attempts(1)
        .failure_reporting(FailureReporting::Partial)
        .build()
        .unwrap();
    let sample = |(value, offset): (&u64, i64)| {
        let sample = Sample::new("orders", partition).offset(offset);
        sample.value(value.to_string())
    };
    let samples = values.iter().zip(10..).map(sample);
    let event = Event::self_managed().records(samples);
    let _ = timeout(Duration::from_secs(1), invoke(&consumer, event)).await;
}

/// As it is seen without colours; who holds a lease has another name each time.
pub(crate) fn seen(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    let mask = |word: &str| {
        let name = word.trim_end();
        let is_owner = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_owner {
            word.replace(name, "OWNER")
        } else {
            word.to_owned()
        }
    };
    text.split_inclusive(char::is_whitespace)
        .map(mask)
        .collect()
}

async fn shown(store: &MemoryStore, line: &str, now_ms: u64) -> String {
    let (which, store) = (which(line), BoxStore::new(store.clone()));
    let found = which.read(&store).await.unwrap();
    seen(&text::found(&which, &store, &found, now_ms))
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_partitions_is_shown_and_of_which_nothing_is() {
    let store = MemoryStore::new();
    deliver(&store, 1, &[7, 7, 1, 7, 0]).await;
    deliver(&store, 4, &[7]).await;

    let text = shown(&store, "--partitions 8", START_MS + 2_000).await;

    assert_eq!(
        text,
        "\
orders-1
  done      3 offsets: 10..11, 13
  rejected  1 offset: 12
  settled   last at 2026-01-01T00:00:00Z (to the minute)
  highest   14, in the batches so far
  reported  14, reported to Lambda and not redelivered
  lease     free
  data      47 bytes
  expires   at 2026-01-01T00:15:00Z

orders-4
  done      1 offset: 10
  rejected  none
  settled   last at 2026-01-01T00:00:00Z (to the minute)
  highest   10, in the batches so far
  lease     free
  data      16 bytes
  expires   at 2026-01-01T00:15:00Z

memory has no entry for partitions 0, 2..3, 5..7: their records run.
"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_shown_with_how_much_of_it_is_left_or_over() {
    let store = MemoryStore::new();
    deliver(&store, 0, &[7, 2]).await;

    let lease = |text: String| {
        let lines = text.lines().skip_while(|line| !line.contains("lease"));
        lines.take(2).collect::<Vec<_>>().join("\n")
    };
    let held = lease(shown(&store, "--partition 0", START_MS + 2_000).await);
    let doubtful = lease(shown(&store, "--partition 0", START_MS + 10_650).await);
    let over = lease(shown(&store, "--partition 0", START_MS + 90_000).await);

    assert_eq!(
        format!("\n{held}\n{doubtful}\n{over}"),
        "
  lease     held, for 8.3 s more
            until 2026-01-01T00:00:10.25Z by its holder OWNER
  lease     expired 0.4 s ago, but clocks may differ: free in 0.7 s
            until 2026-01-01T00:00:10.25Z by its holder OWNER
  lease     expired 79.7 s ago, and not released: free
            until 2026-01-01T00:00:10.25Z by its holder OWNER"
    );
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_known_at_all_it_is_said_what_was_looked_for() {
    let text = shown(&MemoryStore::new(), "--partition 3", START_MS).await;

    assert_eq!(
        text,
        "\
memory has no entry for partition 3: their records run.

Looked for shop/main/orders/PARTITION. The key in a dead letter begins like this
(`failure.idempotencyKey`): compare the two, and the table and its region.
"
    );
}

#[tokio::test(start_paused = true)]
async fn many_ranges_are_cut_for_people() {
    let store = MemoryStore::new();
    let values: Vec<u64> = (0..24).map(|at| if at % 2 == 0 { 7 } else { 1 }).collect();
    deliver(&store, 0, &values).await;

    let text = shown(&store, "--partition 0", START_MS).await;

    assert!(
        text.contains(
            "done      12 offsets: 10, 12, 14, 16, 18, 20, 22, 24, and 4 more ranges up to 32\n"
        ),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn as_json_everything_is_there() {
    let store = MemoryStore::new();
    deliver(&store, 0, &[7, 1, 2]).await;
    let (which, store) = (which("--partition 0 --partition 1"), BoxStore::new(store));

    let found = which.read(&store).await.unwrap();
    let mut document = json::found(&which, &store, &found, START_MS + 2_000);

    let owner = document["partitions"][0]["lease"]["owner"].take();
    assert_eq!(owner.as_str().unwrap().len(), 32);
    let seq = document["partitions"][0]["lease"]["seq"].take();
    assert!(seq.is_u64(), "{seq}");
    assert_eq!(
        document,
        serde_json::json!({
            "store": "memory",
            "namespace": "shop",
            "cluster": "main",
            "topic": "orders",
            "partitions": [{
                "partition": 0,
                "id": "shop/main/orders/0",
                "done": [{"first": 10, "last": 10, "atMs": START_MS}],
                "rejected": [{"first": 11, "last": 11, "atMs": START_MS}],
                "highest": 12,
                "reported": null,
                "lease": {
                    "owner": null,
                    "seq": null,
                    "untilMs": START_MS + 10_250,
                    "freeMs": START_MS + 11_251,
                    "live": true,
                },
                "dataBytes": 23,
                "expiresS": START_MS / 1000 + 15 * 60,
                "unreadable": null,
            }],
            "unknown": [1],
        })
    );
}

#[test]
fn what_names_no_store_is_refused_and_never_shown() {
    for (text, says) in [
        (
            "memory",
            "expected a store that outlives its process, found `memory`",
        ),
        (
            "none",
            "expected a store that outlives its process, found `none`",
        ),
        ("mysql://user:hunter2@cache", "expected a store in --store"),
        ("", "expected a store in --store"),
    ] {
        let fault = store(text).unwrap_err().text();

        assert!(fault.contains(says) && fault.contains("help"), "{fault}");
        assert!(!fault.contains("hunter2"), "{fault}");
    }
}

#[test]
fn an_address_that_cannot_be_used_is_not_shown() {
    for text in [
        "redis://user:hunter2@cache:port",
        "postgres://user:hunter2@db:port/orders",
    ] {
        let fault = store(text).unwrap_err().text();

        assert!(
            fault.contains("redis") || fault.contains("postgres"),
            "{fault}"
        );
        assert!(!fault.contains("hunter2"), "{fault}");
    }
}

#[cfg(not(feature = "dynamodb"))]
#[test]
fn without_dynamodb_it_says_how_to_install_it() {
    let fault = store("dynamodb://orders-idempotency").unwrap_err().text();

    assert!(
        fault.contains("cargo install --locked cargo-msk --features dynamodb"),
        "{fault}"
    );
}

#[cfg(feature = "dynamodb")]
#[test]
fn a_table_by_name_or_arn_is_a_store() {
    let arn = "dynamodb://arn:aws:dynamodb:eu-central-1:123456789012:table/orders-idempotency";

    assert!(store("dynamodb://orders-idempotency").is_ok());
    assert!(store(arn).is_ok());
    assert!(store("dynamodb://a table").is_err());
}

#[test]
fn parts_of_an_id_that_cannot_be_are_refused() {
    let mut namespace = which("--partition 0");
    namespace.namespace = "a/b".to_owned();
    let mut topic = which("--partition 0");
    topic.topic = "a/b".to_owned();
    let mut cluster = which("--partition 0");
    cluster.cluster = String::new();

    for which in [namespace, topic, cluster] {
        let fault = which.check().unwrap_err().text();
        assert!(fault.contains("help"), "{fault}");
    }
    assert!(which("--partition 0").check().is_ok());
}

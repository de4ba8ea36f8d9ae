//! What is forgotten, and what is not.

use clap::Parser;
use lambda_msk::idempotency::{BoxStore, MemoryStore};

use super::{Args, carry_out, document, is_yes, outcomes_text, plan, plan_text, refuse_while_held};
use crate::ledger::tests::{START_MS, WHERE, deliver, seen};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn args(line: &str) -> Args {
    let words = format!("forget {WHERE} {line}");
    Line::parse_from(words.split_whitespace()).args
}

/// What is said before and after, without a question; something may happen in between.
async fn forgotten(
    memory: &MemoryStore,
    line: &str,
    meanwhile: impl AsyncFnOnce(),
) -> (String, String) {
    let (args, store) = (args(line), BoxStore::new(memory.clone()));
    let found = args.which.read(&store).await.unwrap();
    let plan = plan(&args, &found);
    let before = seen(&plan_text(&args, &store, &plan));
    meanwhile().await;
    let outcomes = carry_out(&args, &store, &plan, START_MS).await.unwrap();
    (before, seen(&outcomes_text(&args, &plan, &outcomes)))
}

#[tokio::test(start_paused = true)]
async fn whole_partitions_are_named_with_all_that_is_known_of_them() {
    let store = MemoryStore::new();
    deliver(&store, 0, &[7, 7, 1, 0]).await;
    deliver(&store, 2, &[7]).await;

    let (before, after) = forgotten(&store, "--partitions 3", async || {}).await;
    let (nothing, _) = forgotten(&store, "--partitions 3", async || {}).await;

    assert_eq!(
        before,
        "\
To be forgotten in memory:

  orders-0
    done      2 offsets: 10..11
    rejected  1 offset: 12
    reported  13, reported to Lambda and not redelivered
    and the item itself
  orders-2
    done      1 offset: 10
    and the item itself

Records at these offsets run again if Lambda redelivers them, rejected ones too.
"
    );
    assert_eq!(after, "forgotten: orders-0\nforgotten: orders-2\n");
    assert_eq!(
        nothing,
        "memory has none of these offsets: there is nothing to forget.\n"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_part_only_what_lies_in_it_is_named_and_forgotten() {
    let store = MemoryStore::new();
    deliver(&store, 0, &[7, 7, 7, 7]).await;
    deliver(&store, 1, &[7]).await;

    let line = "--partitions 2 --from 11 --to 12";
    let (before, after) = forgotten(&store, line, async || {}).await;
    let (left, _) = forgotten(&store, "--partition 0", async || {}).await;

    assert_eq!(
        before,
        "\
To be forgotten in memory:

  orders-0
    done      2 offsets: 11..12

Records at these offsets run again if Lambda redelivers them, rejected ones too.
"
    );
    assert_eq!(after, "forgotten: orders-0\n");
    assert!(left.contains("done      2 offsets: 10, 13\n"), "{left}");
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_since_it_was_shown_stays() {
    let store = MemoryStore::new();
    deliver(&store, 0, &[7]).await;
    deliver(&store, 1, &[7]).await;

    let meanwhile = async || deliver(&store, 0, &[7, 7]).await;
    let (_, after) = forgotten(&store, "--partitions 2", meanwhile).await;

    assert_eq!(
        after,
        "\
not forgotten: orders-0: the partition's ledger was changed after it was read
forgotten: orders-1

Run the command again to see what is known now.
"
    );
}

#[tokio::test(start_paused = true)]
async fn while_one_of_them_is_held_nothing_is_forgotten() {
    let memory = MemoryStore::new();
    deliver(&memory, 0, &[7]).await;
    deliver(&memory, 1, &[7, 2]).await;
    let (args, store) = (args("--partitions 2"), BoxStore::new(memory));
    let found = args.which.read(&store).await.unwrap();
    let plan = plan(&args, &found);

    let held = refuse_while_held(&args, &plan, START_MS + 11_250);
    let over = refuse_while_held(&args, &plan, START_MS + 11_251);

    assert_eq!(
        seen(&held.unwrap_err().text()),
        "\
error: nothing was forgotten: an invocation holds these partitions
  orders-1: expired 1.0 s ago, but clocks may differ: free in 0.1 s
  help: stop the mapping, and wait until its last invocation has ended
"
    );
    assert!(over.is_ok());
}

#[tokio::test(start_paused = true)]
async fn as_json_it_says_of_each_partition_what_became_of_it() {
    let memory = MemoryStore::new();
    deliver(&memory, 0, &[7, 1]).await;
    let (args, store) = (args("--partitions 2 --from 11"), BoxStore::new(memory));
    let found = args.which.read(&store).await.unwrap();
    let plan = plan(&args, &found);

    let outcomes = carry_out(&args, &store, &plan, START_MS).await.unwrap();
    let document = document(&args, &store, &plan, &outcomes);

    assert_eq!(
        document,
        serde_json::json!({
            "store": "memory",
            "namespace": "shop",
            "cluster": "main",
            "topic": "orders",
            "from": 11,
            "to": null,
            "partitions": [{
                "partition": 0,
                "id": "shop/main/orders/0",
                "done": [],
                "rejected": [{"first": 11, "last": 11, "atMs": START_MS}],
                "reported": null,
                "forgotten": true,
                "why": null,
            }],
            "allForgotten": true,
        })
    );
}

#[test]
fn only_yes_is_yes() {
    for yes in ["y\n", "Y\n", "yes\r\n", " YES "] {
        assert!(is_yes(yes), "{yes:?}");
    }
    for no in ["", "\n", "n\n", "yep\n", "j\n"] {
        assert!(!is_yes(no), "{no:?}");
    }
}

#[test]
fn an_end_before_the_start_is_refused() {
    let fault = args("--partition 0 --from 5 --to 4").checked().unwrap_err();

    assert!(fault.text().contains("found --from 5 and --to 4"));
}

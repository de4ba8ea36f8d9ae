//! A mapping that does not read which records failed: the ledger sees it, once an offset, and nothing else follows from it.

use std::time::Duration;

use lambda_msk::limits::OVERLOOKED_AFTER_MS;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, FailureReporting, ProcessingOrder};
use serde_json::Value;
use tokio::time::advance;

use crate::emf::Written;
use crate::shared_store::{Shared, process};
use crate::support::{Journal, Lines, letters};

/// A batch of partition 0: offsets and how long each takes; 0 fails.
fn batch<const N: usize>(records: [(i64, u64); N]) -> Event {
    Event::msk().records(samples(records)).build()
}

/// As [`batch`], of a self-managed cluster: it may be of a mapping in Queue mode.
fn shared<const N: usize>(records: [(i64, u64); N]) -> Event {
    Event::self_managed().records(samples(records)).build()
}

fn samples<const N: usize>(records: [(i64, u64); N]) -> [Sample; N] {
    records.map(|(offset, ms)| {
        Sample::new("orders", 0)
            .offset(offset)
            .value(ms.to_string())
    })
}

/// Gives the batches to processes, one each, and answers with what was said of overlooked records.
async fn said_of(consumers: &[Consumer], batches: &[Event]) -> Vec<Value> {
    let lines = Lines::default();
    let _listening = lines.listen();
    for (consumer, batch) in consumers.iter().zip(batches) {
        invoke(consumer, batch.clone()).await;
    }
    let overlooked: Vec<Value> =
        lines.of("a record that was reported as failed was not redelivered");
    let counted: u64 = lines
        .of("batch ended")
        .iter()
        .map(|line| line["overlooked"].as_u64().unwrap())
        .sum();
    let records = overlooked.iter().map(|line| line["records"].as_u64());
    let records: Option<u64> = records.sum();
    assert_eq!(Some(counted), records, "the report counts them too");
    overlooked
}

fn processes(count: usize) -> Vec<Consumer> {
    let store = Shared::default();
    let one = || process(&store, &Journal::default()).build().unwrap();
    (0..count).map(|_| one()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_reported_record_that_never_comes_again_is_said_once() {
    let batches = [
        batch([(0, 1), (1, 0), (2, 1)]),
        batch([(3, 1), (4, 1)]),
        batch([(5, 1)]),
    ];

    let said = said_of(&processes(3), &batches).await;

    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["topic"], "orders");
    assert_eq!(said[0]["partition"], 0);
    assert_eq!(said[0]["offset"], 1);
    assert_eq!(said[0]["level"], "ERROR");
    assert!(
        said[0]["cure"]
            .as_str()
            .unwrap()
            .contains("ReportBatchItemFailures")
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_not_reached_behind_a_reported_record_is_lost_with_it_and_counted() {
    let batches = [
        batch([(0, 1), (1, 0), (2, 1), (3, 1), (4, 1)]),
        batch([(5, 1)]),
    ];
    let (store, written, lines) = (Shared::default(), Written::default(), Lines::default());
    let one = || process(&store, &Journal::default()).metrics(written.emf());
    let _listening = lines.listen();

    for batch in batches {
        invoke(&one().build().unwrap(), batch).await;
    }

    let said = lines.of("a record that was reported as failed was not redelivered");
    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["offset"], 1);
    assert_eq!(said[0]["last_offset"], 4);
    assert_eq!(said[0]["records"], 4);
    let ended = lines.of("batch ended");
    assert_eq!(ended[1]["overlooked"], 4);
    assert_eq!(written.lines()[1]["OverlookedRecords"], 4);
}

#[tokio::test(start_paused = true)]
async fn a_batch_below_the_reported_record_decides_nothing() {
    // The mapping goes back before it passes the record by.
    let batches = [batch([(5, 0)]), batch([(3, 1)]), batch([(6, 1)])];

    let said = said_of(&processes(3), &batches).await;

    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["offset"], 5);
}

#[tokio::test(start_paused = true)]
async fn one_process_with_a_ledger_in_memory_sees_it_too() {
    let consumer = Consumer::builder()
        .topic(
            "orders",
            async |lambda_msk::Json(ok): lambda_msk::Json<u64>| match ok {
                0 => Err("down"),
                _ => Ok(()),
            },
        )
        .attempts(1)
        .failure_reporting(FailureReporting::Partial)
        .build()
        .unwrap();
    let consumers = [consumer.clone(), consumer];

    let said = said_of(&consumers, &[batch([(0, 0)]), batch([(1, 1)])]).await;

    assert_eq!(said.len(), 1);
    // It cannot know what others were sent, and says so.
    let unless = said[0]["unless"].as_str().unwrap();
    assert!(unless.contains("another process was sent it"), "{unless}");
}

#[tokio::test(start_paused = true)]
async fn a_mapping_that_sends_the_record_again_is_sound() {
    let batches = [
        batch([(0, 1), (1, 0), (2, 1)]),
        batch([(1, 0), (2, 1)]),
        batch([(1, 1)]),
        batch([(3, 1)]),
    ];

    assert_eq!(said_of(&processes(4), &batches).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_after_it_came_again_is_not_overlooked() {
    // Another process each, so that none knows the mapping to be sound from what it has seen.
    let batches = [
        batch([(0, 0)]),
        batch([(0, 0)]),
        batch([(0, 0)]),
        batch([(1, 1)]),
    ];

    assert_eq!(said_of(&processes(4), &batches).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_topic_whose_mapping_is_known_to_be_sound_is_not_doubted_again() {
    let one = processes(1).remove(0);
    let consumers = vec![one; 4];
    // Seen again at 0; what is given up at 1 later has another cause.
    let batches = [
        batch([(0, 0)]),
        batch([(0, 0)]),
        batch([(1, 0)]),
        batch([(2, 1)]),
    ];

    assert_eq!(said_of(&consumers, &batches).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn whole_batch_reporting_cannot_be_overlooked() {
    let store = Shared::default();
    let one = || {
        process(&store, &Journal::default())
            .failure_reporting(FailureReporting::WholeBatch)
            .build()
            .unwrap()
    };

    let said = said_of(&[one(), one()], &[batch([(0, 0)]), batch([(1, 1)])]).await;

    assert_eq!(said.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_order_a_later_batch_says_nothing() {
    let store = Shared::default();
    let one = || {
        process(&store, &Journal::default())
            .order(ProcessingOrder::Unordered)
            .build()
            .unwrap()
    };

    let said = said_of(&[one(), one()], &[batch([(0, 0)]), batch([(1, 1)])]).await;

    assert_eq!(said.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn in_queue_mode_later_batches_before_a_record_comes_again_say_nothing() {
    // Another process each, so that none knows the mapping to be sound from what it has seen.
    let batches = [
        shared([(0, 0), (1, 1)]),
        shared([(2, 1)]),
        shared([(3, 0)]),
        shared([(0, 1)]),
        shared([(3, 1)]),
        shared([(4, 1)]),
    ];

    assert_eq!(said_of(&processes(6), &batches).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_self_managed_clusters_mapping_passes_by_for_minutes_is_said() {
    let (processes, lines) = (processes(4), Lines::default());
    let _listening = lines.listen();
    let said = || lines.of("a record that was reported as failed was not redelivered");

    invoke(&processes[0], shared([(0, 1), (1, 0)])).await;
    invoke(&processes[1], shared([(2, 0)])).await;
    let at_once = said().len();
    advance(Duration::from_millis(OVERLOOKED_AFTER_MS) + Duration::from_secs(60)).await;
    invoke(&processes[2], shared([(3, 1)])).await;

    assert_eq!(at_once, 0);
    // The first of the two has been missed longest, and the other one with it.
    assert_eq!(said()[0]["offset"], 1);
    assert_eq!(said()[0]["last_offset"], 2);
    assert_eq!(said()[0]["records"], 2);
    assert_eq!(said().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_came_again_is_not_lost_with_a_record_that_was_given_up() {
    let (processes, lines) = (processes(4), Lines::default());
    let _listening = lines.listen();

    // 0 is given up; 5 comes again, and is done.
    invoke(&processes[0], shared([(0, 0)])).await;
    invoke(&processes[1], shared([(5, 0)])).await;
    invoke(&processes[2], shared([(5, 1)])).await;
    advance(Duration::from_millis(OVERLOOKED_AFTER_MS) + Duration::from_secs(60)).await;
    invoke(&processes[3], shared([(9, 1)])).await;

    let said = lines.of("a record that was reported as failed was not redelivered");
    assert_eq!(said.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_topic_made_anew_overlooks_nothing() {
    let at =
        |offset, key: &str, ms: &str| Sample::new("orders", 0).offset(offset).key(key).value(ms);
    let batches = [
        Event::msk()
            .records([at(5, "a", "1"), at(6, "a", "0")])
            .build(),
        // Other records: 5 was settled, and stands there with other content.
        Event::msk().records([at(5, "b", "1")]).build(),
        Event::msk().records([at(7, "b", "1")]).build(),
    ];

    assert_eq!(said_of(&processes(3), &batches).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_behaviour_follows_from_it() {
    let consumers = processes(3);
    let batches = [
        batch([(0, 0), (1, 1)]),
        batch([(2, 1), (3, 1)]),
        batch([(0, 1), (1, 1), (2, 1)]),
    ];

    let mut outcomes = Vec::new();
    for (consumer, batch) in consumers.iter().zip(batches) {
        outcomes.push(letters(&invoke(consumer, batch).await));
    }

    assert_eq!(outcomes, ["FU", "DD", "DDS"]);
}

//! Lanes: in a lane, records start in offset order, each once the one before is settled; lanes run side by side, up to `concurrency`.

use std::time::Duration;

use lambda_msk::builder::NullKeys;
use lambda_msk::testing::{Event, EventBuilder, Sample, invoke};
use lambda_msk::{Consumer, Failure, FailureReporting, ProcessingOrder, Record, State};
use tokio::time::sleep;

use crate::support::{Journal, letters, orders};

async fn slow(record: Record, State(journal): State<Journal>) {
    journal.start(&record);
    sleep(Duration::from_millis(10)).await;
    journal.end(&record);
}

fn consumer(journal: &Journal, order: ProcessingOrder) -> Consumer {
    Consumer::builder()
        .state(journal.clone())
        .topic("orders", slow)
        .order(order)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn records_of_a_partition_run_one_after_the_other_in_offset_order() {
    let journal = Journal::default();
    let consumer = consumer(&journal, ProcessingOrder::Partition);

    let invoked = invoke(&consumer, orders([(0, "a"), (0, "b"), (0, "c")])).await;

    assert_eq!(letters(&invoked), "DDD");
    let expected = [
        "+orders-0@0",
        "-orders-0@0",
        "+orders-0@1",
        "-orders-0@1",
        "+orders-0@2",
        "-orders-0@2",
    ];
    assert_eq!(journal.lines(), expected);
}

#[tokio::test(start_paused = true)]
async fn partitions_run_side_by_side() {
    let journal = Journal::default();
    let consumer = consumer(&journal, ProcessingOrder::Partition);

    let invoked = invoke(&consumer, orders([(0, "a"), (0, "b"), (1, "c"), (2, "d")])).await;

    assert_eq!(letters(&invoked), "DDDD");
    assert_eq!(journal.most_at_once(), 3);
    assert_eq!(invoked.elapsed(), Duration::from_millis(20));
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_partition_run_side_by_side_in_key_order() {
    let journal = Journal::default();
    let consumer = consumer(&journal, ProcessingOrder::Key);
    let event = ["x", "y", "x"]
        .into_iter()
        .map(|key| Sample::new("orders", 0).key(key).value("1"))
        .fold(Event::msk(), EventBuilder::record);

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DDD");
    assert_eq!(journal.most_at_once(), 2);
    let lines = journal.lines();
    let at = |line| lines.iter().position(|other| other == line).unwrap();
    assert!(at("-orders-0@0") < at("+orders-0@2"), "{lines:?}");
    assert!(at("+orders-0@1") < at("-orders-0@0"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn the_same_key_in_two_partitions_makes_two_lanes() {
    let journal = Journal::default();
    let consumer = consumer(&journal, ProcessingOrder::Key);
    let event = Event::msk()
        .record(Sample::new("orders", 0).key("x").value("1"))
        .record(Sample::new("orders", 1).key("x").value("1"));

    invoke(&consumer, event).await;

    assert_eq!(journal.most_at_once(), 2);
}

#[tokio::test(start_paused = true)]
async fn records_without_a_key_share_a_lane_and_an_empty_key_is_a_key() {
    let journal = Journal::default();
    let consumer = consumer(&journal, ProcessingOrder::Key);
    let event = Event::msk()
        .record(Sample::new("orders", 0).value("1"))
        .record(Sample::new("orders", 0).value("2"))
        .record(Sample::new("orders", 0).key("").value("3"));

    invoke(&consumer, event).await;

    assert_eq!(journal.most_at_once(), 2);
    let lines = journal.lines();
    let at = |line| lines.iter().position(|other| other == line).unwrap();
    assert!(at("-orders-0@0") < at("+orders-0@1"), "{lines:?}");
    assert!(at("+orders-0@2") < at("-orders-0@0"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn unordered_records_all_run_side_by_side() {
    let journal = Journal::default();
    let consumer = consumer(&journal, ProcessingOrder::Unordered);

    let invoked = invoke(&consumer, orders([(0, "a"), (0, "b"), (0, "c")])).await;

    assert_eq!(letters(&invoked), "DDD");
    assert_eq!(journal.most_at_once(), 3);
}

#[tokio::test(start_paused = true)]
async fn no_more_lanes_run_at_once_than_concurrency_allows() {
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic("orders", slow)
        .order(ProcessingOrder::Unordered)
        .concurrency(4)
        .build()
        .unwrap();

    let event = orders([(0, "1"); 10]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DDDDDDDDDD");
    assert_eq!(journal.most_at_once(), 4);
}

#[tokio::test(start_paused = true)]
async fn sixty_four_lanes_run_at_once_by_default() {
    let journal = Journal::default();
    let consumer = consumer(&journal, ProcessingOrder::Unordered);

    invoke(&consumer, orders([(0, "1"); 100])).await;

    assert_eq!(journal.most_at_once(), 64);
}

#[tokio::test(start_paused = true)]
async fn a_lane_whose_handlers_never_wait_gives_the_others_their_turn() {
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic(
            "orders",
            async |record: Record, State(journal): State<Journal>| journal.start(&record),
        )
        .build()
        .unwrap();
    let event = (0..400)
        .map(|number| Sample::new("orders", number / 200).value("1"))
        .fold(Event::msk(), EventBuilder::record);

    invoke(&consumer, event).await;

    let lines = journal.lines();
    let first_of_second = lines.iter().position(|line| line == "+orders-1@0").unwrap();
    assert!(
        first_of_second < 200,
        "the second lane started after {first_of_second} records"
    );
}

/// Records 0, 1 and 4 without a key, 2 and 5 of key `x`, 3 of the empty key. 0 and 2 fail in their first delivery.
async fn some_without_a_key(null_keys: NullKeys) -> (String, String, Vec<String>) {
    let journal = Journal::default();
    let runs = journal.clone();
    let consumer = Consumer::builder()
        .topic("orders", move |record: Record| {
            let again = runs.lines().contains(&format!("+{record}"));
            runs.start(&record);
            async move {
                match record.offset() {
                    0 | 2 if !again => Err(Failure::retry("inventory is down")),
                    _ => Ok(()),
                }
            }
        })
        .order(ProcessingOrder::Key)
        .null_keys(null_keys)
        .failure_reporting(FailureReporting::Partial)
        .attempts(1)
        .build()
        .unwrap();
    let sample = || Sample::new("orders", 0).value("1");
    let event = || {
        Event::msk().records([
            sample(),
            sample(),
            sample().key("x"),
            sample().key(""),
            sample(),
            sample().key("x"),
        ])
    };

    let first = invoke(&consumer, event()).await;
    let second = invoke(&consumer, event()).await;

    (letters(&first), letters(&second), journal.lines())
}

#[tokio::test(start_paused = true)]
async fn a_failed_record_without_a_key_stops_the_others_without_one_if_they_are_ordered() {
    let (first, second, _) = some_without_a_key(NullKeys::Ordered).await;

    assert_eq!((&*first, &*second), ("FUFDUU", "DDDSDD"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_record_without_a_key_stops_nothing_if_they_are_unordered() {
    let (first, second, runs) = some_without_a_key(NullKeys::Unordered).await;

    assert_eq!((&*first, &*second), ("FDFDDU", "DSDSSD"));
    assert_eq!(runs.len(), 5 + 3, "{runs:?}");
}

//! Places: `concurrency` counts what runs, and not what waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::idempotency::{Change, PerRecord};
use lambda_msk::limits::LANES_WAITING_MAX;
use lambda_msk::testing::{Event, Invoke, Sample, invoke};
use lambda_msk::{Attempt, Consumer, Failure, FailureReporting, ProcessingOrder, Record, State};
use tokio::join;
use tokio::time::{Instant, sleep};

use crate::keyed::{Shop, event, order};
use crate::shared_store::{Meets, Shared, killed_after, millis, process, secs};
use crate::support::{Journal, code, letters};

/// When each record was done, from the start.
#[derive(Clone)]
struct Times {
    start: Instant,
    done: Arc<Mutex<BTreeMap<String, Duration>>>,
    tries: Journal,
}

impl Times {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            done: Arc::default(),
            tries: Journal::default(),
        }
    }

    fn done(&self, record: &Record) {
        let at = self.start.elapsed();
        self.done.lock().unwrap().insert(record.to_string(), at);
    }

    /// The latest of these partitions' records.
    fn latest(&self, partitions: std::ops::Range<i32>) -> Duration {
        let done = self.done.lock().unwrap();
        let at = |partition| done[&format!("orders-{partition}@0")];
        partitions.map(at).max().unwrap()
    }
}

/// A record that holds `wait` is told to come again after 100 s, once.
async fn told_to_wait(
    record: Record,
    Attempt(attempt): Attempt,
    State(times): State<Times>,
) -> Result<(), Failure> {
    times.tries.start(&record);
    sleep(millis(10)).await;
    times.tries.end(&record);
    if attempt == 1 && record.value() == Some(b"wait") {
        return Err(Failure::retry("429 Too Many Requests").after(secs(100)));
    }
    times.done(&record);
    Ok(())
}

fn consumer(times: &Times) -> Builder<Times> {
    Consumer::builder()
        .state(times.clone())
        .topic("orders", told_to_wait)
        .failure_reporting(FailureReporting::Partial)
}

fn partitions(values: impl IntoIterator<Item = &'static str>) -> Event {
    let sample = |(partition, value)| Sample::new("orders", partition).value(value);
    Event::msk().records((0..).zip(values).map(sample)).build()
}

#[tokio::test(start_paused = true)]
async fn partitions_that_were_told_to_wait_keep_no_healthy_one_from_starting() {
    let times = Times::new();
    let event = partitions([["wait"; 64].as_slice(), &["go"; 16]].concat());

    let invoked = Invoke::new(event)
        .time_given(secs(840))
        .run(&consumer(&times).build().unwrap())
        .await;

    assert_eq!(letters(&invoked), "D".repeat(80));
    assert!(times.latest(64..80) < secs(1), "{:?}", times.latest(64..80));
    assert!(invoked.elapsed() < secs(102), "{:?}", invoked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_from_its_wait_is_one_of_as_many_that_run() {
    let times = Times::new();
    let event = partitions(["wait"; 40]);

    let consumer = consumer(&times).concurrency(5).build().unwrap();
    let invoked = Invoke::new(event)
        .time_given(secs(840))
        .run(&consumer)
        .await;

    assert_eq!(letters(&invoked), "D".repeat(40));
    assert_eq!(times.tries.most_at_once(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_waits_stays_in_order() {
    let times = Times::new();
    let at = |value: &'static str| Sample::new("orders", 0).value(value);
    let event = Event::msk().records(["go", "wait", "go"].map(at));

    let invoked = Invoke::new(event)
        .time_given(secs(840))
        .run(&consumer(&times).build().unwrap())
        .await;

    assert_eq!(letters(&invoked), "DDD");
    let lines = times.tries.lines();
    let starts: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix('+'))
        .collect();
    assert_eq!(
        starts,
        ["orders-0@0", "orders-0@1", "orders-0@1", "orders-0@2"]
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_lanes_begin_than_may_wait_beside_those_that_run() {
    let times = Times::new();
    let sample = |offset| Sample::new("orders", 0).offset(offset).value("wait");
    let event = Event::msk().records((0..3_000).map(sample));
    let unordered = consumer(&times)
        .order(ProcessingOrder::Unordered)
        .concurrency(10);
    let consumer = unordered.build().unwrap();

    let begun = async {
        sleep(secs(99)).await;
        times.tries.lines().len() / 2
    };
    let (invoked, begun) = join!(
        Invoke::new(event).time_given(secs(840)).run(&consumer),
        begun
    );

    assert_eq!(begun, LANES_WAITING_MAX + 10);
    assert_eq!(letters(&invoked), "D".repeat(3_000));
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_place_before_the_margin_is_tried_no_more_and_the_answer_leaves() {
    let consumer = Consumer::builder().topic(
        "orders",
        async |record: Record, Attempt(attempt): Attempt| match (record.partition(), attempt) {
            (0, 1) => Err(Failure::retry("down").after(secs(1))),
            (0, _) => Ok(()),
            _ => {
                sleep(secs(20)).await;
                Ok(())
            }
        },
    );
    let consumer = consumer.concurrency(1).build().unwrap();

    let invoked = Invoke::new(partitions(["1"; 2]))
        .time_given(secs(10))
        .run(&consumer)
        .await;

    assert_eq!(letters(&invoked), "FF");
    assert_eq!(code(&invoked, 0, 0), "handler.failed");
    assert!(invoked.elapsed() < secs(10));
}

#[tokio::test(start_paused = true)]
async fn with_one_place_a_key_before_its_next_try_and_one_that_waits_for_it_both_end() {
    let shop = Shop::default();
    let handler = async |Attempt(attempt): Attempt| match attempt {
        1 => Err(Failure::retry("down").after(secs(1))),
        _ => Ok(()),
    };
    let consumer = Consumer::builder().topic("orders", handler).concurrency(1);
    let consumer = consumer
        .idempotency(shop.store.clone())
        .per_record(PerRecord::by_json(["/id"]));
    let consumer = consumer.build().unwrap();

    let invoked = invoke(&consumer, event([order(0, 7, 10), order(1, 7, 10)])).await;

    assert_eq!(letters(&invoked), "DS");
    assert!(invoked.elapsed() < secs(5), "{:?}", invoked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn records_whose_keys_another_process_holds_keep_no_other_one_from_starting() {
    let shop = Shop::default();
    let held: [Sample; 8] = std::array::from_fn(|at| order(at as i32, at as u64, 5_000));
    killed_after(secs(1), invoke(&shop.process(), event(held.clone()))).await;

    let consumer = shop.by_id().concurrency(8).build().unwrap();
    let mut all = held.to_vec();
    all.push(order(8, 8, 10));
    let start = Instant::now();
    let next = invoke(&consumer, Event::msk().records(all));
    let journal = shop.journal.clone();
    let other = async {
        sleep(secs(1)).await;
        (
            start.elapsed(),
            journal.lines().contains(&"-orders-8@0".to_owned()),
        )
    };
    let (next, (_, done)) = join!(next, other);

    assert!(done, "after a second it is done");
    assert_eq!(letters(&next), "DDDDDDDDD");
}

#[tokio::test(start_paused = true)]
async fn lanes_whose_lease_cannot_be_renewed_keep_no_other_partition_from_starting() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|id, swap| match swap.map(|swap| &swap.change) {
        Some(Change::Put(_)) if id.ends_with("/0") => Meets::Failure,
        _ => Meets::Nothing,
    });
    let consumer = process(&store, &journal)
        .order(ProcessingOrder::Key)
        .concurrency(4);
    let consumer = consumer.build().unwrap();
    // Lanes of partition 0 that each need more than its lease lasts, and one of partition 1 behind them.
    let sick = (0..40).map(|key| {
        Sample::new("orders", 0)
            .key(format!("k{key}"))
            .value("2000")
    });
    let healthy = [Sample::new("orders", 1).key("k").value("10")];

    let invoked = invoke(&consumer, Event::msk().records(sick.chain(healthy))).await;

    let healthy = letters(&invoked).pop();
    assert_eq!(healthy, Some('D'));
    let lines = journal.lines();
    assert!(lines.contains(&"-orders-1@0".to_owned()));
}

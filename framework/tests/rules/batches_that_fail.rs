//! A call of a batch handler that fails: its chunk is tried again whole, then halved in place until the culprit stands alone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::handler::BatchOptions;
use lambda_msk::limits::BATCH_TIMEOUT_MS_MIN;
use lambda_msk::testing::{Event, Invoke, Sample, invoke};
use lambda_msk::{Batch, Consumer, Failure, Json, State, WhenExhausted, batch};
use tokio::time::Instant;

use crate::support::{Journal, code, letters, orders};

/// What a value asks for, of the whole call: `0` fails it, `5` rejects it, `6` is nobody's fault, `7` hangs, `9` panics.
async fn store(orders: Batch<Json<u64>>, State(journal): State<Journal>) -> Result<(), Failure> {
    let offsets: Vec<String> = orders
        .records()
        .map(|record| record.offset().to_string())
        .collect();
    journal.write(offsets.join(" "));
    for Json(order) in &orders {
        match order {
            0 => return Err(Failure::retry("a bad row").code("order.bad")),
            5 => return Err(Failure::reject("no such currency").code("order.currency")),
            6 => return Err(Failure::retry("the database is down").whole()),
            7 => std::future::pending().await,
            9 => std::panic::resume_unwind(Box::new("a bug")),
            _ => {}
        }
    }
    Ok(())
}

fn consumer<H>(
    journal: &Journal,
    batch: BatchOptions<H>,
    route: impl FnOnce(Builder<Journal>, BatchOptions<H>) -> Builder<Journal>,
) -> Builder<Journal> {
    let builder = Consumer::builder().state(journal.clone());
    route(builder, batch).on_failure(MemoryDestination::new())
}

macro_rules! consumer {
    ($journal:expr, $batch:expr) => {
        consumer(&$journal, $batch, |builder, batch| {
            builder.route("orders", batch)
        })
    };
}

#[tokio::test(start_paused = true)]
async fn a_chunk_that_fails_is_tried_whole_then_halved_and_the_culprit_alone() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store))
        .attempts(2)
        .build()
        .unwrap();

    let event = orders([(0, "1"), (0, "1"), (0, "0"), (0, "1"), (1, "1")]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DDFUD");
    let calls: Vec<String> = journal.lines();
    // Partition 1 has one call, somewhere between: how long a poll has held the thread decides whose turn is next.
    let (other, calls): (Vec<&str>, Vec<&str>) = calls
        .iter()
        .map(String::as_str)
        .partition(|call| *call == "0");
    assert_eq!(other, ["0"]);
    assert_eq!(calls, ["0 1 2 3", "0 1 2 3", "0 1", "2 3", "2", "2"]);
    assert_eq!(code(&invoked, 0, 2), "order.bad");
    assert_eq!(invoked.record("orders", 0, 2).attempts, 5);
}

#[tokio::test(start_paused = true)]
async fn where_the_culprit_is_rejected_every_neighbour_is_done() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store)).when_exhausted(WhenExhausted::Reject);
    let consumer = consumer.attempts(1).build().unwrap();

    let event = orders([(0, "1"), (0, "0"), (0, "1"), (0, "1"), (0, "1")]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DRDDD");
    assert_eq!(journal.lines(), ["0 1 2 3 4", "0 1", "0", "1", "2 3 4"]);
}

/// Twice a level, after the whole tries, and the culprit's own attempts.
fn calls_max(records: u32, attempts: u32) -> usize {
    let levels = records.next_power_of_two().ilog2();
    (2 * levels + 2 * attempts) as usize
}

#[tokio::test(start_paused = true)]
async fn a_poison_record_in_500_costs_two_calls_for_each_halving() {
    for poison in [0, 1, 249, 250, 333, 499] {
        for exhausted in [WhenExhausted::Fail, WhenExhausted::Reject] {
            let journal = Journal::default();
            let consumer = consumer!(journal, batch(store).attempts(3));
            let consumer = consumer.when_exhausted(exhausted).build().unwrap();
            let value = |offset| if offset == poison { "0" } else { "1" };
            let samples = (0..500).map(|offset| Sample::new("orders", 0).value(value(offset)));

            let invoked = invoke(&consumer, Event::msk().records(samples)).await;

            let (before, after) = ("D".repeat(poison), 499 - poison);
            let expected = match exhausted {
                WhenExhausted::Reject => format!("{before}R{}", "D".repeat(after)),
                _ => format!("{before}F{}", "U".repeat(after)),
            };
            assert_eq!(letters(&invoked), expected, "{poison}");
            let calls = journal.lines().len();
            assert!(calls <= calls_max(500, 3), "{poison}: {calls} calls");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_no_records_fault_is_never_halved() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store)).build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "6"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "FFF");
    assert_eq!(journal.lines(), ["0 1 2", "0 1 2", "0 1 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_chunk_that_is_rejected_is_halved_at_once() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store)).build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "1"), (0, "5"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "DDRD");
    assert_eq!(journal.lines(), ["0 1 2 3", "0 1", "2 3", "2", "3"]);
    assert_eq!(code(&invoked, 0, 2), "order.currency");
}

#[tokio::test(start_paused = true)]
async fn without_bisecting_all_records_of_the_chunk_have_failed() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).bisect(false).attempts(2));
    let consumer = consumer.build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "0"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "FFF");
    assert_eq!(journal.lines(), ["0 1 2", "0 1 2"]);
}

#[tokio::test(start_paused = true)]
async fn across_partitions_a_culprit_stops_its_own_lane_alone() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).across_partitions().attempts(1));
    let consumer = consumer.build().unwrap();

    let event = orders([(0, "1"), (0, "0"), (0, "1"), (1, "1"), (1, "1"), (2, "1")]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DFUDDD");
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_the_call_and_finds_its_record() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).attempts(1))
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "9"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "DFU");
    assert_eq!(code(&invoked, 0, 1), "handler.panicked");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_costs_its_time_out_and_not_the_delivery() {
    let journal = Journal::default();
    let consumer = consumer!(
        journal,
        batch(store).attempts(1).timeout(Duration::from_secs(2))
    );
    let consumer = consumer.build().unwrap();
    let began = Instant::now();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "7"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "DFU");
    assert_eq!(code(&invoked, 0, 1), "handler.timed_out");
    assert_eq!(journal.lines(), ["0 1 2", "0", "1 2", "1"]);
    assert_eq!(began.elapsed().as_secs(), 6);
    let problem = invoked.record("orders", 0, 1).problem.as_ref().unwrap();
    assert!(problem.message.contains("after 2000 ms, its time-out"));
}

/// Notes how long each call was left to run.
#[derive(Clone, Default)]
struct Dropped(Arc<Mutex<Vec<Duration>>>);

#[tokio::test(start_paused = true)]
async fn no_call_is_dropped_after_less_than_a_second_but_at_the_deadline() {
    struct Ends(Dropped, Instant);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.0.lock().unwrap().push(self.1.elapsed());
        }
    }
    let dropped = Dropped::default();
    let handler = async |_: Batch<Json<u64>>, State(dropped): State<Dropped>| {
        let _ends = Ends(dropped, Instant::now());
        std::future::pending::<()>().await;
    };
    let consumer = Consumer::builder().state(dropped.clone());
    let consumer = consumer.route("orders", batch(handler)).build().unwrap();
    let samples = (0..500).map(|_| Sample::new("orders", 0).value("1"));
    let event = Event::msk().records(samples).build();
    let began = Instant::now();

    let invoked = Invoke::new(event).time_given(Duration::from_secs(10));
    let invoked = invoked.run(&consumer).await;

    let calls = dropped.0.lock().unwrap().clone();
    let (last, others) = calls.split_last().unwrap();
    assert!(others.len() >= 2, "{calls:?}");
    let least = Duration::from_millis(BATCH_TIMEOUT_MS_MIN);
    assert!(others.iter().all(|ran| *ran >= least), "{calls:?}");
    // The last one had all that was left: the margin is half a second.
    assert!(*last > Duration::from_millis(100), "{calls:?}");
    assert_eq!(began.elapsed().as_millis() / 100, 95);
    assert!(!letters(&invoked).contains('D'));
}

#[tokio::test(start_paused = true)]
async fn without_a_time_out_a_call_may_take_half_of_what_is_left() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).attempts(1))
        .build()
        .unwrap();

    let event = orders([(0, "1"), (0, "7"), (0, "1")]);
    let invoked = Invoke::new(event).time_given(Duration::from_secs(60));
    let invoked = invoked.run(&consumer).await;

    assert_eq!(letters(&invoked), "DFU");
    let problem = invoked.record("orders", 0, 1).problem.as_ref().unwrap();
    assert!(
        problem
            .message
            .contains("after 7437 ms, half of the time that was left"),
        "{}",
        problem.message
    );
}

//! Deadline: nothing starts that would not end before the margin, what still runs at the margin is dropped, and the answer leaves in time.

use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::destination::{DeadLetter, Destination, MemoryDestination, SendError};
use lambda_msk::testing::{Invoke, Invoked};
use lambda_msk::{Consumer, Deadline, Failure, Json, Record, State};
use tokio::time::sleep;

use crate::support::{Journal, code, letters, orders};

/// A handler that takes as many milliseconds as its record says.
async fn takes(Json(ms): Json<u64>, record: Record, State(journal): State<Journal>) {
    journal.start(&record);
    sleep(Duration::from_millis(ms)).await;
    journal.end(&record);
}

fn consumer(journal: &Journal) -> Builder<Journal> {
    Consumer::builder()
        .state(journal.clone())
        .topic("orders", takes)
}

/// A destination that takes that long.
struct Slow(Duration);

impl Destination for Slow {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        sleep(self.0).await;
        letters.iter().map(|_| Ok(())).collect()
    }

    fn describe(&self) -> String {
        "slow".to_owned()
    }
}

async fn run<const N: usize>(
    consumer: &Consumer,
    given_ms: u64,
    records: [(i32, &str); N],
) -> Invoked {
    Invoke::new(orders(records))
        .time_given(Duration::from_millis(given_ms))
        .run(consumer)
        .await
}

#[tokio::test(start_paused = true)]
async fn no_record_starts_with_less_left_than_the_margin_and_the_longest_run_so_far() {
    let journal = Journal::default();
    let consumer = consumer(&journal).build().unwrap();

    // Margin 500 ms: after two runs of 2 s, 1.4 s are left before it.
    let invoked = run(&consumer, 5_900, [(0, "2000"), (0, "2000"), (0, "1")]).await;

    assert_eq!(letters(&invoked), "DDU");
    assert_eq!(invoked.elapsed(), Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_record_starts_while_the_margin_and_the_longest_run_fit() {
    let consumer = consumer(&Journal::default()).build().unwrap();

    let invoked = run(&consumer, 6_600, [(0, "2000"), (0, "2000"), (0, "1")]).await;

    assert_eq!(letters(&invoked), "DDD");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_runs_at_the_margin_is_dropped_and_failed() {
    let journal = Journal::default();
    let consumer = consumer(&journal).build().unwrap();

    let invoked = run(&consumer, 5_000, [(0, "60000"), (0, "1"), (1, "1")]).await;

    assert_eq!(letters(&invoked), "FUD");
    assert_eq!(code(&invoked, 0, 0), "handler.dropped");
    assert_eq!(invoked.elapsed(), Duration::from_millis(4_500));
    assert!(!journal.lines().contains(&"-orders-0@0".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_margin_is_at_most_a_fifth_of_the_time_given() {
    let consumer = consumer(&Journal::default()).build().unwrap();

    let invoked = run(&consumer, 1_000, [(0, "60000")]).await;

    assert_eq!(invoked.elapsed(), Duration::from_millis(800));
}

#[tokio::test(start_paused = true)]
async fn the_margin_can_be_set() {
    let consumer = consumer(&Journal::default())
        .deadline_margin(Duration::from_secs(2))
        .build()
        .unwrap();

    let invoked = run(&consumer, 60_000, [(0, "600000")]).await;

    assert_eq!(invoked.elapsed(), Duration::from_secs(58));
}

#[tokio::test(start_paused = true)]
async fn lanes_that_wait_for_their_turn_when_time_is_up_are_unreached() {
    let consumer = consumer(&Journal::default())
        .concurrency(1)
        .build()
        .unwrap();

    let invoked = run(&consumer, 5_000, [(0, "60000"), (1, "1"), (2, "1")]).await;

    assert_eq!(letters(&invoked), "FUU");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_missing_is_no_limit() {
    let consumer = consumer(&Journal::default()).build().unwrap();

    let invoked = Invoke::new(orders([(0, "3600000")]))
        .without_deadline()
        .run(&consumer)
        .await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_before_the_work_begins_is_no_limit() {
    let consumer = Consumer::builder()
        .topic("orders", async |deadline: Deadline| {
            assert_eq!(deadline.time_left(), None);
        })
        .build()
        .unwrap();

    let invoked = Invoke::new(orders([(0, "1")]))
        .time_given(Duration::ZERO)
        .run(&consumer)
        .await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn a_handler_reads_how_much_time_is_left() {
    let consumer = Consumer::builder()
        .topic("orders", async |deadline: Deadline| {
            assert_eq!(deadline.time_left(), Some(Duration::from_secs(30)));
        })
        .build()
        .unwrap();

    let invoked = run(&consumer, 30_000, [(0, "1")]).await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn no_record_starts_after_a_destination_that_took_the_time() {
    let journal = Journal::default();
    let destination = Slow(Duration::from_millis(4_600));
    let consumer = consumer(&journal).on_failure(destination).build().unwrap();

    // Margin 500 ms: the letter is confirmed 100 ms after handlers must have ended, 150 ms before sends must.
    let invoked = run(&consumer, 5_000, [(0, "?"), (0, "0")]).await;

    assert_eq!(letters(&invoked), "RU");
    assert!(journal.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_try_that_waited_while_another_lane_took_long_looks_at_the_time_again() {
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic(
            "orders",
            async |Json(ms): Json<u64>, State(journal): State<Journal>| {
                if ms == 0 {
                    journal.write("try");
                    return Err(Failure::retry("busy").after(Duration::from_secs(6)));
                }
                sleep(Duration::from_millis(ms)).await;
                Ok(())
            },
        )
        .build()
        .unwrap();

    // The second try would have 3.5 s, and a run of 5 s is known by then.
    let invoked = run(&consumer, 10_000, [(0, "0"), (1, "5000")]).await;

    assert_eq!(letters(&invoked), "FD");
    assert_eq!(journal.lines(), ["try"]);
}

#[tokio::test(start_paused = true)]
async fn the_longest_run_counts_and_not_the_last() {
    let consumer = consumer(&Journal::default()).build().unwrap();

    // 2.005 s are left before the margin after the first run, 1.995 s after the second.
    let invoked = run(&consumer, 4_505, [(0, "2000"), (0, "10"), (0, "1")]).await;

    assert_eq!(letters(&invoked), "DDU");
}

#[tokio::test(start_paused = true)]
async fn no_record_starts_that_would_end_in_the_margin() {
    let consumer = consumer(&Journal::default()).build().unwrap();

    // A second run would end 200 ms into the margin, while destinations may still be sent to.
    let invoked = run(&consumer, 4_300, [(0, "2000"), (0, "1")]).await;

    assert_eq!(letters(&invoked), "DU");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_further_ahead_than_any_function_runs_is_no_limit() {
    let consumer = consumer(&Journal::default()).build().unwrap();

    let three_hours = 3 * 60 * 60 * 1000;
    let invoked = run(&consumer, three_hours, [(0, "14400000")]).await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn once_time_is_up_no_record_is_rejected_either() {
    let destination = MemoryDestination::new();
    let consumer = consumer(&Journal::default())
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let invoked = run(&consumer, 4_300, [(0, "2000"), (0, "?")]).await;

    assert_eq!(letters(&invoked), "DU");
    assert!(destination.letters().is_empty());
}

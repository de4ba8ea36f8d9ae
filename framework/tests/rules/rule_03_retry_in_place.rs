//! Retry in place: up to `attempts`, with back-off, never past the deadline; exhausted: Failed, or Rejected if the consumer says so.

use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::testing::{Invoke, invoke};
use lambda_msk::{Attempt, Consumer, Failure, Outcome, Record, WhenExhausted, each};

use crate::support::{code, orders};

async fn down(_: Record) -> Result<(), Failure> {
    Err(Failure::retry("inventory is down"))
}

fn consumer() -> Builder<()> {
    Consumer::builder().topic("orders", down)
}

#[tokio::test(start_paused = true)]
async fn a_record_is_tried_three_times_by_default() {
    let consumer = consumer().build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    let report = invoked.record("orders", 0, 0);
    assert_eq!((report.outcome, report.attempts), (Outcome::Failed, 3));
    assert_eq!(code(&invoked, 0, 0), "handler.failed");
}

#[tokio::test(start_paused = true)]
async fn one_attempt_means_no_retry() {
    let consumer = consumer().attempts(1).build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(invoked.record("orders", 0, 0).attempts, 1);
    assert_eq!(invoked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_route_has_attempts_of_its_own() {
    let consumer = Consumer::builder()
        .topic("orders", each(down).attempts(5))
        .attempts(1)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(invoked.record("orders", 0, 0).attempts, 5);
}

#[tokio::test(start_paused = true)]
async fn back_off_doubles_its_bound_and_never_exceeds_the_greatest() {
    let consumer = consumer().attempts(12).build().unwrap();

    let invoked = Invoke::new(orders([(0, "1")]))
        .time_given(Duration::from_secs(840))
        .run(&consumer)
        .await;

    // Bounds of the eleven waits: 100 ms doubled up to 6.4 s, then 10 s four times.
    let bounds: u64 = (0..11)
        .map(|doublings| (100 << doublings).min(10_000))
        .sum();
    assert_eq!(invoked.record("orders", 0, 0).attempts, 12);
    // Each wait is rounded up to the timer's millisecond.
    assert!(
        invoked.elapsed() <= Duration::from_millis(bounds + 11),
        "{:?}",
        invoked.elapsed()
    );
    assert!(
        invoked.elapsed() > Duration::from_millis(bounds / 50),
        "{:?}",
        invoked.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_tried_again_sooner_than_it_asks() {
    let consumer = Consumer::builder()
        .topic("orders", async |Attempt(attempt): Attempt| match attempt {
            1 => Err(Failure::retry("busy").after(Duration::from_secs(20))),
            _ => Ok(()),
        })
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(invoked.record("orders", 0, 0).outcome, Outcome::Done);
    assert!(invoked.elapsed() >= Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_would_start_past_the_deadline_is_failed_at_once() {
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| -> Result<(), Failure> {
            Err(Failure::retry("busy").after(Duration::from_secs(20)))
        })
        .build()
        .unwrap();

    let invoked = Invoke::new(orders([(0, "1")]))
        .time_given(Duration::from_secs(10))
        .run(&consumer)
        .await;

    let report = invoked.record("orders", 0, 0);
    assert_eq!((report.outcome, report.attempts), (Outcome::Failed, 1));
    assert_eq!(invoked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_any_deadline_is_failed_at_once_where_none_is_known() {
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| -> Result<(), Failure> {
            Err(Failure::retry("busy").after(Duration::MAX))
        })
        .build()
        .unwrap();

    let invoked = Invoke::new(orders([(0, "1")]))
        .without_deadline()
        .run(&consumer)
        .await;

    assert_eq!(invoked.record("orders", 0, 0).outcome, Outcome::Failed);
    assert_eq!(invoked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_record_is_rejected_if_the_consumer_says_so() {
    let destination = MemoryDestination::new();
    let consumer = consumer()
        .when_exhausted(WhenExhausted::Reject)
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(invoked.record("orders", 0, 0).outcome, Outcome::Rejected);
    let letters = destination.letters();
    assert_eq!(letters[0].code(), "reject.attempts_exhausted");
    assert_eq!(
        letters[0].message(),
        "inventory is down (it was tried 3 times)"
    );
    assert_eq!(letters[0].attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_layer_wraps_every_try_and_its_error_is_a_failure_to_retry() {
    let consumer = Consumer::builder()
        .topic(
            "orders",
            each(async |Attempt(attempt): Attempt| {
                let slow = if attempt == 1 { 60 } else { 1 };
                tokio::time::sleep(Duration::from_secs(slow)).await;
            })
            .layer(tower::timeout::TimeoutLayer::new(Duration::from_secs(2))),
        )
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    let report = invoked.record("orders", 0, 0);
    assert_eq!((report.outcome, report.attempts), (Outcome::Done, 2));
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_record_keeps_the_code_of_its_failure() {
    let down = async |_: Record| Err::<(), _>(Failure::retry("down").code("inventory.down"));
    let failed = Consumer::builder().topic("orders", down).build().unwrap();
    let rejected = Consumer::builder()
        .topic("orders", down)
        .when_exhausted(WhenExhausted::Reject)
        .on_failure(MemoryDestination::new())
        .build()
        .unwrap();

    for consumer in [failed, rejected] {
        let invoked = invoke(&consumer, orders([(0, "1")])).await;
        assert_eq!(code(&invoked, 0, 0), "inventory.down");
    }
}

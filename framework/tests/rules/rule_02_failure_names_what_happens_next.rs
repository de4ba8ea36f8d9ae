//! Failure names what happens next: retry, reject; a plain error is a retry; an extractor that cannot read rejects; a panic is a retry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lambda_msk::destination::MemoryDestination;
use lambda_msk::extract::{Delivery, FromRecord};
use lambda_msk::failure::Rejection;
use lambda_msk::failure::{BoxError, Next};
use lambda_msk::testing::invoke;
use lambda_msk::{Attempt, Consumer, Failure, Json, Outcome, Record, State};

use crate::support::{code, letters, orders};

#[tokio::test(start_paused = true)]
async fn a_retry_is_tried_again() {
    let consumer = Consumer::builder()
        .topic("orders", async |Attempt(attempt): Attempt| match attempt {
            1 => Err(Failure::retry("inventory is down")),
            _ => Ok(()),
        })
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    let report = invoked.record("orders", 0, 0);
    assert_eq!((report.outcome, report.attempts), (Outcome::Done, 2));
}

#[tokio::test(start_paused = true)]
async fn a_reject_goes_to_the_destination_at_once() {
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| -> Result<(), Failure> {
            Err(Failure::reject("unknown currency").code("order.unknown_currency"))
        })
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    let report = invoked.record("orders", 0, 0);
    assert_eq!((report.outcome, report.attempts), (Outcome::Rejected, 1));
    let letters = destination.letters();
    assert_eq!(letters[0].code(), "order.unknown_currency");
    assert_eq!(letters[0].message(), "unknown currency");
    assert_eq!(letters[0].attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_plain_error_through_the_question_mark_is_a_retry() {
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| -> Result<(), Failure> {
            let _: u64 = "seven".parse()?;
            Ok(())
        })
        .attempts(2)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    let report = invoked.record("orders", 0, 0);
    assert_eq!((report.outcome, report.attempts), (Outcome::Failed, 2));
}

#[tokio::test(start_paused = true)]
async fn an_extractor_that_cannot_read_the_record_rejects_it_and_the_handler_does_not_run() {
    let destination = MemoryDestination::new();
    let runs = Arc::new(AtomicU32::new(0));
    let consumer = Consumer::builder()
        .state(Arc::clone(&runs))
        .topic(
            "orders",
            async |_: Json<u64>, State(runs): State<Arc<AtomicU32>>| {
                runs.fetch_add(1, Ordering::Relaxed);
            },
        )
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "{")])).await;

    assert_eq!(letters(&invoked), "R");
    assert_eq!(code(&invoked, 0, 0), "reject.json");
    assert_eq!(destination.letters()[0].attempts(), 0);
    assert_eq!(runs.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_caught_and_tried_again() {
    let consumer = Consumer::builder()
        .topic("orders", async |Attempt(attempt): Attempt| {
            assert!(attempt > 1, "a bug");
        })
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "2")])).await;

    assert_eq!(letters(&invoked), "DD");
    assert_eq!(invoked.record("orders", 0, 0).attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_first_await_is_caught_too() {
    let consumer = Consumer::builder()
        .topic("orders", |_: Record| -> std::future::Ready<()> {
            panic!("a bug")
        })
        .attempts(1)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (1, "2")])).await;

    assert_eq!(letters(&invoked), "FF");
    assert_eq!(code(&invoked, 0, 0), "handler.panicked");
}

#[test]
fn a_verdict_survives_error_types_on_its_way_up() {
    #[derive(Debug, thiserror::Error)]
    #[error(transparent)]
    struct Transparent(#[from] lambda_msk::failure::FailureError);

    let reject = || {
        Failure::reject("unknown currency")
            .code("order.unknown_currency")
            .into_error()
    };
    let plain = Failure::from(reject());
    let boxed = Failure::from(BoxError::from(reject()));
    let transparent = Failure::from(Transparent::from(reject()));
    let with_context = Failure::from(anyhow::Error::from(reject()).context("while shipping"));

    for failure in [plain, boxed, transparent, with_context] {
        assert_eq!(failure.next(), Next::Reject);
        assert_eq!(failure.given_code(), Some("order.unknown_currency"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_text_panics_fails_its_record_alone() {
    #[derive(Debug)]
    struct Broken;
    impl std::fmt::Display for Broken {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("a bug")
        }
    }
    impl std::error::Error for Broken {}
    let consumer = Consumer::builder()
        .topic("orders", async |record: Record| match record.partition() {
            0 => Err(Failure::retry(Broken)),
            _ => Ok(()),
        })
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (1, "2")])).await;

    assert_eq!(letters(&invoked), "FD");
    assert_eq!(code(&invoked, 0, 0), "handler.failed");
}

/// Panics in the first try, rejects in the third.
struct Fickle;

impl<S> FromRecord<S> for Fickle {
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, _: &S) -> Result<Self, Rejection> {
        match delivery.attempt() {
            1 => panic!("a bug"),
            3 => Err(Rejection::new("fickle.three", "not the third time")),
            _ => Ok(Self),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_an_extractor_is_caught_and_tried_again() {
    let consumer = Consumer::builder()
        .topic("orders", async |_: Fickle| {})
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "2")])).await;

    assert_eq!(letters(&invoked), "DD");
    // Started once: in its second try.
    assert_eq!(invoked.record("orders", 0, 1).attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn an_extractor_may_reject_a_later_try() {
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .topic("orders", async |_: Fickle| Err::<(), _>("down"))
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(letters(&invoked), "R");
    assert_eq!(code(&invoked, 0, 0), "fickle.three");
    // Its handler was started in the second try alone.
    assert_eq!(destination.letters()[0].attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reject_without_a_code_of_its_own_has_the_handlers() {
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| {
            Err::<(), _>(Failure::reject("no such order"))
        })
        .on_failure(MemoryDestination::new())
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(code(&invoked, 0, 0), "reject.handler");
}

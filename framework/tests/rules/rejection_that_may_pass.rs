//! An extractor may say that what it needs cannot be had now: the record is Failed, it never goes to the destination, and others run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use lambda_msk::builder::WhenExhausted;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::extract::{Delivery, FromRecord, FromRef};
use lambda_msk::failure::Rejection;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Failure, FailureReporting, Record};

use crate::support::{code, letters};

/// Whether the rates of the day can be had.
#[derive(Clone, Default)]
struct Down(Arc<AtomicBool>);

struct Rate;

impl<S> FromRecord<S> for Rate
where
    Down: FromRef<S>,
{
    type Rejection = Rejection;

    fn from_record(delivery: &Delivery, state: &S) -> Result<Self, Rejection> {
        let needed = delivery.value() == Some(b"in dollars");
        match needed && Down::from_ref(state).0.load(Ordering::Relaxed) {
            true => Err(Rejection::retry("rates.down", "the rates cannot be had")),
            false => Ok(Self),
        }
    }
}

fn event() -> Event {
    let record = |partition, value: &str| Sample::new("orders", partition).value(value);
    Event::msk()
        .records([
            record(0, "plain"),
            record(0, "in dollars"),
            record(0, "plain"),
        ])
        .record(record(1, "plain"))
        .build()
}

#[tokio::test(start_paused = true)]
async fn its_record_is_failed_and_comes_again_and_nothing_is_sent_to_the_destination() {
    let (down, destination) = (Down::default(), MemoryDestination::new());
    let consumer = Consumer::builder()
        .state(down.clone())
        .topic("orders", async |_: Rate| {})
        .on_failure(destination.clone())
        .when_exhausted(WhenExhausted::Reject)
        .failure_reporting(FailureReporting::Partial)
        .build()
        .unwrap();
    down.0.store(true, Ordering::Relaxed);

    let first = invoke(&consumer, event()).await;
    down.0.store(false, Ordering::Relaxed);
    let second = invoke(&consumer, event()).await;

    assert_eq!(letters(&first), "DFUD");
    assert_eq!(code(&first, 0, 1), "rates.down");
    assert!(first.elapsed().is_zero(), "{:?}", first.elapsed());
    assert_eq!(letters(&second), "SDDS");
    assert_eq!(destination.letters().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn it_ends_the_attempts_of_a_record_whose_handler_has_failed_before() {
    let (down, started) = (Down::default(), Arc::new(AtomicU32::new(0)));
    let (goes_down, starts) = (down.clone(), Arc::clone(&started));
    let handler = move |_: Rate, _: Record| {
        starts.fetch_add(1, Ordering::Relaxed);
        goes_down.0.store(true, Ordering::Relaxed);
        async { Err::<(), _>(Failure::retry("busy")) }
    };
    let consumer = Consumer::builder().state(down).topic("orders", handler);
    let consumer = consumer.attempts(3).build().unwrap();
    let event = Event::msk().record(Sample::new("orders", 0).value("in dollars"));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(code(&invoked, 0, 0), "rates.down");
    assert_eq!(started.load(Ordering::Relaxed), 1);
}

//! A topic without a handler: a record of it among others is rejected with `reject.no_handler`; a batch of nothing else is
//! Failed with `handler.missing`, since that is a fault of the deployment.

use lambda_msk::builder::WhenUnhandled;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, Record};

use crate::support::letters;

fn event() -> Event {
    Event::msk()
        .record(Sample::new("orders", 0).value("1"))
        .record(Sample::new("returns", 0).value("1"))
        .build()
}

#[tokio::test(start_paused = true)]
async fn its_records_are_rejected() {
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| {})
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let invoked = invoke(&consumer, event()).await;

    assert_eq!(letters(&invoked), "DR");
    let dead = destination.letters();
    assert_eq!(dead[0].code(), "reject.no_handler");
    assert!(
        dead[0].message().contains("`returns`"),
        "{}",
        dead[0].message()
    );
}

#[tokio::test(start_paused = true)]
async fn a_fallback_takes_them() {
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| {})
        .fallback(async |record: Record| assert_eq!(record.topic(), "returns"))
        .build()
        .unwrap();

    let invoked = invoke(&consumer, event()).await;

    assert_eq!(letters(&invoked), "DD");
}

/// A batch of two partitions, and of nothing that has a handler.
fn unhandled() -> Event {
    Event::msk()
        .record(Sample::new("returns", 0).value("1"))
        .record(Sample::new("returns", 0).value("2"))
        .record(Sample::new("returns", 1).value("3"))
        .build()
}

#[tokio::test(start_paused = true)]
async fn a_whole_batch_of_it_is_failed_and_nothing_goes_to_the_destination() {
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| {})
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let invoked = invoke(&consumer, unhandled()).await;

    assert_eq!(letters(&invoked), "FUF");
    let problem = invoked.record("returns", 0, 0).problem.as_ref().unwrap();
    assert_eq!(problem.code, "handler.missing");
    assert_eq!(destination.letters().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_decoded_waits_with_the_batch_that_has_no_handler() {
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .topic("orders", async |_: Record| {})
        .on_failure(destination.clone())
        .build()
        .unwrap();
    let event = r#"{"eventSource":"aws:kafka","records":{"returns-0":[{"topic":"returns","partition":0,"offset":0,"value":"no base64!"}]}}"#;

    let invoked = invoke(&consumer, Event::from(event.to_owned())).await;

    assert_eq!(letters(&invoked), "F");
    assert_eq!(destination.letters().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_set_holds_for_both() {
    let run = async |when_unhandled, event| {
        let destination = MemoryDestination::new();
        let consumer = Consumer::builder()
            .topic("orders", async |_: Record| {})
            .on_failure(destination.clone())
            .when_unhandled(when_unhandled)
            .build()
            .unwrap();
        let invoked = invoke(&consumer, event).await;
        (letters(&invoked), destination.letters().len())
    };

    for (when_unhandled, mixed, whole) in [
        (WhenUnhandled::Reject, ("DR", 1), ("RRR", 3)),
        (WhenUnhandled::Fail, ("DF", 0), ("FUF", 0)),
    ] {
        let (outcomes, sent) = run(when_unhandled, event()).await;
        assert_eq!((&*outcomes, sent), mixed);
        let (outcomes, sent) = run(when_unhandled, unhandled()).await;
        assert_eq!((&*outcomes, sent), whole);
    }
}

//! A topic without a handler: its records are rejected with `reject.no_handler`.

use lambda_msk::testing::{Event, Sample, invoke};
use lambda_msk::{Consumer, MemoryDestination, Record};

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

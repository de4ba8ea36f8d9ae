//! Merges of unordered invocations with what others have written meanwhile.

use lambda_msk::ProcessingOrder;
use lambda_msk::testing::{Event, Sample, invoke};
use tokio::join;
use tokio::time::sleep;

use crate::shared_store::{Shared, millis, process};
use crate::support::{Journal, letters};

/// One record that takes so long, at an offset, of a time.
fn record(offset: i64, ms: u64, timestamp: i64) -> Event {
    let sample = Sample::new("orders", 0).value(ms.to_string());
    Event::msk()
        .record(sample.offset(offset).timestamp(timestamp))
        .build()
}

#[tokio::test(start_paused = true)]
async fn what_was_only_read_does_not_displace_a_record_that_stands_there_anew() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = || {
        let unordered = process(&store, &journal).order(ProcessingOrder::Unordered);
        unordered.build().unwrap()
    };
    let (old, new) = (record(0, 1, 1_000), record(0, 1, 2_000));
    invoke(&consumer(), old).await;

    // It reads the old record's entry. The topic is made anew while it runs, and it writes last.
    let slow = consumer();
    let slow = invoke(&slow, record(1, 500, 1_000));
    let renewed = async {
        sleep(millis(100)).await;
        invoke(&consumer(), new.clone()).await
    };
    let (slow, renewed) = join!(slow, renewed);
    let again = invoke(&consumer(), new.clone()).await;

    assert_eq!(letters(&slow), "D");
    assert_eq!(letters(&renewed), "D");
    assert_eq!(letters(&again), "S");
}

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

/// An invocation that has read the item before it was deleted must not take the new one for it: it would write over what was settled since.
#[tokio::test(start_paused = true)]
async fn an_item_that_is_deleted_and_made_anew_is_not_the_one_that_was_read() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = || {
        let unordered = process(&store, &journal).order(ProcessingOrder::Unordered);
        unordered.build().unwrap()
    };
    let (maker, reader) = (consumer(), consumer());
    let long = Event::msk().records(vec![
        Sample::new("orders", 0).offset(0).value("1"),
        Sample::new("orders", 0).offset(1).value("2000"),
    ]);

    // The one writes as soon as its first record is done, and again at its end: it makes the item twice. The other one reads it in between.
    let made = invoke(&maker, long.clone().build());
    let read = async {
        sleep(millis(500)).await;
        invoke(&reader, record(2, 3_000, 1_000)).await
    };
    let lost = async {
        sleep(millis(1_000)).await;
        store.lose().await;
    };
    let (made, read, ()) = join!(made, read, lost);
    let again = invoke(&consumer(), long.build()).await;

    assert_eq!([letters(&made), letters(&read)], ["DD", "D"]);
    assert_eq!(letters(&again), "SS");
}

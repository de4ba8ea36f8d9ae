//! By key: what was rejected is delivered once, and runs again when it is fed back.

use lambda_msk::idempotency::PerRecord;
use lambda_msk::testing::{Sample, invoke};
use lambda_msk::{Consumer, State};
use tokio::time::advance;

use crate::keyed::{Shop, event, order};
use crate::shared_store::{Meets, secs};
use crate::support::{Journal, code, letters};

/// The event in the first dead letter.
fn fed_back(shop: &Shop) -> String {
    let envelope = shop.destination.letters()[0].envelope();
    let envelope: serde_json::Value = serde_json::from_str(&envelope).unwrap();
    envelope["payload"].to_string()
}

#[tokio::test(start_paused = true)]
async fn what_was_rejected_is_skipped_but_runs_once_when_its_dead_letter_is_fed_back() {
    let shop = Shop::default();
    let mended = Consumer::builder()
        .state(shop.journal.clone())
        .topic("orders", async |State(journal): State<Journal>| {
            journal.write("mended");
        })
        .idempotency(shop.store.clone())
        .per_record(PerRecord::by_json(["/id"]))
        .build()
        .unwrap();
    let consumer = shop.with_destination(shop.by_id());

    let first = invoke(&consumer, event([order(0, 7, 1)])).await;
    let again = invoke(&consumer, event([order(0, 7, 1)])).await;
    let payload = fed_back(&shop);
    let fed_back = invoke(&mended, payload.clone()).await;
    let fed_back_again = invoke(&mended, payload).await;

    assert_eq!([letters(&first), letters(&again)], ["R", "S"]);
    assert_eq!([letters(&fed_back), letters(&fed_back_again)], ["D", "S"]);
    assert_eq!(shop.destination.letters().len(), 1);
    assert_eq!(shop.journal.lines(), ["+orders-0@0", "mended"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_fails_when_it_is_fed_back_stays_rejected() {
    let shop = Shop::default();
    let failing = Consumer::builder()
        .topic("orders", async || Err::<(), _>("inventory is down"))
        .attempts(1)
        .idempotency(shop.store.clone())
        .per_record(PerRecord::by_json(["/id"]))
        .build()
        .unwrap();
    let consumer = shop.with_destination(shop.by_id());
    invoke(&consumer, event([order(0, 7, 1)])).await;

    let fed_back = invoke(&failing, fed_back(&shop)).await;
    let again = invoke(&consumer, event([order(0, 7, 1)])).await;

    assert!(fed_back.response().is_err());
    assert_eq!(letters(&again), "S");
}

#[tokio::test(start_paused = true)]
async fn what_was_rejected_before_its_handler_is_not_sent_twice() {
    let shop = Shop::default();
    let process = || shop.with_destination(shop.by_id());
    let unreadable = |id: u64| Sample::new("orders", 0).value(format!(r#"{{"id":{id},"ms":"x"}}"#));
    let batch = || event([unreadable(1), order(0, 7, 0), unreadable(3)]);

    let first = invoke(&process(), event([unreadable(1), unreadable(2)])).await;
    let second = invoke(&process(), batch()).await;

    assert_eq!([letters(&first), letters(&second)], ["RR", "SFU"]);
    assert_eq!(shop.destination.letters().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_rejected_before_its_handler_is_known_by_its_payload_until_it_expires() {
    let shop = Shop::default();
    let hour = PerRecord::by_json(["/id"])
        .validate_payload()
        .expires_after(secs(3600));
    let consumer = shop.with_destination(shop.by_id().per_record(hour));
    let unreadable = || event([Sample::new("orders", 0).value(r#"{"id":7,"ms":"x"}"#)]);

    let first = invoke(&consumer, unreadable()).await;
    let other = invoke(&consumer, event([order(0, 7, 5).offset(9)])).await;
    advance(secs(3610)).await;
    let expired = invoke(&consumer, unreadable()).await;

    assert_eq!(letters(&first), "R");
    assert_eq!(code(&other, 0, 9), "reject.payload_mismatch");
    assert_eq!(letters(&expired), "R");
    assert_eq!(shop.destination.letters().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_not_held_up_by_a_store_that_is_down() {
    let shop = Shop::default();
    shop.store.meets(|_, _| Meets::Failure);
    let consumer = shop.with_destination(shop.by_id());
    let unreadable = Sample::new("orders", 0).value(r#"{"id":7,"ms":"x"}"#);

    let invoked = invoke(&consumer, event([unreadable])).await;

    assert_eq!(letters(&invoked), "R");
    assert!(invoked.elapsed() < secs(3), "{:?}", invoked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_the_destination_has_not_confirmed_is_sent_with_the_next_delivery() {
    let shop = Shop::default();
    let without = shop.process();
    let with = shop.with_destination(shop.by_id());
    let unreadable = || event([Sample::new("orders", 0).value(r#"{"id":7,"ms":"x"}"#)]);

    let first = invoke(&without, unreadable()).await;
    let second = invoke(&with, unreadable()).await;

    assert_eq!([letters(&first), letters(&second)], ["F", "R"]);
}

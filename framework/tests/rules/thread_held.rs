//! What holds the thread, a handler or an extractor, is named: meanwhile nothing else of the invocation goes on.

use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::extract::{Delivery, FromRecord};
use lambda_msk::failure::Rejection;
use lambda_msk::limits::HANDLER_POLL_MS_MAX;
use lambda_msk::testing::{Invoke, Invoked};
use lambda_msk::{Consumer, FailureReporting, Json};
use tokio::time::{advance, sleep};

use crate::shared_store::{Meets, Shared, millis, secs};
use crate::support::{Lines, code, letters, orders};

/// Holds the thread: the clock moves within one poll, as it does where a handler blocks.
async fn hold(Json(ms): Json<u64>) {
    sleep(millis(1)).await;
    advance(millis(ms)).await;
}

fn partial(builder: Builder<()>) -> Consumer {
    let builder = builder.failure_reporting(FailureReporting::Partial);
    builder.build().unwrap()
}

async fn run<const N: usize>(
    consumer: &Consumer,
    given: Duration,
    records: [(i32, &str); N],
) -> Invoked {
    let invoke = Invoke::new(orders(records)).time_given(given);
    invoke.run(consumer).await
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_holds_the_thread_is_named_with_the_cure_once_an_invocation() {
    let consumer = partial(Consumer::builder().topic("orders", hold));
    let lines = Lines::default();
    let _guard = lines.listen();

    run(&consumer, secs(60), [(0, "1"), (0, "4000"), (1, "3000")]).await;

    let held = lines.of("a record's code blocked the thread");
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!(held[0]["level"], "WARN");
    assert_eq!(held[0]["topic"], "orders");
    let cure = held[0]["cure"].as_str().unwrap();
    assert!(cure.contains("tokio::task::spawn_blocking"), "{cure}");
    let ms = held[0]["ms"].as_u64().unwrap();
    assert!((3_000..=4_001).contains(&ms), "{ms}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_waits_or_holds_the_thread_for_less_than_the_bound_is_not() {
    let waits = async |Json(ms): Json<u64>| sleep(millis(ms)).await;
    let waits = partial(Consumer::builder().topic("orders", waits));
    let holds = partial(Consumer::builder().topic("orders", hold));
    let lines = Lines::default();
    let _guard = lines.listen();
    let below = (HANDLER_POLL_MS_MAX - 1).to_string();

    run(&waits, secs(60), [(0, "5000"), (1, "5000")]).await;
    run(&holds, secs(60), [(0, &below), (0, &below), (1, &below)]).await;
    assert!(lines.of("a record's code blocked the thread").is_empty());
    run(&holds, secs(60), [(0, &HANDLER_POLL_MS_MAX.to_string())]).await;

    assert_eq!(lines.of("a record's code blocked the thread").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_extractor_that_holds_the_thread_is_named_too() {
    struct Parsed;
    impl<S> FromRecord<S> for Parsed {
        type Rejection = Rejection;

        fn from_record(_: &Delivery, _: &S) -> Result<Self, Rejection> {
            let _ = futures_util::FutureExt::now_or_never(advance(secs(1)));
            Ok(Self)
        }
    }
    let consumer = partial(Consumer::builder().topic("orders", async |_: Parsed| {}));
    let lines = Lines::default();
    let _guard = lines.listen();

    run(&consumer, secs(60), [(3, "1")]).await;

    let held = lines.of("a record's code blocked the thread");
    assert_eq!(held.len(), 1);
    assert_eq!(held[0]["partition"], 3);
    assert_eq!(held[0]["by"], "an extractor");
}

#[tokio::test(start_paused = true)]
async fn records_that_were_not_started_for_it_are_told_so_whatever_is_reported() {
    let consumer = partial(Consumer::builder().topic("orders", hold));
    let lines = Lines::default();
    let _guard = lines.listen();

    let invoked = run(&consumer, secs(3), [(0, "4000"), (0, "1"), (0, "1")]).await;

    assert_eq!(letters(&invoked), "DUU");
    let told = lines.of("time ran out while a record's code blocked the thread");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["unreached"], 2);
    let cause = told[0]["cause"].as_str().unwrap();
    assert!(cause.contains("orders-0@0"), "{cause}");
    assert!(lines.of("time ran out before").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_partition_whose_store_was_not_heard_meanwhile_says_whose_handler_it_was() {
    let store = Shared::default();
    store.meets(|id, _| match id.ends_with("/1") {
        true => Meets::Delay(secs(5)),
        false => Meets::Nothing,
    });
    let builder = Consumer::builder().topic("orders", hold);
    let consumer = partial(builder.idempotency(store));

    let invoked = run(&consumer, secs(3), [(0, "4000"), (1, "1")]).await;

    assert_eq!(letters(&invoked), "DF");
    assert_eq!(code(&invoked, 1, 0), "idempotency.unavailable");
    let problem = invoked.record("orders", 1, 0).problem.clone().unwrap();
    assert!(
        problem
            .message
            .contains("the handler of orders-0@0 blocked the thread for 400"),
        "{}",
        problem.message
    );
}

//! By key: of the records of one key one runs, wherever they stand, and the others wait for how it ends.

use lambda_msk::idempotency::PerRecord;
use lambda_msk::testing::{Invoke, Sample, invoke};
use lambda_msk::{Consumer, Headers, Outcome, ProcessingOrder, State};
use tokio::join;
use tokio::time::sleep;

use crate::keyed::{Shop, event, order};
use crate::shared_store::{Meets, millis, secs};
use crate::support::{Journal, code, letters};

#[tokio::test(start_paused = true)]
async fn of_two_records_of_one_key_in_two_partitions_one_runs() {
    let shop = Shop::default();
    let consumer = shop.process();

    let invoked = invoke(&consumer, event([order(0, 7, 50), order(1, 7, 50)])).await;

    let mut outcomes: Vec<char> = letters(&invoked).chars().collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ['D', 'S']);
    assert_eq!(shop.starts(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_two_records_of_one_key_in_a_lane_the_first_runs() {
    let shop = Shop::default();
    let consumer = shop.process();

    let invoked = invoke(
        &consumer,
        event([order(0, 7, 50), order(0, 7, 50), order(0, 8, 50)]),
    )
    .await;

    assert_eq!(letters(&invoked), "DSD");
    assert_eq!(shop.journal.lines()[0], "+orders-0@0");
}

#[tokio::test(start_paused = true)]
async fn unordered_records_of_one_key_run_once() {
    let shop = Shop::default();
    let builder = shop.by_id().order(ProcessingOrder::Unordered);
    let consumer = builder.build().unwrap();

    let same: [Sample; 5] = std::array::from_fn(|_| order(0, 7, 300));
    let invoked = invoke(&consumer, event(same)).await;

    let done = invoked
        .outcomes()
        .into_iter()
        .filter(|outcome| *outcome == Outcome::Done);
    assert_eq!(done.count(), 1);
    assert_eq!(shop.starts(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_second_of_a_key_runs_if_the_first_was_not_done() {
    let shop = Shop::default();
    let consumer = shop.process();

    let first = invoke(&consumer, event([order(0, 7, 0)])).await;
    let second = invoke(&consumer, event([order(0, 7, 50).offset(9)])).await;

    assert_eq!([letters(&first), letters(&second)], ["F", "D"]);
}

#[tokio::test(start_paused = true)]
async fn another_process_skips_what_was_done_at_another_offset() {
    let shop = Shop::default();

    invoke(&shop.process(), event([order(0, 7, 50)])).await;
    let other = invoke(&shop.process(), event([order(3, 7, 50).offset(90)])).await;

    assert_eq!(letters(&other), "S");
}

#[tokio::test(start_paused = true)]
async fn a_record_costs_two_writes() {
    let shop = Shop::default();
    let consumer = shop.process();

    invoke(&consumer, event([order(0, 7, 50), order(0, 8, 50)])).await;

    let calls = shop.store.calls();
    let kinds: Vec<&str> = calls
        .iter()
        .map(|call| call.split(" orders#").next().unwrap())
        .collect();
    // The first one's end is written beside the second one's beginning.
    assert_eq!(kinds, ["write", "give back", "write", "give back"]);
}

#[tokio::test(start_paused = true)]
async fn a_lane_waits_for_one_round_trip_a_record() {
    let shop = Shop::default();
    shop.store.meets(|_, _| Meets::Delay(millis(10)));
    let consumer = shop.process();
    let orders: [Sample; 20] = std::array::from_fn(|at| order(0, at as u64, 2));

    let invoked = invoke(&consumer, event(orders)).await;

    // Each its claim and its run, and the last one's end.
    assert_eq!(invoked.elapsed(), millis(20 * (10 + 2) + 10));
}

#[tokio::test(start_paused = true)]
async fn when_time_is_up_a_record_that_waits_for_another_is_failed() {
    let shop = Shop::default();
    let (long, waiting) = (shop.process(), shop.process());

    let (_, invoked) = join!(invoke(&long, event([order(0, 7, 30_000)])), async {
        sleep(millis(10)).await;
        Invoke::new(event([order(1, 7, 5)]))
            .time_given(secs(5))
            .run(&waiting)
            .await
    });

    assert_eq!(letters(&invoked), "F");
    assert_eq!(code(&invoked, 1, 0), "idempotency.held");
    // To the margin of half a second, and not less.
    assert!(
        invoked.elapsed() >= millis(4_400),
        "{:?}",
        invoked.elapsed()
    );
    assert!(
        invoked.elapsed() <= millis(4_500),
        "{:?}",
        invoked.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn retries_in_place_keep_the_claim() {
    let shop = Shop::default();
    let consumer = Consumer::builder()
        .state(shop.journal.clone())
        .topic(
            "orders",
            async |headers: Headers, State(journal): State<Journal>| {
                let _ = headers.len();
                journal.write("+");
                match journal.lines().len() {
                    3 => Ok(()),
                    _ => Err("not yet"),
                }
            },
        )
        .idempotency(shop.store.clone())
        .per_record(PerRecord::by_json(["/id"]))
        .build()
        .unwrap();

    let invoked = invoke(&consumer, event([order(0, 7, 5)])).await;

    assert_eq!(letters(&invoked), "D");
    assert_eq!(shop.store.calls().len(), 2);
}

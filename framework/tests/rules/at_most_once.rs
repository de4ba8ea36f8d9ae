//! At most once: a handler starts once a key, or never; what may have been started is not started again.

use lambda_msk::idempotency::{Change, Expect, Guarantee, PerRecord, Swap, WhenStoreFails};
use lambda_msk::report::RecordReport;
use lambda_msk::testing::{Invoke, Invoked, invoke};
use lambda_msk::{Consumer, Failure, Json, Record, State, each};
use tokio::join;
use tokio::time::{advance, sleep};

use crate::keyed::{Order, Shop, event, killed_at_work, order};
use crate::shared_store::{Meets, Shared, millis, secs};
use crate::support::{Journal, Lines, code, letters};

const DAY_S: u64 = 24 * 60 * 60;

#[tokio::test(start_paused = true)]
async fn what_was_started_and_whose_owner_is_gone_goes_to_the_destination() {
    let shop = Shop::default();
    let process = || shop.with_destination(shop.once());

    killed_at_work(&process()).await;
    let next = invoke(&process(), event([order(0, 7, 5_000), order(0, 8, 5)])).await;
    let again = invoke(&process(), event([order(0, 7, 5_000)])).await;

    assert_eq!([letters(&next), letters(&again)], ["RD", "S"]);
    assert_eq!(code(&next, 0, 0), "reject.at_most_once");
    assert!(
        shop.destination.letters()[0]
            .message()
            .contains("the outcome is unknown")
    );
    assert_eq!(
        shop.journal.lines(),
        ["+orders-0@0", "+orders-0@1", "-orders-0@1"]
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_destination_it_is_logged_as_lost_once() {
    let (shop, lines) = (Shop::default(), Lines::default());
    let process = || shop.once().build().unwrap();
    let _guard = lines.listen();

    killed_at_work(&process()).await;
    let next = invoke(&process(), event([order(0, 7, 5_000), order(0, 8, 5)])).await;
    invoke(&process(), event([order(0, 7, 5_000)])).await;

    assert_eq!(letters(&next), "SD");
    let lost = lines.of("record lost");
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(lost[0]["code"], "reject.at_most_once");
    assert_eq!(lost[0]["offset"], 0);
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_an_owner_that_lives() {
    let shop = Shop::default();
    let process = || shop.with_destination(shop.once());
    let (long, same) = (process(), process());

    let (first, second) = join!(invoke(&long, event([order(0, 7, 40_000)])), async {
        sleep(secs(1)).await;
        invoke(&same, event([order(1, 7, 40_000)])).await
    });

    assert_eq!([letters(&first), letters(&second)], ["D", "S"]);
    assert!(second.elapsed() >= secs(39), "{:?}", second.elapsed());
    assert!(shop.destination.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_fails_is_not_started_again_and_its_record_is_rejected() {
    let shop = Shop::default();
    let consumer = shop.with_destination(shop.once());

    let first = invoke(&consumer, event([order(0, 7, 0), order(0, 8, 5)])).await;
    let again = invoke(&consumer, event([order(0, 7, 0)])).await;

    assert_eq!([letters(&first), letters(&again)], ["RD", "S"]);
    assert_eq!(code(&first, 0, 0), "reject.at_most_once");
    assert_eq!(shop.destination.letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_fails_without_a_destination_is_lost_with_the_next_delivery() {
    let shop = Shop::default();
    let consumer = shop.once().build().unwrap();

    let first = invoke(&consumer, event([order(0, 7, 0)])).await;
    let again = invoke(&consumer, event([order(0, 7, 0)])).await;

    assert_eq!([letters(&first), letters(&again)], ["F", "S"]);
    assert!(again.records()[0].is_lost());
    // Its owner had given it up: nobody waited for it.
    assert!(again.elapsed() < secs(1), "{:?}", again.elapsed());
    assert_eq!(shop.journal.lines(), ["+orders-0@0"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_is_counted_apart_from_what_was_settled_before() {
    let (shop, lines) = (Shop::default(), Lines::default());
    let consumer = shop.once().build().unwrap();
    invoke(&consumer, event([order(0, 6, 5)])).await;
    invoke(&consumer, event([order(0, 7, 0)])).await;
    let _guard = lines.listen();

    let both = invoke(&consumer, event([order(0, 6, 5), order(0, 7, 0)])).await;
    let lost = invoke(&consumer, event([order(0, 7, 0)])).await;
    let after = invoke(&consumer, event([order(0, 6, 5), order(0, 7, 0)])).await;

    let lost_there = |invoked: &Invoked| {
        invoked
            .records()
            .iter()
            .map(RecordReport::is_lost)
            .collect()
    };
    let lost_there = [&both, &lost, &after].map(|invoked| -> Vec<bool> { lost_there(invoked) });
    assert_eq!(letters(&both), "SS");
    // Told once: from then on it counts as settled.
    assert_eq!(
        lost_there,
        [vec![false, true], vec![false], vec![false, false]]
    );
    let ended = lines.of("batch ended");
    let counts = |line: &serde_json::Value| (line["skipped"].clone(), line["lost"].clone());
    assert_eq!(counts(&ended[0]), (1.into(), 1.into()));
    assert_eq!(counts(&ended[2]), (2.into(), 0.into()));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_of_settled_records_where_one_is_lost() {
    let (shop, lines) = (Shop::default(), Lines::default());
    let consumer = shop.once().build().unwrap();
    invoke(&consumer, event([order(0, 7, 0)])).await;
    let _guard = lines.listen();

    invoke(&consumer, event([order(0, 7, 0)])).await;

    assert_eq!(lines.of("record lost").len(), 1);
    assert!(lines.of("records skipped").is_empty());
}

/// What is said of a record that is not started again, after its first delivery was handled so.
async fn said_after(first: impl AsyncFnOnce(&Shop)) -> String {
    let shop = Shop::default();
    first(&shop).await;

    let next = invoke(&shop.once().build().unwrap(), event([order(0, 7, 5)])).await;

    assert_eq!(letters(&next), "S");
    let problem = next.records()[0].problem.clone();
    problem.unwrap().message
}

#[tokio::test(start_paused = true)]
async fn how_a_handler_left_a_lost_record_is_said() {
    let failed = said_after(async |shop: &Shop| {
        invoke(&shop.once().build().unwrap(), event([order(0, 7, 0)])).await;
    });
    let dropped = said_after(async |shop: &Shop| {
        Invoke::new(event([order(0, 7, 60_000)]))
            .time_given(secs(5))
            .run(&shop.once().build().unwrap())
            .await;
    });
    let panicked = said_after(async |shop: &Shop| {
        let handler = async |record: Record| assert!(record.partition() > 0, "a bug");
        let builder = Consumer::builder().state(shop.journal.clone());
        let builder = shop.of(builder.topic("orders", handler));
        let consumer = builder.guarantee(Guarantee::AtMostOnce).build().unwrap();
        invoke(&consumer, event([order(0, 7, 5)])).await;
    });
    let killed = said_after(async |shop: &Shop| {
        let consumer = shop.once().build().unwrap();
        killed_at_work(&consumer).await;
    });

    let said = [failed.await, dropped.await, panicked.await, killed.await];
    let expected = [
        "returned a failure in an earlier invocation",
        "still running at the deadline's margin",
        "panicked in an earlier invocation",
        "ended without recording an outcome: the outcome is unknown",
    ];
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_letter_of_a_record_that_was_left_says_how() {
    let shop = Shop::default();
    let without = shop.once().build().unwrap();
    let with = shop.with_destination(shop.once());

    invoke(&without, event([order(0, 7, 0)])).await;
    let next = invoke(&with, event([order(0, 7, 0)])).await;

    assert_eq!(letters(&next), "R");
    let letters = shop.destination.letters();
    let message = letters[0].message();
    assert!(message.contains("a failure"), "{message}");
    assert!(!message.contains("unknown"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_mark_of_another_version_is_read() {
    for (note, said) in [
        (
            r#"{"lambda_msk":"started","owner_until_ms":0}"#,
            "without recording an outcome",
        ),
        (
            r#"{"lambda_msk":"started","owner_until_ms":0,"undone":"lost_in_space","by":7}"#,
            "is not done",
        ),
    ] {
        let shop = Shop::default();
        let process = || shop.once().build().unwrap();
        killed_at_work(&process()).await;
        for (id, item) in shop.store.items().await {
            let mut item = item.unwrap();
            item.data = note.into();
            let version = Expect::Version(item.version.clone().unwrap());
            let swap = Swap::new(id.into(), version, Change::Put(item));
            shop.store.apply(&swap).await;
        }

        let next = invoke(&process(), event([order(0, 7, 5)])).await;

        assert_eq!(letters(&next), "S");
        let problem = next.records()[0].problem.clone().unwrap();
        assert!(problem.message.contains(said), "{}", problem.message);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_at_the_margin_is_not_started_again() {
    let shop = Shop::default();
    let consumer = shop.with_destination(shop.once());

    let first = Invoke::new(event([order(0, 7, 60_000)]))
        .time_given(secs(5))
        .run(&consumer)
        .await;
    let again = invoke(&consumer, event([order(0, 7, 60_000)])).await;

    assert_eq!([letters(&first), letters(&again)], ["F", "R"]);
    assert_eq!(code(&first, 0, 0), "handler.dropped");
    assert_eq!(code(&again, 0, 0), "reject.at_most_once");
}

#[tokio::test(start_paused = true)]
async fn the_mark_is_written_before_the_handler_starts() {
    let shop = Shop::default();
    let written = shop.journal.clone();
    shop.store.meets(move |_, _| {
        written.write("write");
        Meets::Nothing
    });
    let consumer = shop.once().build().unwrap();

    invoke(&consumer, event([order(0, 7, 5)])).await;

    assert_eq!(
        shop.journal.lines(),
        ["write", "+orders-0@0", "-orders-0@0", "write"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_marked_and_not_started_runs_later() {
    let shop = Shop::default();
    // MD5 of `8`: the second one's claim takes what time there was.
    shop.store.meets(
        |id, _| match id.ends_with("c9f0f895fb98ab9159f51fd0297e236d") {
            true => Meets::Delay(millis(300)),
            false => Meets::Nothing,
        },
    );
    let consumer = shop.once().build().unwrap();

    let first = Invoke::new(event([order(0, 7, 1_400), order(0, 8, 5)]))
        .time_given(millis(3_500))
        .run(&consumer)
        .await;
    let next = invoke(&consumer, event([order(0, 8, 5)])).await;

    assert_eq!([letters(&first), letters(&next)], ["DU", "D"]);
}

#[tokio::test(start_paused = true)]
async fn marks_and_ends_outlive_the_longest_redelivery() {
    let shop = Shop::default();
    let process = || shop.with_destination(shop.once());

    invoke(&process(), event([order(0, 6, 5)])).await;
    killed_at_work(&process()).await;
    advance(secs(7 * DAY_S)).await;
    let next = invoke(&process(), event([order(0, 6, 5), order(0, 7, 5_000)])).await;

    assert_eq!(letters(&next), "SR");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_is_fed_back_is_started_once_more() {
    let shop = Shop::default();
    let process = || shop.with_destination(shop.once());
    killed_at_work(&process()).await;
    invoke(&process(), event([order(0, 7, 5_000)])).await;
    let envelope: serde_json::Value =
        serde_json::from_str(&shop.destination.letters()[0].envelope()).unwrap();
    let payload = envelope["payload"].to_string();

    let fed_back = invoke(&process(), payload.clone()).await;
    let again = invoke(&process(), payload).await;

    assert_eq!([letters(&fed_back), letters(&again)], ["D", "S"]);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_at_least_once_again_runs_what_was_marked() {
    let shop = Shop::default();
    killed_at_work(&shop.once().build().unwrap()).await;

    let next = invoke(&shop.process(), event([order(0, 7, 5_000)])).await;

    assert_eq!(letters(&next), "D");
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_at_least_once_is_not_started_again_either() {
    let shop = Shop::default();
    let before = shop.process();
    killed_at_work(&before).await;

    let consumer = shop.with_destination(shop.once());
    let next = invoke(&consumer, event([order(0, 7, 5_000)])).await;

    assert_eq!(letters(&next), "R");
    assert_eq!(code(&next, 0, 0), "reject.at_most_once");
    assert_eq!(shop.journal.lines(), ["+orders-0@0"]);
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_has_expired_is_forgotten() {
    let shop = Shop::default();
    let process = || shop.once().build().unwrap();
    killed_at_work(&process()).await;

    advance(secs(9 * DAY_S)).await;
    let next = invoke(&process(), event([order(0, 7, 5)])).await;

    assert_eq!(letters(&next), "D");
}

async fn ship(Json(_): Json<Order>, State(_): State<Journal>) -> Result<(), Failure> {
    Ok(())
}

#[test]
fn whatever_would_start_a_handler_twice_is_a_build_error() {
    let fault = Consumer::builder()
        .state(Journal::default())
        .topic("orders", each(ship).attempts(2))
        .attempts(1)
        .when_store_fails(WhenStoreFails::Process)
        .guarantee(Guarantee::AtMostOnce)
        .build()
        .unwrap_err();

    let fault = format!("{fault:?}");
    for need in [
        "keys from the records",
        "a store that outlives the process",
        "one attempt, found 2: set `.attempts(1)`",
        "`WhenStoreFails::Fail`",
    ] {
        assert!(fault.contains(need), "{need}: {fault}");
    }
}

#[test]
fn the_default_of_three_attempts_is_too_many() {
    let builder = Consumer::builder()
        .topic("orders", async || {})
        .idempotency(Shared::default())
        .per_record(PerRecord::by_key())
        .guarantee(Guarantee::AtMostOnce);

    let fault = format!("{:?}", builder.build().unwrap_err());

    assert!(fault.contains("found 3"), "{fault}");
    assert!(!fault.contains("outlives"), "{fault}");
}

#[test]
fn the_environment_cannot_undo_it_in_silence() {
    let builder = Shop::default().once();

    let fault = builder
        .from_vars([
            ("LAMBDA_MSK_IDEMPOTENCY", "memory"),
            ("LAMBDA_MSK_ATTEMPTS", "5"),
        ])
        .build()
        .unwrap_err();

    let fault = format!("{fault:?}");
    assert!(
        fault.contains("outlives") && fault.contains("found 5"),
        "{fault}"
    );
}

//! By key: a claim outlasts kills, freezes, clocks that differ and a store that fails.

use std::time::Duration;

use jiff::SignedDuration;
use lambda_msk::idempotency::{PerRecord, WhenStoreFails};
use lambda_msk::limits::{CLOCK_SKEW_MAX_MS, LEASE_MS};
use lambda_msk::testing::{Invoke, invoke};
use tokio::join;
use tokio::time::{Instant, sleep};

use crate::keyed::{Shop, event, order};
use crate::shared_store::{Meets, frozen, killed_after, millis, secs};
use crate::support::{Lines, code, letters};

#[tokio::test(start_paused = true)]
async fn after_a_kill_the_next_owner_waits_for_the_claim_and_runs() {
    let shop = Shop::default();

    killed_after(
        secs(1),
        invoke(&shop.process(), event([order(0, 7, 5_000)])),
    )
    .await;
    let killed = Instant::now();
    let next = Invoke::new(event([order(0, 7, 5_000)]))
        .time_given(secs(60))
        .run(&shop.process())
        .await;

    assert_eq!(letters(&next), "D");
    assert_eq!(shop.starts(), 2);
    let waited = killed.elapsed() - secs(5);
    assert!(
        waited >= millis(LEASE_MS + CLOCK_SKEW_MAX_MS) - secs(1),
        "{waited:?}"
    );
    assert!(
        waited <= millis(LEASE_MS + CLOCK_SKEW_MAX_MS) + secs(2),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_claim_outlasts_its_lease_while_its_handler_runs() {
    let shop = Shop::default();
    let (long, same) = (shop.process(), shop.process());
    let given = secs(120);

    let (first, second) = join!(
        Invoke::new(event([order(0, 7, 45_000)]))
            .time_given(given)
            .run(&long),
        async {
            sleep(secs(1)).await;
            Invoke::new(event([order(1, 7, 45_000)]))
                .time_given(given)
                .run(&same)
                .await
        }
    );

    assert_eq!([letters(&first), letters(&second)], ["D", "S"]);
    assert_eq!(shop.starts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_owner_that_wakes_late_changes_nothing_of_its_successors() {
    let shop = Shop::default();
    let (zombie, successor) = (shop.process(), shop.process());

    let (woken, next) = join!(
        frozen(
            millis(100),
            secs(100),
            invoke(&zombie, event([order(0, 7, 500)]))
        ),
        async {
            sleep(secs(20)).await;
            let next = invoke(&successor, event([order(0, 7, 2)])).await;
            (letters(&next), shop.store.items().await)
        }
    );

    // Its handler had started before, so its record is done in its answer.
    assert_eq!(letters(&woken), "D");
    assert_eq!(next.0, "D");
    assert_eq!(shop.store.items().await, next.1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_or_an_end_whose_answer_was_lost_is_known_again() {
    for lost in 0..2 {
        let shop = Shop::default();
        let mut calls = 0;
        shop.store.meets(move |_, _| {
            calls += 1;
            if calls == lost + 1 {
                Meets::LostAnswer
            } else {
                Meets::Nothing
            }
        });

        let first = invoke(&shop.process(), event([order(0, 7, 50)])).await;
        let second = invoke(&shop.process(), event([order(1, 7, 50)])).await;

        assert_eq!([letters(&first), letters(&second)], ["D", "S"], "{lost}");
        // Nobody waited for himself.
        assert!(first.elapsed() < secs(1), "{:?}", first.elapsed());
        // Claimed and ended, one of them asked twice; then the other one's claim.
        assert_eq!(shop.store.calls().len(), 3 + 1, "{lost}");
        assert_eq!(shop.starts(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_claim_of_one_who_gave_up_blocks_nobody_for_longer_than_its_lease() {
    let shop = Shop::default();
    let claim = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = claim.clone();
    shop.store.meets(move |_, swap| {
        seen.lock()
            .unwrap()
            .get_or_insert_with(|| swap.unwrap().clone());
        Meets::Failure
    });

    let first = Invoke::new(event([order(0, 7, 50)]))
        .time_given(secs(5))
        .run(&shop.process())
        .await;
    let late = claim.lock().unwrap().clone().unwrap();
    shop.store.meets(|_, _| Meets::Nothing);
    shop.store.apply(&late).await;
    let next = invoke(&shop.process(), event([order(0, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&next)], ["F", "D"]);
    assert_eq!(shop.starts(), 1);
}

/// A claim whose first try was held back is released, and that try lands then: an item that looks like the one that is gone would be deleted or completed by what
/// is still on its way.
#[tokio::test(start_paused = true)]
async fn a_try_that_lands_after_the_release_makes_no_version_that_stood_before() {
    let shop = Shop::default();
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = asked.clone();
    shop.store.meets(move |_, swap| {
        let mut seen = seen.lock().unwrap();
        seen.push(swap.unwrap().clone());
        if seen.len() == 1 {
            Meets::Failure
        } else {
            Meets::Nothing
        }
    });
    let failed = invoke(&shop.process(), event([order(0, 7, 0)])).await;
    let asked = asked.lock().unwrap().clone();
    let [held_back, claim, release] = &asked[..] else {
        panic!("two tries and an end, not {}", asked.len());
    };

    shop.store.meets(|_, _| Meets::Nothing);
    shop.store.apply(held_back).await;
    let stands = shop.store.items().await;
    shop.store.apply(release).await;

    assert_eq!(letters(&failed), "F");
    assert!(stands[0].1.is_some(), "its item was gone, so it landed");
    assert_ne!(held_back, claim);
    assert_eq!(shop.store.items().await, stands);
}

#[tokio::test(start_paused = true)]
async fn clocks_apart_within_the_limit_keep_one_owner() {
    for ahead_ms in [-1_000, 1_000] {
        let shop = Shop::default();
        let (long, other) = (shop.process(), shop.process());

        let (first, second) = join!(
            invoke(&long, event([order(0, 7, 30_000)])),
            Invoke::new(event([order(1, 7, 30_000)]))
                .clock_ahead(SignedDuration::from_millis(ahead_ms))
                .run(&other)
        );

        assert_eq!([letters(&first), letters(&second)], ["D", "S"]);
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_down_nothing_runs_unclaimed() {
    let shop = Shop::default();
    shop.store.meets(|_, _| Meets::Failure);
    let consumer = shop.process();

    let invoked = Invoke::new(event([order(0, 7, 50), order(0, 8, 50)]))
        .time_given(secs(10))
        .run(&consumer)
        .await;

    assert_eq!(letters(&invoked), "FU");
    assert_eq!(code(&invoked, 0, 0), "idempotency.unavailable");
    let message = &invoked
        .record("orders", 0, 0)
        .problem
        .as_ref()
        .unwrap()
        .message;
    assert!(message.contains("shared:table"), "{message}");
    assert_eq!(shop.starts(), 0);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_down_records_run_if_that_was_chosen_and_the_log_says_so() {
    let (shop, lines) = (Shop::default(), Lines::default());
    shop.store.meets(|_, _| Meets::Failure);
    let builder = shop.by_id().when_store_fails(WhenStoreFails::Process);
    let consumer = builder.build().unwrap();
    let _guard = lines.listen();

    let invoked = invoke(
        &consumer,
        event([order(0, 7, 50), order(0, 8, 50), order(1, 9, 50)]),
    )
    .await;

    assert_eq!(letters(&invoked), "DDD");
    // Waited for once, not once a record.
    assert!(invoked.elapsed() < secs(3), "{:?}", invoked.elapsed());
    let said = lines.of("the idempotency store failed");
    assert_eq!(said.len(), 2, "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn an_end_that_cannot_be_written_leaves_the_record_done_and_the_log_says_so() {
    let (shop, lines) = (Shop::default(), Lines::default());
    let mut calls = 0;
    shop.store.meets(move |_, _| {
        calls += 1;
        if calls == 1 {
            Meets::Nothing
        } else {
            Meets::Failure
        }
    });
    let consumer = shop.process();
    let _guard = lines.listen();

    let invoked = Invoke::new(event([order(0, 7, 50)]))
        .time_given(secs(10))
        .run(&consumer)
        .await;

    assert_eq!(letters(&invoked), "D");
    assert_eq!(lines.of("settled records may not have been saved").len(), 1);
    assert!(invoked.elapsed() < secs(10));
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_wakes_between_two_tries_does_not_start_what_its_successor_has_done() {
    let shop = Shop::default();
    let failing = shop.by_id().attempts(3).build().unwrap();
    let successor = shop.process();

    // The first try fails at once; it is frozen while it waits for the second.
    let (woken, next) = join!(
        frozen(
            Duration::ZERO,
            secs(40),
            invoke(&failing, event([order(0, 7, 0)]))
        ),
        async {
            sleep(secs(20)).await;
            invoke(&successor, event([order(0, 7, 50).offset(9)])).await
        }
    );

    assert_eq!(letters(&next), "D");
    assert_eq!(letters(&woken), "F");
    assert_eq!(code(&woken, 0, 0), "idempotency.lost");
    assert_eq!(shop.starts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_kept_for_a_second_is_kept_while_its_record_runs() {
    let shop = Shop::default();
    let short = PerRecord::by_json(["/id"]).expires_after(secs(1));
    let process = || {
        let builder = shop.by_id().per_record(short.clone());
        builder.build().unwrap()
    };
    let (first, second) = (process(), process());

    let (first, second) = join!(invoke(&first, event([order(0, 7, 9_000)])), async {
        sleep(secs(5)).await;
        invoke(&second, event([order(1, 7, 9_000)])).await
    });

    assert_eq!([letters(&first), letters(&second)], ["D", "S"]);
}

#[tokio::test(start_paused = true)]
async fn an_end_is_written_again_while_the_store_fails() {
    let shop = Shop::default();
    shop.store
        .next_meet([Meets::Nothing, Meets::Failure, Meets::Failure]);

    invoke(&shop.process(), event([order(0, 7, 50)])).await;
    let second = invoke(&shop.process(), event([order(1, 7, 50)])).await;

    assert_eq!(letters(&second), "S");
}

#[tokio::test(start_paused = true)]
async fn an_end_is_written_over_a_renewal_that_was_still_on_its_way() {
    let (shop, lines) = (Shop::default(), Lines::default());
    shop.store
        .next_meet([Meets::Nothing, Meets::LateAnswer(secs(1))]);
    let _guard = lines.listen();

    // A third of the lease and a little: the renewal is applied, and its answer never read.
    invoke(&shop.process(), event([order(0, 7, LEASE_MS / 3 + 200)])).await;
    let second = invoke(&shop.process(), event([order(1, 7, 50)])).await;

    assert_eq!(letters(&second), "S");
    assert!(
        lines
            .of("settled records may not have been saved")
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn an_end_is_written_though_the_item_was_deleted_meanwhile() {
    let shop = Shop::default();
    let (first, second) = (shop.process(), shop.process());

    let (first, ()) = join!(invoke(&first, event([order(0, 7, 2_000)])), async {
        sleep(secs(1)).await;
        shop.store.lose().await;
    });
    let second = invoke(&second, event([order(1, 7, 50)])).await;

    assert_eq!([letters(&first), letters(&second)], ["D", "S"]);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_took_nearly_its_lease_is_renewed_before_its_handler_starts() {
    let shop = Shop::default();
    let begun = Instant::now();
    let mut calls = 0;
    let seen = shop.journal.clone();
    shop.store.meets(move |_, _| {
        calls += 1;
        match calls {
            1 => Meets::LostAnswer,
            _ if begun.elapsed() < millis(LEASE_MS - CLOCK_SKEW_MAX_MS) => Meets::Failure,
            _ => {
                seen.write("asked");
                Meets::Nothing
            }
        }
    });
    let consumer = shop.process();

    let invoked = invoke(&consumer, event([order(0, 7, 50)])).await;

    assert_eq!(letters(&invoked), "D");
    // Told that it holds it since long ago, and then for longer.
    assert_eq!(shop.journal.lines()[..3], ["asked", "asked", "+orders-0@0"]);
}

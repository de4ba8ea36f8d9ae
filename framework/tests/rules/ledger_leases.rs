//! Leases: who may run a partition's records, from when and until when.

use jiff::SignedDuration;
use lambda_msk::limits::{CLOCK_SKEW_MAX_MS, LEASE_MS};
use lambda_msk::testing::{Invoke, invoke};
use lambda_msk::{Outcome, ProcessingOrder};
use tokio::join;
use tokio::time::{Instant, sleep};

use crate::shared_store::{
    Meets, Shared, batch, frozen, killed_after, lasting, millis, process, secs,
};
use crate::support::{Journal, code, letters, orders};

/// How often each record was started, in the order of first starts.
fn starts(journal: &Journal) -> Vec<(String, usize)> {
    let mut starts: Vec<(String, usize)> = Vec::new();
    for line in journal.lines() {
        let Some(record) = line.strip_prefix('+') else {
            continue;
        };
        match starts.iter_mut().find(|(known, _)| known == record) {
            Some((_, count)) => *count += 1,
            None => starts.push((record.to_owned(), 1)),
        }
    }
    starts
}

fn once_each(journal: &Journal, count: usize) {
    let starts = starts(journal);
    assert_eq!(starts.len(), count, "{starts:?}");
    assert!(starts.iter().all(|(_, count)| *count == 1), "{starts:?}");
}

#[tokio::test(start_paused = true)]
async fn another_process_skips_what_was_done() {
    let (store, journal) = (Shared::default(), Journal::default());
    let event = orders([(0, "1"), (1, "1"), (0, "0")]);

    let first = invoke(&process(&store, &journal).build().unwrap(), event.clone()).await;
    let second = invoke(&process(&store, &journal).build().unwrap(), event).await;

    assert_eq!(letters(&first), "DFD");
    assert_eq!(letters(&second), "SFS");
}

#[tokio::test(start_paused = true)]
async fn a_batch_costs_two_requests_a_partition() {
    let (store, journal) = (Shared::default(), Journal::default());

    invoke(
        &process(&store, &journal).build().unwrap(),
        batch(2, 100, 1),
    )
    .await;

    let mut calls = store.calls();
    calls.sort();
    assert_eq!(calls, ["give back 0", "give back 1", "take 0", "take 1"]);
}

#[tokio::test(start_paused = true)]
async fn the_retry_at_once_after_a_kill_waits_for_the_lease_and_does_the_rest() {
    let (store, journal) = (Shared::default(), Journal::default());
    let event = batch(1, 20, 100);
    let given = secs(14 * 60);
    let first = process(&store, &journal).build().unwrap();
    let retry = process(&store, &journal).build().unwrap();

    killed_after(
        secs(1),
        Invoke::new(event.clone()).time_given(given).run(&first),
    )
    .await;
    let killed = Instant::now();
    let done = Invoke::new(event).time_given(given).run(&retry).await;

    assert!(done.outcomes().iter().all(|outcome| outcome.is_settled()));
    let skipped = done
        .outcomes()
        .iter()
        .filter(|o| **o == Outcome::Skipped)
        .count();
    assert!((7..10).contains(&skipped), "{skipped}");
    assert!(killed.elapsed() >= millis(LEASE_MS + CLOCK_SKEW_MAX_MS - 1_000));
    assert!(killed.elapsed() <= millis(LEASE_MS + CLOCK_SKEW_MAX_MS) + secs(4));
}

#[tokio::test(start_paused = true)]
async fn after_a_kill_at_most_what_was_started_since_the_last_write_runs_again() {
    for seed in 0..20 {
        let (store, journal) = (Shared::default(), Journal::default());
        let event = batch(1, 40, 50);
        let first = process(&store, &journal).build().unwrap();
        let retry = process(&store, &journal).build().unwrap();

        killed_after(millis(500 + 37 * seed), invoke(&first, event.clone())).await;
        let done = invoke(&retry, event).await;

        assert!(done.outcomes().iter().all(|outcome| outcome.is_settled()));
        let starts = starts(&journal);
        assert_eq!(starts.len(), 40);
        let again = starts.iter().filter(|(_, count)| *count > 1).count();
        // 250 ms of records that take 50, the write itself taking no time, and the one that ran.
        assert!(again <= 6, "{again}");
        assert!(starts.iter().all(|(_, count)| *count <= 2));
        assert!(starts.is_sorted_by_key(|(record, _)| offset(record)));
    }
}

fn offset(record: &str) -> i64 {
    record.rsplit('@').next().unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn with_progress_at_zero_at_most_one_record_a_lane_runs_again() {
    for seed in 0..40 {
        let (store, journal) = (Shared::default(), Journal::default());
        store.meets(|_, _| Meets::Delay(millis(7)));
        let event = batch(2, 40, 5);
        let consumer = || {
            process(&store, &journal)
                .progress(millis(0))
                .build()
                .unwrap()
        };

        killed_after(millis(200 + 3 * seed), invoke(&consumer(), event.clone())).await;
        let done = invoke(&consumer(), event).await;

        assert!(done.outcomes().iter().all(|outcome| outcome.is_settled()));
        for partition in ["orders-0@", "orders-1@"] {
            let again = starts(&journal)
                .into_iter()
                .filter(|(record, count)| record.starts_with(partition) && *count > 1);
            assert!(again.count() <= 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_that_hold_one_of_two_partitions_and_want_the_others_both_end_well() {
    let (store, journal) = (Shared::default(), Journal::default());
    let mut takes = 0;
    store.meets(move |id, swap| {
        let held_up = matches!(swap, Some(swap) if matches!(swap.change, lambda_msk::idempotency::Change::Hold { .. }));
        takes += usize::from(held_up);
        // The first invocation takes partition 0 at once, the second one partition 1.
        match (takes, id.ends_with("/0")) {
            (2, false) | (3, true) => Meets::Delay(millis(5)),
            _ => Meets::Nothing,
        }
    });
    let one = process(&store, &journal).build().unwrap();
    let other = process(&store, &journal).build().unwrap();

    let (first, second) = join!(
        invoke(&one, batch(2, 3, 100)),
        invoke(&other, batch(2, 3, 100))
    );

    assert_eq!(letters(&first), "DDDSSS");
    assert_eq!(letters(&second), "SSSDDD");
    once_each(&journal, 6);
}

#[tokio::test(start_paused = true)]
async fn of_two_processes_with_one_batch_each_record_runs_once_in_order() {
    let (store, journal) = (Shared::default(), Journal::default());
    let one = process(&store, &journal).build().unwrap();
    let other = process(&store, &journal).build().unwrap();
    let event = || batch(3, 50, 300);

    let (first, second) = join!(invoke(&one, event()), invoke(&other, event()));

    once_each(&journal, 150);
    for invoked in [first, second] {
        assert!(
            invoked
                .outcomes()
                .iter()
                .all(|outcome| outcome.is_settled())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_is_given_back_as_soon_as_its_own_lanes_have_ended() {
    let (store, journal) = (Shared::default(), Journal::default());
    let one = process(&store, &journal).build().unwrap();
    let other = process(&store, &journal).build().unwrap();
    let both = orders([(0, "10"), (1, "20000")]);
    let start = Instant::now();

    let late = async {
        sleep(secs(1)).await;
        let invoked = invoke(&other, orders([(0, "10")])).await;
        (letters(&invoked), start.elapsed())
    };
    let (_, (letters, ended)) = join!(invoke(&one, both), late);

    assert_eq!(letters, "S");
    assert_eq!(ended.as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_one_partition_delays_no_other() {
    let (store, journal) = (Shared::default(), Journal::default());
    let one = process(&store, &journal).build().unwrap();
    let other = process(&store, &journal).concurrency(1).build().unwrap();

    let late = async {
        sleep(secs(1)).await;
        invoke(&other, orders([(0, "10000"), (1, "10")])).await
    };
    let (_, second) = join!(invoke(&one, lasting([10_000])), late);

    assert_eq!(letters(&second), "SD");
    let lines = journal.lines();
    let ended = |line: &str| lines.iter().position(|known| known == line).unwrap();
    assert!(ended("-orders-1@0") < ended("-orders-0@0"));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_while_a_handler_runs() {
    let (store, journal) = (Shared::default(), Journal::default());
    let one = process(&store, &journal).build().unwrap();
    let other = process(&store, &journal).build().unwrap();
    let event = lasting([40_000, 1]);
    let long = || Invoke::new(event.clone()).time_given(secs(600));

    let (first, second) = join!(long().run(&one), long().run(&other));

    assert_eq!(letters(&first), "DD");
    assert_eq!(letters(&second), "SS");
    once_each(&journal, 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_gives_up_when_only_the_margin_is_left() {
    let (store, journal) = (Shared::default(), Journal::default());
    let one = process(&store, &journal).build().unwrap();
    let other = process(&store, &journal).build().unwrap();
    let event = lasting([50_000, 1]);

    let late = async {
        let waited = Invoke::new(event.clone())
            .time_given(secs(20))
            .run(&other)
            .await;
        let elapsed = waited.elapsed();
        (waited, elapsed)
    };
    let (_, (waited, elapsed)) = join!(invoke(&one, event.clone()), late);

    assert_eq!(letters(&waited), "FF");
    assert_eq!(code(&waited, 0, 0), "idempotency.held");
    assert!(elapsed > secs(17) && elapsed < secs(20), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_owner_that_wakes_after_its_successor_changes_nothing() {
    let (store, journal) = (Shared::default(), Journal::default());
    let one = process(&store, &journal).build().unwrap();
    let other = process(&store, &journal).build().unwrap();
    let event = lasting([1_000, 1_000, 1_000]);

    let successor = async {
        sleep(secs(2)).await;
        let invoked = invoke(&other, event.clone()).await;
        (letters(&invoked), store.items().await)
    };
    let owner = frozen(
        millis(1_500),
        secs(40),
        Invoke::new(event.clone()).time_given(secs(600)).run(&one),
    );
    let (owner, (letters_of_successor, left)) = join!(owner, successor);
    let stands = store.items().await;
    let third = invoke(&process(&store, &journal).build().unwrap(), event.clone()).await;

    assert_eq!(stands, left);
    assert_eq!(letters_of_successor, "SDD");
    // What it had started before the freeze it ends; it starts nothing more.
    assert_eq!(letters(&owner), "DDF");
    assert_eq!(code(&owner, 0, 2), "idempotency.lost");
    assert_eq!(letters(&third), "SSS");
    let started = starts(&journal);
    assert_eq!(
        started.iter().map(|(_, count)| *count).collect::<Vec<_>>(),
        [1, 2, 1]
    );
}

#[tokio::test(start_paused = true)]
async fn a_frozen_owner_that_nobody_has_followed_goes_on() {
    let (store, journal) = (Shared::default(), Journal::default());
    let one = process(&store, &journal).build().unwrap();
    let event = lasting([1_000, 1_000, 1_000]);

    let owner = frozen(
        millis(1_500),
        secs(40),
        Invoke::new(event).time_given(secs(600)).run(&one),
    )
    .await;

    assert_eq!(letters(&owner), "DDD");
    once_each(&journal, 3);
}

#[tokio::test(start_paused = true)]
async fn clocks_apart_within_the_limit_let_no_two_run_side_by_side() {
    for ahead_ms in [-1_000_i64, -500, 500, 1_000] {
        let (store, journal) = (Shared::default(), Journal::default());
        let one = process(&store, &journal).build().unwrap();
        let other = process(&store, &journal).build().unwrap();
        let event = batch(1, 30, 500);
        // The owner loses its store for a while, the other one waits to follow.
        let start = Instant::now();
        store.meets(move |_, swap| {
            let owner = swap
                .is_some_and(|swap| matches!(swap.change, lambda_msk::idempotency::Change::Put(_)));
            match start.elapsed() {
                at if owner && at < secs(15) => Meets::Failure,
                _ => Meets::Nothing,
            }
        });

        let ahead = SignedDuration::from_millis(ahead_ms);
        let (first, second) = join!(
            invoke(&one, event.clone()),
            Invoke::new(event.clone()).clock_ahead(ahead).run(&other)
        );

        let most = journal.most_at_once();
        assert_eq!(most, 1, "{ahead_ms} ms ahead");
        for invoked in [&first, &second] {
            let unsettled = invoked
                .outcomes()
                .iter()
                .filter(|o| !o.is_settled())
                .count();
            assert!(
                unsettled == 0 || std::ptr::eq(invoked, &raw const first),
                "{unsettled}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unordered_batches_of_one_partition_wait_for_nobody_and_both_are_kept() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = || {
        process(&store, &journal)
            .order(ProcessingOrder::Unordered)
            .build()
            .unwrap()
    };
    let (one, other) = (consumer(), consumer());
    let at = |offset| {
        lambda_msk::testing::Sample::new("orders", 0)
            .offset(offset)
            .value("700")
    };
    let evens = || {
        lambda_msk::testing::Event::msk()
            .records([0, 2, 4].map(at))
            .build()
    };
    let odds = || {
        lambda_msk::testing::Event::msk()
            .records([1, 3, 5].map(at))
            .build()
    };
    let all = lambda_msk::testing::Event::msk()
        .records([0, 1, 2, 3, 4, 5].map(at))
        .build();

    let (first, second) = join!(invoke(&one, evens()), invoke(&other, odds()));
    let third = invoke(&consumer(), all).await;

    assert_eq!(first.elapsed().as_millis(), 700);
    // Its write was refused, and merged with what the refusal brought.
    assert_eq!(second.elapsed().as_millis(), 700);
    assert_eq!(letters(&third), "SSSSSS");
    assert_eq!(journal.most_at_once(), 6);
}

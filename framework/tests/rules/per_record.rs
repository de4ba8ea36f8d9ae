//! By key: of the records of one key one runs, wherever they stand, and the others wait for how it ends.

use std::time::Duration;

use jiff::SignedDuration;
use lambda_msk::idempotency::{PerRecord, WhenStoreFails};
use lambda_msk::limits::{CLOCK_SKEW_MAX_MS, LEASE_MS};
use lambda_msk::testing::{Event, Invoke, Sample, invoke};
use lambda_msk::{
    Consumer, Headers, IdempotencyKey, MemoryDestination, Outcome, ProcessingOrder, State,
};
use tokio::join;
use tokio::time::{Instant, advance, sleep};

use crate::keyed::{by_id, event, order, work};
use crate::shared_store::{Meets, Shared, frozen, killed_after, millis, secs};
use crate::support::{Journal, Lines, code, letters};

fn starts(journal: &Journal) -> usize {
    let lines = journal.lines();
    lines.iter().filter(|line| line.starts_with('+')).count()
}

#[tokio::test(start_paused = true)]
async fn of_two_records_of_one_key_in_two_partitions_one_runs() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = by_id(&store, &journal).build().unwrap();

    let invoked = invoke(&consumer, event([order(0, 7, 50), order(1, 7, 50)])).await;

    let mut outcomes: Vec<char> = letters(&invoked).chars().collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ['D', 'S']);
    assert_eq!(starts(&journal), 1);
}

#[tokio::test(start_paused = true)]
async fn of_two_records_of_one_key_in_a_lane_the_first_runs() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = by_id(&store, &journal).build().unwrap();

    let invoked = invoke(
        &consumer,
        event([order(0, 7, 50), order(0, 7, 50), order(0, 8, 50)]),
    )
    .await;

    assert_eq!(letters(&invoked), "DSD");
    assert_eq!(journal.lines()[0], "+orders-0@0");
}

#[tokio::test(start_paused = true)]
async fn unordered_records_of_one_key_run_once() {
    let (store, journal) = (Shared::default(), Journal::default());
    let builder = by_id(&store, &journal).order(ProcessingOrder::Unordered);
    let consumer = builder.build().unwrap();

    let same: [Sample; 5] = std::array::from_fn(|_| order(0, 7, 300));
    let invoked = invoke(&consumer, event(same)).await;

    let done = invoked
        .outcomes()
        .into_iter()
        .filter(|outcome| *outcome == Outcome::Done);
    assert_eq!(done.count(), 1);
    assert_eq!(starts(&journal), 1);
}

#[tokio::test(start_paused = true)]
async fn the_second_of_a_key_runs_if_the_first_was_not_done() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = by_id(&store, &journal).build().unwrap();

    let first = invoke(&consumer, event([order(0, 7, 0)])).await;
    let second = invoke(&consumer, event([order(0, 7, 50).offset(9)])).await;

    assert_eq!(
        (letters(&first).as_str(), letters(&second).as_str()),
        ("F", "D")
    );
}

#[tokio::test(start_paused = true)]
async fn another_process_skips_what_was_done_at_another_offset() {
    let (store, journal) = (Shared::default(), Journal::default());
    let process = || by_id(&store, &journal).build().unwrap();

    invoke(&process(), event([order(0, 7, 50)])).await;
    let other = invoke(&process(), event([order(3, 7, 50).offset(90)])).await;

    assert_eq!(letters(&other), "S");
}

#[tokio::test(start_paused = true)]
async fn a_record_costs_two_writes() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = by_id(&store, &journal).build().unwrap();

    invoke(&consumer, event([order(0, 7, 50), order(0, 8, 50)])).await;

    let calls = store.calls();
    let kinds: Vec<&str> = calls
        .iter()
        .map(|call| call.split(" orders#").next().unwrap())
        .collect();
    // The first one's end is written beside the second one's beginning.
    assert_eq!(kinds, ["write", "give back", "write", "give back"]);
}

#[tokio::test(start_paused = true)]
async fn a_lane_waits_for_one_round_trip_a_record() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|_, _| Meets::Delay(millis(10)));
    let consumer = by_id(&store, &journal).build().unwrap();
    let orders: [Sample; 20] = std::array::from_fn(|at| order(0, at as u64, 2));

    let invoked = invoke(&consumer, event(orders)).await;

    // Each its claim and its run, and the last one's end.
    assert_eq!(invoked.elapsed(), millis(20 * (10 + 2) + 10));
}

#[tokio::test(start_paused = true)]
async fn a_record_without_its_key_is_rejected() {
    let (store, journal, destination) = (
        Shared::default(),
        Journal::default(),
        MemoryDestination::new(),
    );
    let consumer = by_id(&store, &journal)
        .on_failure(destination.clone())
        .build()
        .unwrap();
    let samples = [
        Sample::new("orders", 0).value(r#"{"ms":5}"#),
        Sample::new("orders", 0).value(r#"{"id":null,"ms":5}"#),
        Sample::new("orders", 0),
        Sample::new("orders", 0).value("hunter2"),
        order(0, 7, 5),
    ];

    let invoked = invoke(&consumer, event(samples)).await;

    assert_eq!(letters(&invoked), "RRRRD");
    for (at, letter) in destination.letters().iter().enumerate() {
        assert_eq!(code(&invoked, 0, at as i64), "reject.idempotency_key");
        assert!(
            letter.message().ends_with("no idempotency key at `/id`"),
            "{}",
            letter.message()
        );
        assert!(!letter.message().contains("hunter2"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_of_a_known_key_with_another_payload_is_rejected() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = by_id(&store, &journal)
        .per_record(PerRecord::by_json(["/id"]).validate_payload())
        .on_failure(MemoryDestination::new())
        .build()
        .unwrap();
    let same_otherwise = Sample::new("orders", 0)
        .offset(8)
        .value(r#" { "ms": 50, "id": 7 } "#);

    invoke(&consumer, event([order(0, 7, 50)])).await;
    let same = invoke(&consumer, event([same_otherwise])).await;
    let other = invoke(&consumer, event([order(0, 7, 51).offset(9)])).await;

    assert_eq!(
        (letters(&same).as_str(), letters(&other).as_str()),
        ("S", "R")
    );
    assert_eq!(code(&other, 0, 9), "reject.payload_mismatch");
}

#[tokio::test(start_paused = true)]
async fn only_the_fields_that_are_compared_count() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = by_id(&store, &journal)
        .per_record(PerRecord::by_json(["/id"]).validate_fields(["/id", "/missing"]))
        .build()
        .unwrap();

    invoke(&consumer, event([order(0, 7, 50)])).await;
    let other = invoke(&consumer, event([order(0, 7, 51).offset(9)])).await;

    assert_eq!(letters(&other), "S");
}

#[tokio::test(start_paused = true)]
async fn after_a_kill_the_next_owner_waits_for_the_claim_and_runs() {
    let (store, journal) = (Shared::default(), Journal::default());
    let process = || by_id(&store, &journal).build().unwrap();

    killed_after(secs(1), invoke(&process(), event([order(0, 7, 5_000)]))).await;
    let killed = Instant::now();
    let next = Invoke::new(event([order(0, 7, 5_000)]))
        .time_given(secs(60))
        .run(&process())
        .await;

    assert_eq!(letters(&next), "D");
    assert_eq!(starts(&journal), 2);
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
    let (store, journal) = (Shared::default(), Journal::default());
    let process = || by_id(&store, &journal).build().unwrap();
    let (long, same) = (process(), process());
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

    assert_eq!(
        (letters(&first).as_str(), letters(&second).as_str()),
        ("D", "S")
    );
    assert_eq!(starts(&journal), 1);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_owner_that_wakes_late_changes_nothing_of_its_successors() {
    let (store, journal) = (Shared::default(), Journal::default());
    let process = || by_id(&store, &journal).build().unwrap();
    let (zombie, successor) = (process(), process());

    let (woken, next) = join!(
        frozen(
            millis(100),
            secs(100),
            invoke(&zombie, event([order(0, 7, 500)]))
        ),
        async {
            sleep(secs(20)).await;
            let next = invoke(&successor, event([order(0, 7, 2)])).await;
            (letters(&next), store.items().await)
        }
    );

    // Its handler had started before, so its record is done in its answer.
    assert_eq!(letters(&woken), "D");
    assert_eq!(next.0, "D");
    assert_eq!(store.items().await, next.1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_or_an_end_whose_answer_was_lost_is_known_again() {
    for lost in 0..2 {
        let (store, journal) = (Shared::default(), Journal::default());
        let mut calls = 0;
        store.meets(move |_, _| {
            calls += 1;
            if calls == lost + 1 {
                Meets::LostAnswer
            } else {
                Meets::Nothing
            }
        });
        let process = || by_id(&store, &journal).build().unwrap();

        let first = invoke(&process(), event([order(0, 7, 50)])).await;
        let second = invoke(&process(), event([order(1, 7, 50)])).await;

        assert_eq!(
            (letters(&first).as_str(), letters(&second).as_str()),
            ("D", "S"),
            "{lost}"
        );
        // Nobody waited for himself.
        assert!(first.elapsed() < secs(1), "{:?}", first.elapsed());
        // Claimed and ended, one of them asked twice; then the other one's claim.
        assert_eq!(store.calls().len(), 3 + 1, "{lost}");
        assert_eq!(starts(&journal), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_claim_of_one_who_gave_up_blocks_nobody_for_longer_than_its_lease() {
    let (store, journal) = (Shared::default(), Journal::default());
    let claim = std::sync::Arc::new(std::sync::Mutex::new(None));
    let seen = claim.clone();
    store.meets(move |_, swap| {
        seen.lock()
            .unwrap()
            .get_or_insert_with(|| swap.unwrap().clone());
        Meets::Failure
    });
    let process = || by_id(&store, &journal).build().unwrap();

    let first = Invoke::new(event([order(0, 7, 50)]))
        .time_given(secs(5))
        .run(&process())
        .await;
    let late = claim.lock().unwrap().clone().unwrap();
    store.meets(|_, _| Meets::Nothing);
    store.apply(&late).await;
    let next = invoke(&process(), event([order(0, 7, 50)])).await;

    assert_eq!(
        (letters(&first).as_str(), letters(&next).as_str()),
        ("F", "D")
    );
    assert_eq!(starts(&journal), 1);
}

#[tokio::test(start_paused = true)]
async fn clocks_apart_within_the_limit_keep_one_owner() {
    for ahead_ms in [-1_000, 1_000] {
        let (store, journal) = (Shared::default(), Journal::default());
        let process = || by_id(&store, &journal).build().unwrap();
        let (long, other) = (process(), process());

        let (first, second) = join!(
            invoke(&long, event([order(0, 7, 30_000)])),
            Invoke::new(event([order(1, 7, 30_000)]))
                .clock_ahead(SignedDuration::from_millis(ahead_ms))
                .run(&other)
        );

        assert_eq!(
            (letters(&first).as_str(), letters(&second).as_str()),
            ("D", "S")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_down_nothing_runs_unclaimed() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|_, _| Meets::Failure);
    let consumer = by_id(&store, &journal).build().unwrap();

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
    assert_eq!(starts(&journal), 0);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_down_records_run_if_that_was_chosen_and_the_log_says_so() {
    let (store, journal, lines) = (Shared::default(), Journal::default(), Lines::default());
    store.meets(|_, _| Meets::Failure);
    let builder = by_id(&store, &journal).when_store_fails(WhenStoreFails::Process);
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
    let (store, journal, lines) = (Shared::default(), Journal::default(), Lines::default());
    let mut calls = 0;
    store.meets(move |_, _| {
        calls += 1;
        if calls == 1 {
            Meets::Nothing
        } else {
            Meets::Failure
        }
    });
    let consumer = by_id(&store, &journal).build().unwrap();
    let _guard = lines.listen();

    let invoked = Invoke::new(event([order(0, 7, 50)]))
        .time_given(secs(10))
        .run(&consumer)
        .await;

    assert_eq!(letters(&invoked), "D");
    assert_eq!(lines.of("what was settled may not be recorded").len(), 1);
    assert!(invoked.elapsed() < secs(10));
}

#[tokio::test(start_paused = true)]
async fn when_time_is_up_a_record_that_waits_for_another_is_failed() {
    let (store, journal) = (Shared::default(), Journal::default());
    let process = || by_id(&store, &journal).build().unwrap();
    let (long, waiting) = (process(), process());

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
async fn a_key_is_forgotten_when_its_time_is_over() {
    let (store, journal) = (Shared::default(), Journal::default());
    let hour = PerRecord::by_json(["/id"]).expires_after(Duration::from_secs(3600));
    let consumer = by_id(&store, &journal).per_record(hour).build().unwrap();

    invoke(&consumer, event([order(0, 7, 50)])).await;
    advance(secs(3590)).await;
    let before = invoke(&consumer, event([order(0, 7, 50)])).await;
    advance(secs(15)).await;
    let after = invoke(&consumer, event([order(0, 7, 50)])).await;

    assert_eq!(
        (letters(&before).as_str(), letters(&after).as_str()),
        ("S", "D")
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_rejected_is_skipped_but_runs_once_when_its_dead_letter_is_fed_back() {
    let (store, journal, destination) = (
        Shared::default(),
        Journal::default(),
        MemoryDestination::new(),
    );
    let mended = Consumer::builder()
        .state(journal.clone())
        .topic("orders", async |State(journal): State<Journal>| {
            journal.write("mended");
        })
        .idempotency(store.clone())
        .per_record(PerRecord::by_json(["/id"]))
        .build()
        .unwrap();
    let consumer = by_id(&store, &journal)
        .on_failure(destination.clone())
        .build()
        .unwrap();

    let first = invoke(&consumer, event([order(0, 7, 1)])).await;
    let again = invoke(&consumer, event([order(0, 7, 1)])).await;
    let envelope: serde_json::Value =
        serde_json::from_str(&destination.letters()[0].envelope()).unwrap();
    let payload = envelope["payload"].to_string();
    let fed_back = invoke(&mended, payload.clone()).await;
    let fed_back_again = invoke(&mended, payload).await;

    assert_eq!(
        (letters(&first).as_str(), letters(&again).as_str()),
        ("R", "S")
    );
    assert_eq!(
        (
            letters(&fed_back).as_str(),
            letters(&fed_back_again).as_str()
        ),
        ("D", "S")
    );
    assert_eq!(destination.letters().len(), 1);
    assert_eq!(journal.lines(), ["+orders-0@0", "mended"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_fails_when_it_is_fed_back_stays_rejected() {
    let (store, journal, destination) = (
        Shared::default(),
        Journal::default(),
        MemoryDestination::new(),
    );
    let failing = Consumer::builder()
        .topic("orders", async || Err::<(), _>("inventory is down"))
        .attempts(1)
        .idempotency(store.clone())
        .per_record(PerRecord::by_json(["/id"]))
        .build()
        .unwrap();
    let consumer = by_id(&store, &journal)
        .on_failure(destination.clone())
        .build()
        .unwrap();
    invoke(&consumer, event([order(0, 7, 1)])).await;
    let envelope: serde_json::Value =
        serde_json::from_str(&destination.letters()[0].envelope()).unwrap();

    let fed_back = invoke(&failing, envelope["payload"].to_string()).await;
    let again = invoke(&consumer, event([order(0, 7, 1)])).await;

    assert!(fed_back.response().is_err());
    assert_eq!(letters(&again), "S");
}

#[tokio::test(start_paused = true)]
async fn what_was_rejected_before_its_handler_is_not_sent_twice() {
    let (store, journal, destination) = (
        Shared::default(),
        Journal::default(),
        MemoryDestination::new(),
    );
    let process = || {
        by_id(&store, &journal)
            .on_failure(destination.clone())
            .build()
            .unwrap()
    };
    let unreadable = |id: u64| Sample::new("orders", 0).value(format!(r#"{{"id":{id},"ms":"x"}}"#));
    let batch = || event([unreadable(1), order(0, 7, 0), unreadable(3)]);

    let first = invoke(&process(), event([unreadable(1), unreadable(2)])).await;
    let second = invoke(&process(), batch()).await;

    assert_eq!(
        (letters(&first).as_str(), letters(&second).as_str()),
        ("RR", "SFU")
    );
    assert_eq!(destination.letters().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_wakes_between_two_tries_does_not_start_what_its_successor_has_done() {
    let (store, journal) = (Shared::default(), Journal::default());
    let failing = by_id(&store, &journal).attempts(3).build().unwrap();
    let successor = by_id(&store, &journal).build().unwrap();

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
    assert_eq!(starts(&journal), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_kept_for_a_second_is_kept_while_its_record_runs() {
    let (store, journal) = (Shared::default(), Journal::default());
    let short = PerRecord::by_json(["/id"]).expires_after(secs(1));
    let process = || {
        let builder = by_id(&store, &journal).per_record(short.clone());
        builder.build().unwrap()
    };
    let (first, second) = (process(), process());

    let (first, second) = join!(invoke(&first, event([order(0, 7, 9_000)])), async {
        sleep(secs(5)).await;
        invoke(&second, event([order(1, 7, 9_000)])).await
    });

    assert_eq!(
        (letters(&first).as_str(), letters(&second).as_str()),
        ("D", "S")
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_rejected_before_its_handler_is_known_by_its_payload_until_it_expires() {
    let (store, journal, destination) = (
        Shared::default(),
        Journal::default(),
        MemoryDestination::new(),
    );
    let hour = PerRecord::by_json(["/id"])
        .validate_payload()
        .expires_after(secs(3600));
    let consumer = by_id(&store, &journal)
        .per_record(hour)
        .on_failure(destination.clone())
        .build()
        .unwrap();
    let unreadable = || event([Sample::new("orders", 0).value(r#"{"id":7,"ms":"x"}"#)]);

    let first = invoke(&consumer, unreadable()).await;
    let other = invoke(&consumer, event([order(0, 7, 5).offset(9)])).await;
    advance(secs(3610)).await;
    let expired = invoke(&consumer, unreadable()).await;

    assert_eq!(letters(&first), "R");
    assert_eq!(code(&other, 0, 9), "reject.payload_mismatch");
    assert_eq!(letters(&expired), "R");
    assert_eq!(destination.letters().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_end_is_written_again_while_the_store_fails() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.next_meet([Meets::Nothing, Meets::Failure, Meets::Failure]);
    let process = || by_id(&store, &journal).build().unwrap();

    invoke(&process(), event([order(0, 7, 50)])).await;
    let second = invoke(&process(), event([order(1, 7, 50)])).await;

    assert_eq!(letters(&second), "S");
}

#[tokio::test(start_paused = true)]
async fn an_end_is_written_over_a_renewal_that_was_still_on_its_way() {
    let (store, journal, lines) = (Shared::default(), Journal::default(), Lines::default());
    store.next_meet([Meets::Nothing, Meets::LateAnswer(secs(1))]);
    let process = || by_id(&store, &journal).build().unwrap();
    let _guard = lines.listen();

    // A third of the lease and a little: the renewal is applied, and its answer never read.
    invoke(&process(), event([order(0, 7, LEASE_MS / 3 + 200)])).await;
    let second = invoke(&process(), event([order(1, 7, 50)])).await;

    assert_eq!(letters(&second), "S");
    assert!(lines.of("what was settled may not be recorded").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_end_is_written_though_the_item_was_deleted_meanwhile() {
    let (store, journal) = (Shared::default(), Journal::default());
    let process = || by_id(&store, &journal).build().unwrap();
    let (first, second) = (process(), process());

    let (first, ()) = join!(invoke(&first, event([order(0, 7, 2_000)])), async {
        sleep(secs(1)).await;
        store.lose().await;
    });
    let second = invoke(&second, event([order(1, 7, 50)])).await;

    assert_eq!(
        (letters(&first).as_str(), letters(&second).as_str()),
        ("D", "S")
    );
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_took_nearly_its_lease_is_renewed_before_its_handler_starts() {
    let (store, journal) = (Shared::default(), Journal::default());
    let begun = Instant::now();
    let mut calls = 0;
    let seen = journal.clone();
    store.meets(move |_, _| {
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
    let consumer = by_id(&store, &journal).build().unwrap();

    let invoked = invoke(&consumer, event([order(0, 7, 50)])).await;

    assert_eq!(letters(&invoked), "D");
    // Told that it holds it since long ago, and then for longer.
    assert_eq!(journal.lines()[..3], ["asked", "asked", "+orders-0@0"]);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_not_held_up_by_a_store_that_is_down() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|_, _| Meets::Failure);
    let builder = by_id(&store, &journal).on_failure(MemoryDestination::new());
    let consumer = builder.build().unwrap();
    let unreadable = Sample::new("orders", 0).value(r#"{"id":7,"ms":"x"}"#);

    let invoked = invoke(&consumer, event([unreadable])).await;

    assert_eq!(letters(&invoked), "R");
    assert!(invoked.elapsed() < secs(3), "{:?}", invoked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_the_destination_has_not_confirmed_is_sent_with_the_next_delivery() {
    let (store, journal) = (Shared::default(), Journal::default());
    let without = by_id(&store, &journal).build().unwrap();
    let builder = by_id(&store, &journal).on_failure(MemoryDestination::new());
    let with = builder.build().unwrap();
    let unreadable = || event([Sample::new("orders", 0).value(r#"{"id":7,"ms":"x"}"#)]);

    let first = invoke(&without, unreadable()).await;
    let second = invoke(&with, unreadable()).await;

    assert_eq!(
        (letters(&first).as_str(), letters(&second).as_str()),
        ("F", "R")
    );
}

#[tokio::test(start_paused = true)]
async fn topics_share_keys_only_under_one_prefix() {
    let prefixed = PerRecord::by_json(["/id"]).key_prefix("shop");
    for (per_record, expected) in [(PerRecord::by_json(["/id"]), "D"), (prefixed, "S")] {
        let (store, journal) = (Shared::default(), Journal::default());
        let consumer = by_id(&store, &journal)
            .per_record(per_record)
            .build()
            .unwrap();
        let same = Sample::new("returns", 0).value(r#"{"id":7,"ms":5}"#);

        invoke(&consumer, event([order(0, 7, 5)])).await;
        let other = invoke(&consumer, event([same])).await;

        assert_eq!(letters(&other), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn two_consumers_and_two_clusters_never_share_keys() {
    let (store, journal) = (Shared::default(), Journal::default());
    let named = |name: &str| by_id(&store, &journal).namespace(name).build().unwrap();
    let at = |cluster: &str| {
        Event::msk()
            .arn(format!("arn:aws:kafka:eu-west-1:1:cluster/{cluster}/1"))
            .record(order(0, 7, 5))
    };

    invoke(&named("a"), at("a")).await;
    let consumer = invoke(&named("b"), at("a")).await;
    let cluster = invoke(&named("a"), at("b")).await;

    assert_eq!(
        (letters(&consumer).as_str(), letters(&cluster).as_str()),
        ("D", "D")
    );
}

#[tokio::test(start_paused = true)]
async fn the_key_that_is_passed_on_is_that_of_the_content() {
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic(
            "orders",
            async |key: IdempotencyKey, State(journal): State<Journal>| journal.write(key.as_str()),
        )
        .namespace("shop")
        .cluster("main")
        .idempotency(lambda_msk::Idempotency::None)
        .per_record(PerRecord::by_json(["/id"]))
        .build()
        .unwrap();

    invoke(&consumer, Event::self_managed().record(order(0, 7, 5))).await;
    invoke(
        &consumer,
        Event::self_managed().record(order(3, 7, 9).offset(90)),
    )
    .await;

    // MD5 of `7`.
    let key = "shop/main/orders#8f14e45fceea167a5a36dedd4bea2543";
    assert_eq!(journal.lines(), [key, key]);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_taken_from_the_records_key_a_header_or_by_a_closure() {
    let by_closure = PerRecord::by(|record| Some(format!("{}!", record.topic())));
    let ways = [PerRecord::by_key(), PerRecord::by_header("id"), by_closure];
    for per_record in ways {
        let (store, journal) = (Shared::default(), Journal::default());
        let consumer = by_id(&store, &journal)
            .per_record(per_record)
            .build()
            .unwrap();
        let sample = |offset| {
            order(0, offset, 5)
                .offset(offset as i64)
                .key("k")
                .header("id", "h")
        };

        let invoked = invoke(&consumer, event([sample(1), sample(2)])).await;

        assert_eq!(letters(&invoked), "DS");
    }
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_finds_none_or_panics_rejects_its_record() {
    let none = PerRecord::by(|_| None);
    let panics = PerRecord::by(|_| panic!("no key"));
    for per_record in [
        none,
        panics,
        PerRecord::by_key(),
        PerRecord::by_header("id"),
    ] {
        let (store, journal) = (Shared::default(), Journal::default());
        let consumer = by_id(&store, &journal)
            .per_record(per_record)
            .on_failure(MemoryDestination::new())
            .build()
            .unwrap();

        let invoked = invoke(&consumer, event([order(0, 7, 5).key("").header("id", "")])).await;

        assert_eq!(letters(&invoked), "R");
        assert_eq!(code(&invoked, 0, 0), "reject.idempotency_key");
    }
}

#[tokio::test(start_paused = true)]
async fn retries_in_place_keep_the_claim() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = Consumer::builder()
        .state(journal.clone())
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
        .idempotency(store.clone())
        .per_record(PerRecord::by_json(["/id"]))
        .build()
        .unwrap();

    let invoked = invoke(&consumer, event([order(0, 7, 5)])).await;

    assert_eq!(letters(&invoked), "D");
    assert_eq!(store.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_keys_is_said_when_the_consumer_is_built() {
    for (per_record, said) in [
        (
            PerRecord::by_json(["id"]),
            "`id` is no JSON pointer: write `/id`",
        ),
        (
            PerRecord::by_json::<String>([]),
            "`by_json` needs a pointer",
        ),
        (
            PerRecord::by_json(["/id"]).validate_fields(["ms"]),
            "`ms` is no JSON pointer: write `/ms`",
        ),
        (PerRecord::by_header(""), "a header has a name"),
        (
            PerRecord::by_key().expires_after(Duration::ZERO),
            "is not from 1s to",
        ),
        (PerRecord::by_key().key_prefix("a b"), "visible ASCII"),
    ] {
        let fault = Consumer::builder()
            .state(Journal::default())
            .topic("orders", work)
            .per_record(per_record)
            .build()
            .unwrap_err();
        let fault = format!("{fault:?}");
        assert!(
            fault.contains(said) && fault.contains(".per_record(…)"),
            "{fault}"
        );
    }
}

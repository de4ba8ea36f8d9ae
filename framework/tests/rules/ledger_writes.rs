//! Writes of the ledger: repeated, lost, refused; and what a store that fails means for records.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lambda_msk::destination::MemoryDestination;
use lambda_msk::idempotency::{Change, Item, Swap, WhenStoreFails};
use lambda_msk::testing::{Event, Invoke, Sample, invoke};
use lambda_msk::{Consumer, Failure, FailureReporting, Json, Outcome, Record, State};
use tokio::time::{Instant, sleep};

use crate::shared_store::{Meets, Shared, batch, killed_after, lasting, millis, process, secs};
use crate::support::{Journal, Lines, code, letters, orders};

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_is_known_to_be_applied() {
    // The taking, a write of progress, the giving back.
    for lost in 0..3 {
        let (store, journal) = (Shared::default(), Journal::default());
        let mut meets = [Meets::Nothing; 3];
        meets[lost] = Meets::LostAnswer;
        store.next_meet(meets);
        let consumer = || process(&store, &journal).build().unwrap();
        let event = lasting([100, 300, 1]);

        let first = invoke(&consumer(), event.clone()).await;
        let second = invoke(&consumer(), event).await;

        assert_eq!(letters(&first), "DDD", "call {lost}");
        assert_eq!(letters(&second), "SSS", "call {lost}");
        assert!(second.elapsed() < secs(1), "it was given back");
        let calls = ["take 0", "write 0", "give back 0"];
        let mut calls = calls.to_vec();
        calls.insert(lost, calls[lost]);
        assert_eq!(store.calls()[..4], calls);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_failed_is_tried_again_in_time() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.next_meet([Meets::Failure; 4]);
    let consumer = || process(&store, &journal).build().unwrap();

    let first = invoke(&consumer(), lasting([1, 1])).await;
    let second = invoke(&consumer(), lasting([1, 1])).await;

    assert_eq!(letters(&first), "DD");
    assert_eq!(letters(&second), "SS");
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_down_nothing_runs_and_the_error_names_it() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|_, _| Meets::Failure);
    let lines = Lines::default();
    let _listening = lines.listen();

    let invoked = invoke(&process(&store, &journal).build().unwrap(), batch(2, 3, 1)).await;

    assert_eq!(letters(&invoked), "FFFFFF");
    assert_eq!(code(&invoked, 1, 2), "idempotency.unavailable");
    let message = &invoked.records()[0].problem.as_ref().unwrap().message;
    assert!(message.contains("shared:table"), "{message}");
    assert!(message.contains("the table is throttled"), "{message}");
    assert!(invoked.elapsed() > secs(55), "it waits until the margin");
    assert_eq!(journal.lines(), [""; 0]);
    assert_eq!(lines.of("record failed").len(), 2, "one line a partition");
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_not_waited_for() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|_, _| Meets::Refusal);

    let invoked = invoke(&process(&store, &journal).build().unwrap(), batch(1, 2, 1)).await;

    assert_eq!(letters(&invoked), "FF");
    assert_eq!(code(&invoked, 0, 0), "idempotency.unavailable");
    assert_eq!(invoked.elapsed(), secs(0));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_does_not_hold_up_the_answer() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|_, _| Meets::Delay(secs(10_000)));

    let invoked = invoke(&process(&store, &journal).build().unwrap(), batch(1, 2, 1)).await;
    let unknown = Invoke::new(batch(1, 2, 1)).without_deadline();
    let unknown = unknown
        .run(&process(&store, &journal).build().unwrap())
        .await;

    assert_eq!(letters(&invoked), "FF");
    assert!(invoked.elapsed() < secs(60));
    assert_eq!(letters(&unknown), "FF");
    assert!(unknown.elapsed() < secs(35));
}

#[tokio::test(start_paused = true)]
async fn if_availability_was_chosen_records_run_without_the_store_and_the_log_says_so() {
    let (store, journal) = (Shared::default(), Journal::default());
    store.meets(|_, _| Meets::Failure);
    let lines = Lines::default();
    let _listening = lines.listen();
    let consumer = process(&store, &journal)
        .when_store_fails(WhenStoreFails::Process)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, batch(2, 3, 1)).await;

    assert_eq!(letters(&invoked), "DDDDDD");
    assert!(invoked.elapsed() < secs(3), "{:?}", invoked.elapsed());
    let said = lines.of("the idempotency store failed");
    assert_eq!(said.len(), 2);
    assert!(
        said[0]["problem"]
            .as_str()
            .unwrap()
            .contains("shared:table")
    );
}

#[tokio::test(start_paused = true)]
async fn if_availability_was_chosen_a_store_that_fails_later_stops_nothing() {
    let (store, journal) = (Shared::default(), Journal::default());
    let start = Instant::now();
    store.meets(move |_, _| match start.elapsed() {
        at if at < secs(1) => Meets::Nothing,
        _ => Meets::Failure,
    });
    let consumer = process(&store, &journal)
        .when_store_fails(WhenStoreFails::Process)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, batch(1, 40, 1_000)).await;

    assert_eq!(letters(&invoked), "D".repeat(40));
}

#[tokio::test(start_paused = true)]
async fn what_was_finished_stays_done_when_the_lease_is_lost_and_the_rest_is_not_done() {
    let (store, journal) = (Shared::default(), Journal::default());
    // Writes of the owner fail once it has begun.
    store.meets(|_, swap| match swap.map(|swap| &swap.change) {
        Some(Change::Hold { .. }) => Meets::Nothing,
        _ => Meets::Failure,
    });
    let lines = Lines::default();
    let _listening = lines.listen();

    let invoked = invoke(
        &process(&store, &journal).build().unwrap(),
        batch(1, 20, 1_000),
    )
    .await;

    // Nine seconds of ten: then the lease is as near its end as clocks may be apart.
    let letters = letters(&invoked);
    assert_eq!(letters, "DDDDDDDDDFUUUUUUUUUU");
    assert_eq!(code(&invoked, 0, 9), "idempotency.lost");
    assert_eq!(lines.of("settled records may not have been saved").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_last_write_that_failed_leaves_the_records_done_and_they_run_again() {
    let (store, journal) = (Shared::default(), Journal::default());
    let down = Arc::new(AtomicBool::new(true));
    let is_down = Arc::clone(&down);
    store.meets(move |_, swap| match swap.map(|swap| &swap.change) {
        Some(Change::Put(_)) if is_down.load(Ordering::Relaxed) => Meets::Failure,
        _ => Meets::Nothing,
    });
    let consumer = || process(&store, &journal).build().unwrap();

    let first = invoke(&consumer(), lasting([1, 1])).await;
    down.store(false, Ordering::Relaxed);
    let second = invoke(&consumer(), lasting([1, 1])).await;

    assert_eq!(letters(&first), "DD");
    assert!(first.response().is_ok());
    assert_eq!(letters(&second), "DD");
}

#[tokio::test(start_paused = true)]
async fn a_last_write_that_fails_leaves_half_of_the_margin_to_the_answer() {
    for _ in 0..30 {
        let (store, journal) = (Shared::default(), Journal::default());
        store.meets(|_, swap| match swap.map(|swap| &swap.change) {
            Some(Change::Put(_)) => Meets::Failure,
            _ => Meets::Nothing,
        });

        let consumer = process(&store, &journal).build().unwrap();
        let invoked = invoke(&consumer, lasting([1])).await;

        assert!(invoked.elapsed() <= millis(59_750));
    }
}

/// A process that cannot renew its lease, and whose handler ends as that is over: how it ended, starts, letters.
async fn with_a_lease_that_ends(ending: fn() -> Failure) -> (String, String, usize, usize) {
    let (store, journal) = (Shared::default(), Journal::default());
    let destination = MemoryDestination::new();
    store.meets(|_, swap| match swap.map(|swap| &swap.change) {
        Some(Change::Put(_)) => Meets::Failure,
        _ => Meets::Nothing,
    });
    let handler = move |record: Record, State(journal): State<Journal>| async move {
        journal.start(&record);
        sleep(millis(9_500)).await;
        Err::<(), Failure>(ending())
    };
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic("orders", handler)
        .on_failure(destination.clone())
        .failure_reporting(FailureReporting::Partial)
        .idempotency(store)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, lasting([1])).await;

    let code = code(&invoked, 0, 0);
    let (starts, sent) = (journal.lines().len(), destination.letters().len());
    (letters(&invoked), code, starts, sent)
}

#[tokio::test(start_paused = true)]
async fn without_its_lease_a_record_is_not_tried_again() {
    let ended = with_a_lease_that_ends(|| Failure::retry("down")).await;

    assert_eq!(ended, ("F".into(), "idempotency.lost".into(), 1, 0));
}

#[tokio::test(start_paused = true)]
async fn without_its_lease_no_letter_is_sent() {
    let ended = with_a_lease_that_ends(|| Failure::reject("unknown currency")).await;

    assert_eq!(ended, ("F".into(), "idempotency.lost".into(), 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_durable_ledger_forgets_after_a_day() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = || process(&store, &journal).build().unwrap();
    let age = millis(lambda_msk::limits::LEDGER_AGE_MS_MAX);
    invoke(&consumer(), lasting([1])).await;

    tokio::time::advance(age - secs(120)).await;
    let before = letters(&invoke(&consumer(), lasting([1])).await);
    tokio::time::advance(age + secs(60)).await;
    let after = letters(&invoke(&consumer(), lasting([1])).await);

    assert_eq!((before.as_str(), after.as_str()), ("S", "D"));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_lands_late_and_twice_changes_nothing_that_came_after_it() {
    let (store, journal) = (Shared::default(), Journal::default());
    // What the network held back and lets through at the end.
    let late = Arc::new(std::sync::Mutex::new(Vec::new()));
    let held_back = Arc::clone(&late);
    store.meets(move |_, swap| {
        let swap = swap.unwrap().clone();
        let mut held_back = held_back.lock().unwrap();
        let repeats = held_back.contains(&swap);
        let take = matches!(swap.change, Change::Hold { .. });
        held_back.push(swap);
        if repeats || take {
            Meets::Nothing
        } else {
            Meets::Failure
        }
    });
    let consumer = process(&store, &journal).build().unwrap();
    let first = invoke(&consumer, batch(1, 4, 300)).await;
    let stands = store.items().await;

    store.meets(|_, _| Meets::Nothing);
    let late = std::mem::take(&mut *late.lock().unwrap());
    // The oldest last: the taking, which holds the partition once more. What was settled stays.
    for swap in late.iter().rev() {
        store.apply(swap).await;
        store.apply(swap).await;
    }

    assert_eq!(letters(&first), "DDDD");
    let data = |items: Vec<(String, Option<Item>)>| items[0].1.clone().unwrap().data;
    assert_eq!(data(store.items().await), data(stands));
}

/// The same, where the item was deleted in between and others have made it anew: it must not count the numbers that it had before.
#[tokio::test(start_paused = true)]
async fn a_write_that_lands_late_changes_nothing_of_an_item_that_was_made_anew() {
    let (store, journal) = (Shared::default(), Journal::default());
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    store.meets(move |_, swap| {
        seen.lock().unwrap().extend(swap.cloned());
        Meets::Nothing
    });
    let consumer = || process(&store, &journal).build().unwrap();
    let at = |offset| {
        let sample = Sample::new("orders", 0).offset(offset).value("1");
        Event::msk().record(sample).build()
    };
    invoke(&consumer(), batch(1, 4, 300)).await;
    let late = std::mem::take(&mut *asked.lock().unwrap());
    let is_taking = |swap: &&Swap| matches!(swap.change, Change::Hold { .. });
    let taking = late.iter().find(is_taking).unwrap();
    assert!(late.len() > 4, "it wrote while it ran");

    // As many writes as there may be before the late ones land.
    for writes in 1..4 {
        store.lose().await;
        for offset in 0..writes {
            invoke(&consumer(), at(10 + offset)).await;
        }
        let stands = store.items().await;
        store.apply(taking).await;
        for swap in &late {
            store.apply(swap).await;
        }

        let data = |items: Vec<(String, Option<Item>)>| items[0].1.clone().unwrap().data;
        assert_eq!(data(store.items().await), data(stands), "{writes}");
    }
}

/// Two requests that say something else are two writes: neither is taken for the other.
#[tokio::test(start_paused = true)]
async fn each_try_of_a_taking_bears_a_number_of_its_own() {
    let (store, journal) = (Shared::default(), Journal::default());
    let numbers = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&numbers);
    store.meets(move |_, swap| match swap.map(|swap| &swap.change) {
        Some(Change::Hold { raise, .. }) => {
            let mut seen = seen.lock().unwrap();
            seen.push(*raise);
            if seen.len() < 5 {
                Meets::Failure
            } else {
                Meets::Nothing
            }
        }
        _ => Meets::Nothing,
    });

    let invoked = invoke(&process(&store, &journal).build().unwrap(), lasting([1])).await;

    assert_eq!(letters(&invoked), "D");
    let numbers = numbers.lock().unwrap().clone();
    let distinct: std::collections::BTreeSet<u64> = numbers.iter().copied().collect();
    assert_eq!((numbers.len(), distinct.len()), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn another_record_at_a_known_offset_runs_in_another_process_too() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = || process(&store, &journal).build().unwrap();
    let at = |offset, key: &str| Sample::new("orders", 0).offset(offset).key(key).value("1");

    let first = invoke(&consumer(), Event::msk().records([at(0, "a"), at(1, "a")])).await;
    // The topic was made anew, and holds one record that was there before.
    let second = invoke(&consumer(), Event::msk().records([at(0, "b"), at(1, "a")])).await;
    let third = invoke(&consumer(), Event::msk().records([at(0, "b"), at(1, "a")])).await;

    assert_eq!(letters(&first), "DD");
    assert_eq!(letters(&second), "DS");
    assert_eq!(letters(&third), "SS");
}

async fn mended(
    record: Record,
    State(journal): State<Journal>,
    Json(_): Json<u64>,
) -> Result<(), Failure> {
    journal.start(&record);
    // The first two processes do not know the currency.
    match journal.lines().len() {
        1 => Err(Failure::reject("unknown currency")),
        _ => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_record_that_is_fed_back_to_the_mended_handler_runs_once() {
    let (store, journal) = (Shared::default(), Journal::default());
    let destination = MemoryDestination::new();
    let process = || {
        Consumer::builder()
            .state(journal.clone())
            .topic("orders", mended)
            .on_failure(destination.clone())
            .idempotency(store.clone())
            .build()
            .unwrap()
    };
    let event = orders([(0, "1")]);

    let rejected = invoke(&process(), event.clone()).await;
    let again = invoke(&process(), event.clone()).await;
    let letter = destination.letters()[0].envelope();
    let letter: serde_json::Value = serde_json::from_str(&letter).unwrap();
    let payload = letter["payload"].to_string();
    let fed_back = invoke(&process(), payload.clone()).await;
    let fed_back_again = invoke(&process(), payload).await;
    let replayed = invoke(&process(), event).await;

    let outcomes = [rejected, again, fed_back, fed_back_again, replayed];
    let outcomes: String = outcomes.iter().map(letters).collect();
    assert_eq!(outcomes, "RSDSS");
    assert_eq!(journal.lines().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_replay_by_hand_is_skipped_and_the_log_says_how_many_and_what_to_do() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = || process(&store, &journal).build().unwrap();
    invoke(&consumer(), batch(1, 5, 1)).await;
    let lines = Lines::default();
    let _listening = lines.listen();

    invoke(&consumer(), batch(1, 5, 1)).await;

    let said = lines.of("records skipped");
    assert_eq!(said[0]["skipped"], 5);
    assert_eq!(said[0]["store"], "shared:table");
    assert!(
        said[0]["to_run_them"]
            .as_str()
            .unwrap()
            .contains("cargo msk ledger forget")
    );
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_cannot_be_read_is_said_and_written_anew() {
    let (store, journal) = (Shared::default(), Journal::default());
    let consumer = || process(&store, &journal).build().unwrap();
    invoke(&consumer(), lasting([1])).await;
    store.spoil().await;
    let lines = Lines::default();
    let _listening = lines.listen();

    let second = invoke(&consumer(), lasting([1])).await;
    let third = invoke(&consumer(), lasting([1])).await;

    assert_eq!(letters(&second) + &letters(&third), "DS");
    assert_eq!(lines.of("cannot read a partition's ledger").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kill_between_two_writes_loses_no_record() {
    for at_ms in (10..2_000).step_by(130) {
        let (store, journal) = (Shared::default(), Journal::default());
        store.meets(|_, _| Meets::Delay(millis(20)));
        let consumer = || process(&store, &journal).build().unwrap();
        let event = batch(3, 20, 100);

        killed_after(millis(at_ms), invoke(&consumer(), event.clone())).await;
        let retried = invoke(&consumer(), event).await;

        assert!(
            retried
                .outcomes()
                .iter()
                .all(|o| matches!(o, Outcome::Done | Outcome::Skipped))
        );
        let lines = journal.lines();
        let ended = |record: &str| {
            lines
                .iter()
                .any(|line| line.strip_prefix('-') == Some(record))
        };
        for (partition, offset) in (0..3).flat_map(|at| (0..20).map(move |offset| (at, offset))) {
            assert!(ended(&format!("orders-{partition}@{offset}")));
        }
    }
}

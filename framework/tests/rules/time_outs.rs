//! The shortest and the longest time-outs that Lambda allows: leases, memory and waits fit them.

use std::time::Duration;

use jiff::SignedDuration;
use lambda_msk::builder::Builder;
use lambda_msk::idempotency::{Expect, PerRecord};
use lambda_msk::limits::{CLOCK_SKEW_MAX_MS, FUNCTION_TIMEOUT_MS_MAX};
use lambda_msk::testing::Invoke;
use lambda_msk::{Attempt, Consumer, Failure, FailureReporting, Json, Record, State};
use tokio::join;
use tokio::time::{Instant, sleep};

use crate::shared_store::{Meets, Shared, batch, killed_after, lasting, millis, process, secs};
use crate::support::{Journal, letters, orders};

const LONGEST_S: u64 = FUNCTION_TIMEOUT_MS_MAX / 1000;

fn longest(event: impl Into<lambda_msk::testing::Event>) -> Invoke {
    Invoke::new(event).time_given(secs(LONGEST_S))
}

/// A handler whose value says how many seconds it takes; one that takes more than a minute fails then.
async fn work(
    Json(seconds): Json<u64>,
    State(journal): State<Journal>,
    record: Record,
) -> Result<(), Failure> {
    journal.start(&record);
    sleep(secs(seconds)).await;
    match seconds {
        ..=60 => Ok(()),
        _ => Err(Failure::retry("inventory is down")),
    }
}

fn in_memory(journal: &Journal) -> Builder<Journal> {
    Consumer::builder()
        .state(journal.clone())
        .topic("orders", work)
        .attempts(1)
        .failure_reporting(FailureReporting::Partial)
}

/// A record that is done at once, and one that fails as time runs out.
fn at_the_end() -> lambda_msk::testing::Event {
    let most = (LONGEST_S - 10).to_string();
    orders([(0, "1"), (0, &most)])
}

#[tokio::test(start_paused = true)]
async fn a_partition_is_held_for_all_of_the_longest_invocation() {
    let (store, journal) = (Shared::default(), Journal::default());
    let one = process(&store, &journal).build().unwrap();
    let other = process(&store, &journal).build().unwrap();
    let event = lasting([(LONGEST_S - 10) * 1000]);

    let late = async {
        sleep(secs(LONGEST_S - 60)).await;
        longest(event.clone()).run(&other).await
    };
    let (first, second) = join!(longest(event.clone()).run(&one), late);

    assert_eq!(
        (letters(&first), letters(&second)),
        ("D".into(), "S".into())
    );
}

#[tokio::test(start_paused = true)]
async fn in_memory_what_was_done_early_is_known_when_the_batch_comes_again() {
    let consumer = in_memory(&Journal::default()).build().unwrap();

    let first = longest(at_the_end()).run(&consumer).await;
    let again = longest(at_the_end()).run(&consumer).await;

    assert_eq!(
        (letters(&first), letters(&again)),
        ("DF".into(), "SF".into())
    );
}

#[tokio::test(start_paused = true)]
async fn by_key_in_memory_too() {
    let consumer = in_memory(&Journal::default()).per_record(PerRecord::by_key());
    let consumer = consumer.build().unwrap();
    let most = (LONGEST_S - 10).to_string();
    let keyed = || {
        let at = |key: &str, value: &str| {
            lambda_msk::testing::Sample::new("orders", 0)
                .key(key)
                .value(value)
        };
        lambda_msk::testing::Event::msk().records([at("a", "1"), at("b", &most)])
    };

    let first = longest(keyed()).run(&consumer).await;
    let again = longest(keyed()).run(&consumer).await;

    assert_eq!(
        (letters(&first), letters(&again)),
        ("DF".into(), "SF".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_an_hour_that_a_failure_asks_for_is_waited() {
    let consumer = Consumer::builder()
        .topic("orders", async |Attempt(attempt): Attempt| match attempt {
            1 => Err(Failure::retry("closed").after(secs(3_600))),
            _ => Ok(()),
        })
        .build()
        .unwrap();

    let invoked = longest(orders([(0, "1")])).run(&consumer).await;

    assert_eq!(letters(&invoked), "D");
    assert!(invoked.elapsed() >= millis(3_600_000));
}

/// From now on whoever took something can neither renew it nor give it back, for so long.
fn fails_owners(store: &Shared, time: Duration) {
    let start = Instant::now();
    store.meets(move |_, swap| match swap.map(|swap| &swap.expect) {
        Some(Expect::Version(_)) if start.elapsed() < time => Meets::Failure,
        _ => Meets::Nothing,
    });
}

/// The invocation comes again, with as much time, until all is settled; how often it came.
async fn until_settled(consumer: &Consumer, again: Invoke) -> usize {
    for attempt in 1.. {
        let invoked = again.clone().run(consumer).await;
        if invoked
            .outcomes()
            .iter()
            .all(|outcome| outcome.is_settled())
        {
            return attempt;
        }
        sleep(millis(1)).await;
    }
    unreachable!("it is settled or comes again")
}

#[tokio::test(start_paused = true)]
async fn with_any_time_out_clocks_within_the_limit_keep_two_from_one_partition() {
    let most = i64::try_from(CLOCK_SKEW_MAX_MS).unwrap();
    for given in [1, 2, 3, 4, 6, 12].map(secs) {
        for ahead_ms in [-most, -990, 990, most] {
            let (store, journal) = (Shared::default(), Journal::default());
            let one = process(&store, &journal).build().unwrap();
            let other = process(&store, &journal).build().unwrap();
            // Short handlers, since one that started before its lease ended may end after it.
            let event = Invoke::new(batch(1, 200, 20)).time_given(given);
            fails_owners(&store, given);

            let following = async {
                sleep(millis(1)).await;
                let ahead = SignedDuration::from_millis(ahead_ms);
                until_settled(&other, event.clone().clock_ahead(ahead)).await
            };
            join!(event.clone().run(&one), following);

            let most_at_once = journal.most_at_once();
            assert_eq!(most_at_once, 1, "{given:?}, {ahead_ms} ms ahead");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn by_key_too_nothing_is_tried_again_once_another_one_may_have_followed() {
    let most = i64::try_from(CLOCK_SKEW_MAX_MS).unwrap();
    for given in [1, 2, 3, 4, 6, 12].map(secs) {
        for _ in 0..10 {
            let (store, journal) = (Shared::default(), Journal::default());
            let process = |name: &'static str| {
                let handler = move |State(journal): State<Journal>| async move {
                    journal.write(name);
                    match name {
                        "first" => Err(Failure::retry("inventory is down")),
                        _ => Ok(()),
                    }
                };
                let consumer = Consumer::builder()
                    .state(journal.clone())
                    .topic("orders", handler);
                let consumer = consumer
                    .attempts(100)
                    .per_record(PerRecord::by(|_| Some("7".into())));
                consumer.idempotency(store.clone()).build().unwrap()
            };
            let (one, other) = (process("first"), process("second"));
            let event = Invoke::new(orders([(0, "1")])).time_given(given);
            fails_owners(&store, given);

            let following = async {
                sleep(millis(1)).await;
                let ahead = SignedDuration::from_millis(most);
                until_settled(&other, event.clone().clock_ahead(ahead)).await
            };
            join!(event.clone().run(&one), following);

            let lines = journal.lines();
            let followed = lines.iter().position(|line| line == "second").unwrap();
            let late = lines[followed..].iter().filter(|line| *line == "first");
            assert_eq!(late.count(), 0, "{given:?}: {lines:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_killed_process_is_outwaited_as_soon_as_the_time_out_allows() {
    for (given_s, attempts) in [(1, 3), (2, 2), (3, 1), (6, 1), (30, 1)] {
        for killed_ms in (200..650).step_by(50) {
            let (store, journal) = (Shared::default(), Journal::default());
            let one = process(&store, &journal).build().unwrap();
            let other = process(&store, &journal).build().unwrap();
            let event = Invoke::new(batch(1, 10, 100)).time_given(secs(given_s));

            killed_after(millis(killed_ms), event.clone().run(&one)).await;
            let rest = Invoke::new(batch(1, 1, 10)).time_given(secs(given_s));
            let came = until_settled(&other, rest).await;

            assert!(came <= attempts, "{given_s} s given: it came {came} times");
        }
    }
}

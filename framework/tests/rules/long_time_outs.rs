//! The longest time-outs that Lambda's API model allows: leases, memory and waits outlast them.

use lambda_msk::idempotency::PerRecord;
use lambda_msk::limits::FUNCTION_TIMEOUT_MS_MAX;
use lambda_msk::testing::Invoke;
use lambda_msk::{Attempt, Builder, Consumer, Failure, FailureReporting, Json, Record, State};
use tokio::join;
use tokio::time::sleep;

use crate::shared_store::{Shared, lasting, millis, process, secs};
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
async fn in_memory_what_was_done_at_its_start_is_known_when_the_batch_comes_again_after_it() {
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
                .value(value.to_owned())
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

//! Records that are known by what they hold.

use super::{TOPIC, World};
use crate::builder::ProcessingOrder;
use crate::destination::MemoryDestination;
use crate::idempotency::PerRecord;
use crate::outcome::Outcome;
use crate::testing::{Event, Sample, invoke};

fn sample(partition: i32, offset: i64, key: &str, value: &str) -> Sample {
    Sample::new(TOPIC, partition)
        .offset(offset)
        .key(key)
        .value(value)
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn of_two_records_of_one_key_one_has_its_effect() {
    let world = World::new().await;
    let consumer = || {
        let builder = world.builder(ProcessingOrder::Partition, true);
        builder.per_record(PerRecord::by_key()).build().unwrap()
    };
    let first = Event::msk()
        .record(sample(0, 0, "a", "a"))
        .record(sample(0, 1, "b", "b"));
    let second = Event::msk()
        .record(sample(1, 7, "a", "again"))
        .record(sample(1, 8, "c", "c"));

    for event in [first, second.clone(), second] {
        let invoked = invoke(&consumer(), event).await;
        assert_eq!(invoked.outcomes(), [Outcome::Done; 2]);
    }

    assert_eq!(world.values().await, ["a", "b", "c"]);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn the_key_of_a_record_that_was_not_done_is_given_back() {
    let world = World::new().await;
    let consumer = || {
        let builder = world.builder(ProcessingOrder::Partition, true);
        builder.per_record(PerRecord::by_key()).build().unwrap()
    };
    let sent = Event::msk()
        .record(sample(0, 0, "a", "!a"))
        .record(sample(0, 1, "b", "b"));

    let first = invoke(&consumer(), sent.clone()).await;
    world.accept();
    let second = invoke(&consumer(), sent).await;

    assert_eq!(first.record(TOPIC, 0, 0).outcome, Outcome::Failed);
    assert_eq!(second.outcomes(), [Outcome::Done; 2]);
    assert_eq!(world.values().await, ["b", "!a"]);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn another_payload_under_a_known_key_is_rejected() {
    let world = World::new().await;
    let letters = MemoryDestination::new();
    let consumer = || {
        let builder = world
            .builder(ProcessingOrder::Partition, true)
            .on_failure(letters.clone());
        let per_record = PerRecord::by_key().validate_payload();
        builder.per_record(per_record).build().unwrap()
    };
    invoke(&consumer(), Event::msk().record(sample(0, 0, "a", "one"))).await;

    let invoked = invoke(&consumer(), Event::msk().record(sample(0, 1, "a", "two"))).await;

    assert_eq!(invoked.outcomes(), [Outcome::Rejected]);
    assert!(format!("{:?}", letters.letters()).contains("reject.payload_mismatch"));
    assert_eq!(world.values().await, ["one"]);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_key_that_has_expired_is_taken_again() {
    let world = World::new().await;
    let consumer = || {
        let builder = world.builder(ProcessingOrder::Partition, true);
        builder.per_record(PerRecord::by_key()).build().unwrap()
    };
    let sent = Event::msk().record(sample(0, 0, "a", "a"));
    invoke(&consumer(), sent.clone()).await;
    super::run(&format!(
        "UPDATE lambda_msk_once_keys SET expiration = 1 WHERE id LIKE '{}/%'",
        world.name
    ))
    .await;

    invoke(&consumer(), sent.clone()).await;
    invoke(&consumer(), sent).await;

    assert_eq!(world.values().await, ["a", "a"]);
}

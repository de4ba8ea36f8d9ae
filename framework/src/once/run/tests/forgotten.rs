//! What is kept, and what is older than all of it.

use super::{TOPIC, World, event, of_partition, run};
use crate::builder::ProcessingOrder;
use crate::limits::{ONCE_KEEP, ONCE_KEEP_SLACK};
use crate::outcome::Outcome;
use crate::postgres::{forget, forget_border};
use crate::testing::{Event, Sample, invoke};

/// Fills a partition with as many records as make the oldest ones go.
async fn fill(world: &World, first: i64) -> i64 {
    let mut first = first;
    let last = first + (ONCE_KEEP + ONCE_KEEP_SLACK + 1_000) as i64;
    while first < last {
        let invoked = invoke(&world.consumer(), event(first, &["v"; 5_000])).await;
        assert!(
            invoked
                .outcomes()
                .iter()
                .all(|outcome| *outcome == Outcome::Done)
        );
        first += 5_000;
    }
    first
}

async fn number(world: &World, select: &str) -> i64 {
    let mut session = world.database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    let id = format!("{}/%", world.name);
    let id: (&(dyn tokio_postgres::types::ToSql + Sync), _) =
        (&id, tokio_postgres::types::Type::TEXT);
    transaction.query_typed(select, &[id]).await.unwrap()[0].get(0)
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn the_latest_records_are_kept_and_what_is_older_fails_by_name() {
    let world = World::new().await;
    let next = fill(&world, 0).await;

    let kept = number(&world, "SELECT kept FROM lambda_msk_once WHERE id LIKE $1").await;
    let counted = "SELECT sum(octet_length(fingerprints) / 4)::int8 FROM lambda_msk_once_notes WHERE id LIKE $1";
    let counted = number(&world, counted).await;
    let old = invoke(&world.consumer(), event(0, &["v", "v", "v"])).await;
    let known = invoke(
        &world.consumer(),
        event(next - ONCE_KEEP as i64, &["v"; 500]),
    )
    .await;
    let before = world.calls();
    let fresh = invoke(&world.consumer(), event(next, &["on"])).await;

    assert_eq!(kept, counted);
    assert!(
        (ONCE_KEEP as i64..=(ONCE_KEEP + ONCE_KEEP_SLACK) as i64).contains(&kept),
        "{kept}"
    );
    assert_eq!(
        old.outcomes(),
        [Outcome::Failed, Outcome::Unreached, Outcome::Unreached]
    );
    let report = old.record(TOPIC, 0, 0);
    let problem = report.problem.as_ref().unwrap();
    assert_eq!((&*problem.code, report.attempts), ("once.forgotten", 1));
    let command = format!("cargo msk postgres forget '{}/arn:", world.name);
    assert!(problem.message.contains(&command), "{}", problem.message);
    assert!(
        known
            .outcomes()
            .iter()
            .all(|outcome| *outcome == Outcome::Done)
    );
    assert_eq!(
        (fresh.outcomes(), world.calls()),
        (vec![Outcome::Done], before + 1)
    );
    assert_eq!(world.effects().await.len() as i64, next + 1);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_forgotten_record_stops_its_lane_and_no_other_one() {
    let world = World::new().await;
    fill(&world, 0).await;
    let consumer = world.builder(ProcessingOrder::Key, true).build().unwrap();
    let late = [(0, "old"), (1, "other"), (40_000, "old"), (40_001, "new")];
    let late =
        late.map(|(offset, key)| Sample::new(TOPIC, 0).offset(offset).key(key).value("late"));
    let beside = Sample::new(TOPIC, 1).offset(0).value("beside");

    let invoked = invoke(&consumer, Event::msk().records(late).record(beside)).await;

    let outcome = |partition, offset| invoked.record(TOPIC, partition, offset).outcome;
    assert_eq!(outcome(0, 0), Outcome::Failed);
    assert_eq!(outcome(0, 1), Outcome::Failed);
    assert_eq!(outcome(0, 40_000), Outcome::Unreached);
    assert_eq!(
        (outcome(0, 40_001), outcome(1, 0)),
        (Outcome::Done, Outcome::Done)
    );
    let values = world.values().await;
    assert_eq!(values.iter().filter(|value| **value != "v").count(), 2);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn rows_that_were_forgotten_by_hand_begin_anew() {
    let world = World::new().await;
    fill(&world, 0).await;
    let message = forgotten_message(&world).await;
    // As somebody would copy it.
    let advice = message.split("if the topic was made anew").nth(1).unwrap();
    assert!(
        advice.starts_with(", stop the mapping, then run those of `cargo msk postgres forget '")
    );
    let id = advice.split('\'').nth(1).unwrap();

    run_alone(&forget(&[id])).await;
    let anew = invoke(&world.consumer(), event(0, &["anew"; 10])).await;

    assert_eq!(anew.outcomes(), [Outcome::Done; 10]);
    assert_eq!(
        world
            .values()
            .await
            .iter()
            .filter(|value| *value == "anew")
            .count(),
        10
    );
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn without_the_border_what_is_in_no_note_is_fresh_and_what_is_noted_is_not() {
    let world = World::new().await;
    let next = fill(&world, 0).await;
    let message = forgotten_message(&world).await;

    // The command for what was not written leaves the notes of the others.
    let advice = message.split("If it was not, ").nth(1).unwrap();
    assert!(advice.starts_with("run the statements of `cargo msk postgres forget --keep-notes '"));
    run_alone(&forget_border(&[advice.split('\'').nth(1).unwrap()])).await;
    let late = invoke(&world.consumer(), event(0, &["late"])).await;
    let known = invoke(&world.consumer(), event(next - 10, &["v"; 10])).await;

    assert_eq!(
        (late.outcomes(), known.outcomes()),
        (vec![Outcome::Done], vec![Outcome::Done; 10])
    );
    assert_eq!(world.effects().await.len() as i64, next + 1);
}

/// What a record below the border is told.
async fn forgotten_message(world: &World) -> String {
    let invoked = invoke(&world.consumer(), event(0, &["late"])).await;
    invoked.records()[0]
        .problem
        .as_ref()
        .unwrap()
        .message
        .clone()
}

/// Statements that have a transaction of their own.
async fn run_alone(statements: &str) {
    run(&format!("COMMIT; {statements}")).await;
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_topic_made_anew_goes_on_when_the_notes_of_the_old_one_leave() {
    let world = World::new().await;
    for first in 0..3 {
        invoke(
            &world.consumer(),
            of_partition(0, first * 5_000, &["old"; 5_000]),
        )
        .await;
    }

    let mut new = 0;
    while new < (ONCE_KEEP + ONCE_KEEP_SLACK + 5_000) as i64 {
        let invoked = invoke(&world.consumer(), event(new, &["new"; 5_000])).await;
        assert!(
            invoked
                .outcomes()
                .iter()
                .all(|outcome| *outcome == Outcome::Done),
            "{new}"
        );
        new += 5_000;
    }

    let values = world.values().await;
    assert_eq!(
        values.iter().filter(|value| *value == "new").count() as i64,
        new
    );
}

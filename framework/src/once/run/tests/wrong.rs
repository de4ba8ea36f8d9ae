//! What a handler gets wrong within its transaction, and what the server refuses of single records.

use std::sync::atomic::Ordering;

use tokio_postgres::types::{ToSql, Type};

use super::{TOPIC, World, event, run};
use crate::batches::Batch;
use crate::consumer::Consumer;
use crate::destination::MemoryDestination;
use crate::extract::{State, Value};
use crate::failure::Failure;
use crate::handler::batch;
use crate::idempotency::{Idempotency, PerRecord};
use crate::outcome::Outcome;
use crate::outcomes::Outcomes;
use crate::postgres::{Fresh, Notes, commit, failure, once};
use crate::testing::{Event, Invoked, Sample, invoke};

/// What the handler gets wrong, as long as the world does not accept.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Twice,
    OutOfRange,
    OfAnother,
    /// The error of a statement in the closure.
    Swallowed,
    /// The error of a statement behind `once`.
    Behind,
    Nothing,
}

async fn write(world: &World, fresh: &Fresh<'_, Value<String>>) -> Result<(), Failure> {
    let (mut parts, mut offsets, mut values) = (vec![], vec![], vec![]);
    for ((_, Value(value)), record) in fresh.iter().zip(fresh.records()) {
        parts.push(record.partition());
        offsets.push(record.offset());
        values.push(value.as_str());
    }
    let insert = format!(
        "INSERT INTO {} (part, off, value) SELECT * FROM unnest($1::int4[], $2::int8[], $3::text[])",
        world.name
    );
    let values: [(&(dyn ToSql + Sync), Type); 3] = [
        (&parts, Type::INT4_ARRAY),
        (&offsets, Type::INT8_ARRAY),
        (&values, Type::TEXT_ARRAY),
    ];
    let written = fresh.transaction().execute_typed(&insert, &values).await;
    written.map(|_| ()).map_err(failure)
}

async fn store(
    records: Batch<Value<String>>,
    State((world, wrong)): State<(World, Wrong)>,
) -> Result<Outcomes, Failure> {
    let wrong = match world.accepts.load(Ordering::Relaxed) {
        0 => wrong,
        _ => Wrong::Nothing,
    };
    let mut session = world.database.session().await?;
    let mut transaction = session.begin().await?;
    let outcomes = once(&records, &mut transaction, async |fresh| {
        write(&world, &fresh).await?;
        let mut outcomes = fresh.outcomes();
        let why = || Failure::retry("busy");
        match wrong {
            Wrong::Twice => {
                outcomes.retry(0, why());
                outcomes.retry(0, why());
            }
            Wrong::OutOfRange => outcomes.retry(records.len(), why()),
            Wrong::OfAnother => outcomes = Outcomes::done(records.len() + 1),
            Wrong::Swallowed => {
                let _ = fresh.transaction().execute_typed("SELECT 1/0", &[]).await;
            }
            Wrong::Behind | Wrong::Nothing => {}
        }
        Ok::<_, Failure>(outcomes)
    })
    .await?;
    if wrong == Wrong::Behind {
        let _ = transaction.execute_typed("SELECT 1/0", &[]).await;
    }
    match wrong {
        // Which is no error for the client.
        Wrong::Swallowed => transaction.commit().await.map_err(failure)?,
        _ => commit(transaction).await?,
    }
    session.give_back();
    Ok(outcomes)
}

fn consumer(world: &World, wrong: Wrong, is_by_key: bool) -> Consumer {
    let builder = Consumer::builder()
        .state((world.clone(), wrong))
        .route(TOPIC, batch(store).across_partitions())
        .idempotency(Idempotency::None)
        .namespace(world.name.as_str())
        .attempts(1);
    match is_by_key {
        true => builder.per_record(PerRecord::by_key()).build().unwrap(),
        false => builder.build().unwrap(),
    }
}

fn code(invoked: &Invoked) -> (String, String) {
    let problem = invoked.records()[0].problem.as_ref().unwrap();
    (problem.code.to_string(), problem.message.clone())
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_call_that_gets_something_wrong_has_its_effects_once_in_the_end() {
    for (wrong, given, says) in [
        (Wrong::Twice, "handler.outcomes", "found two of 0"),
        (Wrong::OutOfRange, "handler.outcomes", "found 1"),
        (Wrong::OfAnother, "handler.outcomes", "found those of 2"),
        (Wrong::Swallowed, "once.database", "its error was ignored"),
        (Wrong::Behind, "postgres.failed", "its error was ignored"),
    ] {
        for is_by_key in [false, true] {
            let world = World::new().await;
            let sent = Event::msk().record(Sample::new(TOPIC, 0).key("k").value("a"));

            let first = invoke(&consumer(&world, wrong, is_by_key), sent.clone()).await;
            let between = world.values().await;
            world.accept();
            let second = invoke(&consumer(&world, wrong, is_by_key), sent).await;

            let at = format!("{wrong:?} {is_by_key}");
            assert_eq!(first.outcomes(), [Outcome::Failed], "{at}");
            let (code, message) = code(&first);
            assert!(
                code == given && message.contains(says),
                "{at}: {code} {message}"
            );
            assert!(between.is_empty(), "{at}: {between:?}");
            assert_eq!(second.outcomes(), [Outcome::Done], "{at}");
            assert_eq!(world.values().await, ["a"], "{at}");
        }
    }
}

/// A record of each of three partitions.
async fn three(world: &World, values: [&str; 3]) -> (Invoked, Vec<String>) {
    let records = (0..3).zip(values);
    let records = records.map(|(partition, value)| Sample::new(TOPIC, partition).value(value));
    let letters = MemoryDestination::new();
    let consumer = Consumer::builder()
        .state((world.clone(), Wrong::Nothing))
        .route(TOPIC, batch(store).across_partitions())
        .idempotency(Idempotency::None)
        .namespace(world.name.as_str())
        .on_failure(letters.clone())
        .attempts(2)
        .build()
        .unwrap();
    let invoked = invoke(&consumer, Event::msk().records(records)).await;
    let letters = letters.letters();
    let letters = letters.iter().map(|letter| format!("{letter:?}"));
    (invoked, letters.collect())
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_record_that_its_table_cannot_take_stops_no_neighbour() {
    let long: String = (0..4_000)
        .map(|_| format!("{:08x}", fastrand::u32(..)))
        .collect();
    let raises = "CREATE FUNCTION {f}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.value = 'raise' THEN RAISE EXCEPTION 'no %', NEW.value; END IF; RETURN NEW; END $$; \
        CREATE TRIGGER t BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION {f}()";
    for (make, value, says) in [
        ("CREATE INDEX ON {t} (value)", &*long, "54000"),
        (raises, "raise", "P0001"),
    ] {
        let world = World::new().await;
        let make = make.replace("{t}", &world.name);
        run(&make.replace("{f}", &format!("f_{}", world.name))).await;

        let (invoked, _) = three(&world, ["a", value, "c"]).await;

        let expected = [Outcome::Done, Outcome::Failed, Outcome::Done];
        assert_eq!(invoked.outcomes(), expected, "{says}");
        let problem = invoked.records()[1].problem.as_ref().unwrap();
        assert_eq!(&*problem.code, "postgres.failed");
        assert!(problem.message.contains(says), "{}", problem.message);
        let mut values = world.values().await;
        values.sort();
        assert_eq!(values, ["a", "c"]);
    }
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn what_a_function_raises_under_another_code_shows_no_value() {
    let world = World::new().await;
    let name = &world.name;
    run(&format!(
        "CREATE FUNCTION f_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.value LIKE 'hunter%' THEN \
         RAISE EXCEPTION 'no %', NEW.value USING ERRCODE = '23514'; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER t BEFORE INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION f_{name}()"
    ))
    .await;

    let (invoked, letters) = three(&world, ["a", "hunter2", "c"]).await;

    let expected = [Outcome::Done, Outcome::Rejected, Outcome::Done];
    assert_eq!(invoked.outcomes(), expected);
    let problem = invoked.records()[1].problem.as_ref().unwrap();
    assert_eq!(&*problem.code, "postgres.rejected");
    assert!(
        problem.message.contains("23514") && !problem.message.contains("hunter2"),
        "{}",
        problem.message
    );
    assert_eq!(letters.len(), 1);
}

#[tokio::test]
async fn notes_refuse_a_consumer_whose_records_are_known_by_key() {
    async fn other(records: Batch<Value<String>>) -> Result<(), Failure> {
        Notes::of(&records).map(|_| ())
    }
    let of = |is_by_key: bool| {
        let builder = Consumer::builder().route(TOPIC, batch(other)).attempts(1);
        match is_by_key {
            true => builder.per_record(PerRecord::by_key()).build().unwrap(),
            false => builder.build().unwrap(),
        }
    };
    let sent = Event::msk().record(Sample::new(TOPIC, 0).key("k").value("a"));

    let by_offset = invoke(&of(false), sent.clone()).await;
    let by_key = invoke(&of(true), sent).await;

    assert_eq!(by_offset.outcomes(), [Outcome::Done]);
    let (code, message) = code(&by_key);
    assert_eq!(code, "once.per_record");
    assert!(message.contains("lambda_msk::postgres::once"), "{message}");
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn once_by_offset_is_not_disturbed_by_its_own_commit() {
    let world = World::new().await;

    for _ in 0..2 {
        let invoked = invoke(
            &consumer(&world, Wrong::Nothing, false),
            event(0, &["a", "b"]),
        )
        .await;
        assert_eq!(invoked.outcomes(), [Outcome::Done; 2]);
    }

    assert_eq!(world.values().await, ["a", "b"]);
}

//! Effects that happen once, beside a real server. `tests/services/run` starts it.

// Notes that were deleted.
mod forgotten;

// By key.
mod keys;

// What a handler gets wrong, and what the server refuses.
mod wrong;

// What runs at the same time.
mod at_once;

// What the server holds and is told.
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell};
use tokio_postgres::types::Type;

use crate::batches::Batch;
use crate::builder::{Builder, ProcessingOrder};
use crate::consumer::Consumer;
use crate::destination::MemoryDestination;
use crate::extract::{State, Value};
use crate::failure::Failure;
use crate::handler::batch;
use crate::idempotency::Idempotency;
use crate::outcome::Outcome;
use crate::outcomes::Outcomes;
use crate::postgres::{Database, LEDGER_TABLE, failure, once, schema};
use crate::testing::{Event, EventBuilder, Sample, invoke};

const TOPIC: &str = "orders";

pub(super) fn address() -> String {
    std::env::var("LAMBDA_MSK_POSTGRES").expect("run by tests/services/run")
}

/// Runs statements past `once`. One test at a time makes tables: two that create one at once clash.
pub(super) async fn run(statements: &str) {
    let database = Database::new(&address()).unwrap();
    let mut session = database.session().await.unwrap();
    let transaction = session.begin().await.unwrap();
    let locked = format!("SELECT pg_advisory_xact_lock(1); {statements}");
    transaction.batch_execute(&locked).await.unwrap();
    transaction.commit().await.unwrap();
    session.give_back();
}

/// The handler's state: a table of effects of the test's own, and what the handler does besides.
#[derive(Clone)]
pub(super) struct World {
    pub(super) database: Database,
    pub(super) name: String,
    /// Values that begin with `!` are rejected, those with `?` retried, until this is set.
    pub(super) accepts: Arc<AtomicUsize>,
    /// Calls of the closure.
    pub(super) calls: Arc<AtomicUsize>,
    /// *Some: the first call says that it holds its rows, and waits before its commit.*
    pub(super) gate: Option<Arc<Gate>>,
}

#[derive(Default)]
pub(super) struct Gate {
    pub(super) holds: Notify,
    pub(super) go_on: Notify,
    used: AtomicUsize,
}

async fn tables() {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let make = || run_schema();
    MADE.get_or_init(make).await;
}

async fn run_schema() {
    run(&schema(&LEDGER_TABLE.parse().unwrap())).await;
}

impl World {
    pub(super) async fn new() -> Self {
        Self::at(&address()).await
    }

    /// With connections of that address.
    pub(super) async fn at(address: &str) -> Self {
        tables().await;
        let name = format!("effects_{:016x}", fastrand::u64(..));
        run(&format!(
            "CREATE TABLE {name} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, part integer NOT NULL, off bigint NOT NULL, value text NOT NULL CHECK (value <> 'poison'))"
        ))
        .await;
        Self {
            database: Database::new(address).unwrap().connections(20),
            name,
            accepts: Arc::default(),
            calls: Arc::default(),
            gate: None,
        }
    }

    /// A consumer of its own ledger, which keeps nothing: only `once` stands before the effects.
    pub(super) fn builder(&self, order: ProcessingOrder, is_across: bool) -> Builder<World> {
        let route = batch(store).records(500);
        let route = match is_across {
            true => route.across_partitions(),
            false => route,
        };
        Consumer::builder()
            .state(self.clone())
            .route(TOPIC, route)
            .order(order)
            .idempotency(Idempotency::None)
            .namespace(self.name.as_str())
            .attempts(2)
    }

    pub(super) fn consumer(&self) -> Consumer {
        let builder = self.builder(ProcessingOrder::Partition, true);
        builder.build().unwrap()
    }

    /// The effects, in the order in which they happened: partition, offset, value.
    pub(super) async fn effects(&self) -> Vec<(i32, i64, String)> {
        let select = format!("SELECT part, off, value FROM {} ORDER BY id", self.name);
        let mut session = self.database.session().await.unwrap();
        let transaction = session.begin().await.unwrap();
        let rows = transaction.query_typed(&select, &[]).await.unwrap();
        transaction.commit().await.unwrap();
        session.give_back();
        let effect = |row: &tokio_postgres::Row| (row.get(0), row.get(1), row.get(2));
        rows.iter().map(effect).collect()
    }

    pub(super) async fn values(&self) -> Vec<String> {
        let effects = self.effects().await.into_iter();
        effects.map(|(_, _, value)| value).collect()
    }

    pub(super) fn accept(&self) {
        self.accepts.store(1, Ordering::Relaxed);
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

/// Writes each fresh value, and says of those that are not to be written what they ask for.
async fn store(
    records: Batch<Value<String>>,
    State(world): State<World>,
) -> Result<Outcomes, Failure> {
    let mut session = world.database.session().await?;
    let mut transaction = session.begin().await?;
    let outcomes = once(&records, &mut transaction, async |fresh| {
        world.calls.fetch_add(1, Ordering::Relaxed);
        let mut outcomes = fresh.outcomes();
        let (mut parts, mut offsets, mut values) = (vec![], vec![], vec![]);
        for ((index, Value(value)), record) in fresh.iter().zip(fresh.records()) {
            let refuses = world.accepts.load(Ordering::Relaxed) == 0;
            match value.chars().next() {
                Some('!') if refuses => outcomes.reject(index, Failure::reject("not wanted")),
                Some('?') if refuses => outcomes.retry(index, Failure::retry("not now")),
                _ => {
                    parts.push(record.partition());
                    offsets.push(record.offset());
                    values.push(value.as_str());
                }
            }
        }
        let insert = format!(
            "INSERT INTO {} (part, off, value) SELECT * FROM unnest($1::int4[], $2::int8[], $3::text[])",
            world.name
        );
        let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
            (&parts, Type::INT4_ARRAY),
            (&offsets, Type::INT8_ARRAY),
            (&values, Type::TEXT_ARRAY),
        ];
        let written = fresh.transaction().execute_typed(&insert, &values).await;
        written.map_err(failure)?;
        Ok::<_, Failure>(outcomes)
    })
    .await?;
    if let Some(gate) = &world.gate
        && gate.used.swap(1, Ordering::Relaxed) == 0
    {
        gate.holds.notify_one();
        gate.go_on.notified().await;
    }
    transaction.commit().await.map_err(failure)?;
    session.give_back();
    Ok(outcomes)
}

/// An event of one partition, from that offset on.
pub(super) fn event(first: i64, values: &[&str]) -> EventBuilder {
    of_partition(0, first, values)
}

pub(super) fn of_partition(partition: i32, first: i64, values: &[&str]) -> EventBuilder {
    let records = values
        .iter()
        .zip(first..)
        .map(|(value, offset)| Sample::new(TOPIC, partition).offset(offset).value(value));
    Event::msk().records(records)
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_record_that_is_redelivered_has_its_effect_once() {
    let world = World::new().await;

    for _ in 0..3 {
        let invoked = invoke(&world.consumer(), event(0, &["a", "b", "c"])).await;
        assert_eq!(invoked.outcomes(), [Outcome::Done; 3]);
    }
    invoke(&world.consumer(), event(2, &["c", "d"])).await;

    assert_eq!(world.values().await, ["a", "b", "c", "d"]);
    assert_eq!(world.calls(), 2);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_topic_made_anew_below_the_old_mark_loses_nothing() {
    let world = World::new().await;
    invoke(&world.consumer(), event(0, &["a"; 50])).await;

    let anew = invoke(&world.consumer(), event(0, &["new"; 7])).await;
    let on = invoke(&world.consumer(), event(7, &["on"; 60])).await;
    let again = invoke(&world.consumer(), event(7, &["on"; 60])).await;

    assert_eq!(anew.outcomes(), [Outcome::Done; 7]);
    assert_eq!(on.outcomes(), again.outcomes());
    let values = world.values().await;
    let count = |wanted| values.iter().filter(|value| *value == wanted).count();
    assert_eq!((count("a"), count("new"), count("on")), (50, 7, 60));
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_rejected_record_whose_letter_fails_has_its_effect_later() {
    let world = World::new().await;
    let sent = event(0, &["a", "!b", "c"]);

    // There is no destination: it is Failed, and the transaction of its neighbours is committed.
    let first = invoke(&world.consumer(), sent.clone()).await;
    world.accept();
    let second = invoke(&world.consumer(), sent).await;

    assert_eq!(first.record(TOPIC, 0, 1).outcome, Outcome::Failed);
    assert_eq!(second.outcomes(), [Outcome::Done; 3]);
    assert_eq!(world.values().await, ["a", "c", "!b"]);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_retried_record_has_its_effect_later_and_its_neighbours_theirs_once() {
    let world = World::new().await;
    let sent = event(0, &["a", "?b", "c"]);

    let first = invoke(&world.consumer(), sent.clone()).await;
    world.accept();
    let second = invoke(&world.consumer(), sent).await;

    assert_eq!(first.record(TOPIC, 0, 1).outcome, Outcome::Failed);
    assert_eq!(second.outcomes(), [Outcome::Done; 3]);
    assert_eq!(world.values().await, ["a", "c", "?b"]);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_letter_below_the_mark_is_redriven_and_has_its_effect_once() {
    let world = World::new().await;
    let letters = MemoryDestination::new();
    let consumer = world
        .builder(ProcessingOrder::Partition, true)
        .on_failure(letters.clone())
        .build()
        .unwrap();
    invoke(&consumer, event(0, &["a", "!b", "c"])).await;
    invoke(&consumer, event(3, &["d"; 100])).await;
    assert_eq!(letters.letters().len(), 1);
    world.accept();

    for _ in 0..2 {
        let redriven = event(1, &["!b"]).redrive("letter-1");
        let invoked = invoke(&consumer, redriven).await;
        assert_eq!(invoked.outcomes(), [Outcome::Done]);
    }

    let values = world.values().await;
    assert_eq!(values.iter().filter(|value| *value == "!b").count(), 1);
    assert_eq!(values.len(), 103);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn a_poison_record_is_rejected_alone_and_its_neighbours_have_their_effect_once() {
    let world = World::new().await;
    let letters = MemoryDestination::new();
    let consumer = world
        .builder(ProcessingOrder::Partition, true)
        .on_failure(letters.clone())
        .build()
        .unwrap();

    for _ in 0..2 {
        invoke(&consumer, event(0, &["a", "b", "poison", "c", "d"])).await;
    }

    assert_eq!(world.values().await, ["a", "b", "c", "d"]);
    let letters = letters.letters();
    assert_eq!(letters.len(), 2);
    let text = format!("{:?}", letters[0]);
    assert!(
        text.contains("23514") && !text.contains("Failing row"),
        "{text}"
    );
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn outcomes_of_a_record_that_is_not_fresh_fail_the_call() {
    async fn wrong(
        records: Batch<Value<String>>,
        State(world): State<World>,
    ) -> Result<Outcomes, Failure> {
        let mut session = world.database.session().await?;
        let mut transaction = session.begin().await?;
        let outcomes = once(&records, &mut transaction, async |fresh| {
            let mut outcomes = fresh.outcomes();
            outcomes.reject(0, Failure::reject("of another one"));
            outcomes
        });
        let outcomes = outcomes.await?;
        transaction.commit().await.map_err(failure)?;
        Ok(outcomes)
    }
    let world = World::new().await;
    invoke(&world.consumer(), event(0, &["a"])).await;
    let consumer = Consumer::builder()
        .state(world.clone())
        .route(TOPIC, batch(wrong).bisect(false))
        .idempotency(Idempotency::None)
        .namespace(world.name.as_str())
        .attempts(1)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, event(0, &["a", "b"])).await;

    let report = invoked.record(TOPIC, 0, 0);
    let problem = report.problem.as_ref().unwrap();
    assert_eq!(
        (report.outcome, &*problem.code),
        (Outcome::Failed, "handler.outcomes")
    );
    assert!(
        problem.message.contains("found one of index 0"),
        "{}",
        problem.message
    );
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn an_event_that_names_no_cluster_is_refused_by_name() {
    let world = World::new().await;
    let nameless = event(0, &["a"])
        .without("eventSourceArn")
        .without("bootstrapServers");

    let invoked = invoke(&world.consumer(), nameless.clone()).await;
    let named = world
        .builder(ProcessingOrder::Partition, true)
        .cluster("main");
    let named = invoke(&named.build().unwrap(), nameless).await;

    let problem = invoked.records()[0].problem.as_ref().unwrap();
    assert_eq!(&*problem.code, "once.no_cluster");
    assert!(problem.message.contains("LAMBDA_MSK_CLUSTER"));
    assert_eq!(named.outcomes(), [Outcome::Done]);
}

#[tokio::test]
#[ignore = "needs Postgres: make services"]
async fn missing_tables_fail_the_call_whole_and_are_named_with_their_cure() {
    let world = World::at(&format!("{}&options=-c%20search_path%3Dpg_temp", address())).await;

    let invoked = invoke(&world.consumer(), event(0, &["a", "b"])).await;

    assert_eq!(invoked.outcomes(), [Outcome::Failed, Outcome::Failed]);
    let problem = invoked.records()[0].problem.as_ref().unwrap();
    assert_eq!(&*problem.code, "once.database");
    assert!(
        problem.message.contains("cargo msk postgres schema"),
        "{}",
        problem.message
    );
    assert_eq!(world.calls(), 0);
}

/// Longer than anything here takes.
pub(super) const ENDS: Duration = Duration::from_secs(60);

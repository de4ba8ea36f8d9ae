//! Avro: each schema is fetched once, an outage rejects nothing, and what cannot be read is rejected by name.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_msk::destination::MemoryDestination;
use lambda_msk::extract::Avro;
use lambda_msk::failure::Rejection;
use lambda_msk::schemas::{
    FetchError, Fetching, Format, Framing, RecordFormat, Registry, SchemaId, Schemas, Source,
};
use lambda_msk::testing::{Event, Invoke, MemoryRegistry, RegisteredSchema, Sample, invoke};
use lambda_msk::{Consumer, FailureReporting, Json, Key, Outcome, each};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{Journal, code, letters};

const ORDER: &str = r#"{"type": "record", "name": "Order", "fields": [
    {"name": "order_id", "type": "long"}, {"name": "note", "type": ["null", "string"]}]}"#;

/// A default of another type: of no matter in a writer's schema.
const BAD_DEFAULT: &str = r#"{"type": "record", "name": "Order", "fields": [
    {"name": "order_id", "type": "long"}, {"name": "note", "type": "string", "default": null}]}"#;

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Order {
    order_id: i64,
    note: Option<String>,
}

fn order(order_id: i64) -> Order {
    let note = Some("now".to_owned());
    Order { order_id, note }
}

async fn ship(Avro(found): Avro<Order>) {
    assert_eq!(found, order(found.order_id));
}

fn sample(schema: &RegisteredSchema, partition: i32, order_id: i64) -> Sample {
    Sample::new("orders", partition).avro(schema, &order(order_id))
}

/// The consumer of a registry, which reports partially and sends dead letters.
fn consumer(schemas: Schemas) -> (Consumer, MemoryDestination) {
    let destination = MemoryDestination::new();
    let consumer = Consumer::builder()
        .schemas(schemas)
        .topic("orders", ship)
        .topic("clicks", async |_: Json<u64>| {})
        .on_failure(destination.clone())
        .failure_reporting(FailureReporting::Partial)
        .build()
        .unwrap();
    (consumer, destination)
}

#[tokio::test(start_paused = true)]
async fn a_schema_is_asked_for_once_in_the_life_of_a_process() {
    let registry = MemoryRegistry::new();
    let (old, new) = (registry.avro(ORDER), registry.avro(r#"["null", "int"]"#));
    let (consumer, _) = consumer(registry.schemas());
    let event = |at: i64| {
        let orders = (0..50).map(|n| sample(&old, (n % 4) as i32, n).offset(at + n));
        Event::msk()
            .records(orders)
            .record(Sample::new("orders", 9).offset(at).avro(&new, &1))
    };

    let both = [event(0), event(100)].map(|event| invoke(&consumer, event));
    let [first, second] = <[_; 2]>::try_from(futures_util::future::join_all(both).await).unwrap();
    let third = invoke(&consumer, event(200)).await;

    for invoked in [&first, &second, &third] {
        assert_eq!(letters(invoked), format!("{}R", "D".repeat(50)));
    }
    assert_eq!(registry.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_down_fails_what_needs_it_and_rejects_nothing() {
    let registry = MemoryRegistry::new();
    let (known, unknown) = (
        registry.avro(ORDER),
        registry.avro(
            r#"["null", {"type": "record", "name": "Order", "fields": [
        {"name": "order_id", "type": "long"}, {"name": "note", "type": "string"}]}]"#,
        ),
    );
    let (consumer, destination) = consumer(registry.schemas());
    let clicks = || Sample::new("clicks", 0).value("1");
    invoke(&consumer, Event::msk().record(sample(&known, 0, 0))).await;
    let event = || {
        Event::msk()
            .record(sample(&known, 0, 1).offset(1))
            .record(sample(&unknown, 1, 2))
            .record(sample(&known, 1, 3).offset(1))
            .record(clicks())
            .build()
    };

    registry.go_down();
    let down = invoke(&consumer, event()).await;
    registry.come_up();
    let up = invoke(&consumer, event()).await;

    assert_eq!(letters(&down), "DFUD");
    assert_eq!(code(&down, 1, 0), "schema.unavailable");
    assert_eq!(letters(&up), "SDDS");
    assert_eq!(destination.letters().len(), 0);
    // The first schema, the second one while the registry was down, and again.
    assert_eq!(registry.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_a_result_does_not_see_an_outage() {
    let registry = MemoryRegistry::new();
    let schema = registry.avro(ORDER);
    let handler = async |order: Result<Avro<Order>, Rejection>| drop(order);
    let consumer = Consumer::builder().schemas(registry.schemas());
    let consumer = consumer.topic("orders", handler).build().unwrap();
    let event = || Event::msk().record(sample(&schema, 0, 1)).build();

    registry.go_down();
    let down = invoke(&consumer, event()).await;
    registry.come_up();
    let up = invoke(&consumer, event()).await;

    assert_eq!(code(&down, 0, 0), "schema.unavailable");
    assert_eq!(letters(&up), "D");
}

#[test]
fn a_framing_that_names_no_schema_is_a_fault_where_one_is_needed() {
    let registry = MemoryRegistry::new();
    let schemas = || registry.schemas().framing(Framing::None);
    let avro = Consumer::builder()
        .schemas(schemas())
        .topic("orders", ship)
        .build();
    let with_schema = Consumer::builder().schemas(schemas());
    let with_schema = with_schema
        .topic("orders", each(ship).reader_schema(ORDER))
        .build();

    let error = avro.unwrap_err().to_string();
    assert!(error.contains("a framing other than `none`"), "{error}");
    assert!(with_schema.is_ok());
}

#[test]
fn a_fault_of_the_registry_is_named_without_faults_that_follow_from_it() {
    let faults = |registry: &str, framing: &str, format: &str, schema: &'static str| {
        let built = Consumer::builder()
            .from_vars([
                ("LAMBDA_MSK_SCHEMA_REGISTRY", registry),
                ("LAMBDA_MSK_SCHEMA_FRAMING", framing),
                ("LAMBDA_MSK_SCHEMA_FORMAT", format),
            ])
            .topic("orders", ship)
            .topic("validated", each(async |_: Json<u64>| {}).validate(true))
            .topic("read", each(ship).reader_schema(schema))
            .build();
        let error = built.unwrap_err().to_string();
        let count = error.split_once(' ').unwrap().0.parse::<usize>().unwrap();
        (count, error)
    };

    let (count, error) = faults("http//registry", "auto", "source", ORDER);
    assert_eq!(count, 1, "{error}");
    assert!(error.contains("LAMBDA_MSK_SCHEMA_REGISTRY"), "{error}");
    // A fault of its own is named as well.
    let (count, error) = faults("http//registry", "auto", "source", "{");
    assert_eq!(count, 2, "{error}");
    for framing in ["confluent", "glue", "none"] {
        let (count, error) = faults("none", framing, "json", ORDER);
        assert_eq!(count, 1, "{error}");
        assert!(
            error.contains("LAMBDA_MSK_SCHEMA_FORMAT: expected the framing `auto`")
                && error.contains(&format!("found `{framing}`")),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_schema_id_of_the_metadata_that_no_registry_has_is_told_from_none() {
    let registry = MemoryRegistry::new();
    let (consumer, _) = consumer(registry.schemas());
    let uuid = "c1a3e2f4-0000-4000-8000-00000000000x";
    let ids = [
        ("4294967296", "reject.schema_not_found", "schema 4294967296"),
        ("abc", "reject.schema_framing", "of 3 characters"),
        (uuid, "reject.schema_framing", "of 36 characters"),
        ("", "reject.schema_framing", "of 0 characters"),
    ];
    for (offset, (id, expected, text)) in (0..).zip(ids) {
        let record = Sample::new("orders", 0)
            .offset(offset)
            .value("\x02\x02\x06now");
        let event = Event::msk().record(record.value_schema("AVRO", id));

        let invoked = invoke(&consumer, event).await;

        assert_eq!(code(&invoked, 0, offset), expected, "{id}");
        let problem = invoked.records()[0].problem.as_ref().unwrap();
        assert!(problem.message.contains(text), "{}", problem.message);
    }
    assert_eq!(registry.requests(), 0);
}

/// A registry that answers late, or never.
#[derive(Debug)]
struct Slow(Duration);

impl Registry for Slow {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        Box::pin(async move {
            tokio::time::sleep(self.0).await;
            match id {
                SchemaId::Number(1) => Ok(Source::new(Format::Avro, ORDER)),
                id => Err(FetchError::NotFound(id)),
            }
        })
    }

    fn place(&self) -> &str {
        "slow"
    }
}

#[tokio::test(start_paused = true)]
async fn lanes_that_need_no_missing_schema_do_not_wait_for_it() {
    let journal = Journal::default();
    let (of_orders, of_clicks) = (journal.clone(), journal.clone());
    let start = tokio::time::Instant::now();
    let consumer = Consumer::builder()
        .schemas(Schemas::of(Slow(Duration::from_secs(1))))
        .topic("orders", move |_: Avro<Order>| {
            of_orders.write(format!("order after {:?}", start.elapsed()));
            async {}
        })
        .topic("clicks", move |_: Json<u64>| {
            of_clicks.write(format!("click after {:?}", start.elapsed()));
            async {}
        })
        .build()
        .unwrap();
    let schema = MemoryRegistry::new().avro(ORDER);
    let event = Event::msk()
        .record(sample(&schema, 0, 1))
        .record(Sample::new("clicks", 0).value("1"));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DD");
    let lines = journal.lines();
    assert_eq!(lines[0], "click after 0ns");
    assert!(lines[1].starts_with("order after 1"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_has_a_limit_of_two_seconds_or_a_fifth_of_the_time_left() {
    let schema = MemoryRegistry::new().avro(ORDER);
    for (time_given, most, least) in [(60, 2_100, 1_900), (6, 1_200, 800)] {
        let (consumer, _) = consumer(Schemas::of(Slow(Duration::MAX)));
        let event = Event::msk().record(sample(&schema, 0, 1));
        let time_given = Duration::from_secs(time_given);

        let invoked = Invoke::new(event)
            .time_given(time_given)
            .run(&consumer)
            .await;

        assert_eq!(code(&invoked, 0, 0), "schema.unavailable");
        let took = invoked.elapsed().as_millis();
        assert!((least..most).contains(&took), "{took}");
    }
}

/// A registry that knows one schema, and answers after some time.
#[derive(Debug)]
struct OneSchema {
    known: u32,
    takes: Duration,
    asked: Arc<Mutex<Vec<SchemaId>>>,
}

impl Registry for OneSchema {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        Box::pin(async move {
            self.asked.lock().unwrap().push(id);
            tokio::time::sleep(self.takes).await;
            match id == SchemaId::Number(self.known) {
                true => Ok(Source::new(Format::Avro, ORDER)),
                false => Err(FetchError::NotFound(id)),
            }
        })
    }

    fn place(&self) -> &str {
        "memory"
    }
}

/// A value behind Confluent's frame.
fn framed(id: u32) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), b"\x02\x02\x06now"].concat()
}

#[tokio::test(start_paused = true)]
async fn a_batch_with_more_ids_than_can_be_fetched_is_done_with_its_next_deliveries() {
    let asked = Arc::default();
    let (known, takes) = (1_000, Duration::from_millis(150));
    let registry = OneSchema {
        known,
        takes,
        asked: Arc::clone(&asked),
    };
    let (consumer, _) = consumer(Schemas::of(registry));
    // In ten partitions, and the good one behind all others of the last.
    let junk = (0..200).map(|at| {
        let record = Sample::new("orders", at % 10).offset(i64::from(at / 10));
        record.value(framed(at as u32))
    });
    let junk: Vec<_> = junk.collect();
    let good = Sample::new("orders", 9).offset(20).value(framed(known));
    let event = || {
        Event::msk()
            .records(junk.clone())
            .record(good.clone())
            .build()
    };

    let first = invoke(&consumer, event()).await;
    let second = invoke(&consumer, event()).await;

    let rejected = letters(&first).matches('R').count();
    assert!(rejected >= 100, "{}", letters(&first));
    assert_eq!(second.record("orders", 9, 20).outcome, Outcome::Done);
    assert!(!letters(&second).contains('F'), "{}", letters(&second));
    // Each id once: an answer that comes late is kept.
    assert_eq!(asked.lock().unwrap().len(), 201);
}

/// A registry that knows no id of Glue's, as Confluent's.
#[derive(Debug)]
struct OfConfluent;

impl Registry for OfConfluent {
    fn fetch(&self, id: SchemaId) -> Fetching<'_> {
        Box::pin(std::future::ready(match id {
            SchemaId::Version(_) => Err(FetchError::Foreign("it is Glue's".to_owned())),
            _ => Ok(Source::new(Format::Avro, ORDER)),
        }))
    }

    fn has_guids(&self) -> bool {
        true
    }

    fn place(&self) -> &str {
        "memory"
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_another_registry_is_an_outage_until_the_registry_gave_a_schema() {
    let (consumer, _) = consumer(Schemas::of(OfConfluent));
    let glue = |offset| {
        let value = [&[3, 0][..], &[7; 16], b"\x02\x02\x06now"].concat();
        Sample::new("orders", 0).offset(offset).value(value)
    };
    let uuid = "07070707-0707-0707-0707-070707070707";
    let of_mapping = Sample::new("orders", 1).offset(1).value("\x02\x02\x06now");
    let of_mapping = of_mapping.value_schema("AVRO", uuid);

    let first = invoke(&consumer, Event::msk().record(glue(0))).await;
    // In the metadata the same is a GUID.
    let guid = invoke(&consumer, Event::msk().record(of_mapping)).await;
    let second = invoke(&consumer, Event::msk().record(glue(0))).await;

    assert_eq!(code(&first, 0, 0), "schema.unavailable");
    assert_eq!(letters(&guid), "D");
    assert_eq!(code(&second, 0, 0), "reject.schema_not_found");
}

#[tokio::test(start_paused = true)]
async fn ids_are_asked_for_in_turn_over_the_partitions() {
    let asked = Arc::default();
    let registry = OneSchema {
        known: 1_000,
        takes: Duration::from_millis(1),
        asked: Arc::clone(&asked),
    };
    let (consumer, _) = consumer(Schemas::of(registry));
    let record = |partition, offset, id| {
        let record = Sample::new("orders", partition).offset(offset);
        record.value(framed(id))
    };
    let junk = (0..50_u32).map(|at| record(0, i64::from(at), at));
    let event = Event::msk().records(junk).record(record(1, 0, 1_000));

    invoke(&consumer, event).await;

    let asked = asked.lock().unwrap();
    let first: Vec<_> = asked[..3].to_vec();
    assert_eq!(first, [0, 1_000, 1].map(SchemaId::Number));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_id_is_rejected_and_asked_for_again_after_30_seconds() {
    let registry = MemoryRegistry::new();
    let elsewhere = MemoryRegistry::new().avro(ORDER);
    let (consumer, _) = consumer(registry.schemas());
    let event = |offset| Event::msk().record(sample(&elsewhere, 0, 1).offset(offset));

    let first = invoke(&consumer, event(0)).await;
    registry.avro(ORDER);
    let within = invoke(&consumer, event(1)).await;
    tokio::time::advance(Duration::from_secs(30)).await;
    let later = invoke(&consumer, event(2)).await;

    assert_eq!(code(&first, 0, 0), "reject.schema_not_found");
    assert_eq!(code(&within, 0, 1), "reject.schema_not_found");
    assert_eq!(letters(&later), "D");
    assert_eq!(registry.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_rejected_with_a_code_of_its_own() {
    let registry = MemoryRegistry::new();
    let order_schema = registry.avro(ORDER);
    let other = registry.json_schema("{}");
    let broken = registry.avro(r#"{"type": "record", "name": "Order"}"#);
    let (consumer, destination) = consumer(registry.schemas());
    let framed = |id: u32, rest: &[u8]| [&[0][..], &id.to_be_bytes(), rest].concat();
    let number = |schema: &RegisteredSchema| match schema.id() {
        SchemaId::Number(number) => number,
        _ => unreachable!(),
    };
    let secret = b"\x02\x02\x10hunter2!";
    for (value, code_of) in [
        (b"{\"order_id\":1}".to_vec(), "reject.schema_framing"),
        (vec![], "reject.schema_framing"),
        (framed(number(&other), b"{}"), "reject.schema_format"),
        (framed(number(&broken), secret), "reject.schema"),
        (framed(99, secret), "reject.schema_not_found"),
        (framed(number(&order_schema), b"\x02"), "reject.avro"),
        (
            framed(number(&order_schema), &[secret, &b"more"[..]].concat()),
            "reject.avro",
        ),
    ] {
        let event = Event::msk().record(Sample::new("orders", 0).value(&value));
        let invoked = invoke(&consumer, event).await;
        assert_eq!(code(&invoked, 0, 0), code_of, "{value:?}");
        // So that the next one is not skipped as this one.
        tokio::time::advance(Duration::from_secs(3_600)).await;
    }
    for letter in destination.letters() {
        assert!(!letter.message().contains("hunter"), "{}", letter.message());
    }
}

#[tokio::test(start_paused = true)]
async fn the_readers_schema_resolves_what_other_writers_wrote() {
    let registry = MemoryRegistry::new();
    let old = registry.avro(
        r#"{"type": "record", "name": "Order", "fields": [
        {"name": "number", "type": "int"}, {"name": "dropped", "type": "string"}]}"#,
    );
    let alien = registry.avro(
        r#"{"type": "record", "name": "Order", "fields": [{"name": "dropped", "type": "string"}]}"#,
    );
    let reader = r#"{"type": "record", "name": "Order", "fields": [
        {"name": "order_id", "type": "long", "aliases": ["number"]},
        {"name": "note", "type": ["null", "string"], "default": null}]}"#;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    let handler = move |Avro(order): Avro<Order>| {
        sees.lock().unwrap().push(order);
        async {}
    };
    let consumer = Consumer::builder()
        .schemas(registry.schemas())
        .topic("orders", each(handler).reader_schema(reader))
        .on_failure(MemoryDestination::new())
        .build()
        .unwrap();
    let event = Event::msk()
        .record(Sample::new("orders", 0).avro(&old, &json!({"number": 7, "dropped": "x"})))
        .record(Sample::new("orders", 0).avro(&alien, &json!({"dropped": "x"})));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DR");
    let order = Order {
        order_id: 7,
        note: None,
    };
    assert_eq!(*seen.lock().unwrap(), [order]);
    let problem = invoked.record("orders", 0, 1).problem.as_ref().unwrap();
    assert_eq!(problem.code, "reject.schema");
    assert!(problem.message.contains("order_id"), "{}", problem.message);
}

#[tokio::test(start_paused = true)]
async fn a_writers_default_that_does_not_fit_rejects_nothing() {
    let registry = MemoryRegistry::new();
    let writer = registry.avro(BAD_DEFAULT);
    let consumer = Consumer::builder().schemas(registry.schemas());
    let consumer = consumer
        .topic("orders", each(ship).reader_schema(ORDER))
        .topic("alone", ship);
    let consumer = consumer.build().unwrap();
    let event = Event::msk()
        .record(sample(&writer, 0, 1))
        .record(Sample::new("alone", 0).avro(&writer, &order(2)));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DD");
}

#[tokio::test(start_paused = true)]
async fn without_a_registry_the_readers_schema_stands_for_the_writers() {
    let schema = MemoryRegistry::new().avro(ORDER);
    let consumer = Consumer::builder();
    let consumer = consumer.topic("orders", each(ship).reader_schema(ORDER));
    let consumer = consumer.build().unwrap();

    let invoked = invoke(&consumer, Event::msk().record(sample(&schema, 0, 1))).await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn a_value_with_a_frame_where_none_is_expected_is_named_with_the_cure() {
    let schema = MemoryRegistry::new().avro(ORDER);
    let consumer = Consumer::builder().schemas(Schemas::none().framing(Framing::None));
    let consumer = consumer.topic("orders", each(ship).reader_schema(ORDER));
    let consumer = consumer.on_failure(MemoryDestination::new()).build();

    let event = Event::msk().record(sample(&schema, 0, 1));
    let invoked = invoke(&consumer.unwrap(), event).await;

    assert_eq!(code(&invoked, 0, 0), "reject.avro");
    let report = invoked.record("orders", 0, 0);
    let message = &report.problem.as_ref().unwrap().message;
    assert!(
        message.contains("set LAMBDA_MSK_SCHEMA_FRAMING=auto"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_mapping_says_is_of_another_format_is_rejected_without_a_registry_too() {
    const LONG: &str = r#""long""#;
    let consumer = Consumer::builder()
        .topic("orders", each(async |_: Avro<i64>| {}).reader_schema(LONG))
        .topic(
            "keys",
            each(async |_: Key<Avro<i64>>| {}).key_reader_schema(LONG),
        )
        .on_failure(MemoryDestination::new());
    let consumer = consumer.build().unwrap();
    let value = |(offset, format): (i64, &str)| {
        let record = Sample::new("orders", 0).offset(offset).value("\x02");
        record.value_schema(format, "1")
    };
    let key = Sample::new("keys", 0)
        .key("\x02")
        .key_schema("PROTOBUF", "1");
    let records = [(0, "AVRO"), (1, "PROTOBUF"), (2, "JSON"), (3, "LATER")].map(value);

    let invoked = invoke(&consumer, Event::msk().records(records).record(key)).await;

    assert_eq!(letters(&invoked), "DRRDR");
    for at in [1, 2] {
        assert_eq!(code(&invoked, 0, at), "reject.schema_format");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_mapping_has_made_json_is_read_as_json() {
    let registry = MemoryRegistry::new();
    let (consumer, _) = consumer(registry.schemas().record_format(RecordFormat::Json));
    let value = |json: &str| {
        let record = Sample::new("orders", 0).value(json);
        record.value_schema("AVRO", "1")
    };
    let event = Event::msk()
        .record(value(r#"{"order_id": 1, "note": "now"}"#))
        .record(value(r#"{"order_id": 1, "note": {"string": "now"}}"#));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DD");
    assert_eq!(registry.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_read_by_its_own_schema_and_a_tombstone_is_none() {
    let registry = MemoryRegistry::new();
    let key = registry.avro(r#""string""#);
    let handler = async |Key(Avro(key)): Key<Avro<String>>, order: Option<Avro<Order>>| {
        assert_eq!((key.as_str(), order.is_none()), ("c-1", true));
    };
    let consumer = Consumer::builder().schemas(registry.schemas());
    let consumer = consumer.topic("orders", handler).build().unwrap();
    let event = Event::msk().record(Sample::new("orders", 0).avro_key(&key, "c-1"));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn a_tombstone_that_is_not_expected_is_rejected() {
    let (consumer, _) = consumer(MemoryRegistry::new().schemas());

    let invoked = invoke(&consumer, Event::msk().record(Sample::new("orders", 0))).await;

    assert_eq!(code(&invoked, 0, 0), "reject.tombstone");
}

#[tokio::test(start_paused = true)]
async fn schemas_that_are_warm_are_there_before_the_first_record() {
    let registry = MemoryRegistry::new();
    let schema = registry.avro(ORDER);
    let (consumer, _) = consumer(registry.schemas().warm([schema.id()]));

    consumer.warm().await;
    registry.go_down();
    let invoked = invoke(&consumer, Event::msk().record(sample(&schema, 0, 1))).await;

    assert_eq!(letters(&invoked), "D");
}

#[test]
fn a_handler_of_avro_without_a_schema_is_a_fault_that_names_the_cure() {
    let built = Consumer::builder().topic("orders", ship).build();

    let error = built.unwrap_err().to_string();

    for part in [
        ".topic(\"orders\", …)",
        "LAMBDA_MSK_SCHEMA_REGISTRY",
        "reader_schema",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_readers_schema_that_nothing_reads_by_or_that_is_none_is_a_fault() {
    let of_json = async |_: Json<u64>| {};
    let built = Consumer::builder()
        .topic("clicks", each(of_json).reader_schema(ORDER))
        .topic("orders", each(ship).reader_schema(r#"{"type": "record"}"#))
        .topic("defaults", each(ship).reader_schema(BAD_DEFAULT))
        .build();

    let error = built.unwrap_err().to_string();

    for part in [
        ".topic(\"clicks\", …)",
        "Avro<_>",
        ".topic(\"orders\", …)",
        "is not an Avro schema",
        ".topic(\"defaults\", …)",
        "the default of the field `note` of Order does not fit",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

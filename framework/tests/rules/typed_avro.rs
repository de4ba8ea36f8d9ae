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
use lambda_msk::{Consumer, FailureReporting, Json, Key, each};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{Journal, code, letters};

const ORDER: &str = r#"{"type": "record", "name": "Order", "fields": [
    {"name": "order_id", "type": "long"}, {"name": "note", "type": ["null", "string"]}]}"#;

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
        .build();

    let error = built.unwrap_err().to_string();

    for part in [
        ".topic(\"clicks\", …)",
        "Avro<_>",
        ".topic(\"orders\", …)",
        "is not an Avro schema",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

//! JSON that is validated: a value that does not fit its schema is rejected before the handler, and an outage rejects nothing.

use lambda_msk::destination::MemoryDestination;
use lambda_msk::schemas::Framing;
use lambda_msk::testing::{Event, Invoked, MemoryRegistry, RegisteredSchema, Sample, invoke};
use lambda_msk::{Consumer, Json, Record, each};
use serde_json::{Value, json};

use crate::support::{code, letters};

const ORDER: &str = r#"{"type": "object", "required": ["order_id"], "properties": {"order_id": {"type": "integer", "minimum": 0}}}"#;

fn consumer(registry: &MemoryRegistry) -> Consumer {
    Consumer::builder()
        .schemas(registry.schemas())
        .topic(
            "orders",
            each(async |_: Option<Json<Value>>| {}).validate(true),
        )
        .on_failure(MemoryDestination::new())
        .build()
        .unwrap()
}

async fn run(registry: &MemoryRegistry, record: Sample) -> Invoked {
    invoke(&consumer(registry), Event::msk().record(record)).await
}

fn order(schema: &RegisteredSchema, value: &Value) -> Sample {
    Sample::new("orders", 0).framed_json(schema, value)
}

#[tokio::test(start_paused = true)]
async fn a_value_that_does_not_fit_its_schema_is_rejected_with_the_place_and_not_shown() {
    let registry = MemoryRegistry::new();
    let schema = registry.json_schema(ORDER);

    let fits = run(&registry, order(&schema, &json!({"order_id": 7}))).await;
    let misfit = run(&registry, order(&schema, &json!({"order_id": "hunter2"}))).await;

    assert_eq!(letters(&fits), "D");
    let problem = misfit.records()[0].problem.as_ref().unwrap();
    assert_eq!(problem.code, "reject.json_schema");
    let text = format!("does not fit schema {} at $.order_id: type", schema.id());
    assert!(problem.message.contains(&text), "{}", problem.message);
    assert!(!problem.message.contains("hunter"), "{}", problem.message);
}

#[tokio::test(start_paused = true)]
async fn a_schema_whose_regular_expression_gives_up_is_at_fault_and_not_the_value() {
    let registry = MemoryRegistry::new();
    let schema = registry.json_schema(r#"{"pattern": "^(?:a|aa)+(?<=b)$"}"#);

    let invoked = run(&registry, order(&schema, &json!("a".repeat(60)))).await;

    let problem = invoked.records()[0].problem.as_ref().unwrap();
    assert_eq!(problem.code, "reject.schema");
    assert!(
        problem.message.contains("at /pattern"),
        "{}",
        problem.message
    );
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_read_the_value_gets_valid_ones_only_too() {
    let registry = MemoryRegistry::new();
    let schema = registry.json_schema(ORDER);
    let handler = each(async |_: Record| {}).validate(true);
    let consumer = Consumer::builder().schemas(registry.schemas());
    let consumer = consumer
        .topic("orders", handler)
        .on_failure(MemoryDestination::new());
    let consumer = consumer.build().unwrap();
    let event = Event::msk().record(order(&schema, &json!({"order_id": -1})));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(code(&invoked, 0, 0), "reject.json_schema");
}

#[tokio::test(start_paused = true)]
async fn an_outage_fails_what_is_to_be_validated_and_rejects_nothing() {
    let registry = MemoryRegistry::new();
    let schema = registry.json_schema(ORDER);
    let consumer = consumer(&registry);
    let event = || {
        Event::msk()
            .record(order(&schema, &json!({"order_id": 7})))
            .build()
    };

    registry.go_down();
    let down = invoke(&consumer, event()).await;
    registry.come_up();
    let up = invoke(&consumer, event()).await;

    assert_eq!(code(&down, 0, 0), "schema.unavailable");
    assert_eq!(letters(&up), "D");
}

#[tokio::test(start_paused = true)]
async fn a_tombstone_is_not_validated_and_what_names_no_schema_is_rejected() {
    let registry = MemoryRegistry::new();
    let avro = registry.avro(r#""string""#);
    let plain = Sample::new("orders", 0).value(r#"{"order_id": 7}"#);
    let of_avro = Sample::new("orders", 0).framed_json(&avro, &json!({"order_id": 7}));
    let in_header = Sample::new("orders", 0).value(r#"{"order_id": -7}"#);
    registry.json_schema(ORDER);
    let in_header = in_header.header("__value_schema_id", [0, 0, 0, 0, 2]);

    assert_eq!(
        letters(&run(&registry, Sample::new("orders", 0)).await),
        "D"
    );
    for (record, expected) in [
        (plain.clone(), "reject.schema_framing"),
        (of_avro, "reject.schema_format"),
        (in_header, "reject.json_schema"),
    ] {
        assert_eq!(code(&run(&registry, record).await, 0, 0), expected);
    }
    let invoked = run(&registry, plain).await;
    let problem = &invoked.record("orders", 0, 0).problem;
    let message = &problem.as_ref().unwrap().message;
    assert!(message.contains("leave out `.validate(true)`"), "{message}");
}

#[test]
fn validation_without_a_registry_or_a_frame_is_a_fault() {
    let registry = MemoryRegistry::new();
    let validated = || each(async |_: Json<Value>| {}).validate(true);
    let without = Consumer::builder().topic("orders", validated()).build();
    let unframed = Consumer::builder().schemas(registry.schemas().framing(Framing::None));
    let unframed = unframed.topic("orders", validated()).build();

    for (built, cure) in [
        (without, "LAMBDA_MSK_SCHEMA_REGISTRY"),
        (unframed, "LAMBDA_MSK_SCHEMA_FRAMING"),
    ] {
        let error = built.unwrap_err().to_string();
        assert!(
            error.contains(".validate(true)") && error.contains(cure),
            "{error}"
        );
    }
}

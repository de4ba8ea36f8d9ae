//! Protobuf: a frame says which message a value is, and what cannot be told is rejected.

use lambda_msk::builder::Builder;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::extract::{Avro, Protobuf};
use lambda_msk::idempotency::PerRecord;
use lambda_msk::schemas::{Framing, RecordFormat, Schemas};
use lambda_msk::testing::{Event, Invoked, MemoryRegistry, Sample, invoke};
use lambda_msk::{Consumer, Key};
use prost::Message;

use crate::support::letters;

const FILE: &str = r#"
syntax = "proto3";
package shop;
message Cart { message Line { uint64 sku = 1; } uint64 id = 1; }
message Payment { uint64 amount_cents = 1; }
"#;

#[derive(Clone, PartialEq, Message)]
struct Payment {
    #[prost(uint64, tag = "1")]
    amount_cents: u64,
}

impl prost::Name for Payment {
    const NAME: &'static str = "Payment";
    const PACKAGE: &'static str = "shop";
}

#[derive(Clone, PartialEq, Message)]
struct Line {
    #[prost(uint64, tag = "1")]
    sku: u64,
}

impl prost::Name for Line {
    const NAME: &'static str = "Cart.Line";
    const PACKAGE: &'static str = "shop";
}

async fn paid(Protobuf(payment): Protobuf<Payment>) {
    assert_eq!(payment.amount_cents, 499);
}

/// The value `{amount_cents: 499}`.
fn payment() -> Vec<u8> {
    Payment { amount_cents: 499 }.encode_to_vec()
}

fn consumer(schemas: Schemas) -> Consumer {
    Consumer::builder()
        .schemas(schemas)
        .topic("payments", paid)
        .topic("lines", async |Protobuf(line): Protobuf<Line>| {
            assert_eq!(line.sku, 5);
        })
        .on_failure(MemoryDestination::new())
        .build()
        .unwrap()
}

fn problem(invoked: &Invoked) -> (&str, &str) {
    let problem = invoked.records()[0].problem.as_ref().unwrap();
    (&problem.code, &problem.message)
}

async fn run(schemas: Schemas, record: Sample) -> Invoked {
    invoke(&consumer(schemas), Event::msk().record(record)).await
}

#[tokio::test(start_paused = true)]
async fn a_message_is_known_by_its_indexes_nested_ones_too() {
    let registry = MemoryRegistry::new();
    let schema = registry.protobuf(FILE);
    let payment = Payment { amount_cents: 499 };

    for record in [
        Sample::new("payments", 0).protobuf(&schema, &payment),
        Sample::new("lines", 0).protobuf(&schema, &Line { sku: 5 }),
    ] {
        let invoked = run(registry.schemas(), record.clone()).await;
        assert_eq!(letters(&invoked), "D");
        // Without a registry nobody looks at the names.
        let invoked = run(Schemas::none(), record).await;
        assert_eq!(letters(&invoked), "D");
    }
}

#[tokio::test(start_paused = true)]
async fn another_message_is_rejected_with_both_names() {
    let registry = MemoryRegistry::new();
    let schema = registry.protobuf(FILE);
    let record = Sample::new("payments", 0).protobuf(&schema, &Line { sku: 5 });

    let invoked = run(registry.schemas(), record).await;

    let (code, message) = problem(&invoked);
    assert_eq!(code, "reject.protobuf");
    assert!(
        message.contains("`shop.Payment`") && message.contains("`shop.Cart.Line`"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn with_the_id_in_a_header_the_indexes_stand_there_too() {
    let registry = MemoryRegistry::new();
    registry.protobuf(FILE);
    let record = |indexes: &[u8]| {
        let header = [&[0, 0, 0, 0, 1][..], indexes].concat();
        let record = Sample::new("payments", 0).value(payment());
        record.header("__value_schema_id", header)
    };

    let invoked = run(registry.schemas(), record(&[2, 2])).await;
    let other = run(registry.schemas(), record(&[0])).await;

    assert_eq!(letters(&invoked), "D");
    assert!(
        problem(&other).1.contains("`shop.Cart`"),
        "{:?}",
        problem(&other)
    );
}

#[tokio::test(start_paused = true)]
async fn behind_glues_frame_a_place_among_all_names_tells_the_message() {
    // Without a registry: shop.Cart, shop.Cart.Line, shop.Payment.
    let frame = [&[3, 0][..], &[7; 16], &[2]].concat();
    let value = [frame, payment()].concat();

    let invoked = run(Schemas::none(), Sample::new("payments", 0).value(value)).await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn the_mapping_leaves_glues_place_too_and_its_id_tells_it() {
    let id = "07070707-0707-0707-0707-070707070707";
    let value = [vec![2], payment()].concat();
    let record = Sample::new("payments", 0).value(value);

    let invoked = run(Schemas::none(), record.value_schema("PROTOBUF", id)).await;

    assert_eq!(letters(&invoked), "D");
}

#[tokio::test(start_paused = true)]
async fn indexes_that_name_two_messages_are_rejected_with_both() {
    let registry = MemoryRegistry::new();
    let file = r#"syntax = "proto3"; package shop;
        message Cart { map<string, int32> notes = 1; message A { uint64 x = 1; } message Line { uint64 sku = 1; } }"#;
    registry.protobuf(file);
    // Most serializers mean A by this, and Java's means Line.
    let value = [&[0, 0, 0, 0, 1, 4, 0, 2][..], &[8, 5]].concat();

    let invoked = run(registry.schemas(), Sample::new("lines", 0).value(value)).await;

    let (code, message) = problem(&invoked);
    assert_eq!(code, "reject.protobuf");
    assert!(
        message.contains("`shop.Cart.A` or `shop.Cart.Line`"),
        "{message}"
    );
}

/// A value of which the mapping says that it is Protobuf by the schema 1.
fn from_mapping(value: Vec<u8>) -> Sample {
    let record = Sample::new("payments", 0).value(value);
    record.value_schema("PROTOBUF", "1")
}

#[tokio::test(start_paused = true)]
async fn indexes_that_the_mapping_has_left_are_known_by_a_first_byte_below_8() {
    let registry = MemoryRegistry::new();
    registry.protobuf(FILE);
    let with_indexes = [vec![2, 2], payment()].concat();

    for value in [with_indexes, payment()] {
        let invoked = run(registry.schemas(), from_mapping(value)).await;
        assert_eq!(letters(&invoked), "D");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_be_indexes_or_a_field_is_told_by_the_schema_and_else_rejected() {
    let registry = MemoryRegistry::new();
    registry.protobuf(FILE);
    // Field 1 is 2, field 1 is 2, and so on: as indexes, a message four levels down.
    let value = || vec![8, 2, 8, 2, 8, 0xF2, 0x03, 8, 0xF3, 0x03];

    let told = run(registry.schemas(), from_mapping(value())).await;
    let untold = run(Schemas::none(), from_mapping(value())).await;
    let plain = Schemas::none().framing(Framing::None);
    let plain = run(plain, from_mapping(value())).await;

    assert_eq!(letters(&told), "D");
    let (code, message) = problem(&untold);
    assert_eq!(code, "reject.protobuf");
    assert!(message.contains("LAMBDA_MSK_SCHEMA_REGISTRY"), "{message}");
    assert_eq!(letters(&plain), "D");
}

#[tokio::test(start_paused = true)]
async fn a_message_with_a_frame_where_none_is_expected_is_named_with_the_cure() {
    let value = [&[0, 0, 0, 0, 1, 0][..], &[8, 0xF3, 3]].concat();
    let schemas = Schemas::none().framing(Framing::None);

    let invoked = run(schemas, Sample::new("payments", 0).value(value)).await;

    let (code, message) = problem(&invoked);
    assert_eq!(code, "reject.protobuf");
    assert!(
        message.contains("set LAMBDA_MSK_SCHEMA_FRAMING=auto"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn json_that_the_mapping_has_made_is_rejected_with_what_to_take() {
    let schemas = Schemas::none().record_format(RecordFormat::Json);

    let invoked = run(schemas, from_mapping(b"{}".to_vec())).await;

    let (code, message) = problem(&invoked);
    assert_eq!(code, "reject.protobuf");
    assert!(message.contains("take `Json<_>`"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn what_the_mapping_says_is_of_another_format_is_rejected_and_not_read_as_zeros() {
    let registry = MemoryRegistry::new();
    registry.protobuf(FILE);
    // An order in Avro, which decodes as a message of unknown fields.
    let value = b"\x7a\x06\x63\x2d\x31\xc8\x01\x06\x45\x55\x52\x00\x02".to_vec();
    let record = |format| {
        let record = Sample::new("payments", 0).value(value.clone());
        record.value_schema(format, "1")
    };

    for schemas in [
        Schemas::none(),
        Schemas::none().framing(Framing::None),
        registry.schemas(),
    ] {
        for format in ["AVRO", "JSON"] {
            let invoked = run(schemas.clone(), record(format)).await;
            let (code, message) = problem(&invoked);
            assert_eq!(code, "reject.schema_format");
            assert!(message.starts_with("expected Protobuf in the value, found"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_message_are_rejected_and_not_shown() {
    let value = [&[0, 0, 0, 0, 1, 0][..], b"\x08\xF3\x03\x12\x90hunter2"].concat();

    let invoked = run(Schemas::none(), Sample::new("payments", 0).value(value)).await;

    let (code, message) = problem(&invoked);
    assert_eq!(code, "reject.protobuf");
    assert!(!message.contains("hunter"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_key_may_be_a_message() {
    let registry = MemoryRegistry::new();
    let schema = registry.protobuf(FILE);
    let handler = async |Key(Protobuf(line)): Key<Protobuf<Line>>| assert_eq!(line.sku, 5);
    let consumer = Consumer::builder().schemas(registry.schemas());
    let consumer = consumer.topic("lines", handler).build().unwrap();
    let event =
        Event::msk().record(Sample::new("lines", 0).protobuf_key(&schema, &Line { sku: 5 }));

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "D");
}

fn fault(builder: Builder<()>) -> String {
    builder.build().unwrap_err().to_string()
}

#[test]
fn two_formats_of_one_part_are_a_fault_of_the_route() {
    let both = async |_: Protobuf<Payment>, _: Avro<u64>| {};
    let parts = async |_: Protobuf<Payment>, _: Key<Avro<u64>>| {};
    let registry = MemoryRegistry::new();
    let builder = || Consumer::builder().schemas(registry.schemas());

    let said = fault(builder().topic("payments", both));

    assert!(said.contains(".topic(\"payments\", …)"), "{said}");
    assert!(
        said.contains("the value as `Protobuf<_>` and as `Avro<_>`"),
        "{said}"
    );
    assert!(builder().topic("payments", parts).build().is_ok());
}

#[test]
fn keys_that_are_parts_of_json_are_a_fault_of_a_route_without_json() {
    let registry = MemoryRegistry::new();
    let builder = |schemas: Schemas, per_record: PerRecord| {
        let builder = Consumer::builder().schemas(schemas).topic("payments", paid);
        builder
            .topic("plain", async |_: Key<String>| {})
            .per_record(per_record)
    };
    let by_json = || PerRecord::by_json(["/order_id"]);
    let by_fields = PerRecord::by_key().validate_fields(["/amount"]);

    for (per_record, method) in [(by_json(), "by_json"), (by_fields, "validate_fields")] {
        let said = fault(builder(registry.schemas(), per_record));
        assert!(
            said.contains(method) && said.contains("`Protobuf<_>`"),
            "{said}"
        );
        assert!(
            said.contains("payments") && !said.contains("plain"),
            "{said}"
        );
    }
    assert!(
        builder(registry.schemas(), PerRecord::by_key())
            .build()
            .is_ok()
    );
    // There the mapping makes JSON of it.
    let json = registry.schemas().record_format(RecordFormat::Json);
    assert!(builder(json, by_json()).build().is_ok());
}

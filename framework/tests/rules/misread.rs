//! What a typed payload is, where it is not what the handler takes: named with the cure, and credentials that go to their own registry only.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::Duration;

use lambda_msk::destination::MemoryDestination;
use lambda_msk::extract::{Avro, Protobuf};
use lambda_msk::schemas::{Framing, Schemas};
use lambda_msk::testing::{Event, Invoke, Sample, invoke};
use lambda_msk::{Consumer, Json, Key, each};
use prost::Message;

use crate::support::Lines;

const LONG: &str = r#""long""#;

#[derive(Clone, PartialEq, Message)]
struct Payment {
    #[prost(uint64, tag = "1")]
    cents: u64,
}

impl prost::Name for Payment {
    const NAME: &'static str = "Payment";
    const PACKAGE: &'static str = "shop";
}

/// Why a value is rejected as Avro, as Protobuf and as JSON.
async fn said(framing: Framing, value: &[u8], format: Option<&str>) -> [String; 3] {
    let consumer = Consumer::builder()
        .schemas(Schemas::none().framing(framing))
        .topic("avro", each(async |_: Avro<i64>| {}).reader_schema(LONG))
        .topic("protobuf", async |_: Protobuf<Payment>| {})
        .topic("json", async |_: Json<u64>| {})
        .on_failure(MemoryDestination::new());
    let consumer = consumer.build().unwrap();
    let topics = ["avro", "protobuf", "json"];
    let records = topics.map(|topic| {
        let record = Sample::new(topic, 0).value(value);
        match format {
            Some(format) => record.value_schema(format, "7"),
            None => record,
        }
    });
    let invoked = invoke(&consumer, Event::msk().records(records)).await;
    topics.map(|topic| {
        let problem = &invoked.record(topic, 0, 0).problem;
        let problem = problem.as_ref().map(|problem| problem.message.clone());
        problem.unwrap_or_default()
    })
}

#[track_caller]
fn assert_has(message: &str, part: &str) {
    assert!(message.contains(part), "expected `{part}` in: {message}");
}

#[tokio::test(start_paused = true)]
async fn json_that_the_mapping_made_is_named_where_the_function_was_not_told() {
    let json = br#"{"cents": 12}"#;

    let [avro, _, _] = said(Framing::Auto, json, Some("AVRO")).await;
    let [_, protobuf, _] = said(Framing::Auto, json, Some("PROTOBUF")).await;

    assert_has(&avro, "it is JSON");
    assert_has(&avro, "set LAMBDA_MSK_SCHEMA_FORMAT=json");
    assert_has(&protobuf, "found JSON: take `Json<_>`");
}

#[tokio::test(start_paused = true)]
async fn a_schema_that_was_not_looked_up_is_named_where_its_value_does_not_fit() {
    let [avro, _, _] = said(Framing::Auto, b"\0\0\0\0\x09\xff", None).await;

    assert_has(&avro, "its schema 9 was not looked up");
    assert_has(&avro, "set LAMBDA_MSK_SCHEMA_REGISTRY");
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_the_other_kind_is_named_with_the_framing_to_set() {
    let glue = [&[3, 0][..], &[7; 16], &[2]].concat();

    let [of_glue, _, _] = said(Framing::Confluent, &glue, None).await;
    let [of_confluent, _, _] = said(Framing::Glue, b"\0\0\0\0\x09\x02", None).await;

    assert_has(
        &of_glue,
        "found AWS Glue's frame: set LAMBDA_MSK_SCHEMA_FRAMING to auto or glue",
    );
    assert_has(
        &of_confluent,
        "found Confluent's frame: set LAMBDA_MSK_SCHEMA_FRAMING to auto or confluent",
    );
}

#[tokio::test(start_paused = true)]
async fn json_on_a_topic_of_avro_and_avro_on_a_topic_of_json_say_what_to_take() {
    let [avro, protobuf, _] = said(Framing::Auto, b"12", None).await;
    let [_, _, json] = said(Framing::Auto, b"\0\0\0\0\x09\x02\x04", None).await;

    assert_has(&avro, "found JSON without a frame: take `Json<_>`");
    assert_has(&protobuf, "found JSON without a frame: take `Json<_>`");
    assert_has(&json, "behind a schema registry's frame");
    assert_has(&json, "take `Avro<_>` or `Protobuf<_>`");
}

#[test]
fn a_readers_schema_of_the_other_part_is_a_fault_that_names_its_method() {
    let keys = each(async |_: Key<Avro<i64>>| {}).reader_schema(LONG);

    let error = Consumer::builder().topic("orders", keys).build();

    assert_has(
        &error.unwrap_err().to_string(),
        "the schema of its key is `.key_reader_schema(…)`",
    );
}

#[test]
fn a_place_that_only_the_command_reads_is_no_user_and_password() {
    for place in ["@env:PLACE", "@file:PLACE"] {
        let builder = Consumer::builder().topic("orders", async || {});
        let built = builder
            .from_vars([("LAMBDA_MSK_SCHEMA_REGISTRY_AUTH", place)])
            .build();

        let error = built.unwrap_err().to_string();
        assert_has(&error, "is read by `cargo msk` alone");
        assert!(!error.contains("PLACE"), "{error}");
    }
}

/// The first request that a registry gets: its head.
fn first_request(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut head = String::new();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).unwrap() > 0 {}
    let answer =
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).unwrap();
    head.to_lowercase()
}

#[tokio::test]
async fn credentials_in_code_go_to_the_registry_in_code_only() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let request = tokio::task::spawn_blocking(move || first_request(&listener));
    let own = Schemas::confluent("https://registry.example").basic_auth("orders", "s3cret");
    let consumer = Consumer::builder()
        .schemas(own)
        .topic("orders", async |_: Avro<i64>| {})
        .from_vars([("LAMBDA_MSK_SCHEMA_REGISTRY", url.as_str())]);
    let event = Event::msk().record(Sample::new("orders", 0).value(b"\0\0\0\0\x09\x02"));

    let invocation = Invoke::new(event).time_given(Duration::from_secs(30));
    let invoked = invocation.run(&consumer.build().unwrap()).await;

    let head = request.await.unwrap();
    assert_has(&head, "get /schemas/ids/9");
    assert!(!head.contains("authorization"), "{head}");
    let problem = &invoked.record("orders", 0, 0).problem;
    assert_eq!(problem.as_ref().unwrap().code, "schema.unavailable");
}

/// What the start warns of credentials, with those in code, if any, and these variables.
fn warned(code: Option<&str>, variables: &[(&str, &str)]) -> [usize; 2] {
    let lines = Lines::default();
    let _guard = lines.listen();
    let builder = Consumer::builder().topic("orders", async || {});
    let builder = match code {
        Some(url) => builder.schemas(Schemas::confluent(url).basic_auth("orders", "s3cret")),
        None => builder,
    };
    let variables = variables
        .iter()
        .map(|(name, value)| (format!("LAMBDA_MSK_{name}"), *value));
    builder.from_vars(variables).build().unwrap().log_start();
    assert!(!lines.text().contains("s3cret"));
    [
        "the credentials in code are not sent",
        "credentials for a schema registry are set, but",
    ]
    .map(|message| lines.of(message).len())
}

#[test]
fn credentials_that_go_nowhere_are_warned_of() {
    let (own, other) = ("https://registry.example", "https://other.example");
    let registry = |url| ("SCHEMA_REGISTRY", url);
    let auth = ("SCHEMA_REGISTRY_AUTH", "a:b");

    assert_eq!(warned(Some(own), &[registry(other)]), [1, 0]);
    assert_eq!(warned(None, &[auth]), [0, 1]);
    for (code, variables) in [
        (Some(own), &[][..]),
        (Some(own), &[registry("https://registry.example/")]),
        (Some(own), &[registry("none")]),
        (Some(own), &[registry(other), auth]),
        (None, &[registry(other), auth]),
    ] {
        assert_eq!(warned(code, variables), [0, 0], "{code:?} {variables:?}");
    }
}

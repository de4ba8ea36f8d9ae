//! The real binary over the Runtime API, with events of both sources.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_msk::testing::{Event, Sample};
use msk_mapping::{Ending, Environment, Function, Invocation, Logs};
use serde_json::{Value, json};

/// The time that the function has for an event.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The topic of Kafka's events.
const TOPIC: &str = "orders";

/// The function, and the lines that it logs.
fn function() -> (Environment, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let function =
        Function::new(env!("CARGO_BIN_EXE_two-sources")).logs(Logs::lines(move |line| {
            sink.lock().unwrap().push(line.text);
        }));
    (Environment::new(function), lines)
}

/// The lines whose message begins so.
fn said(lines: &Mutex<Vec<String>>, message: &str) -> Vec<Value> {
    let lines = lines.lock().unwrap();
    let line = |line: &String| serde_json::from_str::<Value>(line).ok();
    let begins = |line: &Value| {
        let said = line["message"].as_str();
        said.is_some_and(|said| said.starts_with(message))
    };
    lines.iter().filter_map(line).filter(begins).collect()
}

async fn deliver(function: &mut Environment, event: impl Into<Vec<u8>>) -> Ending {
    let invocation = Invocation::new(event.into(), TIMEOUT);
    function.invoke(&invocation).await.unwrap().ending
}

fn answer(ending: &Ending) -> Value {
    match ending {
        Ending::Response(body) => serde_json::from_slice(body).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Three orders of each of two partitions; the second one of the first partition is no order.
fn kafka() -> String {
    let order = |partition, value: &str| Sample::new(TOPIC, partition).value(value);
    let good = r#"{"order_id":7,"amount_cents":4999}"#;
    let first = [good, "poison", good].map(|value| order(0, value));
    let other = [good; 3].map(|value| order(1, value));
    Event::msk().records(first).records(other).to_json()
}

/// Three messages: a good order, one that is no order, one without a price.
fn sqs() -> String {
    let message =
        |id: &str, body: &str| json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    json!({"Records": [
        message("m-1", r#"{"order_id":7,"amount_cents":4999}"#),
        message("m-2", "poison"),
        message("m-3", r#"{"order_id":8,"amount_cents":0}"#),
    ]})
    .to_string()
}

#[tokio::test]
async fn each_source_gets_its_own_partial_answer_from_one_process() {
    let (mut function, _) = function();

    let kafka = deliver(&mut function, kafka()).await;
    let sqs = deliver(&mut function, sqs()).await;
    function.stop().await;

    let listed =
        |offset| json!({"itemIdentifier": {"partition": format!("{TOPIC}-0"), "offset": offset}});
    assert_eq!(
        answer(&kafka),
        json!({"batchItemFailures": [listed(1), listed(2)]})
    );
    assert_eq!(
        answer(&sqs),
        json!({"batchItemFailures": [{"itemIdentifier": "m-2"}, {"itemIdentifier": "m-3"}]})
    );
}

#[tokio::test]
async fn whole_events_as_lambda_sends_them_are_all_done() {
    let (mut function, _) = function();

    for name in ["kafka.json", "sqs.json"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
        let event = std::fs::read(path.join(name)).unwrap();
        let ending = deliver(&mut function, event).await;
        assert_eq!(answer(&ending), json!({"batchItemFailures": []}), "{name}");
    }
    function.stop().await;
}

#[tokio::test]
async fn the_functions_own_layer_is_around_both_sources() {
    let (mut function, lines) = function();

    deliver(&mut function, kafka()).await;
    deliver(&mut function, sqs()).await;
    function.stop().await;

    let sources: Vec<Value> = said(&lines, "event answered")
        .iter()
        .map(|line| line["source"].clone())
        .collect();
    assert_eq!(sources, ["kafka", "sqs"]);
}

#[tokio::test]
async fn the_consumer_knows_the_invocations_id_and_deadline() {
    let (mut function, lines) = function();

    deliver(&mut function, kafka()).await;
    function.stop().await;

    let ended = said(&lines, "batch ended");
    assert_ne!(ended[0]["request_id"], "", "{ended:?}");
    assert!(said(&lines, "the deadline is missing").is_empty());
    assert_eq!(said(&lines, "consumer started").len(), 1);
}

#[tokio::test]
async fn an_event_of_neither_source_is_refused_with_the_consumers_own_code() {
    let (mut function, _) = function();

    let ending = deliver(&mut function, r#"{"detail-type":"Scheduled Event"}"#).await;
    function.stop().await;

    let Ending::FunctionError(error) = ending else {
        panic!("{ending:?}");
    };
    assert_eq!(error.error_type, "event.not_kafka");
}

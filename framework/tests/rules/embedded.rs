//! A consumer in a service that is not the framework's: what it is given with an event, and what it does without.

use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::limits::DEADLINE_AHEAD_MS_MAX;
use lambda_msk::record::{Batch, NewRecord, TimestampType};
use lambda_msk::testing::{Event, Sample};
use lambda_msk::{
    Consumer, Deadline, Failure, FailureReporting, IdempotencyKey, Invocation, Json,
    ProcessingOrder, Record, RequestId, State,
};
use serde_json::Value;
use tokio::time::{Instant, advance, sleep};

use crate::shared_store::Shared;
use crate::support::{Journal, Lines, answer, letters, orders};

/// Takes so many milliseconds.
async fn ship(Json(millis): Json<u64>) {
    sleep(Duration::from_millis(millis)).await;
}

fn consumer() -> Builder<()> {
    Consumer::builder()
        .topic("orders", ship)
        .failure_reporting(FailureReporting::Partial)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a consumer says of one invocation, and its answer.
async fn said(consumer: &Consumer, invocation: Invocation) -> Lines {
    let lines = Lines::default();
    let _guard = lines.listen();
    consumer.invoke(invocation).await.into_response().unwrap();
    lines
}

#[tokio::test(start_paused = true)]
async fn a_handler_sees_what_the_invocation_was_given() {
    async fn note(
        RequestId(request_id): RequestId,
        key: IdempotencyKey,
        deadline: Deadline,
        State(journal): State<Journal>,
    ) {
        let namespace = key.as_str().split('/').next().unwrap().to_owned();
        let left = deadline.time_left();
        journal.write(format!("{request_id} {namespace} {left:?}"));
    }
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic("orders", note)
        .build()
        .unwrap();
    let invocation = Invocation::new(orders([(0, "1")]))
        .request_id("8476a536")
        .function_name("shipping")
        .deadline(Instant::now() + secs(7));

    let invoked = consumer.invoke(invocation).await;

    assert_eq!(letters(&invoked), "D");
    assert_eq!(journal.lines(), ["8476a536 shipping Some(7s)"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_bears_request_id_and_function_arn_of_the_invocation() {
    let letters = MemoryDestination::new();
    let consumer = consumer().on_failure(letters.clone()).build().unwrap();
    let invocation = Invocation::new(orders([(0, "?")]))
        .request_id("8476a536")
        .function_arn("arn:aws:lambda:eu-west-1:123456789012:function:shipping");

    consumer.invoke(invocation).await.into_response().unwrap();

    let envelope: Value = serde_json::from_str(&letters.letters()[0].envelope()).unwrap();
    let context = &envelope["requestContext"];
    assert_eq!(context["requestId"], "8476a536");
    assert_eq!(
        context["functionArn"],
        "arn:aws:lambda:eu-west-1:123456789012:function:shipping"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deadline_on_tokios_clock_drops_what_still_runs_at_its_margin() {
    let consumer = consumer().build().unwrap();
    let event = orders([(0, "1"), (0, "3600000"), (1, "5")]);
    let invocation = Invocation::new(event).deadline(Instant::now() + secs(10));

    let invoked = consumer.invoke(invocation).await;

    assert_eq!(letters(&invoked), "DFD");
    assert_eq!(invoked.elapsed(), Duration::from_millis(9_500));
}

#[tokio::test(start_paused = true)]
async fn once_the_deadline_on_tokios_clock_has_passed_nothing_is_started() {
    let consumer = consumer().build().unwrap();
    let invocation = Invocation::new(orders([(0, "1"), (1, "1")])).deadline(Instant::now());
    advance(secs(1)).await;

    let invoked = consumer.invoke(invocation).await;

    assert_eq!(letters(&invoked), "UU");
    let listed = |partition| {
        format!(r#"{{"itemIdentifier":{{"partition":"orders-{partition}","offset":0}}}}"#)
    };
    let both = format!(r#"{{"batchItemFailures":[{},{}]}}"#, listed(0), listed(1));
    assert_eq!(answer(&invoked), both);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_on_tokios_clock_further_ahead_than_functions_run_is_none() {
    let consumer = consumer().build().unwrap();
    let furthest = Duration::from_millis(DEADLINE_AHEAD_MS_MAX);
    let until = |ahead| Invocation::new(orders([(0, "1")])).deadline(Instant::now() + ahead);

    let believed = said(&consumer, until(furthest)).await;
    let beyond = said(&consumer, until(furthest + Duration::from_millis(1))).await;

    assert!(believed.of("the deadline is missing").is_empty());
    assert_eq!(beyond.of("the deadline is missing").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_name_and_with_a_store_of_many_processes_a_warning_says_so_once() {
    let unnamed = || Invocation::new(orders([(0, "1")]));
    let warning = "neither a function name nor a namespace";
    let stored = || consumer().idempotency(Shared::default());
    let consumer = stored().build().unwrap();

    let first = said(&consumer, unnamed()).await;
    let second = said(&consumer, unnamed()).await;

    assert_eq!(first.of(warning).len(), 1, "{}", first.text());
    assert_eq!(first.of(warning)[0]["namespace"], "lambda-msk");
    assert!(second.of(warning).is_empty(), "{}", second.text());
    let named = stored().build().unwrap();
    let named = said(&named, unnamed().function_name("shipping")).await;
    assert!(named.of(warning).is_empty(), "{}", named.text());
    let spaced = stored().namespace("shipping").build().unwrap();
    let spaced = said(&spaced, unnamed()).await;
    assert!(spaced.of(warning).is_empty(), "{}", spaced.text());
    let own = self::consumer().build().unwrap();
    let own = said(&own, unnamed()).await;
    assert!(own.of(warning).is_empty(), "{}", own.text());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_has_an_error_and_no_records() {
    let consumer = consumer().build().unwrap();

    let invoked = consumer.invoke(Invocation::new("hunter2")).await;

    assert_eq!(invoked.records().len(), 0);
    assert_eq!(
        invoked.into_response().unwrap_err().code(),
        "event.not_json"
    );
}

#[tokio::test(start_paused = true)]
async fn the_start_is_logged_when_it_is_asked_for() {
    let consumer = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    consumer.log_start();

    let started = lines.of("consumer started");
    assert_eq!(started.len(), 1);
    assert_eq!(started[0]["topics"], "orders");
}

#[tokio::test(start_paused = true)]
async fn invocations_may_overlap_in_tasks_of_their_own() {
    let consumer = consumer().build().unwrap();
    let begun = Instant::now();
    let invoke = |partition| {
        let consumer = consumer.clone();
        let event = orders([(partition, "1000")]);
        tokio::spawn(async move { consumer.invoke(Invocation::new(event)).await })
    };

    let (one, other) = tokio::join!(invoke(0), invoke(1));

    assert_eq!(
        [one, other].map(|ended| letters(&ended.unwrap())),
        ["D", "D"]
    );
    assert_eq!(begun.elapsed(), secs(1));
}

#[test]
fn the_debug_form_of_an_invocation_shows_no_byte_of_its_event() {
    let event = Event::from("hunter2");

    let shown = format!("{:?}", Invocation::new(event).request_id("8476a536"));

    assert!(shown.contains("event_bytes: 7"), "{shown}");
    assert!(shown.contains("8476a536"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// The same two records as Lambda's event and as a batch of somebody who has read them himself.
fn both_ways() -> (Invocation, Invocation) {
    let event = Event::msk()
        .record(
            Sample::new("orders", 3)
                .offset(15)
                .timestamp(1_000)
                .key([0xFF])
                .value("7")
                .header("trace", [1, 200])
                .null_header("trace"),
        )
        .record(Sample::new("orders", 3).offset(17).timestamp(1_000));
    let records = event.build().records().unwrap();
    let batch = Batch::builder(records[0].event_source().clone())
        .record(
            NewRecord::new("orders", 3, 15)
                .timestamp(1_000, TimestampType::CreateTime)
                .key(&[0xFF][..])
                .value(&b"7"[..])
                .header("trace", &[1, 200][..])
                .header("trace", None),
        )
        .and_then(|batch| {
            batch
                .record(NewRecord::new("orders", 3, 17).timestamp(1_000, TimestampType::CreateTime))
        })
        .unwrap()
        .build();
    (Invocation::new(event), Invocation::of(batch))
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_an_event_is_processed_as_its_event_is() {
    for order in [ProcessingOrder::Partition, ProcessingOrder::Key] {
        let (event, batch) = both_ways();
        let mut seen = Vec::new();
        for invocation in [event, batch] {
            let journal = Journal::default();
            let destination = MemoryDestination::new();
            let note =
                async |record: Record, Json(_): Json<u64>, State(journal): State<Journal>| {
                    let (key, value) = (record.key().map(<[u8]>::to_vec), record.value());
                    let headers: Vec<_> = record
                        .headers()
                        .iter()
                        .map(|(name, value)| format!("{name} {value:?}"))
                        .collect();
                    journal.write(format!(
                        "{record} {key:?} {value:?} {headers:?} {:?}",
                        record.timestamp()
                    ));
                };
            let consumer = Consumer::builder()
                .state(journal.clone())
                .topic("orders", note)
                .order(order)
                .on_failure(destination.clone())
                .build()
                .unwrap();

            let invoked = consumer.invoke(invocation.request_id("r-1")).await;

            assert_eq!(letters(&invoked), "DR");
            let letter = destination.letters()[0].envelope();
            let mut letter: Value = serde_json::from_str(&letter).unwrap();
            letter["timestamp"] = Value::Null;
            seen.push((journal.lines(), letter, invoked.into_response().unwrap()));
        }
        assert_eq!(seen[0].0.len(), 1);
        assert_eq!(seen[0], seen[1], "{order:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_letter_of_a_batch_without_an_event_can_be_fed_back() {
    let (_, batch) = both_ways();
    let destination = MemoryDestination::new();
    let refuse = async || Err::<(), _>(Failure::reject("no"));
    let consumer = |topic| {
        Consumer::builder()
            .topic(topic, refuse)
            .on_failure(destination.clone())
            .build()
            .unwrap()
    };
    let _ = consumer("orders").invoke(batch).await;

    let letter: Value = serde_json::from_str(&destination.letters()[0].envelope()).unwrap();
    let again = Event::from(letter["payload"].to_string())
        .records()
        .unwrap();

    let (event, _) = both_ways();
    let _ = consumer("orders").invoke(event).await;
    let first = destination.letters()[2].record().clone();
    assert_eq!(again[0].to_string(), "orders-3@15");
    assert_eq!(
        (again[0].key(), again[0].value()),
        (first.key(), first.value())
    );
    assert_eq!(
        format!("{:?}", again[0].headers()),
        format!("{:?}", first.headers())
    );
    assert_eq!(again[0].header("trace"), None);
    assert_eq!(
        again[0].headers().get_all("trace").next().unwrap(),
        Some(&[1, 200][..])
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_done_of_an_event_is_skipped_in_a_batch_without_one() {
    let consumer = Consumer::builder()
        .topic("orders", async || {})
        .build()
        .unwrap();
    let (event, batch) = both_ways();

    let first = consumer.invoke(event).await;
    let second = consumer.invoke(batch).await;

    assert_eq!(letters(&first), "DD");
    assert_eq!(letters(&second), "SS");
}

//! A consumer in a service that is not the framework's: what it is given with an event, and what it does without.

use std::time::Duration;

use lambda_msk::limits::DEADLINE_AHEAD_MS_MAX;
use lambda_msk::testing::Event;
use lambda_msk::{
    Builder, Consumer, Deadline, FailureReporting, IdempotencyKey, Invocation, Json,
    MemoryDestination, RequestId, State,
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
    let warning = "neither a function's name nor a namespace";
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

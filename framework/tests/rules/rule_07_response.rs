//! The response: whole batch makes an error of any record that is not done; partial lists each such record, in event order, and no other.

use lambda_msk::builder::Builder;
use lambda_msk::testing::{Event, EventBuilder, Sample, invoke};
use lambda_msk::{
    Consumer, Error, Failure, FailureReporting, Json, ProcessingOrder, Record, State,
};

use crate::support::{Journal, answer, letters, orders};

async fn ship(Json(order): Json<u64>) -> Result<(), Failure> {
    if order == 0 {
        return Err(Failure::retry("inventory is down"));
    }
    Ok(())
}

fn consumer() -> Builder<()> {
    Consumer::builder().topic("orders", ship).attempts(1)
}

#[tokio::test(start_paused = true)]
async fn whole_batch_is_the_default_and_makes_the_invocation_an_error() {
    let consumer = consumer().build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "0"), (0, "1")])).await;

    let error = invoked.response().unwrap_err();
    assert!(matches!(error, Error::Incomplete(_)), "{error}");
    assert_eq!(error.code(), "batch.incomplete");
    assert_eq!(
        error.to_string(),
        "1 failed and 1 unreached of 3 records; the first is orders-0@1 (handler.failed): Lambda redelivers the whole batch"
    );
}

#[tokio::test(start_paused = true)]
async fn whole_batch_answers_with_an_empty_list_when_all_is_done() {
    let consumer = consumer().build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1")])).await;

    assert_eq!(answer(&invoked), r#"{"batchItemFailures":[]}"#);
}

#[tokio::test(start_paused = true)]
async fn partial_lists_every_failed_and_unreached_record_in_event_order() {
    let consumer = consumer()
        .failure_reporting(FailureReporting::Partial)
        .build()
        .unwrap();

    let invoked = invoke(
        &consumer,
        orders([(1, "1"), (1, "0"), (1, "1"), (0, "0"), (0, "1"), (2, "1")]),
    )
    .await;

    assert_eq!(letters(&invoked), "DFUFUD");
    assert_eq!(
        answer(&invoked),
        concat!(
            r#"{"batchItemFailures":["#,
            r#"{"itemIdentifier":{"partition":"orders-1","offset":1}},"#,
            r#"{"itemIdentifier":{"partition":"orders-1","offset":2}},"#,
            r#"{"itemIdentifier":{"partition":"orders-0","offset":0}},"#,
            r#"{"itemIdentifier":{"partition":"orders-0","offset":1}}"#,
            r#"]}"#
        )
    );
}

#[tokio::test(start_paused = true)]
async fn partial_answers_with_an_empty_list_when_all_is_done() {
    let consumer = consumer()
        .failure_reporting(FailureReporting::Partial)
        .build()
        .unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (1, "1")])).await;

    assert_eq!(answer(&invoked), r#"{"batchItemFailures":[]}"#);
}

#[tokio::test(start_paused = true)]
async fn partial_in_key_order_lists_the_failed_keys_alone() {
    let consumer = consumer()
        .failure_reporting(FailureReporting::Partial)
        .order(ProcessingOrder::Key)
        .build()
        .unwrap();
    let event = [("x", "0"), ("y", "1"), ("x", "1")]
        .into_iter()
        .map(|(key, value)| Sample::new("orders", 0).key(key).value(value))
        .fold(Event::msk(), EventBuilder::record);

    let invoked = invoke(&consumer, event).await;

    assert_eq!(
        answer(&invoked),
        concat!(
            r#"{"batchItemFailures":["#,
            r#"{"itemIdentifier":{"partition":"orders-0","offset":0}},"#,
            r#"{"itemIdentifier":{"partition":"orders-0","offset":2}}"#,
            r#"]}"#
        )
    );
}

#[tokio::test(start_paused = true)]
async fn the_maps_key_is_echoed_verbatim() {
    let consumer = Consumer::builder()
        .fallback(async || Err::<(), _>("down"))
        .failure_reporting(FailureReporting::Partial)
        .attempts(1)
        .build()
        .unwrap();
    let event = r#"{"eventSource":"aws:kafka","records":{"an opaque \"key\"":[{"topic":"my-topic.v1","partition":3,"offset":9007199254740993,"timestamp":1,"timestampType":"CREATE_TIME"}]}}"#;

    let invoked = invoke(&consumer, event).await;

    assert_eq!(
        answer(&invoked),
        r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"an opaque \"key\"","offset":9007199254740993}}]}"#
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_without_records_is_a_success_with_nothing_to_do() {
    let consumer = consumer().build().unwrap();

    for records in [
        "",
        r#","records":null"#,
        r#","records":{}"#,
        r#","records":{"orders-0":[]}"#,
    ] {
        let event = format!(r#"{{"eventSource":"aws:kafka"{records}}}"#);
        let invoked = invoke(&consumer, event).await;
        assert_eq!(answer(&invoked), r#"{"batchItemFailures":[]}"#);
    }
}

#[tokio::test(start_paused = true)]
async fn records_out_of_order_run_and_are_answered_for_in_the_order_of_offsets() {
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic(
            "orders",
            async |record: Record, State(journal): State<Journal>| {
                journal.start(&record);
                match record.offset() {
                    5 => Err(Failure::retry("inventory is down")),
                    _ => Ok(()),
                }
            },
        )
        .failure_reporting(FailureReporting::Partial)
        .attempts(1)
        .build()
        .unwrap();
    let samples = [7, 3, 5].map(|offset| Sample::new("orders", 0).offset(offset));

    let invoked = invoke(&consumer, Event::msk().records(samples)).await;

    assert_eq!(journal.lines(), ["+orders-0@3", "+orders-0@5"]);
    assert_eq!(letters(&invoked), "DFU");
    assert_eq!(
        answer(&invoked),
        r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-0","offset":5}},{"itemIdentifier":{"partition":"orders-0","offset":7}}]}"#
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_twice_in_the_event_runs_once_and_one_identifier_answers_for_both() {
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic(
            "orders",
            async |record: Record, State(journal): State<Journal>| {
                journal.start(&record);
                Err::<(), _>(Failure::retry("inventory is down"))
            },
        )
        .failure_reporting(FailureReporting::Partial)
        .order(ProcessingOrder::Unordered)
        .attempts(1)
        .build()
        .unwrap();
    let samples = [5, 5, 6, 5].map(|offset| Sample::new("orders", 0).offset(offset));

    let invoked = invoke(&consumer, Event::msk().records(samples)).await;

    assert_eq!(journal.lines(), ["+orders-0@5", "+orders-0@6"]);
    assert_eq!(letters(&invoked), "FF");
    assert_eq!(
        answer(&invoked),
        r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-0","offset":5}},{"itemIdentifier":{"partition":"orders-0","offset":6}}]}"#
    );
}

#[tokio::test(start_paused = true)]
async fn two_records_of_one_offset_that_differ_are_refused_with_the_whole_event() {
    let journal = Journal::default();
    let consumer = Consumer::builder()
        .state(journal.clone())
        .topic(
            "orders",
            async |record: Record, State(journal): State<Journal>| {
                journal.start(&record);
            },
        )
        .build()
        .unwrap();
    let sample = |value: &str| Sample::new("orders", 0).offset(5).value(value);

    let invoked = invoke(&consumer, Event::msk().records([sample("1"), sample("2")])).await;

    let error = invoked.response().unwrap_err();
    assert_eq!(error.code(), "event.duplicate_offset");
    assert!(journal.lines().is_empty());
}

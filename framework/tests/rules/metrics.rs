//! Metrics: each invocation writes a line a topic, which says how its records ended, how late they are, and what they cost.

use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::destination::{DeadLetter, Destination, MemoryDestination, SendError};
use lambda_msk::metrics::MetricsBy;
use lambda_msk::testing::{Event, Invoke, Sample, invoke};
use lambda_msk::{Batch, Consumer, Failure, FailureReporting, Json, Outcome, batch as many};
use serde_json::{Value, json};
use tokio::join;
use tokio::time::sleep;

use crate::emf::{OUTCOMES, Written, distribution, numbers};
use crate::shared_store::{Meets, Shared, batch, lasting, process, secs};
use crate::support::{Journal, letters, orders};

/// When the first invocation of a test takes place.
const NOW_MS: i64 = 1_767_225_600_000;

/// 0 is retried; any other number takes so many milliseconds.
async fn ship(Json(order): Json<u64>) -> Result<(), Failure> {
    if order == 0 {
        return Err(Failure::retry("inventory is down"));
    }
    sleep(Duration::from_millis(order)).await;
    Ok(())
}

fn consumer(written: &Written) -> Builder<()> {
    Consumer::builder()
        .topic("orders", ship)
        .on_failure(MemoryDestination::new())
        .failure_reporting(FailureReporting::Partial)
        .attempts(1)
        .metrics(written.emf())
}

/// A record that was made so many milliseconds ago.
fn aged(partition: i32, ago_ms: i64, value: &str) -> Sample {
    let sample = Sample::new("orders", partition);
    sample.timestamp(NOW_MS - ago_ms).value(value)
}

fn events<const N: usize>(samples: [Sample; N]) -> Event {
    Event::msk().records(samples).build()
}

#[tokio::test(start_paused = true)]
async fn the_five_outcomes_add_up_to_the_records() {
    let written = Written::default();
    let consumer = consumer(&written).build().unwrap();

    invoke(&consumer, orders([(0, "7")])).await;
    let records = [(0, "7"), (0, "9"), (0, "?"), (0, "0"), (0, "1"), (1, "1")];
    let invoked = invoke(&consumer, orders(records)).await;

    let lines = written.lines();
    assert_eq!(letters(&invoked), "SDRFUD");
    assert_eq!(numbers(&lines[0], OUTCOMES), [1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(numbers(&lines[1], OUTCOMES), [2.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(lines[1]["Records"], 6);
}

#[tokio::test(start_paused = true)]
async fn a_line_has_the_dimensions_of_its_consumer_and_topic_and_the_request() {
    let written = Written::default();
    let named = consumer(&written).namespace("shop").build().unwrap();

    invoke(&named, orders([(3, "1")])).await;

    let line = written.line();
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "shop/orders");
    assert_eq!(directive["Dimensions"], json!([["Consumer", "Topic"]]));
    assert_eq!(line["Consumer"], "shop");
    assert_eq!(line["Topic"], "orders");
    assert_eq!(line["request_id"], "test-request");
    assert_eq!(line["_aws"]["Timestamp"], NOW_MS + 1);
    assert_eq!(line["timestamp"], "2026-01-01T00:00:00.001Z");
    assert_eq!(line["Partitions"]["3"]["Done"], 1);
}

#[tokio::test(start_paused = true)]
async fn what_did_not_happen_is_written_as_zero() {
    let written = Written::default();
    let consumer = consumer(&written).build().unwrap();

    invoke(&consumer, orders([(0, "1")])).await;

    let zeros = [
        "Skipped",
        "Rejected",
        "Failed",
        "Unreached",
        "Retried",
        "Unhandled",
        "StoreErrors",
        "DestinationErrors",
        "OverlookedRecords",
        "ClockAhead",
        "TimeLagMs",
        "LeaseWaitMs",
    ];
    assert_eq!(numbers(&written.line(), zeros), [0.0; 12]);
}

#[tokio::test(start_paused = true)]
async fn each_run_of_a_handler_has_its_time_and_tries_beyond_the_first_are_counted() {
    let written = Written::default();
    let consumer = consumer(&written).attempts(3).build().unwrap();

    invoke(&consumer, orders([(0, "0"), (1, "100"), (2, "5000")])).await;

    let line = written.line();
    assert_eq!(line["Retried"], 2);
    let (values, counts) = distribution(&line["HandlerMs"]);
    assert_eq!(counts, [3, 1, 1]);
    for (value, ms) in values.into_iter().zip([0.0, 100.0, 5_000.0]) {
        assert!((value - ms).abs() <= ms * 0.1, "{value} {ms}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_dropped_ran_until_then() {
    let written = Written::default();
    let consumer = consumer(&written).build().unwrap();

    let invoke = Invoke::new(orders([(0, "60000")])).time_given(secs(10));
    invoke.run(&consumer).await;

    let line = written.line();
    let (values, counts) = distribution(&line["HandlerMs"]);
    assert_eq!((line["Failed"].as_u64(), counts), (Some(1), vec![1]));
    assert!((9_000.0..=10_000.0).contains(&values[0]), "{values:?}");
    assert_eq!(numbers(&line, ["DeadlineLeftMs"]), [500.0]);
}

#[tokio::test(start_paused = true)]
async fn a_records_age_is_that_at_the_first_start_of_its_handler() {
    let written = Written::default();
    let consumer = consumer(&written).attempts(2).build().unwrap();

    let records = [aged(0, 1_000, "3000"), aged(0, 1_000, "0")];
    invoke(&consumer, events(records)).await;

    let (values, counts) = distribution(&written.line()["RecordAgeMs"]);
    assert_eq!(counts, [1, 1]);
    for (value, ms) in values.into_iter().zip([1_000.0, 4_001.0]) {
        assert!((value - ms).abs() <= ms * 0.1, "{value} {ms}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_of_the_future_has_no_age_and_counts_as_a_clock_ahead() {
    let written = Written::default();
    let consumer = consumer(&written).build().unwrap();

    invoke(&consumer, events([aged(0, -5_000, "0"), aged(1, 7, "1")])).await;

    let line = written.line();
    let (values, counts) = distribution(&line["RecordAgeMs"]);
    assert_eq!((values, counts), (vec![0.0, 7.0], vec![1, 1]));
    assert_eq!(numbers(&line, ["ClockAhead", "TimeLagMs"]), [1.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn a_record_without_a_timestamp_has_neither_age_nor_lag() {
    let written = Written::default();
    let consumer = consumer(&written).build().unwrap();
    let record = Sample::new("orders", 0).timestamp(-1).value("0");

    invoke(&consumer, Event::msk().record(record)).await;

    let line = written.line();
    assert!(line.get("RecordAgeMs").is_none());
    assert_eq!(numbers(&line, ["ClockAhead", "TimeLagMs"]), [0.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn lag_is_the_age_of_the_first_unsettled_record_of_the_latest_partition() {
    let written = Written::default();
    let consumer = consumer(&written).build().unwrap();
    let records = [
        aged(0, 90_000, "1"),
        aged(0, 3_000, "0"),
        aged(0, 50_000, "1"),
        aged(1, 8_000, "0"),
        aged(2, 70_000, "1"),
    ];

    invoke(&consumer, events(records)).await;

    let line = written.line();
    assert_eq!(numbers(&line, ["TimeLagMs"]), [8_001.0]);
    let lag = |partition: &str| line["Partitions"][partition]["TimeLagMs"].clone();
    assert_eq!(
        [lag("0"), lag("1"), lag("2")],
        [3_001, 8_001, 0].map(Value::from)
    );
}

#[tokio::test(start_paused = true)]
async fn record_bytes_are_those_of_keys_and_values_as_the_producer_sent_them() {
    let written = Written::default();
    let consumer = consumer(&written).build().unwrap();
    let keyed = Sample::new("orders", 0).key("abc").value("12");

    let tombstone = Sample::new("orders", 0).header("h", "not counted");
    invoke(&consumer, events([keyed, tombstone])).await;

    assert_eq!(written.line()["RecordBytes"], 5);
}

#[tokio::test(start_paused = true)]
async fn each_topic_has_a_line_and_all_are_one_write() {
    let written = Written::default();
    let consumer = consumer(&written).build().unwrap();
    let returned = |offset| Sample::new("returns", 0).offset(offset).value("1");
    let event = Event::msk().record(returned(1)).record(aged(0, 1, "1"));

    invoke(&consumer, event.record(returned(2))).await;

    let lines = written.lines();
    assert_eq!(written.writes(), 1);
    let of = |topic: &str| lines.iter().find(|line| line["Topic"] == topic).unwrap();
    let names = ["Done", "Rejected", "Unhandled"];
    assert_eq!(numbers(of("orders"), names), [1.0, 0.0, 0.0]);
    assert_eq!(numbers(of("returns"), names), [0.0, 2.0, 2.0]);
}

#[tokio::test(start_paused = true)]
async fn by_partition_each_has_a_line_and_the_topics_metrics_stay() {
    let written = Written::default();
    let emf = written.emf().by(MetricsBy::Partition);
    let consumer = consumer(&written).metrics(emf).build().unwrap();

    let records = [(0, "1"), (0, "0"), (7, "1"), (7, "3")];
    invoke(&consumer, orders(records)).await;

    let lines = written.lines();
    let dimensions = json!([["Consumer", "Topic", "Partition"], ["Consumer", "Topic"]]);
    for (line, partition) in lines.iter().zip(["0", "7"]) {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], dimensions);
        assert_eq!(line["Partition"], partition);
        assert_eq!(line["Topic"], "orders");
    }
    assert_eq!(numbers(&lines[0], ["Done", "Failed"]), [1.0, 1.0]);
    assert_eq!(numbers(&lines[1], ["Done", "Failed"]), [2.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_is_an_error_has_its_line() {
    let written = Written::default();
    let whole = FailureReporting::WholeBatch;
    let consumer = consumer(&written).failure_reporting(whole);

    let invoked = invoke(&consumer.build().unwrap(), orders([(0, "0")])).await;

    assert!(invoked.response().is_err());
    assert_eq!(written.line()["Failed"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_records_or_that_is_refused_has_no_line() {
    let written = Written::default();
    let consumer = consumer(&written).build().unwrap();

    invoke(&consumer, Event::msk().empty_partition("orders-0")).await;
    invoke(&consumer, "{}").await;

    assert_eq!(written.writes(), 0);
}

/// Confirms nothing.
struct Down;

impl Destination for Down {
    async fn send(&self, letters: &[DeadLetter]) -> Vec<Result<(), SendError>> {
        let refused = |_| Err(SendError::new("no route"));
        letters.iter().map(refused).collect()
    }

    fn describe(&self) -> String {
        "down".to_owned()
    }
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_not_confirmed_is_an_error_of_the_destination() {
    let (down, missing) = (Written::default(), Written::default());
    let with = consumer(&down).on_failure(Down).build().unwrap();
    let builder = Consumer::builder().topic("orders", ship);
    let without = builder.metrics(missing.emf()).build().unwrap();

    for consumer in [&with, &without] {
        invoke(consumer, orders([(0, "?"), (1, "?")])).await;
    }

    let names = ["Failed", "DestinationErrors"];
    assert_eq!(numbers(&down.line(), names), [2.0, 2.0]);
    assert_eq!(numbers(&missing.line(), names), [2.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn failed_requests_to_the_store_are_counted_where_they_belong() {
    let (store, written) = (Shared::default(), Written::default());
    store.next_meet([Meets::Failure, Meets::LostAnswer]);
    let emf = written.emf().by(MetricsBy::Partition);
    let consumer = process(&store, &Journal::default()).metrics(emf);

    let invoked = invoke(&consumer.build().unwrap(), batch(2, 1, 1)).await;

    assert_eq!(invoked.outcomes(), [Outcome::Done; 2]);
    for line in written.lines() {
        assert_eq!(line["StoreErrors"], 1, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_that_another_invocation_held_the_partition_is_lease_wait() {
    let (store, written) = (Shared::default(), Written::default());
    let first = process(&store, &Journal::default()).build().unwrap();
    let second = process(&store, &Journal::default()).metrics(written.emf());
    let second = second.build().unwrap();

    join!(invoke(&first, lasting([4_000])), async {
        sleep(secs(1)).await;
        invoke(&second, lasting([4_000])).await
    });

    let [waited] = numbers(&written.line(), ["LeaseWaitMs"]);
    assert!((3_000.0..8_000.0).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_call_of_several_partitions_is_a_run_of_each_of_them() {
    async fn store(_: Batch<Json<u64>>) {
        sleep(Duration::from_millis(40)).await;
    }
    let event = || orders([(0, "1"), (1, "1"), (1, "1"), (2, "1")]);
    for (by, lines) in [(MetricsBy::Partition, 3), (MetricsBy::Topic, 1)] {
        let written = Written::default();
        let consumer = Consumer::builder()
            .route("orders", many(store).across_partitions())
            .metrics(written.emf().by(by));

        invoke(&consumer.build().unwrap(), event()).await;

        assert_eq!(written.lines().len(), lines);
        for line in written.lines() {
            let (values, counts) = distribution(&line["HandlerMs"]);
            assert_eq!(counts, [1], "{by:?}");
            assert!((36.0..44.0).contains(&values[0]), "{values:?}");
        }
    }
}

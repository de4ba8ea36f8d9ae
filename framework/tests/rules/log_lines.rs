//! What is logged of an invocation: one line with counts, one a record that failed or was rejected, and advice once a process.

use std::collections::BTreeMap;
use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::idempotency::WhenStoreFails;
use lambda_msk::limits::{CODE_LOG_LINES_MAX, PARTITION_LOG_LINES_MAX, RECORD_LOG_LINES_MAX};
use lambda_msk::report::LogRecords;
use lambda_msk::testing::{Event, EventBuilder, Invoke, Sample, invoke};
use lambda_msk::{Consumer, Failure, FailureReporting, Json, ProcessingOrder};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::shared_store::{Meets, Shared};
use crate::support::{Lines, orders};

/// 0 fails; any other number takes so many milliseconds.
async fn ship(Json(order): Json<u64>) -> Result<(), Failure> {
    if order == 0 {
        return Err(Failure::retry("inventory is down").code("inventory.down"));
    }
    sleep(Duration::from_millis(order)).await;
    Ok(())
}

fn consumer() -> Builder<()> {
    Consumer::builder()
        .topic("orders", ship)
        .on_failure(MemoryDestination::new())
        .attempts(1)
}

/// These fields of a line.
fn fields<const N: usize>(line: &Value, names: [&str; N]) -> [Value; N] {
    names.map(|name| line[name].clone())
}

#[tokio::test(start_paused = true)]
async fn one_line_counts_each_outcome() {
    let consumer = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, orders([(0, "7")])).await;
    invoke(
        &consumer,
        orders([
            (0, "7"),
            (0, "9"),
            (0, "?"),
            (0, "0"),
            (0, "1"),
            (1, "1"),
            (2, "?"),
        ]),
    )
    .await;

    let ended = lines.of("batch ended");
    let names = [
        "records",
        "done",
        "skipped",
        "rejected",
        "failed",
        "unreached",
        "lanes",
        "ms",
    ];
    assert_eq!(
        fields(&ended[0], names),
        [1, 1, 0, 0, 0, 0, 1, 7].map(Value::from)
    );
    assert_eq!(
        fields(&ended[1], names),
        [7, 2, 1, 2, 1, 1, 3, 9].map(Value::from)
    );
    assert_eq!(ended[1]["request_id"], "test-request");
}

#[tokio::test(start_paused = true)]
async fn each_record_that_failed_or_was_rejected_has_a_line_and_no_other() {
    let consumer = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, orders([(3, "1"), (3, "?"), (3, "0"), (3, "1")])).await;

    let names = ["level", "topic", "partition", "offset", "attempts", "code"];
    let rejected = lines.of("record rejected");
    let expected = [json!("WARN"), json!("orders"), json!(3), json!(1), json!(0)];
    assert_eq!(rejected.len(), 1);
    assert_eq!(fields(&rejected[0], names)[..5], expected);
    assert_eq!(rejected[0]["code"], "reject.json");
    let failed = lines.of("record failed");
    let expected = [
        json!("ERROR"),
        json!("orders"),
        json!(3),
        json!(2),
        json!(1),
    ];
    assert_eq!(failed.len(), 1);
    assert_eq!(fields(&failed[0], names)[..5], expected);
    assert_eq!(failed[0]["code"], "inventory.down");
    assert_eq!(
        failed[0]["problem"],
        "inventory is down (it was tried once)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_that_no_destination_has_shows_first_why_it_was_to_be_rejected() {
    let consumer = Consumer::builder().topic("orders", ship).build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, orders([(0, "?")])).await;
    invoke(&consumer, orders([(1, "0")])).await;

    let failed = lines.of("record failed");
    assert_eq!(
        fields(&failed[0], ["code", "destination"]),
        [json!("reject.json"), json!("destination.missing")]
    );
    let problem = failed[0]["problem"].as_str().unwrap();
    assert!(
        problem.ends_with("; no destination is set for rejected records: set `.on_failure(…)`, or LAMBDA_MSK_ON_FAILURE and `.from_env()`"),
        "{problem}"
    );
    assert_eq!(
        fields(&failed[1], ["code", "destination"]),
        [json!("inventory.down"), Value::Null]
    );
}

#[tokio::test(start_paused = true)]
async fn an_msk_event_out_of_order_is_told_once_and_a_share_groups_is_not() {
    let shuffled = |event: EventBuilder| {
        let sample = |offset| Sample::new("orders", 3).offset(offset).value("1");
        event.record(sample(9)).record(sample(4)).record(sample(4))
    };
    let sorted = |event: EventBuilder| {
        let sample = |offset| Sample::new("orders", 3).offset(offset).value("1");
        event.record(sample(9)).record(sample(4))
    };
    let lines = Lines::default();
    let _guard = lines.listen();
    let message = "the event's offsets do not ascend";

    let consumer = consumer().build().unwrap();
    invoke(&consumer, orders([(0, "1"), (0, "1")])).await;
    invoke(&consumer, sorted(Event::self_managed())).await;
    assert!(lines.of(message).is_empty());
    invoke(&consumer, shuffled(Event::msk())).await;
    invoke(&consumer, shuffled(Event::msk())).await;

    let told = lines.of(message);
    assert_eq!(told.len(), 1);
    let names = [
        "level",
        "topic",
        "partition",
        "sorted_partitions",
        "repeated_records",
    ];
    assert_eq!(
        fields(&told[0], names),
        [json!("WARN"), json!("orders"), json!(3), json!(1), json!(1)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_that_stands_in_a_share_groups_event_twice_is_told() {
    let sample = || Sample::new("orders", 0).offset(4).value("1");
    let event = Event::self_managed().record(sample()).record(sample());
    let consumer = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, event).await;

    let told = lines.of("the event's offsets do not ascend");
    assert_eq!(
        fields(&told[0], ["sorted_partitions", "repeated_records"]),
        [json!(0), json!(1)]
    );
}

#[tokio::test(start_paused = true)]
async fn of_many_records_that_failed_only_the_first_have_a_line() {
    let consumer = consumer()
        .order(ProcessingOrder::Unordered)
        .build()
        .unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, orders([(0, "0"); RECORD_LOG_LINES_MAX + 20])).await;

    assert_eq!(lines.of("record failed").len(), RECORD_LOG_LINES_MAX);
    let more = &lines.of("more records have no log line")[0];
    assert_eq!(
        fields(more, ["code", "more", "failed", "rejected"]),
        [json!("inventory.down"), json!(20), json!(20), json!(0)]
    );
    assert_eq!(
        lines.of("batch ended")[0]["failed"],
        RECORD_LOG_LINES_MAX + 20
    );
}

#[tokio::test(start_paused = true)]
async fn six_thousand_rejected_records_make_few_lines() {
    let consumer = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    let samples = (0..6_000).map(|_| Sample::new("orders", 0).value("?"));
    invoke(&consumer, Event::msk().records(samples)).await;

    assert!(lines.text().lines().count() < 3_000);
    assert_eq!(lines.of("more records have no log line")[0]["more"], 5_900);
    assert_eq!(lines.of("batch ended")[0]["rejected"], 6_000);
}

/// As the dashboard adds them up.
fn by_code(lines: &Lines) -> BTreeMap<String, u64> {
    let mut by_code = BTreeMap::new();
    for message in ["record rejected", "record failed", "more records have no"] {
        for line in lines.of(message) {
            let code = line["code"].as_str().unwrap().to_owned();
            *by_code.entry(code).or_default() += line["more"].as_u64().unwrap_or(1);
        }
    }
    by_code
}

#[tokio::test(start_paused = true)]
async fn records_without_a_line_are_counted_by_their_codes() {
    const CODES: usize = CODE_LOG_LINES_MAX + 5;
    let handler = async |Json(code): Json<usize>| -> Result<(), Failure> {
        Err(Failure::retry("no").code(format!("of.{code}").leak()))
    };
    let consumer = Consumer::builder().topic("orders", handler).attempts(1);
    let consumer = consumer.order(ProcessingOrder::Unordered).build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();
    // Each code more often than the one before.
    let values = (0..CODES).flat_map(|code| vec![code; 30 + code]);
    let samples = values.map(|code| Sample::new("orders", 0).value(code.to_string()));

    invoke(&consumer, Event::msk().records(samples)).await;

    let counted = by_code(&lines);
    let all: usize = (0..CODES).map(|code| 30 + code).sum();
    assert_eq!(counted.values().sum::<u64>(), all as u64);
    let most = format!("of.{}", CODES - 1);
    assert_eq!(counted[&most], (30 + CODES - 1) as u64);
    assert!(counted.contains_key("(others)"));
    let more = lines.of("more records have no log line");
    assert_eq!(more.len(), CODE_LOG_LINES_MAX + 1);
}

#[tokio::test(start_paused = true)]
async fn if_all_records_have_a_line_those_that_ended_well_have_it_at_debug() {
    let consumer = consumer().log_records(LogRecords::All).build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, orders([(0, "1")])).await;
    invoke(&consumer, orders([(0, "1"), (0, "2"), (0, "0"), (0, "1")])).await;

    let ended = |message| {
        let lines = lines.of(message).into_iter();
        let names = ["level", "partition", "offset"];
        lines.map(|line| fields(&line, names)).collect::<Vec<_>>()
    };
    let at = |level: &str, offset: i64| [json!(level), json!(0), json!(offset)];
    assert_eq!(ended("record done"), [at("DEBUG", 0), at("DEBUG", 1)]);
    assert_eq!(ended("record skipped"), [at("DEBUG", 0)]);
    assert_eq!(ended("record failed"), [at("ERROR", 2)]);
    assert_eq!(ended("record unreached"), [at("DEBUG", 3)]);
}

#[tokio::test(start_paused = true)]
async fn if_no_record_has_a_line_the_batchs_line_counts_them_all() {
    let consumer = consumer().log_records(LogRecords::None).build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, orders([(0, "?"), (0, "0")])).await;

    assert!(lines.of("record").is_empty());
    assert!(lines.of("more records").is_empty());
    let names = ["rejected", "failed"];
    assert_eq!(
        fields(&lines.of("batch ended")[0], names),
        [1, 1].map(Value::from)
    );
}

#[tokio::test(start_paused = true)]
async fn of_many_ledgers_that_cannot_be_read_only_the_first_have_a_line() {
    let store = Shared::default();
    let partitions = i32::try_from(PARTITION_LOG_LINES_MAX).unwrap() + 20;
    let samples = || (0..partitions).map(|at| Sample::new("orders", at).value("1"));
    let consumer = || consumer().idempotency(store.clone()).build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer(), Event::msk().records(samples())).await;
    store.spoil().await;
    invoke(&consumer(), Event::msk().records(samples())).await;

    let unreadable = lines.of("cannot read a partition's ledger");
    assert_eq!(unreadable.len(), PARTITION_LOG_LINES_MAX);
    assert_eq!(
        fields(
            &lines.of("more partitions with this finding")[0],
            ["kind", "more"]
        ),
        [json!("ledger_unreadable"), json!(20)]
    );
}

#[tokio::test(start_paused = true)]
async fn of_many_partitions_only_the_first_have_a_line_and_one_line_counts_the_others() {
    let store = Shared::default();
    store.meets(|_, _| Meets::Refusal);
    let consumer = consumer()
        .idempotency(store)
        .when_store_fails(WhenStoreFails::Process)
        .build()
        .unwrap();
    let partitions = i32::try_from(PARTITION_LOG_LINES_MAX).unwrap() + 20;
    let samples = |count| (0..count).map(|at| Sample::new("orders", at).value("1"));
    let lines = Lines::default();
    let _guard = lines.listen();
    let more = "more partitions with this finding";

    invoke(&consumer, Event::msk().records(samples(partitions - 20))).await;
    assert!(lines.of(more).is_empty());
    invoke(&consumer, Event::msk().records(samples(partitions))).await;

    let without = lines.of("the idempotency store failed, and the partition's records");
    assert_eq!(without.len(), 2 * PARTITION_LOG_LINES_MAX);
    assert_eq!(
        fields(&lines.of(more)[0], ["kind", "more"]),
        [json!("without_store"), json!(20)]
    );
}

#[tokio::test(start_paused = true)]
async fn skipped_records_are_explained() {
    let consumer = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, orders([(0, "1"), (0, "1")])).await;
    let before = lines.of("records skipped").len();
    invoke(&consumer, orders([(0, "1"), (0, "1")])).await;

    assert_eq!(before, 0);
    let skipped = lines.of("records skipped");
    assert_eq!(skipped[0]["skipped"], 2);
    assert_eq!(skipped[0]["for_minutes"], 15);
    assert!(
        skipped[0]["to_run_them"]
            .as_str()
            .unwrap()
            .contains("LAMBDA_MSK_IDEMPOTENCY=none")
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_does_not_end_in_time_is_advised_on_once_under_whole_batch_alone() {
    let message = "time ran out before the end of the batch";
    let whole = consumer().build().unwrap();
    let partial = consumer()
        .failure_reporting(FailureReporting::Partial)
        .build()
        .unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();
    let run = async |consumer| {
        Invoke::new(orders([(0, "700"), (0, "1")]))
            .time_given(Duration::from_secs(1))
            .run(consumer)
            .await
    };

    let ran = run(&partial).await;
    let under_partial = lines.of(message).len();
    run(&whole).await;
    run(&whole).await;

    assert_eq!(ran.records()[1].outcome, lambda_msk::Outcome::Unreached);
    assert_eq!(under_partial, 0);
    assert_eq!(lines.of(message).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_a_failure_stops_is_not_advised_to_take_more_time() {
    let consumer = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, orders([(0, "0"), (0, "1")])).await;

    assert!(lines.of("time ran out").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_deadline_is_told_once() {
    let consumer = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&consumer, orders([(0, "1")])).await;
    assert!(lines.of("the deadline is missing").is_empty());
    for _ in 0..2 {
        let invoke = Invoke::new(orders([(0, "1")])).without_deadline();
        invoke.run(&consumer).await;
    }

    assert_eq!(lines.of("the deadline is missing").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_self_managed_cluster_without_a_name_is_told_once() {
    let event = || Event::self_managed().record(Sample::new("orders", 0).value("1"));
    let named = consumer().cluster("main").build().unwrap();
    let unnamed = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    invoke(&named, event()).await;
    invoke(&unnamed, orders([(0, "1")])).await;
    assert!(lines.of("the self-managed cluster").is_empty());
    invoke(&unnamed, event()).await;
    invoke(&unnamed, event()).await;

    let told = lines.of("the self-managed cluster");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["cure"], "LAMBDA_MSK_CLUSTER");
}

#[tokio::test(start_paused = true)]
async fn two_clusters_under_one_given_name_are_told_once() {
    let event = |arn: &str| {
        Event::msk()
            .arn(arn)
            .record(Sample::new("orders", 0).value("1"))
    };
    let named = consumer().cluster("main").build().unwrap();
    let unnamed = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();
    let message = "events with two cluster ARNs";

    for (consumer, arn) in [
        (&named, "arn:1"),
        (&named, "arn:1"),
        (&unnamed, "arn:1"),
        (&unnamed, "arn:2"),
    ] {
        invoke(consumer, event(arn)).await;
    }
    assert!(lines.of(message).is_empty());
    invoke(&named, event("arn:2")).await;
    invoke(
        &named,
        Event::self_managed().record(Sample::new("orders", 0)),
    )
    .await;

    let told = lines.of(message);
    assert_eq!(told.len(), 1);
    assert_eq!(
        fields(&told[0], ["first", "now"]),
        [json!("arn:1"), json!("arn:2")]
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_refused_has_a_line_with_its_code() {
    let consumer = consumer().build().unwrap();
    let lines = Lines::default();
    let _guard = lines.listen();

    let invoked = invoke(&consumer, "{}").await;

    let refused = lines.of("event refused");
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["code"], invoked.response().unwrap_err().code());
    assert_eq!(refused[0]["bytes"], 2);
}

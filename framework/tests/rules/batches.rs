//! Many records in one call: which records a chunk holds, what the handler may say of them, and what becomes of them.

use std::time::Duration;

use lambda_msk::builder::Builder;
use lambda_msk::destination::MemoryDestination;
use lambda_msk::handler::BatchOptions;
use lambda_msk::idempotency::{Guarantee, PerRecord};
use lambda_msk::testing::{Event, Invoke, Sample, invoke};
use lambda_msk::{
    Batch, Consumer, Deadline, Failure, Json, Key, Outcomes, ProcessingOrder, RequestId, State,
    TopicPartition, WhenExhausted, batch,
};
use tokio::time::sleep;

use crate::support::{Journal, code, letters, orders};

/// What a value asks for: `1` is written, `2` is rejected, `3` is to be retried, `4` is to be retried unless it is alone, `8` in ten minutes.
async fn store(
    orders: Batch<Json<u64>>,
    State(journal): State<Journal>,
) -> Result<Outcomes, Failure> {
    let records: Vec<String> = orders.records().map(|record| record.to_string()).collect();
    journal.write(records.join(" "));
    sleep(Duration::from_millis(10)).await;
    let mut outcomes = orders.outcomes();
    for (index, Json(order)) in orders.iter().enumerate() {
        match order {
            2 => outcomes.reject(index, Failure::reject("exists").code("order.exists")),
            3 => outcomes.retry(index, Failure::retry("busy").code("order.busy")),
            8 => {
                let busy = Failure::retry("busy").after(Duration::from_secs(600));
                outcomes.retry(index, busy);
            }
            4 if orders.len() > 1 => outcomes.retry(index, Failure::retry("busy")),
            _ => {}
        }
    }
    Ok(outcomes)
}

fn with<H>(
    journal: &Journal,
    batch: BatchOptions<H>,
    add: impl FnOnce(Builder<Journal>, BatchOptions<H>) -> Builder<Journal>,
) -> Builder<Journal> {
    let builder = Consumer::builder().state(journal.clone());
    add(builder, batch).on_failure(MemoryDestination::new())
}

macro_rules! consumer {
    ($journal:expr, $batch:expr) => {
        with(&$journal, $batch, |builder, batch| {
            builder.route("orders", batch)
        })
    };
}

#[tokio::test(start_paused = true)]
async fn a_chunk_holds_the_next_records_of_one_lane_up_to_the_limit() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).records(2)).build().unwrap();

    let event = orders([(0, "1"), (0, "1"), (0, "1"), (1, "1")]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DDDD");
    let calls = ["orders-0@0 orders-0@1", "orders-1@0", "orders-0@2"];
    assert_eq!(journal.lines(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_chunk_ends_before_its_keys_and_values_are_too_many_bytes() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).bytes(5)).build().unwrap();

    let event = orders([(0, "11"), (0, "111"), (0, "1"), (0, "1111111"), (0, "1")]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DDDDD");
    let calls = [
        "orders-0@0 orders-0@1",
        "orders-0@2",
        "orders-0@3",
        "orders-0@4",
    ];
    assert_eq!(journal.lines(), calls);
}

#[tokio::test(start_paused = true)]
async fn across_partitions_one_call_holds_the_next_records_of_all_lanes() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).records(4).across_partitions());
    let consumer = consumer.build().unwrap();

    let event = orders([(0, "1"), (0, "1"), (0, "1"), (1, "1"), (2, "1"), (2, "1")]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DDDDDD");
    let calls = [
        "orders-0@0 orders-0@1 orders-1@0 orders-2@0",
        "orders-0@2 orders-2@1",
    ];
    assert_eq!(journal.lines(), calls);
}

#[tokio::test(start_paused = true)]
async fn what_short_lanes_leave_of_their_shares_the_others_fill() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).records(10).across_partitions());
    let consumer = consumer.build().unwrap();
    let samples = |partition: i32, count: usize| {
        (0..count).map(move |_| Sample::new("orders", partition).value("1"))
    };
    let event = samples(0, 8).chain(samples(1, 5)).chain(samples(2, 1));

    let invoked = invoke(&consumer, Event::msk().records(event)).await;

    assert_eq!(letters(&invoked), "D".repeat(14));
    let calls = journal.lines();
    let sizes: Vec<usize> = calls.iter().map(|call| call.split(' ').count()).collect();
    assert_eq!(sizes, [10, 4]);
    for partition in [0, 1] {
        let of = format!("orders-{partition}@");
        let all = calls.join(" ");
        let offsets = all.split(' ').filter_map(|record| record.strip_prefix(&of));
        assert!(
            offsets
                .map(|offset| offset.parse::<u64>().unwrap())
                .is_sorted()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_had_no_room_in_a_chunk_is_the_first_of_the_next() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).records(2).across_partitions());
    let consumer = consumer.build().unwrap();
    let event = orders([(0, "1"), (0, "1"), (1, "1"), (1, "1"), (2, "1"), (2, "1")]);

    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DDDDDD");
    let calls = [
        "orders-0@0 orders-1@0",
        "orders-2@0 orders-0@1",
        "orders-1@1 orders-2@1",
    ];
    assert_eq!(journal.lines(), calls);

    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).bytes(2).across_partitions());
    let consumer = consumer.build().unwrap();
    let event = orders([(0, "1"), (0, "1"), (0, "1"), (1, "1"), (1, "1")]);

    invoke(&consumer, event).await;

    let calls = [
        "orders-0@0 orders-0@1",
        "orders-1@0 orders-1@1",
        "orders-0@2",
    ];
    assert_eq!(journal.lines(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_has_to_wait_too_long_takes_no_other_along() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).across_partitions());
    let consumer = consumer.build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "8"), (1, "4"), (1, "1")])).await;

    assert_eq!(letters(&invoked), "FDD");
    let calls = ["orders-0@0 orders-1@0 orders-1@1", "orders-1@0"];
    assert_eq!(journal.lines(), calls);
}

#[tokio::test(start_paused = true)]
async fn across_partitions_records_without_an_order_share_a_call() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).across_partitions());
    let consumer = consumer.order(ProcessingOrder::Unordered).build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "3"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "DFD");
    let calls = [
        "orders-0@0 orders-0@1 orders-0@2",
        "orders-0@1",
        "orders-0@1",
    ];
    assert_eq!(journal.lines(), calls);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_goes_to_the_destination_before_the_chunk_runs() {
    let journal = Journal::default();
    let letters_sent = MemoryDestination::new();
    let consumer = consumer!(journal, batch(store)).on_failure(letters_sent.clone());
    let consumer = consumer.build().unwrap();

    let event = orders([(0, "1"), (0, "x"), (0, "1"), (0, "y"), (0, "1")]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DRDRD");
    assert_eq!(journal.lines(), ["orders-0@0 orders-0@2 orders-0@4"]);
    assert_eq!(letters_sent.letters().len(), 2);
    assert_eq!(code(&invoked, 0, 1), "reject.json");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_not_confirmed_ends_the_chunk_before_its_record() {
    let journal = Journal::default();
    let builder = Consumer::builder().state(journal.clone());
    let consumer = builder.route("orders", batch(store)).build().unwrap();

    let event = orders([(0, "1"), (0, "x"), (0, "1")]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DFU");
    assert_eq!(journal.lines(), ["orders-0@0"]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_index_goes_to_the_destination_and_the_others_are_done() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store)).build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "2"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "DRD");
    assert_eq!(code(&invoked, 0, 1), "order.exists");
    assert_eq!(journal.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retried_index_is_tried_again_with_what_is_not_done_behind_it() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).records(4)).attempts(2);
    let consumer = consumer.build().unwrap();

    let event = orders([(0, "1"), (0, "3"), (0, "1"), (0, "4"), (0, "1")]);
    let invoked = invoke(&consumer, event).await;

    // What was written stays Done, also behind the record that has failed.
    assert_eq!(letters(&invoked), "DFDFU");
    let calls = [
        "orders-0@0 orders-0@1 orders-0@2 orders-0@3",
        "orders-0@1 orders-0@3",
    ];
    assert_eq!(journal.lines(), calls);
    assert_eq!(code(&invoked, 0, 1), "order.busy");
    assert_eq!(invoked.record("orders", 0, 1).attempts, 2);
}

#[tokio::test(start_paused = true)]
async fn a_lane_goes_on_once_its_retried_index_is_settled() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store).records(2)).build().unwrap();

    let event = orders([(0, "4"), (0, "1"), (0, "1"), (0, "1")]);
    let invoked = invoke(&consumer, event).await;

    assert_eq!(letters(&invoked), "DDDD");
    let calls = [
        "orders-0@0 orders-0@1",
        "orders-0@0",
        "orders-0@2 orders-0@3",
    ];
    assert_eq!(journal.lines(), calls);
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_index_is_rejected_if_that_was_chosen() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store)).when_exhausted(WhenExhausted::Reject);
    let consumer = consumer.build().unwrap();

    let invoked = invoke(&consumer, orders([(0, "1"), (0, "3"), (0, "1")])).await;

    assert_eq!(letters(&invoked), "DRD");
    assert_eq!(invoked.record("orders", 0, 1).attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn done_behind_a_failure_is_skipped_in_the_next_delivery() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store))
        .attempts(1)
        .build()
        .unwrap();
    let event = || orders([(0, "1"), (0, "3"), (0, "1")]);

    let first = invoke(&consumer, event()).await;
    let second = invoke(&consumer, event()).await;

    assert_eq!(
        (letters(&first), letters(&second)),
        ("DFD".into(), "SFS".into())
    );
    assert_eq!(journal.lines()[1], "orders-0@1");
}

#[tokio::test(start_paused = true)]
async fn an_index_out_of_range_or_said_twice_fails_the_chunk_and_is_named() {
    async fn beyond(orders: Batch<Json<u64>>) -> Outcomes {
        let mut outcomes = orders.outcomes();
        outcomes.reject(orders.len(), Failure::reject("no such order"));
        outcomes
    }
    async fn twice(orders: Batch<Json<u64>>) -> Outcomes {
        let mut outcomes = orders.outcomes();
        outcomes.reject(0, Failure::reject("no such order"));
        outcomes.retry(0, Failure::retry("busy"));
        outcomes
    }
    let route = Consumer::builder().route("orders", batch(beyond).attempts(1));
    let route = route.route("returns", batch(twice).attempts(1));
    let consumer = route.build().unwrap();

    let samples = ["orders", "returns"].map(|topic| Sample::new(topic, 0).value("1"));
    let invoked = invoke(&consumer, Event::msk().records(samples)).await;

    assert_eq!(letters(&invoked), "FF");
    for (topic, said) in [("orders", "found 1"), ("returns", "found two of 0")] {
        let problem = invoked.record(topic, 0, 0).problem.as_ref().unwrap();
        assert_eq!(problem.code, "handler.outcomes");
        assert!(problem.message.contains(said), "{}", problem.message);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_handler_takes_tuples_and_what_there_is_of_the_invocation() {
    async fn index(
        orders: Batch<(Key<String>, Json<u64>)>,
        State(journal): State<Journal>,
        deadline: Deadline,
        RequestId(request): RequestId,
        partition: TopicPartition,
    ) {
        let left = deadline.time_left().unwrap().as_secs();
        let keys: Vec<&str> = orders.iter().map(|(Key(key), _)| key.as_str()).collect();
        let key = orders.idempotency_key(1).unwrap();
        let keys = keys.join(" ");
        journal.write(format!("{partition} {request} {left} {keys} {key}"));
    }
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(index)).build().unwrap();

    let samples = ["a", "b"].map(|key| Sample::new("orders", 0).key(key).value("1"));
    let invoked = invoke(&consumer, Event::msk().records(samples)).await;

    assert_eq!(letters(&invoked), "DD");
    let line = &journal.lines()[0];
    assert!(
        line.starts_with("orders-0 test-request 60 a b test/"),
        "{line}"
    );
    assert!(line.contains("/orders/0/1/"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn by_key_each_record_of_a_chunk_is_claimed_and_runs_once() {
    let journal = Journal::default();
    let consumer = consumer!(journal, batch(store)).per_record(PerRecord::by_header("id"));
    let consumer = consumer.build().unwrap();
    let order = |partition, id: &str| Sample::new("orders", partition).header("id", id).value("1");
    let event = || {
        let samples = [
            order(0, "a"),
            order(0, "b"),
            order(0, "a"),
            order(1, "b"),
            order(1, "c"),
        ];
        Event::msk().records(samples)
    };

    let first = invoke(&consumer, event()).await;
    let second = invoke(&consumer, event()).await;

    let done = letters(&first).matches('D').count();
    assert_eq!(done, 3, "{}", letters(&first));
    assert_eq!(letters(&second), "SSSSS");
}

#[tokio::test(start_paused = true)]
async fn no_call_begins_when_time_is_up() {
    async fn slow(orders: Batch<Json<u64>>, State(journal): State<Journal>) {
        journal.write(orders.len().to_string());
        sleep(Duration::from_secs(4)).await;
    }
    let journal = Journal::default();
    let consumer = consumer!(
        journal,
        batch(slow).records(1).timeout(Duration::from_secs(9))
    );
    let consumer = consumer.build().unwrap();

    let event = orders([(0, "1"), (0, "1"), (0, "1")]);
    let invoked = Invoke::new(event).time_given(Duration::from_secs(10));
    let invoked = invoked.run(&consumer).await;

    assert_eq!(letters(&invoked), "DDU");
    assert_eq!(journal.lines(), ["1", "1"]);
}

#[test]
fn at_most_once_refuses_a_batch_handler_by_its_topic() {
    async fn write(_: Batch<Json<u64>>) {}
    let builder = Consumer::builder().route("orders", batch(write));

    let error = builder
        .guarantee(Guarantee::AtMostOnce)
        .build()
        .unwrap_err();

    let error = format!("{error:?}");
    assert!(
        error.contains(
            r#".route("orders", …): expected a handler of one record, found a batch handler"#
        ),
        "{error}"
    );
}

#[test]
fn settings_that_cannot_be_are_named() {
    async fn write(_: Batch<Json<u64>>, _: TopicPartition) {}
    let none = batch(write).records(0).bytes(0).attempts(0);
    let none = none.timeout(Duration::ZERO).across_partitions();

    let error = Consumer::builder().route("orders", none).build();

    let error = format!("{:?}", error.unwrap_err());
    for place in [
        "`batch(…).records(…)`",
        "`batch(…).bytes(…)`",
        "`batch(…).timeout(…)`",
        "`batch(…).across_partitions()`",
        ".attempts(…)",
    ] {
        assert!(error.contains(place), "{place}: {error}");
    }
}

//! Queue mode: a share group instead of a consumer group.

use std::sync::Arc;
use std::time::Duration;

use msk_mapping::event::Source;
use msk_mapping::machine::{
    Acknowledgement, Because, Condition, Configuration, ConsumptionMode, Input, OnFailure,
    PollerId, StartingPosition,
};
use msk_mapping::record::Record;
use msk_mapping::response::FailureReporting;

use crate::desk::{Desk, POLLER, offsets, orders, record, settings, shown};

fn queue() -> Configuration {
    let source = Source::SelfManaged {
        bootstrap_servers: None,
    };
    let mut settings = Configuration::new(source, "orders", StartingPosition::TrimHorizon);
    settings.consumption_mode = ConsumptionMode::Queue;
    settings.function_response_types = FailureReporting::Partial;
    settings.provisioned_poller_config = crate::desk::settings().provisioned_poller_config;
    settings.batch_size = Some(2);
    settings
}

fn desk(settings: Configuration) -> Desk {
    let mut desk = Desk::bare(settings);
    desk.assign(0, None);
    desk
}

fn delivered(offset: i64, count: u16) -> Record {
    let mut record = record(0, offset);
    record.delivery_count = count;
    record
}

#[test]
fn the_broker_keeps_the_position() {
    let desk = desk(queue());

    assert!(desk.seeks.is_empty());
    assert!(desk.polls(0));
}

#[test]
fn several_batches_of_a_partition_are_under_way_at_once() {
    let mut desk = desk(queue());

    desk.poll(0, 0..14);

    let sent: Vec<_> = desk
        .batches
        .iter()
        .map(|batch| shown(&batch.partitions))
        .collect();
    let expected = [
        "orders-0: 0 1",
        "orders-0: 2 3",
        "orders-0: 4 5",
        "orders-0: 6 7",
        "orders-0: 8 9",
    ];
    assert_eq!(sent, expected);
}

#[test]
fn a_batch_does_not_wait_to_be_full() {
    let mut desk = desk(queue());

    desk.poll(0, [5]);

    assert_eq!(desk.batch().records(), 1);
}

#[test]
fn records_are_accepted_one_by_one_and_nothing_is_committed() {
    let mut desk = desk(queue());
    desk.poll(0, 0..4);
    let second = desk.batches.pop_back().unwrap();

    desk.answer(&second, "null");

    assert_eq!(
        desk.acknowledged,
        [("orders-0: 2 3".to_owned(), Acknowledgement::Accept)]
    );
    assert!(desk.commits.is_empty());
}

#[test]
fn a_failed_record_is_released_and_not_tried_again_here() {
    let mut desk = desk(queue());
    desk.poll(0, [0, 1]);
    let batch = desk.batch();

    desk.list(&batch, &[(0, 1)]);
    desk.wait(Duration::from_secs(60));

    let expected = [
        ("orders-0: 0".to_owned(), Acknowledgement::Accept),
        ("orders-0: 1".to_owned(), Acknowledgement::Release),
    ];
    assert_eq!(desk.acknowledged, expected);
    assert!(desk.batches.is_empty());
    assert!(desk.mapping.is_idle());
    assert_eq!(desk.mapping.metrics().dropped, 0);
}

#[test]
fn a_released_record_that_comes_again_is_sent_in_any_order() {
    let mut desk = desk(queue());
    desk.poll(0, [7, 8]);
    let batch = desk.batch();
    desk.fail(&batch);

    desk.poll_records(vec![delivered(9, 1), delivered(7, 2)]);

    assert_eq!(shown(&desk.batch().partitions), "orders-0: 9 7");
}

#[test]
fn a_record_that_comes_again_while_it_waits_is_sent_once() {
    let mut desk = desk(queue());
    // Five batches take all invocations: 10 and 11 wait, and lose their locks.
    desk.poll(0, 0..12);
    desk.poll_records(vec![delivered(10, 2), delivered(11, 2)]);

    while let Some(batch) = desk.batches.pop_front() {
        desk.answer(&batch, "null");
    }

    let sent: Vec<&str> = desk.acknowledged.iter().map(|(of, _)| &**of).collect();
    assert_eq!(
        sent.iter().filter(|of| **of == "orders-0: 10 11").count(),
        1
    );
    assert_eq!(desk.mapping.metrics().invoked, 12);
    assert!(desk.mapping.is_idle());
}

#[test]
fn after_the_brokers_limit_of_deliveries_a_record_is_given_up() {
    let mut desk = desk(queue());
    desk.poll_records(vec![delivered(0, 4), delivered(1, 5)]);
    let batch = desk.batch();

    desk.fail(&batch);

    let expected = [
        ("orders-0: 0".to_owned(), Acknowledgement::Release),
        ("orders-0: 1".to_owned(), Acknowledgement::Reject),
    ];
    assert_eq!(desk.acknowledged, expected);
    let [dropped] = &desk.dropped[..] else {
        panic!()
    };
    assert_eq!(
        (dropped.condition, dropped.because),
        (Condition::RetryAttemptsExhausted, Because::NoDestination)
    );
}

#[test]
fn what_is_given_up_is_rejected_when_the_destination_has_it() {
    let mut settings = queue();
    settings.on_failure = Some(OnFailure::Kafka("failed".to_owned()));
    settings.maximum_retry_attempts = Some(0);
    let mut desk = desk(settings);
    desk.poll_records(vec![delivered(1, 5)]);
    let batch = desk.batch();
    desk.fail(&batch);
    assert!(desk.acknowledged.is_empty());

    let discarded = desk.deliver();

    // Four deliveries before this one.
    assert_eq!((offsets(&discarded), discarded.invoke_count), (vec![1], 5));

    assert_eq!(
        desk.acknowledged,
        [("orders-0: 1".to_owned(), Acknowledgement::Reject)]
    );
}

#[test]
fn retries_that_are_set_come_before_the_release() {
    let mut settings = queue();
    settings.maximum_retry_attempts = Some(1);
    let mut desk = desk(settings);
    desk.poll(0, [0]);
    let first = desk.batch();
    desk.fail(&first);
    assert!(desk.acknowledged.is_empty());

    let second = desk.next_batch();
    desk.fail(&second);

    assert_eq!(
        desk.acknowledged,
        [("orders-0: 0".to_owned(), Acknowledgement::Release)]
    );
}

#[test]
fn a_record_that_is_too_old_is_given_up_whatever_its_deliveries() {
    let mut settings = queue();
    settings.maximum_record_age_in_seconds = Some(60);
    let mut desk = desk(settings);

    desk.poll_records(vec![record(0, 0).with_timestamp(1), record(0, 1)]);

    let expected = [("orders-0: 0".to_owned(), Acknowledgement::Reject)];
    assert_eq!(desk.acknowledged, expected);
    assert_eq!(desk.dropped[0].condition, Condition::RecordAgeExceeded);
    assert_eq!(shown(&desk.batch().partitions), "orders-0: 1");
}

#[test]
fn filtered_records_are_accepted() {
    let mut settings = queue();
    settings.filter_criteria = Some(Arc::new(|value: Option<&[u8]>| value.is_none()));
    let mut desk = desk(settings);

    desk.poll(0, [0, 1]);

    assert_eq!(
        desk.acknowledged,
        [("orders-0: 0 1".to_owned(), Acknowledgement::Accept)]
    );
    assert!(desk.mapping.is_idle());
}

#[test]
fn two_pollers_share_a_partition() {
    let other = PollerId(1);
    let mut desk = desk(queue());
    desk.give(Input::Assigned {
        poller: other,
        partition: orders(0),
        committed: None,
    });

    desk.poll(0, [0]);
    desk.give(Input::Polled {
        poller: other,
        records: vec![record(0, 1)],
    });

    let pollers: Vec<_> = desk.batches.iter().map(|batch| batch.poller).collect();
    assert_eq!(pollers, [POLLER, other]);
}

#[test]
fn an_answer_after_a_revocation_acknowledges_nothing() {
    let mut desk = desk(queue());
    desk.poll(0, [0]);
    let batch = desk.batch();

    desk.revoke(0);
    desk.answer(&batch, "null");

    assert!(desk.acknowledged.is_empty());
}

#[test]
fn stream_mode_acknowledges_nothing() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();

    desk.answer(&batch, "null");

    assert!(desk.acknowledged.is_empty());
}

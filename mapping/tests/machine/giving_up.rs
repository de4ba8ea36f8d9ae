//! What is given up, and where it goes.

use std::time::Duration;

use msk_mapping::limits::EVENT_BYTES_MAX;
use msk_mapping::machine::{
    Again, Age, Because, Condition, Configuration, End, Exhausted, Input, LastResponse, OnFailure,
};

use crate::desk::{Desk, offsets, orders, record, settings, shown};

const SECOND: Duration = Duration::from_secs(1);

fn with_destination() -> Configuration {
    let mut settings = settings();
    settings.maximum_retry_attempts = Some(0);
    settings.on_failure = Some(OnFailure::S3("arn:aws:s3:::failed".to_owned()));
    settings
}

fn too_big(offset: i64) -> msk_mapping::record::Record {
    record(0, offset).with_value(vec![0; EVENT_BYTES_MAX])
}

#[test]
fn without_a_destination_records_are_dropped_and_committed() {
    let mut settings = settings();
    settings.maximum_retry_attempts = Some(0);
    let mut desk = Desk::new(settings);
    desk.poll(0, 0..3);
    let batch = desk.next_batch();

    desk.fail(&batch);

    let [dropped] = &desk.dropped[..] else {
        panic!()
    };
    assert_eq!(
        (dropped.condition, dropped.because),
        (Condition::RetryAttemptsExhausted, Because::NoDestination)
    );
    assert_eq!(shown(&dropped.records), "orders-0: 0 1 2");
    assert_eq!(desk.commits, ["orders-0@3"]);
}

#[test]
fn what_is_on_its_way_to_the_destination_is_not_settled() {
    let mut desk = Desk::new(with_destination());
    desk.poll(0, 0..3);
    let batch = desk.next_batch();
    desk.fail(&batch);
    desk.poll(0, [3]);

    desk.wait(SECOND);
    assert!(desk.commits.is_empty());
    assert!(desk.batches.is_empty(), "the partition waits");
    desk.deliver();

    assert_eq!(desk.commits, ["orders-0@3"]);
    assert_eq!(shown(&desk.batch().partitions), "orders-0: 3");
}

#[test]
fn a_delivery_tells_what_happened() {
    let mut desk = Desk::new(with_destination());
    desk.poll(0, 0..2);
    desk.poll(1, [0]);
    let batch = desk.next_batch();
    desk.fail(&batch);

    let discarded = desk.deliver();

    assert_eq!(discarded.condition, Condition::RetryAttemptsExhausted);
    assert_eq!(
        (discarded.invoke_count, discarded.response),
        (1, LastResponse::FunctionError)
    );
    assert_eq!(discarded.request_id.as_deref(), Some("request-0"));
    assert_eq!(discarded.at, desk.now);
    let records: Vec<_> = discarded.records.iter().map(ToString::to_string).collect();
    assert_eq!(records, ["orders-0@0", "orders-0@1", "orders-1@0"]);
}

#[test]
fn a_failed_delivery_counts_as_dropped() {
    let mut desk = Desk::new(with_destination());
    desk.poll(0, 0..2);
    let batch = desk.next_batch();
    desk.fail(&batch);
    let id = desk.deliveries.pop_front().unwrap().id;

    desk.give(Input::DeliveryFailed { id });

    let [dropped] = &desk.dropped[..] else {
        panic!()
    };
    assert_eq!(dropped.because, Because::DeliveryFailed);
    assert_eq!(shown(&dropped.records), "orders-0: 0 1");
    assert_eq!(desk.commits, ["orders-0@2"]);
    let metrics = desk.mapping.metrics();
    assert_eq!((metrics.dropped, metrics.delivered), (2, 0));
}

#[test]
fn a_second_confirmation_is_not_heard() {
    let mut desk = Desk::new(with_destination());
    desk.poll(0, [0]);
    let batch = desk.next_batch();
    desk.fail(&batch);
    let id = desk.deliver().id;

    desk.give(Input::DeliveryFailed { id });

    assert!(desk.dropped.is_empty());
    assert_eq!(desk.mapping.metrics().delivered, 1);
}

#[test]
fn a_record_that_is_too_big_is_given_up_without_an_invocation() {
    let mut desk = Desk::new(with_destination());

    desk.poll_records(vec![too_big(0), record(0, 1)]);

    let discarded = desk.deliver();
    assert_eq!(discarded.condition, Condition::MaximumPayloadSizeExceeded);
    assert_eq!((offsets(&discarded), discarded.invoke_count), (vec![0], 0));
    assert_eq!(
        (discarded.response, discarded.request_id),
        (LastResponse::None, None)
    );
    assert_eq!(shown(&desk.next_batch().partitions), "orders-0: 1");
}

#[test]
fn a_record_that_is_too_big_waits_for_those_before_it() {
    let mut desk = Desk::new(with_destination());

    desk.poll_records(vec![record(0, 0), too_big(1), record(0, 2)]);
    let first = desk.next_batch();
    assert_eq!(shown(&first.partitions), "orders-0: 0");
    assert!(desk.deliveries.is_empty());
    desk.answer(&first, "null");
    assert_eq!(offsets(&desk.deliver()), [1]);

    assert_eq!(shown(&desk.next_batch().partitions), "orders-0: 2");
}

#[test]
fn a_record_that_is_too_big_does_not_close_the_batch_of_others() {
    let mut desk = Desk::new(with_destination());

    desk.poll_records(vec![record(0, 0), too_big(1), record(1, 0)]);

    assert_eq!(
        shown(&desk.next_batch().partitions),
        "orders-0: 0; orders-1: 0"
    );
}

/// Records of orders-0 that are so many seconds old.
fn aged(seconds: &[i64]) -> Vec<msk_mapping::record::Record> {
    let now = i64::try_from(crate::desk::START.as_millis()).unwrap();
    let record = |(offset, age): (i64, &i64)| record(0, offset).with_timestamp(now - age * 1000);
    (0..).zip(seconds).map(record).collect()
}

#[test]
fn a_record_that_is_too_old_is_given_up_alone_or_with_its_batch() {
    for (age, given_up, sent) in [
        (Age::PerRecord, vec![1], Some("orders-0: 0 2")),
        (Age::PerBatch, vec![0, 1, 2], None),
    ] {
        let mut settings = with_destination();
        settings.maximum_record_age_in_seconds = Some(60);
        settings.readings.age = age;
        let mut desk = Desk::new(settings);
        desk.poll_records(aged(&[0, 61, 0]));
        desk.wake();

        let discarded = desk.deliver();

        assert_eq!(discarded.condition, Condition::RecordAgeExceeded);
        assert_eq!((offsets(&discarded), discarded.invoke_count), (given_up, 0));
        let batch = desk.batches.pop_front();
        assert_eq!(batch.map(|batch| shown(&batch.partitions)).as_deref(), sent);
    }
}

#[test]
fn a_record_of_the_greatest_age_is_still_sent() {
    let mut settings = settings();
    settings.maximum_record_age_in_seconds = Some(60);
    settings.maximum_batching_window_in_seconds = Some(0);
    let mut desk = Desk::new(settings);

    desk.poll_records(aged(&[60]));

    assert_eq!(desk.batch().records(), 1);
}

#[test]
fn a_record_without_a_timestamp_has_no_age() {
    let mut settings = settings();
    settings.maximum_record_age_in_seconds = Some(60);
    let mut desk = Desk::new(settings);

    desk.poll_records(vec![record(0, 0).with_timestamp(-1)]);

    assert_eq!(desk.next_batch().records(), 1);
}

#[test]
fn records_age_while_they_are_tried_again() {
    let mut settings = with_destination();
    settings.maximum_retry_attempts = Some(-1);
    settings.maximum_record_age_in_seconds = Some(60);
    let mut desk = Desk::new(settings);
    desk.poll(0, [0]);

    let mut sent = 0;
    while desk.deliveries.is_empty() {
        let batch = desk.next_batch();
        sent += 1;
        desk.now = desk.now.after(SECOND * 20);
        desk.end(&batch, End::TimedOut);
        desk.wake();
    }

    let discarded = desk.deliver();
    assert_eq!((sent, discarded.invoke_count), (3, 3));
    assert_eq!(discarded.condition, Condition::RecordAgeExceeded);
    assert_eq!(discarded.request_id.as_deref(), Some("request-2"));
}

#[test]
fn the_second_half_of_a_batch_has_its_age_looked_at_too() {
    let mut settings = settings();
    settings.maximum_record_age_in_seconds = Some(60);
    settings.bisect_batch_on_function_error = true;
    let mut desk = Desk::new(settings);
    desk.poll_records(aged(&[50, 50]));
    let whole = desk.next_batch();
    desk.now = desk.now.after(SECOND * 20);

    desk.end(&whole, End::FunctionError);
    desk.wake();

    assert_eq!(desk.batches.len(), 0);
    let dropped = desk.dropped.iter().map(|dropped| dropped.condition);
    assert!(dropped.eq([Condition::RecordAgeExceeded; 2]));
}

/// 1 and 3 of 0 to 3 are listed, and there are no retries.
fn exhausted(again: Again, exhausted: Exhausted) -> Desk {
    let mut settings = with_destination();
    settings.readings.again = again;
    settings.readings.exhausted = exhausted;
    let mut desk = Desk::new(settings);
    desk.poll(0, 0..4);
    desk.poll(1, 0..2);
    let batch = desk.next_batch();
    desk.list(&batch, &[(0, 1), (0, 3)]);
    desk
}

#[test]
fn exhaustion_gives_up_what_was_listed() {
    let mut desk = exhausted(Again::OnlyListed, Exhausted::Listed);

    assert_eq!(offsets(&desk.deliver()), [1, 3]);
    assert_eq!(desk.commits, ["orders-0@1", "orders-1@2", "orders-0@4"]);
    assert!(desk.mapping.is_idle());
}

#[test]
fn exhaustion_gives_up_all_from_the_lowest_if_it_is_read_so() {
    for again in [Again::OnlyListed, Again::FromLowest] {
        let mut desk = exhausted(again, Exhausted::FromLowest);

        assert_eq!(offsets(&desk.deliver()), [1, 2, 3]);
        assert_eq!(desk.commits, ["orders-0@1", "orders-1@2", "orders-0@4"]);
        assert!(desk.mapping.is_idle());
    }
}

#[test]
fn what_comes_again_with_exhausted_records_goes_on_with_its_own_count() {
    let mut desk = exhausted(Again::FromLowest, Exhausted::Listed);

    assert_eq!(offsets(&desk.deliver()), [1, 3]);
    assert_eq!(
        desk.take_commits(),
        ["orders-0@1", "orders-1@2", "orders-0@2"]
    );
    let rest = desk.next_batch();
    assert_eq!(shown(&rest.partitions), "orders-0: 2");
    desk.answer(&rest, "null");
    assert_eq!(desk.commits, ["orders-0@4"]);
}

#[test]
fn an_answer_without_an_error_is_told_apart() {
    let mut desk = exhausted(Again::OnlyListed, Exhausted::Listed);

    assert_eq!(desk.deliver().response, LastResponse::Answered);
}

#[test]
fn what_was_revoked_is_neither_settled_nor_dropped_by_the_destination() {
    for taken in [true, false] {
        let mut desk = exhausted(Again::OnlyListed, Exhausted::Listed);
        let id = desk.deliveries.pop_front().unwrap().id;
        desk.take_commits();
        desk.revoke(0);
        desk.give(Input::Assigned {
            poller: crate::desk::POLLER,
            partition: orders(0),
            committed: Some(1),
        });

        desk.give(if taken {
            Input::Delivered { id }
        } else {
            Input::DeliveryFailed { id }
        });

        assert!(desk.commits.is_empty());
        assert!(desk.dropped.is_empty());
    }
}

//! How often a batch is sent again, and when.

use std::time::Duration;

use msk_mapping::machine::{Attempts, End, OnFailure, Progress, Throttles};

use crate::desk::{Desk, offsets, settings, shown};

const WINDOW: Duration = Duration::from_millis(500);

fn with_retries(retries: i64) -> Desk {
    let mut settings = settings();
    settings.maximum_retry_attempts = Some(retries);
    Desk::new(settings)
}

/// Sends the next batch and lets it fail, until nothing comes any more. Returns how often it was sent.
fn exhaust(desk: &mut Desk, most: usize) -> usize {
    for attempt in 0..most {
        if desk.batches.is_empty() && desk.mapping.wake_at().is_none() {
            return attempt;
        }
        let batch = desk.next_batch();
        desk.fail(&batch);
    }
    most
}

#[test]
fn maximum_retry_attempts_does_not_count_the_first() {
    for (retries, sent) in [(0, 1), (1, 2), (3, 4)] {
        let mut desk = with_retries(retries);
        desk.poll(0, 0..2);

        assert_eq!(exhaust(&mut desk, 9), sent);
        assert_eq!(desk.commits, ["orders-0@2"]);
        assert_eq!(shown(&desk.dropped[0].records), "orders-0: 0 1");
    }
}

#[test]
fn retries_are_infinite_if_nothing_else_is_set() {
    for retries in [None, Some(-1)] {
        let mut settings = settings();
        settings.maximum_retry_attempts = retries;
        let mut desk = Desk::new(settings);
        desk.poll(0, [0]);

        assert_eq!(exhaust(&mut desk, 100), 100);
        assert!(desk.dropped.is_empty());
    }
}

#[test]
fn with_a_destination_infinite_retries_are_ten() {
    for retries in [None, Some(-1)] {
        let mut settings = settings();
        settings.maximum_retry_attempts = retries;
        settings.on_failure = Some(OnFailure::S3("arn:aws:s3:::failed".to_owned()));
        let mut desk = Desk::new(settings);
        desk.poll(0, [0]);

        assert_eq!(exhaust(&mut desk, 100), 11);
        assert_eq!(desk.deliver().invoke_count, 11);
    }
}

#[test]
fn the_pause_doubles_up_to_its_most() {
    let mut settings = settings();
    settings.backoff.first = Duration::from_millis(100);
    settings.backoff.most = Duration::from_millis(300);
    let mut desk = Desk::new(settings);
    desk.poll(0, [0]);
    let mut batch = desk.next_batch();

    let mut pauses = Vec::new();
    for _ in 0..4 {
        let failed = desk.now;
        desk.fail(&batch);
        batch = desk.next_batch();
        pauses.push(desk.now.since(failed).as_millis());
    }

    assert_eq!(pauses, [100, 200, 300, 300]);
}

#[test]
fn progress_begins_the_pause_anew() {
    let mut desk = Desk::new(settings());
    desk.poll(0, 0..2);
    let first = desk.next_batch();
    desk.fail(&first);
    let second = desk.next_batch();
    desk.fail(&second);
    let third = desk.next_batch();
    let answered = desk.now;

    desk.list(&third, &[(0, 1)]);
    desk.next_batch();

    assert_eq!(desk.now.since(answered), WINDOW);
}

#[test]
fn throttles_cost_no_attempt_unless_they_are_read_so() {
    for (throttles, sent_again) in [(Throttles::Free, true), (Throttles::Count, false)] {
        let mut settings = settings();
        settings.maximum_retry_attempts = Some(1);
        settings.readings.throttles = throttles;
        let mut desk = Desk::new(settings);
        desk.poll(0, [0]);

        for _ in 0..2 {
            let batch = desk.next_batch();
            assert_eq!(batch.attempt, 1, "the function has not seen it");
            desk.end(&batch, End::Throttled);
        }

        assert_eq!(desk.dropped.is_empty(), sent_again);
        assert_eq!(desk.mapping.is_idle(), !sent_again);
    }
}

#[test]
fn throttles_are_tried_again_with_growing_pauses() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let first = desk.next_batch();
    desk.end(&first, End::Throttled);
    let second = desk.next_batch();
    let throttled = desk.now;

    desk.end(&second, End::Throttled);
    desk.next_batch();

    assert_eq!(desk.now.since(throttled), WINDOW * 2);
}

/// One retry; 0 fails first, then 1 behind it. Under `from-lowest` both come again each time.
fn two_failures(attempts: Attempts, progress: Progress) -> Desk {
    let mut settings = settings();
    settings.maximum_retry_attempts = Some(1);
    settings.readings.again = msk_mapping::machine::Again::FromLowest;
    settings.readings.attempts = attempts;
    settings.readings.progress = progress;
    let mut desk = Desk::new(settings);
    desk.poll(0, 0..2);
    let first = desk.next_batch();
    desk.list(&first, &[(0, 0)]);
    let second = desk.next_batch();
    assert_eq!(shown(&second.partitions), "orders-0: 0 1");
    desk.list(&second, &[(0, 1)]);
    desk
}

#[test]
fn attempts_are_counted_per_batch_or_per_record() {
    let per_batch = two_failures(Attempts::PerBatch, Progress::Keeps);
    let per_record = two_failures(Attempts::PerRecord, Progress::Keeps);

    assert_eq!(shown(&per_batch.dropped[0].records), "orders-0: 1");
    assert!(per_record.dropped.is_empty(), "1 has failed once");
}

#[test]
fn progress_starts_the_count_anew_if_it_is_read_so() {
    let mut desk = two_failures(Attempts::PerBatch, Progress::StartsAnew);
    assert!(desk.dropped.is_empty());

    let third = desk.next_batch();
    desk.list(&third, &[(0, 1)]);
    assert!(
        desk.dropped.is_empty(),
        "the first attempt of the new count"
    );
    let fourth = desk.next_batch();
    desk.list(&fourth, &[(0, 1)]);

    assert_eq!(shown(&desk.dropped[0].records), "orders-0: 1");
}

#[test]
fn a_listed_record_that_is_used_up_goes_to_the_destination_alone() {
    let mut settings = settings();
    settings.maximum_retry_attempts = Some(0);
    settings.on_failure = Some(OnFailure::Sqs(
        "arn:aws:sqs:eu-central-1:123456789012:failed".to_owned(),
    ));
    let mut desk = Desk::new(settings);
    desk.poll(0, 0..4);
    let batch = desk.next_batch();

    desk.list(&batch, &[(0, 1), (0, 3)]);

    assert_eq!(offsets(&desk.deliveries[0]), [1, 3]);
    assert_eq!(desk.take_commits(), ["orders-0@1"]);
    desk.deliver();
    assert_eq!(desk.commits, ["orders-0@4"]);
}

//! Which partitions are polled, and the metrics.

use msk_mapping::machine::NextBatch;
use msk_mapping::time::Time;

use crate::desk::{Desk, settings, shown};

#[test]
fn each_partition_is_polled_from_its_assignment_on() {
    let desk = Desk::new(settings());

    assert_eq!(desk.polled.len(), 2);
}

#[test]
fn a_partition_pauses_while_two_batches_of_it_wait_and_resumes_at_one() {
    let mut desk = Desk::new(settings());
    desk.poll(0, 0..10);
    let first = desk.batch();

    desk.poll(0, 10..29);
    assert!(desk.polls(0));
    desk.poll(0, [29]);
    assert!(!desk.polls(0));
    desk.answer(&first, "null");
    let second = desk.batch();
    assert!(!desk.polls(0), "a whole batch waits");
    desk.answer(&second, "null");

    assert!(desk.polls(0));
    assert!(desk.polls(1));
}

#[test]
fn what_was_fetched_when_a_partition_paused_is_taken() {
    let mut desk = Desk::new(settings());
    desk.poll(0, 0..40);

    desk.poll(0, 40..45);

    let status = &desk.mapping.partitions()[0];
    assert_eq!(
        (status.in_flight, status.waiting, status.paused),
        (10, 35, true)
    );
    assert_eq!(status.position, Some(45));
}

#[test]
fn a_partition_shows_how_it_stands() {
    let mut desk = Desk::new(settings());
    desk.poll(0, 0..3);
    let batch = desk.next_batch();
    desk.list(&batch, &[(0, 1), (0, 2)]);
    desk.poll(0, [7]);

    let status = &desk.mapping.partitions()[0];

    assert_eq!(
        (
            status.waiting,
            status.in_flight,
            status.retrying,
            status.delivering
        ),
        (1, 0, 2, 0)
    );
    assert_eq!((status.position, status.committed), (Some(8), Some(1)));
}

#[test]
fn metrics_count_records() {
    let mut desk = Desk::new(settings());
    desk.poll(0, 0..3);
    let first = desk.next_batch();
    desk.list(&first, &[(0, 1)]);
    let second = desk.next_batch();
    desk.fail(&second);
    let third = desk.next_batch();
    desk.answer(&third, "null");

    let metrics = desk.mapping.metrics();

    assert_eq!(
        (
            metrics.polled,
            metrics.invoked,
            metrics.failed_invoke,
            metrics.committed
        ),
        (3, 5, 2, 3)
    );
    assert_eq!((metrics.invocations, metrics.failed_invocations), (3, 1));
}

#[test]
fn the_next_batch_waits_for_listed_records_or_goes_on_beside_them() {
    for (next_batch, goes_on) in [(NextBatch::Waits, false), (NextBatch::GoesOn, true)] {
        let mut settings = settings();
        settings.readings.next_batch = next_batch;
        let mut desk = Desk::new(settings);
        desk.poll(0, 0..10);
        let first = desk.batch();
        desk.poll(0, 10..20);

        desk.list(&first, &[(0, 4)]);

        assert_eq!(!desk.batches.is_empty(), goes_on);
        if goes_on {
            let second = desk.batch();
            desk.answer(&second, "null");
            assert_eq!(
                desk.take_commits(),
                ["orders-0@4"],
                "not past the listed record"
            );
            let again = desk.next_batch();
            assert_eq!(shown(&again.partitions), "orders-0: 4");
            desk.answer(&again, "null");
            assert_eq!(desk.commits, ["orders-0@20"]);
        }
    }
}

#[test]
fn at_most_sixteen_groups_are_tried_again_beside_the_next_batches() {
    let mut settings = settings();
    settings.readings.next_batch = NextBatch::GoesOn;
    settings.batch_size = Some(1);
    settings.maximum_batching_window_in_seconds = Some(0);
    settings.backoff.first = std::time::Duration::from_secs(600);
    settings.backoff.most = settings.backoff.first;
    let mut desk = Desk::new(settings);

    let mut sent = 0;
    for offset in 0..30 {
        desk.poll(0, [offset]);
        while let Some(batch) = desk.batches.pop_front() {
            sent += 1;
            desk.list(&batch, &[(0, batch.partitions[0].offsets[0])]);
        }
    }

    assert_eq!(
        sent, 17,
        "sixteen beside it, and one that holds the partition"
    );
}

#[test]
fn after_an_error_the_partition_waits_under_any_reading() {
    let mut settings = settings();
    settings.readings.next_batch = NextBatch::GoesOn;
    let mut desk = Desk::new(settings);
    desk.poll(0, 0..10);
    let first = desk.batch();
    desk.poll(0, 10..20);

    desk.fail(&first);

    assert!(desk.batches.is_empty());
}

#[test]
fn who_wakes_a_moment_too_early_is_asked_again() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let closes = desk.wake_at.take().unwrap();

    desk.now = Time::from_millis(closes.as_millis() - 1);
    desk.give(msk_mapping::machine::Input::Woken);

    assert_eq!(desk.wake_at, Some(closes));
}

#[test]
fn time_that_goes_back_stands_still() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let closes = desk.wake_at.unwrap();

    desk.now = Time::from_millis(0);
    desk.poll(0, [1]);

    assert_eq!(desk.mapping.wake_at(), Some(closes));
}

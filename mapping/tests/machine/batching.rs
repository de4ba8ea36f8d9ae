//! When a batch closes, and what is in it.

use std::time::Duration;

use msk_mapping::limits::EVENT_BYTES_MAX;
use msk_mapping::machine::{Condition, Input, Window};
use msk_mapping::record::Record;

use crate::desk::{Desk, POLLER, orders, record, settings, shown};

const WINDOW: Duration = Duration::from_millis(500);

#[test]
fn a_batch_closes_half_a_second_after_its_first_record() {
    let mut desk = Desk::new(settings());

    desk.poll(0, [0]);
    desk.wait(Duration::from_millis(400));
    desk.poll(0, [1]);
    desk.wait(Duration::from_millis(99));
    assert!(desk.batches.is_empty());
    assert_eq!(desk.wake_at, Some(desk.now.after(Duration::from_millis(1))));
    desk.wait(Duration::from_millis(1));

    assert_eq!(shown(&desk.batch().partitions), "orders-0: 0 1");
}

#[test]
fn a_window_that_is_set_counts_in_seconds() {
    let mut settings = settings();
    settings.maximum_batching_window_in_seconds = Some(300);
    let mut desk = Desk::new(settings);

    desk.poll(0, [0]);
    desk.wait(Duration::from_millis(299_999));
    assert!(desk.batches.is_empty());
    desk.wait(Duration::from_millis(1));

    assert_eq!(desk.batch().records(), 1);
}

#[test]
fn a_window_of_zero_sends_what_there_is() {
    let mut settings = settings();
    settings.maximum_batching_window_in_seconds = Some(0);
    let mut desk = Desk::new(settings);

    desk.poll(0, [4, 9]);

    assert_eq!(shown(&desk.batch().partitions), "orders-0: 4 9");
}

#[test]
fn a_full_batch_closes_at_once() {
    let mut desk = Desk::new(settings());

    desk.poll(0, 0..12);

    assert_eq!(
        shown(&desk.batch().partitions),
        "orders-0: 0 1 2 3 4 5 6 7 8 9"
    );
}

#[test]
fn a_batch_has_100_records_if_nothing_else_is_set() {
    let mut settings = settings();
    settings.batch_size = None;
    let mut desk = Desk::new(settings);

    desk.poll(0, 0..99);
    assert!(desk.batches.is_empty());
    desk.poll(0, [99]);

    assert_eq!(desk.batch().records(), 100);
}

#[test]
fn a_batch_holds_several_partitions_each_in_one_piece() {
    let mut desk = Desk::new(settings());

    desk.poll_records(vec![record(1, 0), record(0, 0), record(1, 1), record(0, 1)]);
    desk.wait(WINDOW);

    let batch = desk.batch();
    assert_eq!(shown(&batch.partitions), "orders-0: 0 1; orders-1: 0 1");
    let event: serde_json::Value = serde_json::from_slice(&batch.body).unwrap();
    assert_eq!(event["records"]["orders-1"][1]["offset"], 1);
}

#[test]
fn the_partition_that_has_waited_longest_goes_first() {
    let mut desk = Desk::new(settings());

    desk.poll(1, 0..6);
    desk.wait(Duration::from_millis(1));
    desk.poll(0, 0..6);

    assert_eq!(
        shown(&desk.batch().partitions),
        "orders-1: 0 1 2 3 4 5; orders-0: 0 1 2 3"
    );
}

#[test]
fn a_partition_with_an_unsettled_batch_is_not_batched_again() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    desk.wait(WINDOW);
    let first = desk.batch();

    desk.poll(0, [1]);
    desk.poll(1, [0]);
    desk.wait(WINDOW);
    assert_eq!(shown(&desk.batch().partitions), "orders-1: 0");
    desk.answer(&first, "null");

    assert_eq!(shown(&desk.batch().partitions), "orders-0: 1");
}

#[test]
fn a_partition_is_free_as_soon_as_its_own_records_are_settled() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    desk.poll(1, [0]);
    desk.wait(WINDOW);
    let both = desk.batch();
    desk.poll(0, [1]);
    desk.poll(1, [1]);

    desk.list(&both, &[(1, 0)]);
    desk.wait(Duration::from_millis(499)); // less than the pause

    desk.wait(Duration::from_millis(1));
    let sent: Vec<_> = desk
        .batches
        .iter()
        .map(|batch| shown(&batch.partitions))
        .collect();
    assert_eq!(sent, ["orders-1: 0", "orders-0: 1"]);
}

#[test]
fn the_next_window_begins_when_the_record_came_or_when_its_partition_was_free() {
    for (window, at_once) in [(Window::FromArrival, true), (Window::FromFree, false)] {
        let mut settings = settings();
        settings.readings.window = window;
        let mut desk = Desk::new(settings);
        desk.poll(0, [0]);
        desk.wait(WINDOW);
        let first = desk.batch();
        desk.poll(0, [1]);
        desk.wait(WINDOW);

        desk.answer(&first, "null");

        assert_eq!(desk.batches.len(), usize::from(at_once));
        if !at_once {
            assert_eq!(desk.mapping.wake_at(), Some(desk.now.after(WINDOW)));
        }
    }
}

#[test]
fn a_poller_has_five_invocations_under_way_at_most() {
    let mut desk = Desk::bare(settings());
    for partition in 0..7 {
        desk.assign(partition, Some(0));
        desk.poll(partition, 0..10);
    }

    assert_eq!((desk.batches.len(), desk.mapping.in_flight()), (5, 5));
    assert_eq!(desk.mapping.wake_at(), None);
    let first = desk.batches.pop_front().unwrap();
    desk.answer(&first, "null");

    assert_eq!((desk.batches.len(), desk.mapping.in_flight()), (5, 5));
    assert_eq!(
        shown(&desk.batches.back().unwrap().partitions),
        "orders-5: 0 1 2 3 4 5 6 7 8 9"
    );
}

/// A record whose JSON has about so many bytes.
fn large(partition: i32, offset: i64, bytes: usize) -> Record {
    record(partition, offset).with_value(vec![0; bytes / 4 * 3])
}

#[test]
fn six_megabytes_close_a_batch_and_count_the_envelope() {
    let mut desk = Desk::new(settings());
    let third = EVENT_BYTES_MAX / 3;

    // Three thirds and an envelope are too much.
    desk.poll_records((0..3).map(|offset| large(0, offset, third)).collect());

    let batch = desk.batch();
    assert_eq!(shown(&batch.partitions), "orders-0: 0 1");
    assert!(batch.body.len() <= EVENT_BYTES_MAX);
}

/// A record that alone makes an event of exactly so many bytes.
fn exact(bytes: usize) -> Record {
    let envelope = settings().envelope();
    let size = |record: &Record| {
        envelope
            .size()
            .with(&orders(0), envelope.record_bytes(record))
    };
    let most = record(0, 0).with_value(vec![0; bytes / 4 * 3 - 600]);
    // A header's name can have any length, base64 cannot. Around it stands `{"":[]}`.
    let name = "h".repeat(bytes - size(&most) - 7);
    let record = most.with_header(name, "");
    assert_eq!(size(&record), bytes);
    record
}

#[test]
fn an_event_may_have_six_megabytes_and_not_a_byte_more() {
    let mut desk = Desk::new(settings());

    desk.poll_records(vec![exact(EVENT_BYTES_MAX)]);
    desk.wait(WINDOW);
    let batch = desk.batch();
    desk.answer(&batch, "null");
    let mut too_big = exact(EVENT_BYTES_MAX + 1);
    too_big.offset = 1;
    desk.poll_records(vec![too_big]);

    assert_eq!(batch.body.len(), EVENT_BYTES_MAX);
    assert_eq!(
        desk.dropped[0].condition,
        Condition::MaximumPayloadSizeExceeded
    );
    assert_eq!(desk.commits, ["orders-0@1", "orders-0@2"]);
}

#[test]
fn a_record_that_does_not_fit_waits_for_the_next_batch() {
    let mut desk = Desk::new(settings());
    desk.poll_records(vec![
        large(0, 0, EVENT_BYTES_MAX / 2),
        large(0, 1, EVENT_BYTES_MAX / 2),
    ]);

    let first = desk.batch();
    assert_eq!(first.records(), 1);
    desk.answer(&first, "null");

    assert_eq!(shown(&desk.next_batch().partitions), "orders-0: 1");
}

#[test]
fn records_of_partitions_that_a_poller_does_not_have_are_ignored() {
    let mut desk = Desk::new(settings());

    desk.poll(7, [0]);
    desk.give(Input::Revoked {
        poller: POLLER,
        partition: orders(7),
    });

    assert!(desk.mapping.is_idle());
    assert_eq!(desk.mapping.metrics().polled, 0);
}

#[test]
fn a_record_that_was_polled_before_is_ignored() {
    let mut desk = Desk::new(settings());

    desk.poll(0, [3, 4]);
    desk.poll(0, [3, 4, 5]);
    desk.wait(WINDOW);

    assert_eq!(shown(&desk.batch().partitions), "orders-0: 3 4 5");
}

//! Which positions are committed, filters included.

use std::sync::Arc;
use std::time::Duration;

use msk_mapping::machine::{Input, Position, StartingPosition};

use crate::desk::{Desk, POLLER, orders, record, settings, shown};

fn filtering() -> Desk {
    let mut settings = settings();
    settings.filter_criteria = Some(Arc::new(|value: Option<&[u8]>| value == Some(b"{}")));
    Desk::new(settings)
}

#[test]
fn nothing_is_committed_before_it_is_settled() {
    let mut desk = Desk::new(settings());

    desk.poll(0, 0..3);
    desk.next_batch();

    assert!(desk.commits.is_empty());
}

#[test]
fn a_commit_covers_gaps_up_to_the_next_record() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0, 3]);
    let batch = desk.next_batch();
    desk.poll(0, [17]);

    desk.list(&batch, &[(0, 3)]);
    assert_eq!(desk.take_commits(), ["orders-0@3"]);
    let again = desk.next_batch();
    desk.answer(&again, "null");

    assert_eq!(desk.commits, ["orders-0@17"]);
}

#[test]
fn a_commit_never_passes_a_record_that_waits_for_its_next_attempt() {
    let mut desk = Desk::new(settings());
    desk.poll(0, 0..4);
    let batch = desk.next_batch();

    desk.list(&batch, &[(0, 2)]);

    assert_eq!(desk.commits, ["orders-0@2"]);
}

#[test]
fn filtered_records_are_not_sent_but_committed() {
    let mut desk = filtering();

    desk.poll_records(vec![
        record(0, 0).with_value("no"),
        record(0, 1),
        record(0, 2).with_value("no"),
    ]);
    assert_eq!(desk.take_commits(), ["orders-0@1"]);
    let batch = desk.next_batch();
    assert_eq!(shown(&batch.partitions), "orders-0: 1");
    desk.answer(&batch, "null");

    assert_eq!(desk.commits, ["orders-0@3"]);
    let metrics = desk.mapping.metrics();
    assert_eq!(
        (
            metrics.polled,
            metrics.filtered_out,
            metrics.invoked,
            metrics.committed
        ),
        (3, 2, 1, 3)
    );
}

#[test]
fn a_partition_of_filtered_records_alone_is_committed() {
    let mut desk = filtering();

    desk.poll_records(vec![
        record(1, 4).with_value(""),
        record(1, 9).with_value("no"),
    ]);

    assert_eq!(desk.commits, ["orders-1@10"]);
    assert!(desk.mapping.is_idle());
}

#[test]
fn a_gap_at_the_end_of_the_log_is_committed() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();
    desk.answer(&batch, "null");

    desk.give(Input::Advanced {
        poller: POLLER,
        partition: orders(0),
        position: 2, // behind a transaction's marker
    });

    assert_eq!(desk.commits, ["orders-0@1", "orders-0@2"]);
}

#[test]
fn a_gap_behind_unsettled_records_waits_for_them() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();
    desk.give(Input::Advanced {
        poller: POLLER,
        partition: orders(0),
        position: 5,
    });
    assert!(desk.commits.is_empty());

    desk.answer(&batch, "null");

    assert_eq!(desk.commits, ["orders-0@5"]);
}

#[test]
fn a_refused_commit_is_sent_again_after_a_second() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();
    desk.answer(&batch, "null");
    desk.take_commits();

    desk.give(Input::CommitRefused {
        poller: POLLER,
        partition: orders(0),
        position: 1,
    });
    desk.wait(Duration::from_millis(999));
    assert!(desk.commits.is_empty());
    desk.wait(Duration::from_millis(1));

    assert_eq!(desk.commits, ["orders-0@1"]);
    desk.wait(Duration::from_secs(9));
    assert_eq!(desk.commits.len(), 1, "it was not refused again");
}

#[test]
fn a_higher_commit_makes_up_for_a_refused_one() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();
    desk.answer(&batch, "null");
    desk.poll(0, [1]);
    let batch = desk.next_batch();
    desk.give(Input::CommitRefused {
        poller: POLLER,
        partition: orders(0),
        position: 1,
    });
    desk.answer(&batch, "null");
    desk.take_commits();

    desk.give(Input::CommitRefused {
        poller: POLLER,
        partition: orders(0),
        position: 1,
    });
    desk.wait(Duration::from_secs(9));

    assert!(desk.commits.is_empty());
}

#[test]
fn a_partition_begins_at_the_committed_offset_or_at_the_starting_position() {
    let cases = [
        (StartingPosition::TrimHorizon, Position::Beginning),
        (StartingPosition::Latest, Position::End),
        (
            StartingPosition::AtTimestamp(1_545_084_650_987),
            Position::Timestamp(1_545_084_650_987),
        ),
    ];
    for (starting_position, position) in cases {
        let mut settings = settings();
        settings.starting_position = starting_position;
        let mut desk = Desk::bare(settings);

        desk.assign(0, None);
        desk.assign(1, Some(7));

        let expected = [
            ("orders-0".to_owned(), position),
            ("orders-1".to_owned(), Position::Offset(7)),
        ];
        assert_eq!(desk.seeks, expected);
    }
}

#[test]
fn the_end_of_the_log_is_committed_when_it_is_known() {
    let mut settings = settings();
    settings.starting_position = StartingPosition::Latest;
    let mut desk = Desk::bare(settings);
    desk.assign(0, None);

    desk.give(Input::Advanced {
        poller: POLLER,
        partition: orders(0),
        position: 40,
    });

    assert_eq!(desk.commits, ["orders-0@40"]);
}

#[test]
fn a_position_out_of_range_goes_to_the_starting_position() {
    let mut desk = Desk::new(settings());

    desk.give(Input::OutOfRange {
        poller: POLLER,
        partition: orders(0),
    });

    assert_eq!(desk.seeks, [("orders-0".to_owned(), Position::Beginning)]);
}

#[test]
fn records_that_were_polled_before_the_log_lost_its_beginning_go_on() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let first = desk.next_batch();
    desk.poll(0, [1]);
    desk.give(Input::OutOfRange {
        poller: POLLER,
        partition: orders(0),
    });

    desk.poll(0, [50]);
    desk.answer(&first, "null");

    assert_eq!(desk.commits, ["orders-0@1"]);
    assert_eq!(shown(&desk.next_batch().partitions), "orders-0: 1 50");
}

#[test]
fn a_log_that_begins_anew_forgets_the_old_one() {
    let mut desk = Desk::new(settings());
    desk.poll(0, 0..6);
    let old = desk.next_batch();
    desk.poll(0, [6, 7]);
    desk.give(Input::OutOfRange {
        poller: POLLER,
        partition: orders(0),
    });

    desk.poll(0, [0, 1]);
    desk.answer(&old, "null");
    assert!(desk.commits.is_empty(), "it was an answer to other records");
    let new = desk.next_batch();
    desk.answer(&new, "null");

    assert_eq!(shown(&new.partitions), "orders-0: 0 1");
    assert_eq!(desk.commits, ["orders-0@2"]);
}

//! Partitions that are taken away, and draining.

use std::time::Duration;

use msk_mapping::machine::{Input, PollerId, Rebalance};

use crate::desk::{Desk, POLLER, orders, record, settings, shown};

const SECOND: Duration = Duration::from_secs(1);
const OTHER: PollerId = PollerId(1);

fn give_to_other(desk: &mut Desk, committed: i64) {
    desk.give(Input::Assigned {
        poller: OTHER,
        partition: orders(0),
        committed: Some(committed),
    });
}

#[test]
fn an_answer_after_a_revocation_commits_nothing() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();

    desk.revoke(0);
    desk.answer(&batch, "null");

    assert!(desk.commits.is_empty());
    assert!(desk.mapping.is_idle());
}

#[test]
fn an_answer_after_a_revocation_counts_for_the_other_partitions() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0, 1]);
    desk.poll(1, [0, 1]);
    let batch = desk.next_batch();

    desk.revoke(0);
    desk.list(&batch, &[(0, 0), (1, 1)]);

    assert_eq!(desk.commits, ["orders-1@1"]);
    assert_eq!(shown(&desk.next_batch().partitions), "orders-1: 1");
}

#[test]
fn an_answer_does_not_count_for_a_partition_that_came_back() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let old = desk.next_batch();
    desk.revoke(0);
    desk.assign(0, Some(0));
    desk.poll(0, [0]);
    let new = desk.next_batch();

    desk.answer(&old, "null");
    assert!(desk.commits.is_empty());
    desk.answer(&new, "null");

    assert_eq!(desk.commits, ["orders-0@1"]);
}

#[test]
fn what_waits_is_forgotten_with_its_partition() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();
    desk.fail(&batch);
    desk.poll(0, [1]);

    desk.revoke(0);
    desk.wait(SECOND * 60);

    assert!(desk.batches.is_empty());
    assert!(desk.mapping.is_idle());
    assert_eq!(desk.mapping.partitions().len(), 1);
}

#[test]
fn an_invocation_of_a_revoked_partition_still_takes_a_place() {
    let mut desk = Desk::bare(settings());
    for partition in 0..6 {
        desk.assign(partition, Some(0));
        desk.poll(partition, 0..10);
    }

    desk.revoke(0);
    assert_eq!(desk.batches.len(), 5);
    let first = desk.batches.pop_front().unwrap();
    desk.answer(&first, "null");

    assert_eq!(
        shown(&desk.batches.back().unwrap().partitions),
        "orders-5: 0 1 2 3 4 5 6 7 8 9"
    );
}

#[test]
fn another_poller_sends_what_its_predecessor_had_not_committed() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0, 1]);
    let first = desk.next_batch();
    desk.revoke(0);
    give_to_other(&mut desk, 0);

    desk.give(Input::Polled {
        poller: OTHER,
        records: vec![record(0, 0), record(0, 1)],
    });
    let second = desk.next_batch();
    desk.answer(&second, "null");

    assert_eq!((second.poller, second.attempt), (OTHER, 1));
    assert_eq!(second.partitions, first.partitions);
    assert_eq!(desk.commits, ["orders-0@2"]);
}

#[test]
fn a_rebalance_starts_the_count_anew_or_keeps_it() {
    for (rebalance, dropped) in [(Rebalance::StartsAnew, false), (Rebalance::Keeps, true)] {
        let mut settings = settings();
        settings.maximum_retry_attempts = Some(1);
        settings.readings.rebalance = rebalance;
        let mut desk = Desk::new(settings);
        desk.poll(0, [0, 1]);
        let first = desk.next_batch();
        desk.list(&first, &[(0, 0), (0, 1)]);
        desk.revoke(0);
        give_to_other(&mut desk, 0);
        desk.give(Input::Polled {
            poller: OTHER,
            records: vec![record(0, 0), record(0, 1)],
        });

        let second = desk.next_batch();
        desk.fail(&second);

        assert_eq!(!desk.dropped.is_empty(), dropped, "{rebalance:?}");
    }
}

/// A mapping that gives up after the second attempt and keeps counts, whose partition 0 is taken away after the first attempt of offsets 0 and 1.
fn tried_once_and_taken_away() -> Desk {
    let mut settings = settings();
    settings.maximum_retry_attempts = Some(1);
    settings.readings.rebalance = Rebalance::Keeps;
    let mut desk = Desk::new(settings);
    desk.poll(0, [0, 1]);
    let first = desk.next_batch();
    desk.fail(&first);
    desk.revoke(0);
    give_to_other(&mut desk, 0);
    desk
}

#[test]
fn a_record_that_was_not_tried_does_not_share_a_count_that_was_kept() {
    let mut desk = tried_once_and_taken_away();
    desk.give(Input::Polled {
        poller: OTHER,
        records: vec![record(0, 0), record(0, 1), record(0, 2)],
    });

    let tried = desk.next_batch();
    desk.fail(&tried);
    let fresh = desk.next_batch();

    assert_eq!(shown(&tried.partitions), "orders-0: 0 1");
    assert_eq!(shown(&desk.dropped[0].records), "orders-0: 0 1");
    assert_eq!(shown(&fresh.partitions), "orders-0: 2");
    assert_eq!(fresh.attempt, 1);
}

#[test]
fn a_record_of_a_topic_made_anew_has_no_count() {
    let mut desk = tried_once_and_taken_away();
    let anew = record(0, 0).with_timestamp(1);
    desk.give(Input::Polled {
        poller: OTHER,
        records: vec![anew],
    });

    let batch = desk.next_batch();
    desk.fail(&batch);

    assert_eq!(batch.attempt, 1);
    assert!(desk.dropped.is_empty());
}

/// The group takes a partition, and waits.
fn revoking(desk: &mut Desk, partition: i32) {
    desk.give(Input::Revoking {
        poller: POLLER,
        partition: orders(partition),
    });
}

#[test]
fn of_a_partition_about_to_go_what_is_under_way_is_committed_and_no_more_is_sent() {
    let mut desk = Desk::new(settings());
    desk.poll(0, 0..10);
    let under_way = desk.next_batch();
    desk.poll(0, 10..30);

    revoking(&mut desk, 0);
    desk.answer(&under_way, "null");
    desk.wait(SECOND * 60);

    assert_eq!(desk.commits, ["orders-0@10"]);
    assert!(desk.batches.is_empty());
    assert!(!desk.polls(0) && desk.polls(1));
}

#[test]
fn of_a_partition_that_is_about_to_go_nothing_is_tried_again() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0, 1]);
    let batch = desk.next_batch();

    revoking(&mut desk, 0);
    desk.list(&batch, &[(0, 1)]);
    desk.wait(SECOND * 60);

    assert_eq!(desk.commits, ["orders-0@1"]);
    assert!(desk.batches.is_empty());
    desk.revoke(0);
    assert!(desk.mapping.is_idle());
}

#[test]
fn the_other_partitions_go_on_while_one_is_about_to_go() {
    let mut desk = Desk::new(settings());
    revoking(&mut desk, 0);

    desk.poll(0, [0]);
    desk.poll(1, [0]);

    assert_eq!(shown(&desk.next_batch().partitions), "orders-1: 0");
}

#[test]
fn a_partition_that_was_about_to_go_and_comes_back_is_sent_again() {
    let mut desk = Desk::new(settings());
    revoking(&mut desk, 0);
    desk.revoke(0);

    desk.assign(0, Some(0));
    desk.poll(0, [0]);

    assert_eq!(shown(&desk.next_batch().partitions), "orders-0: 0");
}

#[test]
fn what_comes_again_after_a_refused_commit_is_counted_once() {
    let mut desk = Desk::new(settings());
    desk.poll(0, 0..4);
    let batch = desk.next_batch();
    desk.answer(&batch, "null");
    desk.revoke(0);
    // The broker has not taken the commit.
    give_to_other(&mut desk, 0);
    desk.give(Input::Polled {
        poller: OTHER,
        records: (0..6).map(|offset| record(0, offset)).collect(),
    });

    let batch = desk.next_batch();
    desk.answer(&batch, "null");

    assert_eq!(desk.commits, ["orders-0@4", "orders-0@6"]);
    assert_eq!(desk.mapping.metrics().committed, 6);
}

#[test]
fn pollers_have_invocations_of_their_own() {
    let mut desk = Desk::bare(settings());
    for partition in 0..5 {
        desk.assign(partition, Some(0));
        desk.poll(partition, 0..10);
    }
    assert_eq!(desk.batches.len(), 5);

    desk.give(Input::Assigned {
        poller: OTHER,
        partition: orders(5),
        committed: Some(0),
    });
    let records = (0..10).map(|offset| record(5, offset)).collect();
    desk.give(Input::Polled {
        poller: OTHER,
        records,
    });

    assert_eq!(desk.batches.back().unwrap().poller, OTHER);
    assert_eq!(desk.mapping.in_flight(), 6);
}

#[test]
fn draining_lets_what_is_under_way_end_and_begins_nothing() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();
    desk.poll(0, [1]);

    desk.give(Input::Drain);
    assert!(desk.polled.is_empty(), "each partition is paused");
    assert!(!desk.mapping.is_idle());
    desk.answer(&batch, "null");
    desk.poll(1, [0]);
    desk.wait(SECOND * 60);

    assert_eq!(desk.commits, ["orders-0@1"]);
    assert!(desk.batches.is_empty());
    assert!(desk.mapping.is_idle());
}

#[test]
fn draining_does_not_try_again() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();

    desk.give(Input::Drain);
    desk.fail(&batch);
    desk.wait(SECOND * 60);

    assert!(desk.batches.is_empty());
    assert_eq!(desk.mapping.wake_at(), None);
    assert!(desk.mapping.is_idle());
    assert!(desk.commits.is_empty());
}

#[test]
fn a_poller_that_is_given_a_partition_twice_begins_anew() {
    let mut desk = Desk::new(settings());
    desk.poll(0, [0]);
    let batch = desk.next_batch();

    desk.polled.clear();
    desk.polled.insert((POLLER, orders(1)));
    desk.give(Input::Assigned {
        poller: POLLER,
        partition: orders(0),
        committed: Some(0),
    });
    desk.answer(&batch, "null");

    assert!(desk.commits.is_empty());
    assert!(desk.polls(0));
}

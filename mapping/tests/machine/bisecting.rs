//! `BisectBatchOnFunctionError`.

use msk_mapping::machine::{Batch, Bisecting, Halves, PartialAnswer, Readings};

use crate::desk::{Desk, settings, shown};

fn bisecting(retries: i64, change: impl FnOnce(&mut Readings)) -> Desk {
    let mut settings = settings();
    settings.bisect_batch_on_function_error = true;
    settings.maximum_retry_attempts = Some(retries);
    change(&mut settings.readings);
    Desk::new(settings)
}

fn has(batch: &Batch, offset: i64) -> bool {
    batch
        .partitions
        .iter()
        .any(|part| part.offsets.contains(&offset))
}

/// Sends until nothing is left; a batch with the poison record fails. Returns what was sent.
fn run(desk: &mut Desk, poison: i64) -> Vec<String> {
    let mut sent = Vec::new();
    while !desk.mapping.is_idle() {
        if desk.batches.is_empty() {
            desk.wake();
        }
        while let Some(batch) = desk.batches.pop_front() {
            sent.push(shown(&batch.partitions));
            if has(&batch, poison) {
                desk.fail(&batch);
            } else {
                desk.answer(&batch, "null");
            }
        }
    }
    sent
}

#[test]
fn an_error_splits_the_batch_until_the_poison_record_is_alone() {
    let mut desk = bisecting(0, |_| {});
    desk.poll(0, 0..5);

    let sent = run(&mut desk, 3);

    let expected = [
        "orders-0: 0 1 2 3 4",
        "orders-0: 0 1 2",
        "orders-0: 3 4",
        "orders-0: 3",
        "orders-0: 4",
    ];
    assert_eq!(sent, expected);
    assert_eq!(shown(&desk.dropped[0].records), "orders-0: 3");
    assert_eq!(desk.commits.last().unwrap(), "orders-0@5");
}

#[test]
fn the_second_half_waits_for_the_first() {
    let mut desk = bisecting(-1, |_| {});
    desk.poll(0, 0..2);
    let whole = desk.next_batch();

    desk.fail(&whole);
    let first = desk.next_batch();
    assert_eq!(shown(&first.partitions), "orders-0: 0");
    desk.fail(&first);
    let again = desk.next_batch();
    assert_eq!(shown(&again.partitions), "orders-0: 0");
    desk.answer(&again, "null");

    assert_eq!(shown(&desk.batch().partitions), "orders-0: 1");
}

#[test]
fn both_halves_go_at_once_if_it_is_read_so() {
    let mut desk = bisecting(-1, |readings| readings.halves = Halves::SideBySide);
    desk.poll(0, 0..3);
    let whole = desk.next_batch();

    desk.fail(&whole);
    desk.wake();

    let sent: Vec<_> = desk
        .batches
        .iter()
        .map(|batch| shown(&batch.partitions))
        .collect();
    assert_eq!(sent, ["orders-0: 0 1", "orders-0: 2"]);
    let second = desk.batches.pop_back().unwrap();
    desk.answer(&second, "null");
    assert!(desk.commits.is_empty(), "the first is not settled");
    let first = desk.batch();
    desk.answer(&first, "null");
    assert_eq!(desk.commits, ["orders-0@3"]);
}

#[test]
fn a_batch_of_several_partitions_is_split_in_the_middle_of_its_records() {
    let mut desk = bisecting(-1, |_| {});
    desk.poll(0, 0..3);
    desk.poll(1, [0]);
    let whole = desk.next_batch();

    desk.fail(&whole);
    let first = desk.next_batch();
    assert_eq!(shown(&first.partitions), "orders-0: 0 1");
    desk.answer(&first, "null");

    assert_eq!(shown(&desk.batch().partitions), "orders-0: 2; orders-1: 0");
}

#[test]
fn splitting_costs_nothing_or_an_attempt_or_starts_anew() {
    let cases = [
        // Split once for nothing, then two attempts of the record alone.
        (Bisecting::Free, 3),
        // The whole, then the half: used up.
        (Bisecting::Counts, 2),
        (Bisecting::StartsAnew, 3),
    ];
    for (reading, attempts) in cases {
        let mut desk = bisecting(1, |readings| readings.bisecting = reading);
        desk.poll(0, 0..2);

        let sent = run(&mut desk, 1);

        let with_poison = sent.iter().filter(|sent| sent.ends_with('1')).count();
        assert_eq!(with_poison, attempts, "{reading:?}: {sent:?}");
    }
}

#[test]
fn a_split_starts_a_count_anew_that_a_free_one_keeps() {
    for (reading, dropped) in [(Bisecting::Free, true), (Bisecting::StartsAnew, false)] {
        let mut desk = bisecting(1, |readings| {
            readings.bisecting = reading;
            readings.partial_answer = PartialAnswer::Unsplit;
        });
        desk.poll(0, 0..2);
        let whole = desk.next_batch();
        desk.list(&whole, &[(0, 0), (0, 1)]); // an attempt of both
        let again = desk.next_batch();
        desk.fail(&again); // a split

        let half = desk.next_batch();
        desk.fail(&half);

        assert_eq!(!desk.dropped.is_empty(), dropped, "{reading:?}");
    }
}

#[test]
fn a_partial_answer_splits_at_the_returned_offset_and_costs_nothing() {
    let mut desk = bisecting(0, |_| {});
    desk.poll(0, 0..4);
    let whole = desk.next_batch();

    desk.list(&whole, &[(0, 2), (0, 3)]);
    assert!(desk.dropped.is_empty());
    let rest = desk.next_batch();
    assert_eq!(shown(&rest.partitions), "orders-0: 2 3");
    desk.list(&rest, &[(0, 2), (0, 3)]); // nothing to split: an attempt

    assert_eq!(shown(&desk.dropped[0].records), "orders-0: 2 3");
}

#[test]
fn a_partial_answer_halves_what_comes_again_if_it_is_read_so() {
    let mut desk = bisecting(0, |readings| {
        readings.partial_answer = PartialAnswer::Halves;
    });
    desk.poll(0, 0..5);
    let whole = desk.next_batch();

    desk.list(&whole, &[(0, 2), (0, 3), (0, 4)]);

    assert_eq!(shown(&desk.next_batch().partitions), "orders-0: 2 3");
}

#[test]
fn a_partial_answer_is_an_ordinary_attempt_if_it_is_read_so() {
    let mut desk = bisecting(0, |readings| {
        readings.partial_answer = PartialAnswer::Unsplit;
    });
    desk.poll(0, 0..4);
    let whole = desk.next_batch();

    desk.list(&whole, &[(0, 2)]);

    assert_eq!(shown(&desk.dropped[0].records), "orders-0: 2");
}

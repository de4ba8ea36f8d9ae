//! What becomes of a batch by the function's answer.

use std::time::Duration;

use msk_mapping::machine::{Again, End};
use msk_mapping::response::{FailureReporting, Verdict};

use crate::desk::{Desk, listing, settings, shown};

const PAUSE: Duration = Duration::from_millis(500);

/// A desk with one batch of orders-0, offsets 0 to 3, and orders-1, offsets 0 and 1.
fn with_batch(again: Again) -> (Desk, msk_mapping::machine::Batch) {
    let mut settings = settings();
    settings.readings.again = again;
    let mut desk = Desk::new(settings);
    desk.poll(0, 0..4);
    desk.poll(1, 0..2);
    desk.wait(PAUSE);
    let batch = desk.batch();
    (desk, batch)
}

#[test]
fn an_answer_without_failures_commits_the_batch() {
    for answer in [
        "null",
        "{}",
        r#"{"batchItemFailures":[]}"#,
        r#"{"batchItemFailures":null}"#,
    ] {
        let (mut desk, batch) = with_batch(Again::OnlyListed);

        desk.answer(&batch, answer);

        assert_eq!(desk.commits, ["orders-0@4", "orders-1@2"], "{answer}");
        assert!(desk.mapping.is_idle());
        assert_eq!(desk.verdicts, [Verdict::AllDone]);
    }
}

#[test]
fn only_listed_records_come_again_or_all_from_the_lowest() {
    for (again, sent) in [
        (Again::OnlyListed, "orders-0: 1 3"),
        (Again::FromLowest, "orders-0: 1 2 3"),
    ] {
        let (mut desk, batch) = with_batch(again);

        desk.list(&batch, &[(0, 3), (0, 1)]);

        assert_eq!(desk.take_commits(), ["orders-0@1", "orders-1@2"]);
        assert_eq!(desk.verdicts, [Verdict::SomeAgain]);
        desk.wait(PAUSE);
        let second = desk.batch();
        assert_eq!(
            (shown(&second.partitions).as_str(), second.attempt),
            (sent, 2)
        );
        desk.answer(&second, "{}");
        assert_eq!(desk.commits, ["orders-0@4"]);
        assert!(desk.mapping.is_idle());
    }
}

#[test]
fn each_partition_has_a_lowest_record_of_its_own() {
    let (mut desk, batch) = with_batch(Again::FromLowest);

    desk.list(&batch, &[(0, 2), (1, 0)]);
    desk.wait(PAUSE);

    assert_eq!(
        shown(&desk.batch().partitions),
        "orders-0: 2 3; orders-1: 0 1"
    );
}

#[test]
fn an_answer_that_cannot_be_read_brings_the_whole_batch_again() {
    let unknown_offset = listing(&[(0, 1), (0, 9)]);
    let unknown_partition = listing(&[(7, 0)]);
    let faulty = r#"{"batchItemFailures":[{"itemIdentifier":{"partition":"orders-0"}}]}"#;
    for answer in [
        unknown_offset.as_str(),
        &unknown_partition,
        faulty,
        "not JSON",
        "",
        "[]",
    ] {
        let (mut desk, batch) = with_batch(Again::OnlyListed);

        desk.answer(&batch, answer);

        assert!(desk.commits.is_empty(), "{answer}");
        assert!(matches!(desk.verdicts[..], [Verdict::WholeBatchAgain(_)]));
        desk.wait(PAUSE);
        let second = desk.batch();
        assert_eq!(
            (second.partitions, second.body),
            (batch.partitions, batch.body)
        );
    }
}

#[test]
fn without_report_batch_item_failures_any_answer_commits_everything() {
    for answer in [listing(&[(0, 0)]).as_str(), "not JSON"] {
        let mut settings = settings();
        settings.function_response_types = FailureReporting::WholeBatch;
        let mut desk = Desk::new(settings);
        desk.poll(0, 0..4);
        desk.wait(PAUSE);
        let batch = desk.batch();

        desk.answer(&batch, answer);

        assert_eq!(desk.commits, ["orders-0@4"]);
        assert!(desk.mapping.is_idle());
    }
}

#[test]
fn failures_that_nobody_reads_are_told() {
    let mut settings = settings();
    settings.function_response_types = FailureReporting::WholeBatch;
    let mut desk = Desk::new(settings);
    desk.poll(0, 0..4);
    desk.wait(PAUSE);
    let batch = desk.batch();

    desk.list(&batch, &[(0, 0), (0, 1)]);

    assert_eq!(desk.verdicts, [Verdict::FailuresIgnored { listed: 2 }]);
}

#[test]
fn an_error_a_crash_and_a_time_out_bring_the_whole_batch_again() {
    for how in [End::FunctionError, End::Crashed, End::TimedOut] {
        let (mut desk, batch) = with_batch(Again::OnlyListed);

        desk.end(&batch, how.clone());

        assert!(desk.commits.is_empty());
        assert!(desk.verdicts.is_empty(), "there was no answer");
        desk.wait(PAUSE);
        let second = desk.batch();
        assert_eq!(
            (second.partitions, second.attempt),
            (batch.partitions, 2),
            "{how:?}"
        );
        assert_ne!(second.id, batch.id);
    }
}

#[test]
fn an_answer_after_the_time_out_commits_nothing() {
    let (mut desk, batch) = with_batch(Again::OnlyListed);
    desk.end(&batch, End::TimedOut);

    desk.answer(&batch, "null");

    assert!(desk.commits.is_empty());
    desk.wait(PAUSE);
    assert_eq!(desk.batch().partitions, batch.partitions);
}

#[test]
fn a_second_answer_is_not_heard() {
    let (mut desk, batch) = with_batch(Again::OnlyListed);
    desk.list(&batch, &[(0, 3)]);
    desk.take_commits();

    desk.answer(&batch, "null");

    assert!(desk.commits.is_empty());
    assert!(!desk.mapping.is_idle());
}

//! Which letters wait for one that stays.

use std::collections::BTreeMap;

use clap::Parser;

use crate::dlq::document;
use crate::dlq::redrive::args::Args;
use crate::dlq::redrive::left::Left;
use crate::dlq::redrive::plan::Plan;
use crate::dlq::source::{Found, Receipt};

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

/// A letter of these partitions and offsets, which was redriven so often.
fn letter(records: &[(i32, i64)], redrives: u32) -> Found {
    let record = |(partition, offset): &(i32, i64)| {
        format!(
            r#""orders-{partition}":[{{"topic":"orders","partition":{partition},"offset":{offset}}}]"#
        )
    };
    let records: Vec<String> = records.iter().map(record).collect();
    let payload = format!(
        r#"{{"eventSource":"aws:kafka","eventSourceArn":"arn:c","records":{{{}}}}}"#,
        records.join(",")
    );
    found(&format!(
        r#""KafkaBatchInfo":{{}},"failure":{{"code":"c","redrives":{redrives}}},"payload":{payload}"#
    ))
}

fn coordinates(cluster: &str, first: i64, last: i64) -> Found {
    found(&format!(
        r#""KafkaBatchInfo":{{{cluster}"recordsInfo":{{"orders-0":{{"firstRecordOffset":"{first}","lastRecordOffset":"{last}"}}}}}}"#
    ))
}

fn found(more: &str) -> Found {
    let document = format!(r#"{{"requestContext":{{"condition":"c"}},"version":"1.0",{more}}}"#);
    Found {
        at: String::new(),
        letter: Ok(document::read(document.as_bytes(), None).unwrap()),
        receipt: Receipt::None,
    }
}

/// The letters that go, and those that stay.
fn planned(
    flags: &[&str],
    found: &[Found],
    left: &[(usize, Left)],
) -> (Vec<usize>, BTreeMap<usize, Left>) {
    let line = ["redrive", "--from", "-", "--to", "bin:orders"];
    let args = Command::parse_from([&line, flags].concat()).args;
    let plan = Plan::of(&args, args.max, found, left.iter().cloned().collect());
    let mut go: Vec<usize> = plan.items.iter().map(|item| item.letter).collect();
    go.dedup();
    (go, plan.left)
}

#[test]
fn letters_behind_one_that_stays_stay_with_it() {
    let found = [
        letter(&[(0, 9)], 0),
        letter(&[(0, 5)], 3),
        letter(&[(0, 1)], 0),
        letter(&[(1, 9)], 0),
    ];

    let (go, left) = planned(&[], &found, &[]);

    assert_eq!(go, [2, 3]);
    assert_eq!(left, [(0, Left::Behind), (1, Left::Redrives(3))].into());
}

#[test]
fn letters_behind_coordinates_that_cannot_be_read_stay() {
    for (cluster, goes) in [
        (r#""eventSourceArn":"arn:c","#, false),
        ("", false),
        (r#""eventSourceArn":"arn:other","#, true),
    ] {
        let found = [coordinates(cluster, 3, 5), letter(&[(0, 4)], 0)];

        let (go, _) = planned(&[], &found, &[(0, Left::Coordinates)]);

        assert_eq!(go == [1], goes, "{cluster}");
    }
}

#[test]
fn a_letter_that_stays_holds_up_those_behind_it_in_each_of_its_partitions() {
    let found = [
        letter(&[(0, 1)], 3),
        letter(&[(0, 2), (1, 5)], 0),
        letter(&[(1, 6)], 0),
        letter(&[(1, 4)], 0),
    ];

    let (go, left) = planned(&[], &found, &[]);

    assert_eq!(go, [3]);
    assert_eq!(left.len(), 3);
}

#[test]
fn letters_that_no_condition_chooses_hold_up_nothing() {
    let found = [letter(&[(0, 1), (1, 1)], 3), letter(&[(0, 2)], 0)];

    let (go, left) = planned(&["--where", "id=none"], &found, &[]);
    assert_eq!((go, left.len()), (vec![], 0));

    let id = found[1].letter.as_ref().unwrap().id.clone();
    let (go, _) = planned(&["--where", &format!("id={id}")], &found, &[]);
    assert_eq!(go, [1]);
}

#[test]
fn no_letter_goes_before_one_that_is_behind_max() {
    let found = [
        letter(&[(0, 1), (1, 5)], 0),
        letter(&[(1, 2)], 0),
        letter(&[(1, 2)], 0),
        letter(&[(2, 1)], 0),
    ];

    let (go, left) = planned(&["--max", "3"], &found, &[]);

    assert_eq!(go, [0, 1, 2, 0]);
    assert_eq!(left, [(3, Left::Max)].into());
    let (go, _) = planned(&["--max", "1"], &found, &[]);
    assert_eq!(go, [1]);
}

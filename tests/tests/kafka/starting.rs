//! Where a mapping begins to read: at the group's offset, or else where its settings say.

use std::ops::Range;

use msk_mapping::driver::{Cluster, Driver, Outgoing, Producer};
use msk_mapping::machine::StartingPosition;
use serde_json::Value;

use crate::consume;
use crate::support::broker::{bootstrap, topic};
use crate::support::echo;
use crate::support::group::{commit, committed_and_end, delete_below};

/// 2026-01-01T00:00:00Z. The records are a second apart from there on.
const FIRST_MS: i64 = 1_767_225_600_000;

/// Writes so many records, whose times go on from the offset that they will have.
pub(crate) async fn produce(topic: &str, partition: i32, offsets: Range<i64>) {
    let record = |offset: i64| {
        let mut record = Outgoing::to(topic);
        record.partition = Some(partition);
        record.value = Some(b"{}");
        record.timestamp = Some(at(offset));
        record
    };
    let records: Vec<Outgoing<'_>> = offsets.map(record).collect();
    let producer = Producer::new(&Cluster::new(bootstrap())).unwrap();
    producer.send(&records).await.unwrap();
}

fn at(offset: i64) -> i64 {
    FIRST_MS + 1_000 * offset
}

/// Each way to begin with ten records, and the first offset that comes.
pub(crate) fn starts() -> [(StartingPosition, i64); 4] {
    [
        (StartingPosition::TrimHorizon, 0),
        (StartingPosition::Latest, 10),
        // Between the fifth and the sixth.
        (StartingPosition::AtTimestamp(at(5) - 1), 5),
        // No record is that young.
        (StartingPosition::AtTimestamp(at(100)), 10),
    ]
}

/// A run of that group until all is settled.
fn driver(topic: &str, group: &str, start: StartingPosition) -> Driver {
    let mut settings = consume::settings(&bootstrap(), topic);
    settings.consumer_group_id = Some(group.to_owned());
    settings.starting_position = start;
    echo::driver(Cluster::new(bootstrap()), settings)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_new_group_begins_where_it_is_told_to_and_any_other_where_it_left_off() {
    let topic = topic(&bootstrap(), "start", 1).await;
    produce(&topic, 0, 0..10).await;
    let starts = starts();

    let group = |number: usize| format!("{topic}-{number}");
    let begin = |(number, (start, _)): (usize, &(StartingPosition, i64))| {
        driver(&topic, &group(number), *start)
    };
    let begun = echo::run_all(starts.iter().enumerate().map(begin)).await;
    produce(&topic, 0, 10..13).await;
    let go_on = |number: usize| {
        let other = starts[(number + 1) % starts.len()].0;
        driver(&topic, &group(number), other)
    };
    let went_on = echo::run_all((0..starts.len()).map(go_on)).await;

    let from = |first: i64| (first..10).collect::<Vec<i64>>();
    for (number, (start, first)) in starts.into_iter().enumerate() {
        assert_eq!(begun[number].offsets(), from(first), "{start:?}");
        assert_eq!(begun[number].status.lag(), Some(0), "{start:?}");
        assert_eq!(went_on[number].offsets(), [10, 11, 12], "{start:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_group_whose_offset_the_topic_does_not_have_begins_as_a_new_one() {
    let topic = topic(&bootstrap(), "start-gone", 1).await;
    produce(&topic, 0, 0..10).await;
    let cases = [
        ("below", 4, StartingPosition::TrimHorizon, 7),
        ("below", 4, StartingPosition::Latest, 10),
        ("below", 4, StartingPosition::AtTimestamp(at(8)), 8),
        ("beyond", 20, StartingPosition::TrimHorizon, 7),
        ("beyond", 20, StartingPosition::Latest, 10),
        // It is there.
        ("within", 8, StartingPosition::TrimHorizon, 8),
    ];
    let group = |number: usize| format!("{topic}-{number}");
    for (number, (_, committed, ..)) in cases.iter().enumerate() {
        commit(&group(number), &topic, &[*committed]).await;
    }
    delete_below(&topic, 7).await;

    let runs = cases
        .iter()
        .enumerate()
        .map(|(number, (_, _, start, _))| driver(&topic, &group(number), *start));
    let echoed = echo::run_all(runs).await;

    let all = cases.into_iter().zip(echoed);
    for (number, ((name, _, start, first), echoed)) in all.enumerate() {
        let case = format!("{name}, {start:?}, {:?}", echoed.troubles);
        assert_eq!(
            echoed.offsets(),
            (first..10).collect::<Vec<i64>>(),
            "{case}"
        );
        assert_eq!(echoed.status.lag(), Some(0), "{case}");
        let says = |reason: &String| reason.contains("-0 no longer has the offset");
        let said = echoed.troubles.iter().any(says);
        assert_eq!(said, name != "within", "{case}");
        let (committed, end) = committed_and_end(&group(number), &topic).await;
        assert_eq!((committed, end), (Some(10), 10), "{case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_partition_that_begins_anew_leaves_the_others_where_they_are() {
    let topic = topic(&bootstrap(), "start-other", 2).await;
    produce(&topic, 0, 0..10).await;
    produce(&topic, 1, 0..10).await;
    delete_below(&topic, 7).await;
    for (group, alone) in [("member", false), ("alone", true)] {
        let group = format!("{topic}-{group}");
        commit(&group, &topic, &[4, 8]).await;
        let driver = driver(&topic, &group, StartingPosition::TrimHorizon);
        let driver = if alone { driver.alone() } else { driver };

        let echoed = echo::run(driver).await;

        let place = |record: &&Value| (record["partition"].as_i64(), record["offset"].as_i64());
        let mut places: Vec<_> = echoed.records().iter().map(place).collect();
        places.sort_unstable();
        let expected = [(0, 7), (0, 8), (0, 9), (1, 8), (1, 9)];
        let expected = expected.map(|(partition, offset)| (Some(partition), Some(offset)));
        assert_eq!(places, expected, "{group}: {:?}", echoed.troubles);
    }
}

//! Which record is another one, which cluster another cluster, and what the ledger forgets.

use std::sync::Arc;
use std::time::Duration;

use crate::idempotency::fingerprint::fingerprint;
use crate::idempotency::{Cluster, MemoryLedger, Settled, cluster_of};
use crate::limits::{LEDGER_AGE_MS_MAX, LEDGER_OFFSETS_MAX};
use crate::record::{EventSource, EventSourceKind, Record};
use crate::testing::{Event, EventBuilder, Sample};

fn record(sample: Sample) -> Record {
    Event::msk()
        .record(sample)
        .build()
        .records()
        .unwrap()
        .remove(0)
}

fn sample() -> Sample {
    Sample::new("orders", 0).offset(5).timestamp(1_000)
}

#[test]
fn a_fingerprint_is_of_timestamp_key_value_and_headers() {
    let full = || sample().key("k").value("v").header("h", "x");
    let one = fingerprint(&record(full()));
    let others = [
        full().timestamp(1_001),
        full().key("l"),
        full().value("w"),
        sample().key("k").value("v"),
        sample().key("k").value("v").header("i", "x"),
        sample().key("k").value("v").header("h", "y"),
        sample().key("k").value("v").null_header("h"),
        full().header("h", "x"),
    ];

    assert_eq!(fingerprint(&record(full())), one);
    for other in others {
        assert_ne!(fingerprint(&record(other.clone())), one, "{other:?}");
    }
}

#[test]
fn bytes_that_move_from_one_part_to_the_next_make_another_fingerprint() {
    let samples = [
        sample(),
        sample().key(""),
        sample().value(""),
        sample().key("").value(""),
        sample().key("ab").value("c"),
        sample().key("a").value("bc"),
        sample().value("a").header("b", "c"),
        sample().value("a").header("bc", ""),
        sample().value("a").null_header("bc"),
    ];

    let mut prints: Vec<u32> = samples
        .into_iter()
        .map(|sample| fingerprint(&record(sample)))
        .collect();

    let count = prints.len();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), count);
}

#[test]
fn what_cannot_be_decoded_is_known_by_how_it_came() {
    let faulty = |value: &str| record(sample().value_base64(value));

    assert!(faulty("*").fault().is_some());
    assert_eq!(fingerprint(&faulty("*")), fingerprint(&faulty("*")));
    assert_ne!(fingerprint(&faulty("*")), fingerprint(&faulty("**")));
}

fn source(arn: Option<&str>, servers: Option<&str>) -> EventSource {
    EventSource {
        kind: EventSourceKind::SelfManaged,
        arn: arn.map(str::to_owned),
        bootstrap_servers: servers.map(str::to_owned),
    }
}

#[test]
fn a_cluster_is_its_arn_before_the_given_name_before_its_brokers() {
    let both = source(Some("arn:1"), Some("b:1"));
    let brokers = source(None, Some("b:1"));

    assert_eq!(
        cluster_of(&both, Some("main")),
        Cluster::Named("arn:1".into())
    );
    assert_eq!(
        cluster_of(&brokers, Some("main")),
        Cluster::Named("main".into())
    );
    assert_eq!(cluster_of(&brokers, None), Cluster::ByBrokers("b:1".into()));
    assert_eq!(
        cluster_of(&source(None, None), None),
        Cluster::ByBrokers("".into())
    );
}

#[test]
fn the_order_of_brokers_and_space_around_them_do_not_count() {
    let one = cluster_of(&source(None, Some("b:1,a:1")), None);
    let other = cluster_of(&source(None, Some("a:1, b:1")), None);

    assert_eq!(one, Cluster::ByBrokers("a:1,b:1".into()));
    assert_eq!(other, one);
}

#[test]
fn only_a_dead_letter_that_is_fed_back_runs_though_it_was_rejected() {
    let plain = record(sample());
    let redriven = Event::msk()
        .redrive("r-1:orders-0@5")
        .record(sample())
        .build();
    let redriven = redriven.records().unwrap().remove(0);

    assert!(Settled::Rejected.skips(&plain));
    assert!(!Settled::Rejected.skips(&redriven));
    assert!(Settled::Done.skips(&plain));
    assert!(Settled::Done.skips(&redriven));
}

#[tokio::test(start_paused = true)]
async fn a_settled_record_is_known_by_cluster_topic_and_partition() {
    let cluster: Arc<str> = "main".into();
    let other_cluster: Arc<str> = "other".into();
    let ledger = MemoryLedger::default();
    let at = |topic: &str, partition| record(Sample::new(topic, partition).offset(5));

    ledger.settle(&cluster, &at("orders", 0), Settled::Done);

    assert_eq!(
        ledger.settled(&cluster, &at("orders", 0)),
        Some(Settled::Done)
    );
    assert_eq!(ledger.settled(&cluster, &at("orders", 1)), None);
    assert_eq!(ledger.settled(&cluster, &at("returns", 0)), None);
    assert_eq!(ledger.settled(&other_cluster, &at("orders", 0)), None);
}

#[tokio::test(start_paused = true)]
async fn a_record_is_known_until_it_is_of_the_ledgers_age() {
    let cluster: Arc<str> = "main".into();
    let ledger = MemoryLedger::default();
    let record = record(sample());
    ledger.settle(&cluster, &record, Settled::Rejected);

    tokio::time::advance(Duration::from_millis(LEDGER_AGE_MS_MAX - 1)).await;
    let before = ledger.settled(&cluster, &record);
    tokio::time::advance(Duration::from_millis(1)).await;
    let after = ledger.settled(&cluster, &record);

    assert_eq!(before, Some(Settled::Rejected));
    assert_eq!(after, None);
}

#[tokio::test(start_paused = true)]
async fn beyond_its_size_it_forgets_in_the_partition_that_was_settled_longest_ago() {
    let cluster: Arc<str> = "main".into();
    let ledger = MemoryLedger::default();
    let records = |partition, count: i64| {
        let samples = (0..count).map(|offset| Sample::new("orders", partition).offset(offset));
        samples
            .fold(Event::msk(), EventBuilder::record)
            .build()
            .records()
            .unwrap()
    };
    let settle = |record: &Record| ledger.settle(&cluster, record, Settled::Done);
    let knows = |record: &Record| ledger.settled(&cluster, record).is_some();
    let (early, late) = (records(0, 2), records(1, 2));
    // Partition 1 came first, and was settled last.
    settle(&late[0]);
    tokio::time::advance(Duration::from_secs(1)).await;
    early.iter().for_each(settle);
    tokio::time::advance(Duration::from_secs(1)).await;
    // The same offset again is no second one.
    settle(&late[0]);
    let rest = i64::try_from(LEDGER_OFFSETS_MAX).unwrap() - 3;
    records(2, rest).iter().for_each(settle);
    assert!(knows(&early[0]));

    settle(&late[1]);
    let lowest_forgotten = [knows(&early[0]), knows(&early[1])];
    settle(&records(3, 1)[0]);
    let both_forgotten = [knows(&early[0]), knows(&early[1])];

    assert_eq!(lowest_forgotten, [false, true]);
    assert_eq!(both_forgotten, [false, false]);
    assert!(knows(&late[0]) && knows(&late[1]));
    assert_eq!(
        format!("{ledger:?}"),
        format!("MemoryLedger {{ partitions: 3, offsets: {LEDGER_OFFSETS_MAX} }}")
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_rejection_does_not_undo_done_and_done_undoes_a_rejection() {
    let (ledger, cluster) = (MemoryLedger::default(), Arc::from("a"));
    let record = record(sample());

    ledger.settle(&cluster, &record, Settled::Rejected);
    ledger.settle(&cluster, &record, Settled::Done);
    ledger.settle(&cluster, &record, Settled::Rejected);

    assert_eq!(ledger.settled(&cluster, &record), Some(Settled::Done));
}

//! Which record is another one, and which cluster another cluster.

use crate::idempotency::fingerprint::fingerprint;
use crate::idempotency::{Cluster, Settled, cluster_of};
use crate::record::{EventSource, EventSourceKind, Record};
use crate::testing::{Event, Sample};

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
fn a_cluster_is_the_given_name_before_its_arn_before_its_brokers() {
    let owners = source(Some("arn:cluster"), Some("b:1"));
    let connection = source(Some("arn:vpc-connection"), Some("b:1"));
    let brokers = source(None, Some("b:1"));
    let named = |name: &str| Cluster::Named(name.into());

    for source in [&owners, &connection, &brokers] {
        assert_eq!(cluster_of(source, Some("main")), named("main"));
    }
    assert_eq!(cluster_of(&owners, None), named("arn:cluster"));
    assert_eq!(cluster_of(&connection, None), named("arn:vpc-connection"));
    assert_eq!(cluster_of(&brokers, None), Cluster::ByBrokers("b:1".into()));
    assert_eq!(
        cluster_of(&source(Some(""), Some("b:1")), None),
        cluster_of(&brokers, None)
    );
}

#[test]
fn a_cluster_without_any_of_them_is_unnamed() {
    for servers in [None, Some(""), Some(","), Some(" , ,")] {
        for arn in [None, Some("")] {
            let source = source(arn, servers);
            assert_eq!(cluster_of(&source, None), Cluster::Unnamed, "{source:?}");
            assert_eq!(
                cluster_of(&source, Some("main")),
                Cluster::Named("main".into())
            );
        }
    }
}

#[test]
fn the_order_of_brokers_and_space_around_them_do_not_count() {
    let one = cluster_of(&source(None, Some("b:1,a:1")), None);
    let other = cluster_of(&source(None, Some("a:1, b:1,")), None);

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

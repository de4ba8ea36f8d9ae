//! Members join and leave under load: a partition that goes is handed over with everything that was done of it.

use std::collections::BTreeSet;
use std::time::Duration;

use msk_mapping::driver::{Cluster, Driver, Notice};
use tokio::sync::watch;

use crate::consume::settings;
use crate::support::broker::{bootstrap, produce, topic};
use crate::support::echo;
use crate::support::ends;
use crate::support::seen::Seen;

const PARTITIONS: i32 = 6;
const RECORDS: usize = 20_000;
/// How often another member comes and goes.
const ROUNDS: usize = 3;

fn driver(topic: &str, protocol: &str) -> Driver {
    let mut settings = settings(&bootstrap(), topic);
    settings.batch_size = Some(20);
    let function = echo::function().env("BEHAVIOUR", "done");
    let cluster = Cluster::new(bootstrap()).set("group.protocol", protocol);
    Driver::new(cluster, settings, function).timeout(Duration::from_secs(20))
}

/// Joins, does some records, and leaves. Answers with how many it committed.
async fn come_and_go(topic: &str, protocol: &str, seen: &Seen) -> u64 {
    let guest = driver(topic, protocol);
    let control = guest.control();
    let (number, mut done) = watch::channel(0);
    let heard = seen.clone();
    let guest = tokio::spawn(guest.run(move |notice| {
        if let Notice::Ended { .. } = notice {
            number.send_modify(|number| *number += 1);
        }
        heard.hear(notice);
    }));
    ends(done.wait_for(|done| *done >= 10)).await.unwrap();
    control.drain();
    ends(guest).await.unwrap().unwrap().metrics.committed
}

async fn nothing_comes_twice(protocol: &str) {
    let topic = topic(&bootstrap(), &format!("joins-{protocol}"), PARTITIONS).await;
    let each = produce(&bootstrap(), &topic, PARTITIONS, RECORDS, 100).await;
    let seen = Seen::default();
    let host = driver(&topic, protocol).pollers(3).until_caught_up();
    let host = tokio::spawn(host.run(seen.hears()));
    ends(seen.done(200)).await;

    let mut committed = 0;
    for _ in 0..ROUNDS {
        committed += come_and_go(&topic, protocol, &seen).await;
    }
    assert!(seen.number() < RECORDS, "it was over too soon");
    let status = ends(host).await.unwrap().unwrap();

    assert_eq!(seen.assert_all_in_order(&each), 0, "{:?}", seen.troubles());
    assert_eq!(committed + status.metrics.committed, RECORDS as u64);
    // A commit that is refused and taken a moment later is none.
    let troubles: BTreeSet<String> = seen.troubles().into_iter().collect();
    assert_eq!(troubles, BTreeSet::new());
    assert!(status.caught_up);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn joins_and_leaves_under_load_repeat_nothing() {
    nothing_comes_twice("classic").await;
}

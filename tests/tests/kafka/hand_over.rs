//! Members join and leave under load: a partition that goes is handed over with everything that was done of it.

use std::collections::BTreeSet;
use std::time::Duration;

use msk_mapping::driver::{Cluster, Driver, Notice};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::consume::settings;
use crate::support::broker::{bootstrap, produce, topic};
use crate::support::echo;
use crate::support::ends;
use crate::support::seen::Seen;

const PARTITIONS: i32 = 6;
/// So many are left at least, while members come and go.
const RECORDS: usize = 3_000;
/// How often another member comes and goes.
const ROUNDS: usize = 3;

fn driver(topic: &str, protocol: &str) -> Driver {
    behaving(topic, protocol, "done")
}

fn behaving(topic: &str, protocol: &str, behaviour: &str) -> Driver {
    let mut settings = settings(&bootstrap(), topic);
    settings.batch_size = Some(20);
    let function = echo::function().env("BEHAVIOUR", behaviour);
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

/// Records, as long as there are not enough to be busy with. Answers with how many each partition has.
async fn feed(topic: &str, seen: &Seen, until: watch::Receiver<bool>) -> Vec<usize> {
    let mut each = vec![0; usize::try_from(PARTITIONS).unwrap()];
    while !*until.borrow() {
        if each.iter().sum::<usize>() < seen.number() + RECORDS {
            let more = produce(&bootstrap(), topic, PARTITIONS, RECORDS, 100).await;
            each.iter_mut()
                .zip(more)
                .for_each(|(all, more)| *all += more);
        }
        sleep(Duration::from_millis(20)).await;
    }
    each
}

async fn nothing_comes_twice(protocol: &str) {
    let topic = topic(&bootstrap(), &format!("joins-{protocol}"), PARTITIONS).await;
    let seen = Seen::default();
    let (over, until) = watch::channel(false);
    let fed = async { feed(&topic, &seen, until).await };
    let host = driver(&topic, protocol).pollers(3);
    let control = host.control();
    let host = tokio::spawn(host.run(seen.hears()));
    let rounds = async {
        ends(seen.done(200)).await;
        let mut committed = 0;
        for _ in 0..ROUNDS {
            committed += come_and_go(&topic, protocol, &seen).await;
        }
        over.send_replace(true);
        committed
    };
    let (each, committed) = tokio::join!(fed, rounds);
    let all: usize = each.iter().sum();
    ends(seen.done(all)).await;
    control.drain();
    let status = ends(host).await.unwrap().unwrap();

    assert_eq!(seen.assert_all_in_order(&each), 0, "{:?}", seen.troubles());
    assert_eq!(committed + status.metrics.committed, all as u64);
    // A commit that is refused and taken a moment later is none.
    let troubles: BTreeSet<String> = seen.troubles().into_iter().collect();
    assert_eq!(troubles, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn joins_and_leaves_under_load_repeat_nothing() {
    nothing_comes_twice("classic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn with_the_newer_protocol_joins_and_leaves_repeat_nothing_either() {
    nothing_comes_twice("consumer").await;
}

/// Whatever a member was at when it was told to leave, the group does not wait for its answer.
async fn nobody_is_held_up(protocol: &str) {
    let topic = topic(&bootstrap(), &format!("leaves-{protocol}"), PARTITIONS).await;
    let each = produce(&bootstrap(), &topic, PARTITIONS, RECORDS, 100).await;
    let seen = Seen::default();
    for round in 0..10 {
        let mut guests = JoinSet::new();
        for guest in 0..3 {
            let driver = driver(&topic, protocol);
            let control = driver.control();
            let run = tokio::spawn(driver.run(seen.hears()));
            guests.spawn(async move {
                sleep(Duration::from_millis(round * 100 + guest * 170)).await;
                if guest == 0 {
                    run.abort();
                } else {
                    control.drain();
                    ends(run).await.unwrap().unwrap();
                }
            });
        }
        ends(guests.join_all()).await;
    }
    let host = driver(&topic, protocol).until_caught_up();
    let status = ends(host.run(seen.hears())).await.unwrap();

    seen.assert_all_in_order(&each);
    assert!(status.caught_up);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_member_that_leaves_in_the_middle_of_a_rebalance_holds_up_nobody() {
    nobody_is_held_up("classic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn with_the_newer_protocol_it_holds_up_nobody_either() {
    nobody_is_held_up("consumer").await;
}

/// The group waits for a member that has something under way, and then the member's run is dropped.
async fn who_is_dropped_lets_go(protocol: &str) {
    let topic = topic(&bootstrap(), &format!("dropped-{protocol}"), PARTITIONS).await;
    let each = produce(&bootstrap(), &topic, PARTITIONS, 600, 100).await;
    #[cfg(target_os = "linux")]
    let waited = waiting_threads();
    let (began, mut begun) = watch::channel(false);
    let hangs = behaving(&topic, protocol, "hang").run(move |notice| {
        if let Notice::Status(status) = notice {
            began.send_replace(status.partitions.iter().any(|lane| lane.in_flight > 0));
        }
    });
    let hangs = tokio::spawn(hangs);
    ends(begun.wait_for(|begun| *begun)).await.unwrap();
    let seen = Seen::default();
    let next = driver(&topic, protocol).until_caught_up();
    let next = tokio::spawn(next.run(seen.hears()));
    // Long enough for the group to have asked.
    sleep(Duration::from_secs(2)).await;
    assert_eq!(seen.number(), 0, "the group has not waited");
    hangs.abort();
    let status = ends(next).await.unwrap().unwrap();

    seen.assert_all_in_order(&each);
    assert!(status.caught_up);
    #[cfg(target_os = "linux")]
    ends(no_more_threads_than(waited)).await;
}

/// Threads that wait for a broker, those of earlier tests included: some of their brokers are gone for good.
#[cfg(target_os = "linux")]
fn waiting_threads() -> usize {
    let waits = |task: &std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm"));
        name.is_ok_and(|name| name.trim() == "msk-broker")
    };
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.flatten().filter(waits).count()
}

#[cfg(target_os = "linux")]
async fn no_more_threads_than(before: usize) {
    while waiting_threads() > before {
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_run_that_is_dropped_while_the_group_waits_for_it_lets_go() {
    who_is_dropped_lets_go("classic").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn with_the_newer_protocol_it_lets_go_too() {
    who_is_dropped_lets_go("consumer").await;
}

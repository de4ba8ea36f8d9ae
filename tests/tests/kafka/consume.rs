//! A group reads a topic: all of it, in order, also while members come and go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use msk_mapping::driver::{Cluster, Control, Driver, Error, Notice, Status};
use msk_mapping::event::Source;
use msk_mapping::machine::{Configuration, PollerId, ProvisionedPollers, StartingPosition};
use msk_mapping::response::FailureReporting;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::broker::{bootstrap, produce, topic};
use crate::support::build::function;
use crate::support::ends;
use crate::support::service::Service;

/// A mapping as the template sets it, whose window is short.
pub(crate) fn settings(bootstrap: &str, topic: &str) -> Configuration {
    let source = Source::SelfManaged {
        bootstrap_servers: Some(bootstrap.to_owned()),
    };
    let mut settings = Configuration::new(source, topic, StartingPosition::TrimHorizon);
    settings.consumer_group_id = Some(format!("{topic}-group"));
    settings.maximum_batching_window_in_seconds = Some(0);
    settings.function_response_types = FailureReporting::Partial;
    settings.provisioned_poller_config = Some(ProvisionedPollers {
        minimum: None,
        maximum: None,
        group: None,
    });
    settings
}

fn driver(topic: &str, service: &Service) -> Driver {
    let bootstrap = bootstrap();
    let settings = settings(&bootstrap, topic);
    Driver::new(Cluster::new(bootstrap), settings, function(service.url()))
        .timeout(Duration::from_secs(60))
}

/// Runs it with three pollers. Answers once they have two of the six partitions each: one that joined later would take some whose batch is under way, and that
/// batch would come again.
pub(crate) async fn shared_out(driver: Driver) -> (Control, JoinHandle<Result<Status, Error>>) {
    let driver = driver.pollers(3);
    let control = driver.control();
    let (owners, mut owned) = watch::channel(BTreeMap::new());
    let run = tokio::spawn(driver.run(move |notice| match notice {
        Notice::Assigned {
            poller, partition, ..
        } => {
            owners.send_modify(|owners| {
                owners.insert(partition, poller);
            });
        }
        // Another may have it by then.
        Notice::Revoked { poller, partition } => owners.send_modify(|owners| {
            if owners.get(&partition) == Some(&poller) {
                owners.remove(&partition);
            }
        }),
        _ => {}
    }));
    let each_has_two = |owners: &BTreeMap<_, PollerId>| {
        let of = |poller| owners.values().filter(|owner| owner.0 == poller).count();
        (0..3).all(|poller| of(poller) == 2)
    };
    ends(owned.wait_for(each_has_two)).await.unwrap();
    (control, run)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_group_of_three_pollers_does_every_record_once_and_in_order() {
    let topic = topic(&bootstrap(), "consume-once", 6).await;
    let service = Service::start().await;
    let (control, run) = shared_out(driver(&topic, &service)).await;

    let each = produce(&bootstrap(), &topic, 6, 3_000, 200).await;
    ends(service.taken(3_000)).await;
    control.drain();
    let status = ends(run).await.unwrap().unwrap();

    assert_eq!(service.assert_all_in_order(&each), 0);
    assert_eq!(status.in_flight, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn what_is_committed_does_not_come_again_in_the_next_run() {
    let topic = topic(&bootstrap(), "consume-twice", 2).await;
    let service = Service::start().await;
    let mut each = produce(&bootstrap(), &topic, 2, 500, 200).await;
    let run = || driver(&topic, &service).until_caught_up().run(|_| {});
    ends(run()).await.unwrap();
    let more = produce(&bootstrap(), &topic, 2, 300, 200).await;

    ends(run()).await.unwrap();

    each.iter_mut()
        .zip(more)
        .for_each(|(all, more)| *all += more);
    assert_eq!(service.assert_all_in_order(&each), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_rebalance_in_the_middle_loses_nothing_and_keeps_order() {
    let topic = topic(&bootstrap(), "consume-rebalance", 6).await;
    let service = Service::start().await;
    let each = produce(&bootstrap(), &topic, 6, 30_000, 200).await;
    let (first, second) = (driver(&topic, &service), driver(&topic, &service));
    let (leave, stop) = (second.control(), first.control());
    let rebalanced = Arc::new(Mutex::new((0, 0)));
    let counts = Arc::clone(&rebalanced);
    let count = move |notice: Notice| match notice {
        Notice::Assigned { .. } => counts.lock().unwrap().0 += 1,
        Notice::Revoked { .. } => counts.lock().unwrap().1 += 1,
        _ => {}
    };

    let stays = tokio::spawn(first.run(count));
    ends(service.taken(3_000)).await;
    let (given, mut has_some) = watch::channel(false);
    let comes = tokio::spawn(second.run(move |notice| {
        if let Notice::Assigned { .. } = notice {
            given.send_replace(true);
        }
    }));
    ends(has_some.wait_for(|has_some| *has_some)).await.unwrap();
    let taken = service.log().len();
    ends(service.taken(taken + 2_000)).await;
    leave.drain();
    ends(comes).await.unwrap().unwrap();
    let (firsts, _) = service.first_comings();
    assert!(
        firsts.values().map(Vec::len).sum::<usize>() < 30_000,
        "it was over too soon"
    );
    ends(service.all_taken(30_000)).await;
    stop.drain();
    ends(stays).await.unwrap().unwrap();

    let again = service.assert_all_in_order(&each);
    let (assigned, revoked) = *rebalanced.lock().unwrap();
    assert!(
        revoked >= 1 && assigned >= 6 + revoked,
        "{assigned} {revoked}"
    );
    // Each hand-over may cost the batches that were under way.
    assert!(again <= 2 * 5 * 100, "{again} came again");
}

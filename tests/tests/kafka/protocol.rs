//! The group's newer protocol (KIP-848), in which the broker decides who has which partition.

use std::time::Duration;

use msk_mapping::driver::{Cluster, Driver, Error, Notice};
use tokio::sync::watch;

use crate::consume;
use crate::support::broker::{bootstrap, produce, topic};
use crate::support::build::function;
use crate::support::ends;
use crate::support::service::Service;

const PARTITIONS: i32 = 6;

fn driver(cluster: Cluster, topic: &str, service: &Service) -> Driver {
    let settings = consume::settings(&bootstrap(), topic);
    Driver::new(cluster, settings, function(service.url())).timeout(Duration::from_secs(60))
}

fn cluster() -> Cluster {
    Cluster::new(bootstrap()).set("group.protocol", "consumer")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_group_of_the_newer_protocol_does_every_record_once_and_in_order() {
    let topic = topic(&bootstrap(), "protocol", PARTITIONS).await;
    let service = Service::start().await;
    let (control, first) = consume::shared_out(driver(cluster(), &topic, &service)).await;

    let mut each = produce(&bootstrap(), &topic, PARTITIONS, 1_200, 200).await;
    ends(service.taken(1_200)).await;
    control.drain();
    ends(first).await.unwrap().unwrap();
    let more = produce(&bootstrap(), &topic, PARTITIONS, 300, 200).await;
    let next = driver(cluster(), &topic, &service).until_caught_up();
    let next = ends(next.run(|_| {})).await.unwrap();

    each.iter_mut()
        .zip(more)
        .for_each(|(all, more)| *all += more);
    assert_eq!(service.assert_all_in_order(&each), 0);
    assert_eq!(next.lag(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_member_that_is_given_nothing_ends_in_both_protocols() {
    for (name, cluster) in [("classic", Cluster::new(bootstrap())), ("newer", cluster())] {
        let topic = topic(&bootstrap(), &format!("protocol-none-{name}"), 1).await;
        let service = Service::start().await;
        let has_all = driver(cluster.clone(), &topic, &service);
        let control = has_all.control();
        let (given, mut has_some) = watch::channel(false);
        let stays = tokio::spawn(has_all.run(move |notice| {
            if let Notice::Assigned { .. } = notice {
                given.send_replace(true);
            }
        }));
        ends(has_some.wait_for(|has_some| *has_some)).await.unwrap();

        let none = driver(cluster, &topic, &service).until_caught_up();
        let status = ends(none.run(|_| {})).await.unwrap();

        assert!(status.caught_up, "{name}");
        assert_eq!((status.partitions.len(), status.lag()), (0, None), "{name}");
        control.drain();
        ends(stays).await.unwrap().unwrap();
    }
}

#[tokio::test]
#[ignore = "needs a broker: make test-services"]
async fn a_setting_that_the_newer_protocol_leaves_to_the_broker_is_refused_by_name() {
    let topic = topic(&bootstrap(), "protocol-refused", 1).await;
    let service = Service::start().await;
    let cluster = cluster().set("session.timeout.ms", "6000");

    let refused = driver(cluster, &topic, &service).run(|_| {}).await;

    match refused {
        Err(Error::Kafka(msk_kafka::Error::Client { source })) => {
            assert!(
                source.to_string().contains("session.timeout.ms"),
                "{source}"
            );
        }
        other => panic!("{other:?}"),
    }
}

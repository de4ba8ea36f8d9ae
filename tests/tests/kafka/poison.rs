//! A record that is never done, with each destination that the driver has.

use msk_mapping::driver::{Cluster, Driver, FileDestination, Status, TopicDestination};
use msk_mapping::machine::{Configuration, OnFailure};
use serde_json::Value;

use crate::consume::settings;
use crate::support::broker::{bootstrap, order, produce, topic, values};
use crate::support::build::function;
use crate::support::ends;
use crate::support::service::Service;

pub(crate) const RECORDS: usize = 20;
/// The offset of the order that the service never takes.
pub(crate) const POISON: usize = 13;

pub(crate) async fn service() -> Service {
    let poison = order(POISON, 0);
    let mark = poison.split(',').next().unwrap().to_owned() + ",";
    Service::refusing(move |body| body.starts_with(mark.as_bytes())).await
}

/// Each record in a batch of its own, so that no other is given up with the poisoned one.
fn one_by_one(topic: &str, to: OnFailure) -> Configuration {
    let mut settings = settings(&bootstrap(), topic);
    settings.batch_size = Some(1);
    settings.maximum_retry_attempts = Some(1);
    settings.on_failure = Some(to);
    settings
}

fn driver(settings: &Configuration, service: &Service) -> Driver {
    let function = function(service.url()).env("LAMBDA_MSK_ATTEMPTS", "1");
    Driver::new(Cluster::new(bootstrap()), settings.clone(), function).until_caught_up()
}

/// What went to a destination: the one record, why, and as it was produced. All others were done.
fn assert_given_up(documents: &[Value], topic: &str, status: &Status, service: &Service) {
    assert_eq!(documents.len(), 1);
    let document = &documents[0];
    assert_eq!(document["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(document["requestContext"]["approximateInvokeCount"], 2);
    let record = &document["payload"]["records"][format!("{topic}-0")][0];
    assert_eq!(record["offset"], POISON);
    let (firsts, _) = service.first_comings();
    let done: Vec<i64> = (0..20).filter(|offset| *offset != 13).collect();
    assert_eq!(firsts[&0], done);
    assert_eq!((status.metrics.delivered, status.metrics.dropped), (1, 0));
    assert_eq!(status.lag(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_record_that_is_never_done_goes_to_a_file() {
    let topic = topic(&bootstrap(), "poison-file", 1).await;
    produce(&bootstrap(), &topic, 1, RECORDS, 0).await;
    let service = service().await;
    let path = std::env::temp_dir().join(format!("{topic}.ndjson"));
    let settings = one_by_one(&topic, OnFailure::Other(path.display().to_string()));

    let driver = driver(&settings, &service).destination(FileDestination::new(&path, &settings));
    let status = ends(driver.run(|_| {})).await.unwrap();

    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let documents: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_given_up(&documents, &topic, &status, &service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_record_that_is_never_done_goes_to_a_topic() {
    let dead = topic(&bootstrap(), "dead", 1).await;
    let topic = topic(&bootstrap(), "poison-topic", 1).await;
    produce(&bootstrap(), &topic, 1, RECORDS, 0).await;
    let service = service().await;
    let settings = one_by_one(&topic, OnFailure::Kafka(dead.clone()));

    let to = TopicDestination::new(&Cluster::new(bootstrap()), &dead, &settings).unwrap();
    let run = driver(&settings, &service).destination(to).run(|_| {});
    let status = ends(run).await.unwrap();

    let documents = values(&bootstrap(), &dead).await;
    assert_given_up(&documents, &topic, &status, &service);
}

//! Queue mode: a share group, whose broker hands out records, several batches of a partition at once, and has them back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use msk_mapping::driver::{Cluster, Driver, FileDestination, Notice};
use msk_mapping::machine::{Configuration, ConsumptionMode, InvocationId, OnFailure};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::consume;
use crate::support::broker::{bootstrap, order, produce, topic};
use crate::support::build::function;
use crate::support::echo;
use crate::support::ends;
use crate::support::service::Service;

const PARTITIONS: i32 = 3;
const RECORDS: usize = 600;
/// The order that the service never takes: the eleventh of the first partition.
const POISON: usize = 30;
const POISON_OFFSET: i64 = 10;
/// How often the tests' broker delivers a record: not as often as Kafka does by default.
const DELIVERIES: u16 = 4;

/// A mapping in Queue mode, whose group begins with the first record there is.
fn settings(topic: &str) -> Configuration {
    let mut settings = consume::settings(&bootstrap(), topic);
    settings.consumption_mode = ConsumptionMode::Queue;
    settings.maximum_batching_window_in_seconds = None;
    settings.batch_size = Some(10);
    settings
}

fn driver(settings: &Configuration, service: &Service) -> Driver {
    let function = function(service.url()).env("LAMBDA_MSK_ATTEMPTS", "1");
    Driver::new(Cluster::new(bootstrap()), settings.clone(), function)
}

/// How many batches of one partition were under way at once, at most.
#[derive(Default)]
struct AtOnce {
    open: BTreeMap<InvocationId, Vec<i32>>,
    most: usize,
}

impl AtOnce {
    fn hear(&mut self, notice: &Notice) {
        match notice {
            Notice::Invoking(flight) => {
                let of = flight.partitions.iter();
                let partitions: Vec<i32> = of.map(|part| part.partition.partition()).collect();
                self.open.insert(flight.id, partitions.clone());
                for partition in partitions {
                    let all = self.open.values();
                    let with = all.filter(|open| open.contains(&partition)).count();
                    self.most = self.most.max(with);
                }
            }
            Notice::Ended { flight, .. } => {
                self.open.remove(&flight.id);
            }
            _ => {}
        }
    }
}

fn assert_none_lost_but(poison: Option<i64>, each: &[usize], service: &Service) {
    let (mut firsts, _) = service.first_comings();
    for (partition, records) in each.iter().enumerate() {
        let partition = i32::try_from(partition).unwrap();
        let mut came = firsts.remove(&partition).unwrap_or_default();
        came.sort_unstable();
        let all = 0..i64::try_from(*records).unwrap();
        let done: Vec<i64> = all
            .filter(|offset| partition != 0 || Some(*offset) != poison)
            .collect();
        assert_eq!(came, done, "partition {partition}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_record_that_always_fails_is_given_up_at_the_limit_and_no_other_is_lost() {
    let topic = topic(&bootstrap(), "queue-poison", PARTITIONS).await;
    let each = produce(&bootstrap(), &topic, PARTITIONS, RECORDS, 0).await;
    let mark = order(POISON, 0).split(',').next().unwrap().to_owned() + ",";
    let refusals = Arc::new(AtomicUsize::new(0));
    let refused = Arc::clone(&refusals);
    let service = Service::refusing(move |body| {
        let poison = body.starts_with(mark.as_bytes());
        refused.fetch_add(usize::from(poison), Ordering::Relaxed);
        poison
    })
    .await;
    let path = std::env::temp_dir().join(format!("{topic}.ndjson"));
    let mut settings = settings(&topic);
    settings.maximum_retry_attempts = Some(0);
    settings.on_failure = Some(OnFailure::Other(path.display().to_string()));
    let at_once = Arc::new(Mutex::new(AtOnce::default()));
    let heard = Arc::clone(&at_once);

    let run = driver(&settings, &service)
        .destination(FileDestination::new(&path, &settings))
        .until_caught_up()
        .run(move |notice| {
            if let Notice::Trouble { reason } = &notice {
                eprintln!("{reason}");
            }
            heard.lock().unwrap().hear(&notice);
        });
    let status = ends(run).await.unwrap();

    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let given_up: Value = serde_json::from_str(lines.trim_end()).unwrap();
    let record = &given_up["payload"]["records"][format!("{topic}-0")][0];
    assert_eq!(record["offset"], POISON_OFFSET);
    let count = &given_up["requestContext"]["approximateInvokeCount"];
    assert_eq!(count, DELIVERIES);
    assert_eq!(refusals.load(Ordering::Relaxed), usize::from(DELIVERIES));
    assert_none_lost_but(Some(POISON_OFFSET), &each, &service);
    assert_eq!((status.metrics.delivered, status.metrics.dropped), (1, 0));
    assert!(status.caught_up);
    let most = at_once.lock().unwrap().most;
    assert!(most > 1, "{most} batches of a partition at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn what_a_poller_that_leaves_has_not_done_comes_to_the_next() {
    let topic = topic(&bootstrap(), "queue-leave", PARTITIONS).await;
    let each = produce(&bootstrap(), &topic, PARTITIONS, RECORDS, 0).await;
    let service = Service::start().await;
    let settings = settings(&topic);
    let (begun, mut has_begun) = watch::channel(false);
    let killed = driver(&settings, &service).pollers(2).run(move |notice| {
        if matches!(notice, Notice::Invoking(_)) {
            begun.send_replace(true);
        }
    });
    // Dropped, as a process that is killed: it says no good-bye.
    tokio::select! {
        _ = killed => panic!("it ended by itself"),
        begun = has_begun.wait_for(|begun| *begun) => assert!(begun.is_ok()),
    }

    let next = driver(&settings, &service).pollers(2).until_caught_up();
    let status = ends(next.run(|_| {})).await.unwrap();

    assert!(status.caught_up);
    assert_none_lost_but(None, &each, &service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_partition_without_records_does_not_keep_a_run_from_its_end() {
    let topic = topic(&bootstrap(), "queue-empty", PARTITIONS).await;
    let each = produce(&bootstrap(), &topic, 1, 20, 0).await;
    let service = Service::start().await;
    let settings = settings(&topic);

    let run = driver(&settings, &service).until_caught_up().run(|_| {});
    let status = ends(run).await.unwrap();

    assert!(status.caught_up);
    assert_none_lost_but(None, &each, &service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_function_that_never_answers_in_time_ends_a_run_with_all_given_up() {
    let (records, limit) = (20, Duration::from_millis(500));
    let topic = topic(&bootstrap(), "queue-hangs", PARTITIONS).await;
    produce(&bootstrap(), &topic, PARTITIONS, records, 0).await;
    let function = echo::function().env("BEHAVIOUR", "hang");
    let driver = Driver::new(Cluster::new(bootstrap()), settings(&topic), function)
        .timeout(limit)
        .until_caught_up();
    let (began, invocations) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&invocations);

    let run = driver.run(move |notice| {
        let invoked = matches!(notice, Notice::Invoking(_));
        counted.fetch_add(usize::from(invoked), Ordering::Relaxed);
    });
    let status = ends(run).await.unwrap();

    assert!(status.caught_up);
    let dropped = records as u64;
    assert_eq!((status.metrics.dropped, status.lag()), (dropped, Some(0)));
    // The broker sends a record alone once it has failed often: at the worst each has its time-out in each delivery.
    let most = records * usize::from(DELIVERIES);
    let invocations = invocations.load(Ordering::Relaxed);
    assert!(invocations <= most, "{invocations} invocations");
    // A new process each time, and the poll after a round.
    let beside = Duration::from_secs(1);
    let longest = (limit + beside) * u32::try_from(invocations).unwrap();
    assert!(began.elapsed() < longest, "{:?}", began.elapsed());
}

//! What ends a run that is to end by itself: the whole topic is done, by whomever, or the run says that it cannot go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use msk_mapping::driver::{Cluster, Driver, Error, TopicDestination, Unread};
use msk_mapping::limits::{CLOSE_MS, LEAVE_MS};
use msk_mapping::machine::OnFailure;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use crate::consume::settings;
use crate::support::broker::{Broker, bootstrap, delete, produce, topic, topic_with};
use crate::support::echo;
use crate::support::ends;
use crate::support::seen::Seen;
use crate::support::unread;

const RECORDS: usize = 20_000;
/// So small that a broker or a topic can go in the middle.
const BATCH: i64 = 10;
/// When it goes.
const BEGUN: usize = 500;

/// A driver of a function that answers at once, with small batches.
fn driver(bootstrap: &str, topic: &str) -> Driver {
    let mut settings = settings(bootstrap, topic);
    settings.batch_size = Some(BATCH);
    let function = echo::function().env("BEHAVIOUR", "done");
    Driver::new(Cluster::new(bootstrap), settings, function).timeout(Duration::from_secs(1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_broker_that_is_killed_for_good_ends_a_run_as_one_that_could_not_go_on() {
    let mut broker = Broker::start("gone").await;
    let topic = topic(&broker.bootstrap(), "gone", 3).await;
    produce(&broker.bootstrap(), &topic, 3, RECORDS, 100).await;
    let seen = Seen::default();

    let run = driver(&broker.bootstrap(), &topic).until_caught_up();
    let run = tokio::spawn(run.run(seen.hears()));
    ends(seen.done(BEGUN)).await;
    broker.kill();
    let ended = ends(run).await.unwrap();

    assert!(
        matches!(
            ended,
            Err(Error::Kafka(msk_kafka::Error::Unreachable { .. }))
        ),
        "{ended:?}"
    );
    assert!(!seen.last().caught_up && seen.number() < RECORDS);
    let says = |trouble: &String| trouble.contains("cannot ask the cluster");
    assert!(seen.troubles().iter().any(says), "{:?}", seen.troubles());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_broker_that_is_killed_and_comes_back_does_not_end_a_run_before_all_is_done() {
    let mut broker = Broker::start("back").await;
    let topic = topic(&broker.bootstrap(), "back", 3).await;
    let each = produce(&broker.bootstrap(), &topic, 3, RECORDS, 100).await;
    let seen = Seen::default();

    let run = driver(&broker.bootstrap(), &topic).until_caught_up();
    let run = tokio::spawn(run.run(seen.hears()));
    ends(seen.done(BEGUN)).await;
    broker.kill_and_start_again().await;
    let status = ends(run).await.unwrap().unwrap();

    seen.assert_all_in_order(&each);
    assert!(status.caught_up);
    assert_eq!(status.lag(), Some(0));
    assert_eq!(status.metrics.committed, RECORDS as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_run_that_is_stopped_just_after_the_broker_died_ends_soon() {
    let mut broker = Broker::start("stopped").await;
    let topic = topic(&broker.bootstrap(), "stopped", 3).await;
    produce(&broker.bootstrap(), &topic, 3, RECORDS, 100).await;
    let seen = Seen::default();
    let run = driver(&broker.bootstrap(), &topic);
    let control = run.control();
    let run = tokio::spawn(run.run(seen.hears()));
    ends(seen.done(BEGUN)).await;

    broker.kill();
    let since = Instant::now();
    control.drain();
    ends(run).await.unwrap().unwrap();

    // A second for what is under way, and one for a busy machine.
    let most = Duration::from_millis(LEAVE_MS + 2 * CLOSE_MS + 2_000);
    assert!(since.elapsed() < most, "{:?}", since.elapsed());
}

/// Another member of the group, which has the topic's only partition, and commits when it is told to.
struct Holder {
    commits: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Holder {
    async fn join(topic: &str) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap())
            .set("group.id", format!("{topic}-group"))
            .set("enable.auto.commit", "false")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", "6000")
            .create()
            .unwrap();
        consumer.subscribe(&[topic]).unwrap();
        let (commits, ends) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let (told, over) = (Arc::clone(&commits), Arc::clone(&ends));
        let (has, mut had) = tokio::sync::watch::channel(false);
        let topic = topic.to_owned();
        let task = spawn_blocking(move || {
            while !over.load(Ordering::Relaxed) {
                // What comes is not done.
                let _ = consumer.poll(Duration::from_millis(100));
                has.send_replace(consumer.assignment().unwrap().count() == 1);
                if told.swap(false, Ordering::Relaxed) {
                    let mut list = TopicPartitionList::new();
                    let to = Offset::Offset(20);
                    list.add_partition_offset(&topic, 0, to).unwrap();
                    consumer.commit(&list, CommitMode::Sync).unwrap();
                }
            }
        });
        super::support::ends(had.wait_for(|had| *had))
            .await
            .unwrap();
        Self {
            commits,
            ends,
            task,
        }
    }

    async fn leave(mut self) {
        self.ends.store(true, Ordering::Relaxed);
        (&mut self.task).await.unwrap();
    }
}

impl Drop for Holder {
    /// Of a test that failed: its runtime waits for the task.
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_topic_that_another_member_holds_is_done_once_that_one_has_committed_it() {
    let topic = topic(&bootstrap(), "held-done", 1).await;
    produce(&bootstrap(), &topic, 1, 20, 100).await;
    let holder = Holder::join(&topic).await;
    let seen = Seen::default();
    let run = driver(&bootstrap(), &topic).until_caught_up();
    let (said, mut says) = tokio::sync::watch::channel(false);
    let heard = seen.clone();
    let run = tokio::spawn(run.run(move |notice| {
        heard.hear(notice);
        let waits = |trouble: &String| {
            trouble.contains("1 of 1 partitions") && trouble.contains("20 of their records")
        };
        said.send_replace(heard.troubles().iter().any(waits));
    }));

    ends(says.wait_for(|said| *said)).await.unwrap();
    assert!(!run.is_finished());
    holder.commits.store(true, Ordering::Relaxed);
    let status = ends(run).await.unwrap().unwrap();
    holder.leave().await;

    assert!(status.caught_up);
    assert_eq!(status.unread, Some(Unread::Committed));
    assert_eq!(seen.number(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_run_that_waits_for_an_idle_member_ends_as_one_that_could_not_go_on() {
    let topic = topic(&bootstrap(), "held", 1).await;
    produce(&bootstrap(), &topic, 1, 20, 100).await;
    let holder = Holder::join(&topic).await;
    let seen = Seen::default();

    let run = driver(&bootstrap(), &topic).until_caught_up();
    let ended = ends(run.run(seen.hears())).await;
    holder.leave().await;

    let Err(Error::Stalled {
        left,
        partitions,
        owned,
        ..
    }) = ended
    else {
        panic!("{ended:?}");
    };
    assert_eq!((left, partitions, owned), (20, 1, 0));
    let status = seen.last();
    assert_eq!((status.caught_up, status.topic_partitions), (false, 1));
    assert_eq!(status.elsewhere.values().copied().collect::<Vec<_>>(), [20]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_topic_that_is_deleted_in_the_middle_ends_a_run() {
    let topic = topic(&bootstrap(), "deleted", 3).await;
    produce(&bootstrap(), &topic, 3, RECORDS, 100).await;
    let seen = Seen::default();
    let run = driver(&bootstrap(), &topic).until_caught_up();
    let run = tokio::spawn(run.run(seen.hears()));
    ends(seen.done(BEGUN)).await;

    delete(&bootstrap(), &topic).await;
    let ended = ends(run).await.unwrap();

    assert!(
        matches!(
            ended,
            Err(Error::Kafka(msk_kafka::Error::UnknownTopic { .. }))
        ),
        "{ended:?}"
    );
    let says = |trouble: &String| trouble.contains("topic");
    assert!(seen.troubles().iter().any(says), "{:?}", seen.troubles());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_record_that_the_destination_refuses_is_told_with_the_reason_and_lost() {
    let small = [("max.message.bytes", "200")];
    let dead = topic_with(&bootstrap(), "small", 1, &small).await;
    let topic = topic(&bootstrap(), "too-big", 1).await;
    produce(&bootstrap(), &topic, 1, 3, 500).await;
    let mut settings = settings(&bootstrap(), &topic);
    settings.maximum_retry_attempts = Some(0);
    settings.on_failure = Some(OnFailure::Kafka(dead.clone()));
    let to = TopicDestination::new(&Cluster::new(bootstrap()), &dead, &settings).unwrap();
    let function = echo::function().env("BEHAVIOUR", "error");
    let seen = Seen::default();

    let driver = Driver::new(Cluster::new(bootstrap()), settings, function);
    let run = driver.destination(to).until_caught_up().run(seen.hears());
    let status = ends(run).await.unwrap();

    let undelivered = seen.undelivered();
    assert_eq!(undelivered.len(), 1, "{undelivered:?}");
    assert!(undelivered[0].contains(&dead), "{undelivered:?}");
    assert_eq!((status.metrics.delivered, status.metrics.dropped), (0, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_broker_that_is_not_where_it_says_is_named_with_that_address() {
    let nowhere = "PLAINTEXT://nowhere.invalid:9092,CONTROLLER://127.0.0.1:@CONTROLLER@";
    let more = format!("advertised.listeners={nowhere}\n");
    let broker = Broker::start_with("nowhere", &more).await;

    let ended = ends(
        driver(&broker.bootstrap(), "orders")
            .until_caught_up()
            .run(|_| {}),
    )
    .await;

    let Err(Error::Kafka(msk_kafka::Error::Advertised { address, .. })) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(address, "nowhere.invalid:9092");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_run_that_reads_nothing_of_a_topic_with_records_says_why() {
    let topic = topic(&bootstrap(), "unread", 1).await;
    produce(&bootstrap(), &topic, 1, 20, 100).await;
    let run = |start, group: &'static str| {
        let mut settings = settings(&bootstrap(), &topic);
        settings.starting_position = start;
        settings.consumer_group_id = Some(format!("{topic}-{group}"));
        ends(echo::run(echo::driver(Cluster::new(bootstrap()), settings)))
    };

    unread::assert_told(run, 20).await;
}

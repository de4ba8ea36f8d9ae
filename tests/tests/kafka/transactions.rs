//! Transactions: what was taken back is never sent, what is open waits, and their markers leave no lag.

use std::time::Duration;

use msk_mapping::driver::Cluster;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tokio::task::spawn_blocking;

use crate::consume;
use crate::support::broker::{bootstrap, topic};
use crate::support::echo::{self, Echoed};
use crate::support::group::committed_and_end;

const LIMIT: Duration = Duration::from_secs(30);

/// How a transaction ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Commits,
    Aborts,
    /// Not yet.
    StaysOpen,
}

/// Writes these transactions to the topic's first partition, each of so many records and, once it has ended, a marker.
async fn transact(topic: &str, transactions: &'static [(usize, End)]) -> BaseProducer {
    let topic = topic.to_owned();
    let written = spawn_blocking(move || {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap())
            .set("transactional.id", &topic)
            .create()
            .unwrap();
        producer.init_transactions(LIMIT).unwrap();
        for (records, end) in transactions {
            producer.begin_transaction().unwrap();
            for _ in 0..*records {
                let record = BaseRecord::<(), _>::to(&topic).partition(0).payload("{}");
                producer.send(record).unwrap();
            }
            producer.flush(LIMIT).unwrap();
            match end {
                End::Commits => producer.commit_transaction(LIMIT).unwrap(),
                End::Aborts => producer.abort_transaction(LIMIT).unwrap(),
                End::StaysOpen => {}
            }
        }
        producer
    });
    written.await.unwrap()
}

fn group(topic: &str) -> String {
    format!("{topic}-group")
}

async fn run(topic: &str) -> Echoed {
    let settings = consume::settings(&bootstrap(), topic);
    echo::run(echo::driver(Cluster::new(bootstrap()), settings)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn what_a_transaction_took_back_is_not_sent_and_the_last_marker_is_committed() {
    let topic = topic(&bootstrap(), "transactions", 1).await;
    // 0 to 2 and a marker, 4, 5 and a marker, 7, 8 and a marker.
    let three = &[(3, End::Commits), (2, End::Aborts), (2, End::Commits)];
    transact(&topic, three).await;

    let first = run(&topic).await;
    let stands = committed_and_end(&group(&topic), &topic).await;
    let again = run(&topic).await;

    assert_eq!(first.offsets(), [0, 1, 2, 7, 8]);
    assert_eq!(first.status.lag(), Some(0));
    assert_eq!(stands, (Some(10), 10));
    assert_eq!(again.records().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_topic_of_nothing_but_what_was_taken_back_is_settled_without_an_invocation() {
    let topic = topic(&bootstrap(), "transactions-none", 1).await;
    transact(&topic, &[(2, End::Aborts)]).await;

    let echoed = run(&topic).await;

    assert_eq!(echoed.status.metrics.invocations, 0);
    assert_eq!(echoed.status.lag(), Some(0));
    let stands = committed_and_end(&group(&topic), &topic).await;
    assert_eq!(stands, (Some(3), 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn what_a_transaction_wrote_is_sent_once_it_has_ended() {
    let topic = topic(&bootstrap(), "transactions-open", 1).await;
    let producer = transact(&topic, &[(2, End::Commits), (3, End::StaysOpen)]).await;

    let before = run(&topic).await;
    let stands = committed_and_end(&group(&topic), &topic).await;
    let ended = spawn_blocking(move || producer.commit_transaction(LIMIT));
    ended.await.unwrap().unwrap();
    let after = run(&topic).await;

    assert_eq!(before.offsets(), [0, 1]);
    // Up to the open one, behind which nothing can be read.
    assert_eq!((before.status.lag(), stands), (Some(0), (Some(3), 6)));
    assert_eq!(after.offsets(), [3, 4, 5]);
    let stands = committed_and_end(&group(&topic), &topic).await;
    assert_eq!(stands, (Some(7), 7));
}

//! Queue mode: where a share group begins to read, which the broker by itself lets it do at the end.

use msk_mapping::driver::Cluster;
use msk_mapping::machine::{ConsumptionMode, StartingPosition};

use crate::consume;
use crate::starting::{produce, starts};
use crate::support::broker::{bootstrap, topic};
use crate::support::{echo, unread};

/// The offsets that a run of that group was sent until all was settled, ascending.
async fn run(topic: &str, group: &str, start: StartingPosition) -> Vec<i64> {
    let mut settings = consume::settings(&bootstrap(), topic);
    settings.consumption_mode = ConsumptionMode::Queue;
    settings.maximum_batching_window_in_seconds = None;
    settings.consumer_group_id = Some(group.to_owned());
    settings.starting_position = start;
    let echoed = echo::run(echo::driver(Cluster::new(bootstrap()), settings)).await;
    assert_eq!(echoed.troubles, Vec::<String>::new(), "{start:?}");
    let mut offsets = echoed.offsets();
    offsets.sort_unstable();
    offsets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_new_share_group_begins_where_it_is_told_to_and_any_other_where_it_left_off() {
    let topic = topic(&bootstrap(), "queue-start", 1).await;
    produce(&topic, 0, 0..10).await;
    let starts = starts();

    let mut begun = Vec::new();
    for (number, (start, _)) in starts.iter().enumerate() {
        begun.push(run(&topic, &format!("{topic}-{number}"), *start).await);
    }
    produce(&topic, 0, 10..13).await;
    let mut went_on = Vec::new();
    for number in 0..starts.len() {
        let other = starts[(number + 1) % starts.len()].0;
        went_on.push(run(&topic, &format!("{topic}-{number}"), other).await);
    }

    let from = |first: i64| (first..10).collect::<Vec<i64>>();
    assert_eq!(begun, starts.map(|(_, first)| from(first)));
    assert_eq!(went_on, starts.map(|_| vec![10, 11, 12]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a broker: make test-services"]
async fn a_share_group_that_is_sent_nothing_of_a_topic_with_records_says_why() {
    let topic = topic(&bootstrap(), "queue-unread", 1).await;
    produce(&topic, 0, 0..10).await;
    let run = |start, group: &'static str| {
        let mut settings = consume::settings(&bootstrap(), &topic);
        settings.consumption_mode = ConsumptionMode::Queue;
        settings.maximum_batching_window_in_seconds = None;
        settings.consumer_group_id = Some(format!("{topic}-{group}"));
        settings.starting_position = start;
        echo::run(echo::driver(Cluster::new(bootstrap()), settings))
    };

    unread::assert_told(run, 10).await;
}
